"""Triggers of Actions and what is bound to them, in the order in which it runs."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.kind import Id
from sandbox.kinds.operations import Call, operation
from sandbox.store import Document

DEFAULT_RUNTIME = "node22"
MOST_BOUND = 20
_CURRENT, _OLD = ["node18-actions", "node22"], ["node22"]


def _trigger(id: str, version: str, runtimes: list[str], runtime: str, policy: str = "trigger-bound") -> Document:
    return {
        "id": id,
        "version": version,
        "status": "DEPRECATED" if runtime in ("node12", "node16") else "CURRENT",
        "runtimes": runtimes,
        "default_runtime": runtime,
        "binding_policy": policy,
        "compatible_triggers": [{"id": id, "version": "v2"}] if (id, version) == ("post-login", "v3") else [],
    }


TRIGGERS: tuple[Document, ...] = (
    _trigger("post-login", "v3", _CURRENT, "node22"),
    _trigger("post-login", "v2", ["node18", "node22"], "node16"),
    _trigger("post-login", "v1", _OLD, "node12"),
    *(
        _trigger(id, version, runtimes, runtime)
        for id in (
            "credentials-exchange",
            "pre-user-registration",
            "post-user-registration",
            "post-change-password",
            "send-phone-message",
        )
        for version, runtimes, runtime in (("v2", _CURRENT, "node22"), ("v1", _OLD, "node12"))
    ),
    _trigger("password-reset-post-challenge", "v1", _CURRENT, "node22"),
    _trigger("custom-phone-provider", "v1", _CURRENT, "node22"),
    _trigger("custom-email-provider", "v1", _CURRENT, "node22"),
    _trigger("custom-token-exchange", "v1", ["node18", "node22"], "node22", "entity-bound"),
    _trigger("event-stream", "v1", _OLD, "node22", "entity-bound"),
    _trigger("password-hash-migration", "v1", _OLD, "node22", "entity-bound"),
    _trigger("mcp-tool", "v1", _OLD, "node22", "entity-bound"),
)


# What an Action exports for each.
HANDLERS = {
    "post-login": "onExecutePostLogin",
    "credentials-exchange": "onExecuteCredentialsExchange",
    "pre-user-registration": "onExecutePreUserRegistration",
    "post-user-registration": "onExecutePostUserRegistration",
    "post-change-password": "onExecutePostChangePassword",
    "send-phone-message": "onExecuteSendPhoneMessage",
    "custom-token-exchange": "onExecuteCustomTokenExchange",
}


@operation("GET", "/actions/triggers")
def list_triggers(call: Call) -> Document:
    return {"triggers": list(TRIGGERS)}


def _known(call: Call) -> str:
    trigger_id = call.params["trigger_id"]
    if trigger_id not in {trigger["id"] for trigger in TRIGGERS}:
        raise ApiError(404, "That trigger does not exist.")
    return trigger_id


@operation("GET", "/actions/triggers/{trigger_id}/bindings")
def list_bindings(call: Call) -> Document:
    from sandbox.kinds.actions import listed

    stored = (call.store.get("trigger_bindings", _known(call)) or {}).get("bindings", ())
    return listed(call, [_shown(call, binding) for binding in stored], "bindings")


def _shown(call: Call, binding: Document) -> Document:
    from sandbox.kinds.actions import shown

    action = shown(call, call.store.get("actions", binding["action_id"]) or {})
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
