"""Carrying out an approved promotion: look again, write what was approved and nothing else, read back, compare."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deployments import fields, plan, project, promotions, rollback, snapshots
from deployments.engines import deploy_cli, writes
from deployments.kinds import KINDS, LIST
from deployments.models import Promotion, Snapshot
from deployments.project import Content
from portal import audit, auth0
from portal.errors import Invalid, PortalError, Refused
from portal.models import Run, RunEvent
from portal.runs import Cancelled, Progress

Status = Promotion.Status


class Moved(Refused):
    """The target is not what the plan was made against. `what` says where: [{"item", "path", "planned", "now"}]."""

    def __init__(self, what: list[dict[str, Any]]) -> None:
        super().__init__("The target has changed since this was planned. Nothing was written: plan again.")
        self.what = what


def apply(run: Run, progress: Progress) -> dict[str, Any]:
    """The handler of `deployments.apply` runs. Every end is a named state of the promotion."""
    promotion = Promotion.objects.get(pk=run.parameters["promotion"])
    if promotion.status != Status.APPLYING:
        raise Refused(f"This promotion is {promotion.get_status_display().lower()}, so it is not applied.")
    try:
        return _apply(promotion, progress)
    except Cancelled:
        promotions.finish(
            promotion, Status.FAILED, outcome={"problem": "Stopped by a person. The journal shows what was written."}
        )
        raise
    except Moved as error:
        promotions.finish(promotion, Status.OUTDATED, outcome={"problem": error.message, "moved": error.what})
        raise
    except PortalError as error:
        _fail(promotion, progress, error.message)
        raise
    except Exception as error:
        promotions.finish(promotion, Status.FAILED, outcome={"problem": f"Unexpected {type(error).__name__}."})
        raise


def _apply(promotion: Promotion, progress: Progress) -> dict[str, Any]:
    if not promotion.is_sound:
        raise Refused("The stored plan is not the one that was approved: its hash differs. Nothing was written.")
    auth0.check_writable(promotion.target)
    items = promotion.plan
    progress.say(f"Reading {promotion.target.name} as it is now")
    reading = snapshots.read(promotion.target, progress, kinds={item.kind for item in items})
    _expect_target(items, reading)
    before = _store(promotion, reading, Snapshot.Source.BEFORE, progress)
    Promotion.objects.filter(pk=promotion.pk).update(before=before)
    _write(promotion, items, reading, progress)
    differences, notes = _verify(promotion, items, reading, progress)
    if differences:
        problem = "It was applied, but the target does not read as planned."
        promotions.finish(promotion, Status.FAILED, outcome={"problem": problem, "differences": differences})
        raise Refused(problem)
    promotions.finish(promotion, Status.VERIFIED, outcome={"notes": notes})
    progress.say(f"Verified: {promotion.target.name} reads as planned.")
    return {"promotion": promotion.pk, "items": len(items)}


def _expect_target(items: list[plan.Item], reading: snapshots.Reading) -> None:
    unread = {item.kind: reading.unknown[item.kind] for item in items if item.kind in reading.unknown}
    if unread:
        kind, reason = next(iter(unread.items()))
        raise Refused(f"{KINDS[kind].label} of the target could not be read: {reason}. Nothing was written.")
    moved = list(what_moved(items, reading.content))
    if moved:
        raise Moved(moved)
    if missing := plan.unresolved(items, reading.content):
        item, kind, name = missing[0]
        raise Refused(
            f"{item.label} “{item.name}” needs {KINDS[kind].label} “{name}”, which the target lacks. "
            "Nothing was written."
        )


def what_moved(items: list[plan.Item], content: Content) -> Iterator[dict[str, Any]]:
    """Fields of the planned objects that are no longer what the plan saw."""
    for item in items:
        kind = KINDS[item.kind]
        now = content.get(item.kind, {}).get(item.name)
        for path, planned, current in fields.diff(item.before, now, ordered=kind.ordered, skip=kind.volatile):
            yield {"item": item.key, "path": fields.label(path), "planned": planned, "now": current}


def _write(promotion: Promotion, items: list[plan.Item], reading: snapshots.Reading, progress: Progress) -> None:
    with audit.recorded(
        promotion.started_by,
        "promotions.apply",
        tenant=promotion.target,
        target=f"promotion {promotion.pk}",
        target_label=promotion.title,
        reason=promotion.reason,
        ticket=promotion.ticket,
    ) as entry:
        entry.before = {item.key: {c.label: c.before for c in item.changes if not c.secret} for item in items}
        entry.after = {item.key: {c.label: c.after for c in item.changes if not c.secret} for item in items}
        _import(promotion, [item for item in items if item.action != plan.DELETE], reading, progress)
        for item in items:
            if item.action == plan.DELETE:
                progress.check()
                _delete(promotion, item, reading.ids.get(item.kind, {}).get(item.name, ""), progress)


def _import(promotion: Promotion, items: list[plan.Item], reading: snapshots.Reading, progress: Progress) -> None:
    if not items:
        return
    bodies: Content = {}
    for item in items:
        live = _live(promotion, item, reading)
        bodies.setdefault(item.kind, {})[item.name] = body(item, live, promotion.secret_values)
    with tempfile.TemporaryDirectory(prefix="castellan-import-") as name:
        project.write(bodies, Path(name))
        progress.say(f"Writing {len(items)} object(s) to {promotion.target.name}")
        included = [kind for kind in KINDS if kind in bodies]
        job = deploy_cli.Job("import", Path(name), included, allow=writes.allowed(items, reading.ids))
        deploy_cli.run(promotion.target, job, on_event=teller(progress), progress=progress)


def body(item: plan.Item, live: Any, given: dict[str, str]) -> Any:
    """The whole object as it is written: the target's own secrets kept, given ones filled in, removed fields as null.

    `live` is the target's object with its secrets, {} where there is none. Raises Invalid where a secret would be lost.
    """
    kind, thing = KINDS[item.kind], item.after
    for change in item.changes:
        if item.action == plan.UPDATE and change.after is None and not fields.any_matches(kind.replaces, change.path):
            thing = fields.put(thing, change.path, [] if isinstance(change.before, list) else None, erase=False)
    for path, value in list(fields.leaves(thing)):
        if fields.is_placeholder(value) and plan.is_secret_path(item.kind, path):
            thing = fields.put(thing, path, _secret(item, path, live, given))
    return _with_action_secrets(item, thing, given) if item.kind in ("actions", "actionModules") else thing


def _secret(item: plan.Item, path: str, live: Any, given: dict[str, str]) -> str | None:
    if value := given.get(f"{item.key}|{path}"):
        return value
    own = fields.get(live, path)
    if isinstance(own, str) and own and not fields.is_placeholder(own):
        return own
    if fields.any_matches(KINDS[item.kind].replaces, path):
        hidden = "read:connections_options" in KINDS[item.kind].extra_scopes
        raise Invalid(
            f"The secret {fields.label(path)} of {item.label} “{item.name}” can't be read from the target, and the "
            f"write would remove it. {'Grant read:connections_options, or plan' if hidden else 'Plan'} this again and "
            "enter it on the promotion's page. Nothing was written."
        )
    return None


def _with_action_secrets(item: plan.Item, thing: Any, given: dict[str, str]) -> Any:
    """Secrets of an Action are named without value where they stay; the field is left out where none is new."""
    names = [entry["name"] for entry in thing.get("secrets") or []]
    if item.before is not None and not any(change.path.startswith("secrets") for change in item.changes):
        return {key: value for key, value in thing.items() if key != "secrets"}
    values = {name: given.get(f"{item.key}|secrets/{fields.step(name)}") for name in names}
    return thing | {"secrets": [{"name": n} | ({"value": v} if v else {}) for n, v in values.items()]}


def _live(promotion: Promotion, item: plan.Item, reading: snapshots.Reading) -> Any:
    """The target's object with its secrets, read only where the write needs them; it never leaves this process's memory
    and the folder that is handed to the Deploy CLI."""
    kind = KINDS[item.kind]
    holds = any(fields.is_placeholder(value) for _, value in fields.leaves(item.after))
    id_ = reading.ids.get(item.kind, {}).get(item.name, "")
    if not (holds and id_ and kind.api and kind.shape == LIST):
        return {}
    return auth0.request(promotion.target, "GET", f"{kind.api}/{auth0.segment(id_)}")


def _delete(promotion: Promotion, item: plan.Item, id_: str, progress: Progress) -> None:
    if not id_:
        raise Refused(f"The id of {item.label} “{item.name}” is not known, so it was not deleted.")
    path = f"{KINDS[item.kind].api}/{auth0.segment(id_)}"
    progress.say(f"DELETE {path}", write={"method": "DELETE", "path": f"/api/v2{path}", "status": 0})
    auth0.request(promotion.target, "DELETE", path)
    progress.say(
        f"Deleted {item.label} “{item.name}”", write={"method": "DELETE", "path": f"/api/v2{path}", "status": 204}
    )


def _verify(
    promotion: Promotion, items: list[plan.Item], before: snapshots.Reading, progress: Progress
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read again, and compare with the plan. Returns (what differs from it, what Auth0 filled in by itself)."""
    progress.say("Reading back and comparing")
    reading = snapshots.read(promotion.target, progress, kinds={item.kind for item in items})
    after = _store(promotion, reading, Snapshot.Source.AFTER, progress)
    Promotion.objects.filter(pk=promotion.pk).update(after=after)
    return compare(plan.applied(before.content, items), reading.content)


