"""Actions, their bindings, and what is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployments import plan
from deployments.findings import ERROR, NOTE, WARNING, Circumstances, Finding
from deployments.plan import DELETE, Item

_OLD_RUNTIMES = ("node8", "node10", "node12", "node16")


def actions(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "actions" or item.after is None:
        return
    bound = {b.get("action_name") for bindings in _after(known, "triggers").values() for b in bindings or []}
    if item.name not in bound and "triggers" in known.target:
        yield Finding(
            WARNING,
            "not-bound",
            item.key,
            "No trigger of the target runs this Action, so it would do nothing.",
            "Pick its binding (Action bindings) too.",
        )
    if not item.after.get("deployed"):
        yield Finding(
            WARNING,
            "not-deployed",
            item.key,
            "The source has not deployed this Action: its draft would be written.",
            "Deploy it in the source, try it there, and export again.",
        )
    if item.after.get("runtime") in _OLD_RUNTIMES:
        yield Finding(
            WARNING,
            "old-runtime",
            item.key,
            f"It runs on {item.after['runtime']}, which Auth0 no longer supports.",
            "Move it to node22 in the source.",
        )
    for dependency in item.after.get("dependencies") or []:
        if dependency.get("version") in ("latest", "", None):
            yield Finding(
                WARNING,
                "loose-dependency",
                item.key,
                f"{dependency.get('name')} has no fixed version.",
                "Name the version, so that both tenants run the same code.",
            )


def bindings(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "triggers":
        return
    before = {b.get("action_name") for b in item.before or []}
    dropped = sorted(before - {b.get("action_name") for b in item.after or []})
    if dropped:
        yield Finding(
            WARNING,
            "unbinds",
            item.key,
            f"The target's own Actions would stop running: {', '.join(dropped)}.",
            "Leave “exactly the source's bindings” off to keep them.",
        )
    if item.own:
        yield Finding(
            NOTE,
            "keeps-own",
            item.key,
            f"Actions that only the target has stay bound: {', '.join(item.own)}.",
            "Check that the order is right: each Action sees what the ones before it did.",
        )
    for name in (b.get("action_name") for b in item.after or []):
        action = _after(known, "actions").get(name)
        if action is not None and not action.get("deployed"):
            yield Finding(
                ERROR,
                "bound-not-deployed",
                item.key,
                f"“{name}” is bound but not deployed in the target.",
                "Pick the deployed Action too.",
            )


def deletions(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.action != DELETE:
        return
    danger = {
        "connections": "Users of this connection can no longer sign in, and their accounts go with it.",
        "clients": "Everybody who uses this application is locked out, and its client id is lost for good.",
        "resourceServers": "Tokens for this API are no longer issued; grants and permissions go with it.",
        "organizations": "Its memberships, invitations and connections go with it.",
        "roles": "Everybody loses this role, and no export holds who had it.",
        "actions": "Its versions and secrets go with it.",
    }.get(item.kind, "It can't be brought back with the same id.")
    yield Finding(WARNING, "deletes", item.key, danger, "Delete only what nothing uses any more.")


def _after(known: Circumstances, kind: str) -> dict[str, Any]:
    """The kind's objects in the target once the plan is applied."""
    return plan.applied({kind: known.target.get(kind, {})}, [i for i in known.items if i.kind == kind]).get(kind, {})
