"""Older versions of an Action, its test runs, its executions."""

from __future__ import annotations

import inspect

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits
from sandbox.kinds.actions import ACTIONS, listed, publish, with_action
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.triggers import HANDLERS
from sandbox.store import Document


@operation("GET", "/actions/actions/{action_id}/versions")
def list_versions(call: Call) -> Document:
    action = crud.find(ACTIONS, call, call.params["action_id"])
    found = reversed(call.store.find("action_versions", _action_id=action["id"]))
    return listed(call, [_marked(action, version) for version in found], "versions")


def _marked(action: Document, version: Document) -> Document:
    return {**with_action(version, action), "deployed": version["id"] == action.get("_deployed")}


def _asked_version(call: Call, action: Document) -> Document:
    version = call.store.get("action_versions", call.params["id"])
    if version is None or version["_action_id"] != action["id"]:
        raise ApiError(404, "That action version does not exist.")
    return version


@operation("GET", "/actions/actions/{action_id}/versions/{id}")
def read_version(call: Call) -> Document:
    action = crud.find(ACTIONS, call, call.params["action_id"])
    return _marked(action, _asked_version(call, action))


@operation("POST", "/actions/actions/{action_id}/versions/{id}/deploy")
def roll_back(call: Call) -> Reply:
    """Deploys a copy of that version; with update_draft the draft becomes it, too."""
    action = crud.find(ACTIONS, call, call.params["action_id"])
    version = _asked_version(call, action)
    copy = publish(call, action, version["_secrets"], version)
    if (call.body or {}).get("update_draft"):
        draft = {field: version[field] for field in ("code", "dependencies", "secrets", "runtime")}
        stored = call.store.get("actions", action["id"]) or action
        new = {**stored, **draft, "_secrets": version["_secrets"], "_changed": False, "status": "built"}
        call.store.put("actions", action["id"], new)
    return Reply(202, with_action(copy, action))


# --- runs ------------------------------------------------------------------------------------------------------------


@operation("POST", "/actions/actions/{id}/test")
async def test(call: Call) -> Reply:
    """Runs the draft with the event of the payload; answers what it asked for and wrote to the console."""
    from runtime import actions as runtime_actions

    action = crud.asked(ACTIONS, call)
    payload = (call.body or {}).get("payload") or {}
    trigger = (action.get("supported_triggers") or [{"id": "post-login"}])[0]["id"]
    outcome = runtime_actions.arun(
        action["code"],
        event={**payload.get("event", payload), "secrets": action["_secrets"]},
        secrets=action["_secrets"],
        handler=HANDLERS.get(trigger, "onExecutePostLogin"),
    )
    result = await outcome if inspect.isawaitable(outcome) else outcome
    answer = {"commands": result.commands, "logs": result.console, "error": result.error, "outcome": result.outcome}
    return Reply(200, {"payload": {**answer, "stats": {"action_duration_ms": result.duration_ms}}})


@operation("GET", "/actions/executions/{id}")
def read_execution(call: Call) -> Document:
    execution = call.store.get("action_executions", call.params["id"])
    since = call.tenant.timestamp(call.tenant.now() - limits.EXECUTION_SECONDS)
    if execution is None or execution["created_at"] < since:
        raise ApiError(404, "That execution does not exist.")
    return execution