def compare(planned: Content, actual: Content) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(differences, additions): additions are fields that nobody planned and that were not set before."""
    differences: list[dict[str, Any]] = []
    additions: list[dict[str, Any]] = []
    for kind in planned:
        rules = KINDS[kind]
        for name in {**planned[kind], **actual.get(kind, {})}:
            want, have = planned[kind].get(name), actual.get(kind, {}).get(name)
            for path, planned_value, found in fields.diff(want, have, ordered=rules.ordered, skip=rules.volatile):
                row = {"item": f"{kind}|{name}", "path": fields.label(path), "planned": planned_value, "found": found}
                (additions if fields.is_empty(planned_value) and path else differences).append(row)
    return differences, additions


def _fail(promotion: Promotion, progress: Progress, problem: str) -> None:
    """Name the failure, and what of the plan had arrived by then: read from the target, not guessed."""
    outcome: dict[str, Any] = {"problem": problem}
    promotion.refresh_from_db()
    if promotion.status != Status.APPLYING:
        return
    if promotion.before and rollback.journal(promotion):
        try:
            reading = snapshots.read(promotion.target, progress, kinds={item.kind for item in promotion.plan})
            after = _store(promotion, reading, Snapshot.Source.AFTER, progress)
            Promotion.objects.filter(pk=promotion.pk).update(after=after)
            outcome["applied"] = [i.key for i in promotion.plan if not _still_differs(i, reading.content)]
        except (PortalError, Cancelled) as error:
            progress.say(f"What had arrived could not be read: {error}", level=RunEvent.Level.WARNING)
    promotions.finish(promotion, Status.FAILED, outcome=outcome)


def _still_differs(item: plan.Item, content: Content) -> bool:
    differences, _ = compare(
        {item.kind: {item.name: item.after}}, {item.kind: {item.name: content.get(item.kind, {}).get(item.name)}}
    )
    return bool(differences)


def _store(promotion: Promotion, reading: snapshots.Reading, source: str, progress: Progress) -> Snapshot:
    note = f"{Snapshot.Source(source).label.replace('a promotion', f'promotion {promotion.pk}')}"
    return snapshots.store(
        promotion.target, reading, source=source, taken_by=promotion.started_by, run=progress.run, note=note
    )


def teller(progress: Progress) -> Any:
    """Turns an import's events into the run's lines; each write is a line of the journal."""

    def tell(event: dict[str, Any]) -> None:
        if event["ev"] == "write":
            status = event.get("status", 0)
            write = {key: event.get(key, "") for key in ("method", "path", "message", "request")} | {"status": status}
            failed = status >= 400
            progress.say(
                f"{event['method']} {event['path']}" + (f": {status} {event.get('message', '')}" if status else " …"),
                level=RunEvent.Level.ERROR if failed and status != 429 else RunEvent.Level.INFO,
                write=write,
            )
        elif event["ev"] == "refused":
            progress.say(f"Refused: {event['method']} {event['path']} {event['reason']}", level=RunEvent.Level.ERROR)
        elif event["ev"] == "log" and "should be deleted" not in event["message"]:
            # Of whatever is not in the folder the Deploy CLI says so; deletes are off, and a plan names its own.
            progress.say(event["message"], level=RunEvent.Level.WARNING)
        elif event["ev"] == "waiting":
            progress.say(f"Waiting {event['ms'] / 1000:.0f} s to leave room for people.")

    return tell
