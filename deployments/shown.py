"""Plans as pages show them: rows of fields, texts as differences, bindings as lists of names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deployments import fields, plan
from deployments.findings import Finding
from deployments.kinds import KEYED, KINDS
from deployments.models import Promotion
from deployments.promotions import not_promotable

Status = Promotion.Status
# Longer differences are cut: the snapshot's page has the whole text.
MOST_DIFF_LINES = 400


@dataclass
class Row:
    """One field: `path` as people read it, `value` as the form posts it."""

    path: str
    value: str
    before: Any
    after: Any
    secret: bool = False
    diff: str = ""
    kept: bool = False


@dataclass
class Shown:
    """One item with what a page prints of it."""

    item: plan.Item
    rows: list[Row]
    why_not: str = ""
    picked: bool = False
    exact: bool = False
    findings: list[Finding] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    @property
    def is_update(self) -> bool:
        return self.item.action == plan.UPDATE

    @property
    def worst(self) -> str:
        return self.findings[0].severity if self.findings else ""

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """(what the form posts, label) of each secret that the target lacks."""
        return [(f"{self.item.key}|{path}", fields.label(path)) for path in plan.secrets_needed(self.item)]


def items(
    found: Iterable[plan.Item], *, picks: dict[str, plan.Pick] | None = None, findings: Iterable[Finding] = ()
) -> list[Shown]:
    by_item: dict[str, list[Finding]] = {}
    for finding in findings:
        by_item.setdefault(finding.item, []).append(finding)
    return [_shown(item, (picks or {}).get(item.key), by_item.get(item.key, [])) for item in found]


def grouped(shown: list[Shown]) -> list[dict[str, Any]]:
    """[{"title", "delete": bool, "shown": [...]}] by kind, deletions apart at the end."""
    groups: dict[tuple[bool, str], list[Shown]] = {}
    for entry in shown:
        groups.setdefault((entry.item.action == plan.DELETE, entry.item.label), []).append(entry)
    return [{"title": title, "delete": delete, "shown": entries} for (delete, title), entries in groups.items()]


def steps(promotion: Promotion) -> list[dict[str, str]]:
    """Planned, requested, approved, applying, verified, for the stepper; who and when as hints."""
    reached: dict[str, int] = {
        Status.DRAFT: 1,
        Status.REQUESTED: 2,
        Status.APPROVED: 3,
        Status.APPLYING: 3,
        Status.VERIFIED: 5,
        Status.ROLLED_BACK: 5,
    }
    failed_at: dict[str, int] = {Status.REFUSED: 2, Status.FAILED: 4, Status.INTERRUPTED: 3, Status.OUTDATED: 3}
    if promotion.status == Status.CANCELLED:
        failed_at[Status.CANCELLED] = 3 if promotion.decided_at else 2 if promotion.requested_at else 1
    if promotion.status == Status.FAILED and not promotion.outcome.get("differences"):
        failed_at[Status.FAILED] = 3
    stop = failed_at.get(promotion.status, 9)
    here = reached.get(promotion.status, stop)
    labels = ["Planned", "Requested", "Approved", "Applied", "Verified"]
    return [
        {"label": label, "hint": hint, "state": _state(number, here, stop)}
        for number, (label, hint) in enumerate(zip(labels, _hints(promotion), strict=True))
    ]


def _state(number: int, here: int, stop: int) -> str:
    if number == stop:
        return "failed"
    return "done" if number < here else "current" if number == here else "next"


def _hints(promotion: Promotion) -> list[str]:
    return [
        f"by {promotion.requested_by.email}",
        f"{promotion.requested_at:%d %b %H:%M}" if promotion.requested_at else "",
        f"by {promotion.decided_by.email}" if promotion.decided_by else "by somebody else",
        f"by {promotion.started_by.email}" if promotion.started_by else "",
        f"{promotion.finished_at:%d %b %H:%M}" if promotion.finished_at and promotion.after else "",
    ]


def _shown(item: plan.Item, pick: plan.Pick | None, findings: list[Finding]) -> Shown:
    keep = pick.keep if pick else frozenset()
    rows = [row for change in item.changes for row in _rows(item, change, change.path in keep)]
    needs = [f"{KINDS[kind].label} “{name}”" for kind, name in item.needs]
    return Shown(item, rows, not_promotable(item), pick is not None, bool(pick and pick.exact), findings, needs)


def _rows(item: plan.Item, change: plan.Change, kept: bool) -> list[Row]:
    if KINDS[item.kind].shape == KEYED:
        return [Row("bindings, in order", change.path, _names(change.before), _names(change.after), kept=kept)]
    if change.path or not isinstance(change.after or change.before, dict):
        return [_row(change.label, change.path, change.before, change.after, change.secret, kept)]
    before, after = change.before or {}, change.after or {}
    return [
        _row(key, key, before.get(key), after.get(key), False, False)
        for key in sorted({*before, *after})
        if not fields.same(before.get(key), after.get(key))
    ]


def _row(label: str, value: str, before: Any, after: Any, secret: bool, kept: bool) -> Row:
    diff = "" if secret else _diff(label, before, after)
    return Row(label, value, before, after, secret, diff, kept)


def _diff(label: str, before: Any, after: Any) -> str:
    """A unified difference where either side is a text of several lines."""
    old, new = (value if isinstance(value, str) else "" for value in (before, after))
    if "\n" not in old + new:
        return ""
    names = f"{label} before", f"{label} after"
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="", n=3))
    if len(lines) > MOST_DIFF_LINES:
        lines = [*lines[:MOST_DIFF_LINES], f" … {len(lines) - MOST_DIFF_LINES} more lines"]
    return "\n".join(lines) + "\n"


def _names(bindings: Any) -> Any:
    return [binding.get("action_name") for binding in bindings] if bindings else None
