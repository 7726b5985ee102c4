"""What would go wrong if a plan were applied: each finding says why, and what to do. Pure.

An error keeps the plan from being requested, a warning asks for a look, a note is good to know.
"""

from __future__ import annotations

from collections.abc import Iterator

from deployments import plan
from deployments.analysers import ANALYSERS
from deployments.findings import ERROR, NOTE, WARNING, Circumstances, Finding
from deployments.kinds import KINDS
from deployments.plan import Item

_RANK = {ERROR: 0, WARNING: 1, NOTE: 2}


def analyse(items: list[Item], circumstances: Circumstances) -> list[Finding]:
    """All findings of a plan, the worst first."""
    known = Circumstances(**{**vars(circumstances), "items": tuple(items)})
    found = [*_references(items, known), *_unreadable(items, known)]
    for item in items:
        for analyser in ANALYSERS:
            found += analyser(item, known)
    return sorted(dict.fromkeys(found), key=lambda finding: (_RANK[finding.severity], finding.item))


def _references(items: list[Item], known: Circumstances) -> Iterator[Finding]:
    for item, kind, name in plan.unresolved(items, known.target):
        label = KINDS[kind].label
        yield Finding(
            ERROR,
            "missing-reference",
            item.key,
            f"It refers to {label} “{name}”, which the target does not have.",
            f"Pick “{name}” too (“Add what it needs”), or keep the target's value of this field.",
        )


def _unreadable(items: list[Item], known: Circumstances) -> Iterator[Finding]:
    for kind in sorted({item.kind for item in items} & known.unreadable.keys()):
        yield Finding(
            ERROR,
            "unreadable",
            "",
            f"{KINDS[kind].label} could not be read whole: {known.unreadable[kind]}.",
            "Mend the reason, and export again.",
        )
