"""What is bound to the triggers of Actions, in the order in which it runs."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import actions
from sandbox.kinds.kind import Id
from sandbox.kinds.operations import Call, operation
from sandbox.kinds.triggers import TRIGGERS
from sandbox.store import Document

MOST_BOUND = 20


def _known(call: Call) -> str:
    trigger_id = call.params["trigger_id"]
    if trigger_id not in {trigger["id"] for trigger in TRIGGERS}:
        raise ApiError(404, "That trigger does not exist.")
    return trigger_id


@operation("GET", "/actions/triggers/{trigger_id}/bindings")
def list_bindings(call: Call) -> Document:
    stored = (call.store.get("trigger_bindings", _known(call)) or {}).get("bindings", ())
    return actions.listed(call, [_shown(call, binding) for binding in stored], "bindings")


def _shown(call: Call, binding: Document) -> Document:
    action = actions.shown(call, call.store.get("actions", binding["action_id"]) or {})
    fields = ("id", "name", "supported_triggers", "created_at", "updated_at", "current_version", "deployed_version")
    summary = {field: action[field] for field in fields if field in action}
    answer = {key: value for key, value in binding.items() if key != "action_id"}
    return {**answer, "action": {**summary, "all_changes_deployed": False}}


@operation("PATCH", "/actions/triggers/{trigger_id}/bindings")
def replace_bindings(call: Call) -> Document:
    """The list sent is the whole list: what it leaves out is no longer bound."""
    trigger_id, now = _known(call), call.tenant.timestamp()
    old = {b["id"]: b for b in (call.store.get("trigger_bindings", trigger_id) or {}).get("bindings", ())}
    sent = (call.body or {}).get("bindings") or []
    if len(sent) > MOST_BOUND:
        raise ApiError(400, f"A trigger may have at most {MOST_BOUND} bindings.", "invalid_body")
    new = [_binding(call, trigger_id, entry, old, now) for entry in sent]
    ids = [binding["action_id"] for binding in new]
    if len(set(ids)) != len(ids):
        raise ApiError(400, "An action can be bound to a trigger only once.", "invalid_body")
    call.store.put("trigger_bindings", trigger_id, {"bindings": new})
    return {"bindings": [_shown(call, binding) for binding in new]}


def _binding(call: Call, trigger_id: str, sent: Document, old: dict[str, Document], now: str) -> Document:
    reference: dict[str, Any] = sent.get("ref") or {}
    if reference.get("type") == "binding_id":
        found = old.get(reference.get("value", ""))
        if found is None:
            raise ApiError(404, "That binding does not exist.")
        return {**found, "display_name": sent.get("display_name") or found["display_name"], "updated_at": now}
    field = "name" if reference.get("type") == "action_name" else "id"
    action = call.store.first("actions", **{field: reference.get("value")})
    if action is None:
        raise ApiError(404, "That action does not exist.")
    if not action.get("_deployed"):
        raise ApiError(400, "All actions must be deployed before they can be bound.", "invalid_body")
    if trigger_id not in {trigger["id"] for trigger in action["supported_triggers"]}:
        raise ApiError(400, f"The action does not support the trigger {trigger_id}.", "invalid_body")
    known = next((b for b in old.values() if b["action_id"] == action["id"]), None)
    return {
        "id": known["id"] if known else Id("", 0).new(),
        "trigger_id": trigger_id,
        "action_id": action["id"],
        "created_at": known["created_at"] if known else now,
        "updated_at": now,
        "display_name": sent.get("display_name") or action["name"],
    }
