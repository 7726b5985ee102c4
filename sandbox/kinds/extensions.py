"""Forms, flows, and the vault that holds the credentials of flows."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

_SUMMARY = ("id", "name", "created_at", "updated_at", "embedded_at", "submitted_at", "executed_at")


def _without_empty(call: Call, form: Document) -> Document:
    """An empty part counts as absent."""
    return {key: value for key, value in form.items() if value not in ({}, [])}


def _listed_form(call: Call, form: Document) -> Document:
    used = {
        node.get("config", {}).get("flow_id")
        for node in form.get("nodes") or ()
        if isinstance(node, dict) and node.get("type") == "FLOW"
    }
    return {**{key: form[key] for key in _SUMMARY if key in form}, "flow_count": len(used - {None})}


def _listed_flow(call: Call, flow: Document) -> Document:
    return {key: flow[key] for key in _SUMMARY if key in flow}


FORMS = Kind(
    path="/forms",
    store="forms",
    envelope="forms",
    id=Id("ap_", 22, BASE58),
    missing=("Form not found", None),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    most=500,
    before=_without_empty,
    listed=_listed_form,
)
FLOWS = Kind(
    path="/flows",
    store="flows",
    envelope="flows",
    id=Id("af_", 22, BASE58),
    missing=("Flow not found", None),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    most=500,
    before=_without_empty,
    listed=_listed_flow,
)


def _sealed(call: Call, connection: Document) -> Document:
    """What the vault holds is never read back; its fingerprint shows whether it changed."""
    setup = connection.get("setup", connection.get("_setup"))
    kept = {key: value for key, value in connection.items() if key != "setup"}
    digest = hashlib.sha256(orjson.dumps(setup, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return {**kept, "_setup": setup, "ready": bool(setup), "fingerprint": digest}


VAULT = Kind(
    path="/flows/vault/connections",
    store="flow_vault_connections",
    envelope="connections",
    id=Id("ac_", 22, BASE58),
    missing=("Vault connection not found", None),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id", "ready", "fingerprint"}),
    before=_sealed,
)


@operation("GET", "/flows/{flow_id}/executions")
def list_executions(call: Call) -> Any:
    flow = crud.find(FLOWS, call, call.params["flow_id"])
    found = call.store.find("flow_executions", flow_id=flow["id"])
    return crud.listed(call, [_shown_execution(execution) for execution in found], "executions", "both")


def _shown_execution(execution: Document) -> Document:
    return {key: value for key, value in execution.items() if key != "flow_id"}


def _execution(call: Call) -> Document:
    flow = crud.find(FLOWS, call, call.params["flow_id"])
    found = call.store.get("flow_executions", call.params["execution_id"])
    if found is None or found["flow_id"] != flow["id"]:
        raise ApiError(404, "Execution not found")
    return found


@operation("GET", "/flows/{flow_id}/executions/{execution_id}")
def read_execution(call: Call) -> Document:
    """What its actions did is shown on request: hydrate=debug."""
    shown = _shown_execution(_execution(call))
    if "debug" not in call.several("hydrate"):
        shown.pop("debug", None)
    return shown


@operation("DELETE", "/flows/{flow_id}/executions/{execution_id}")
def delete_execution(call: Call) -> Reply:
    call.store.remove("flow_executions", _execution(call)["id"])
    return Reply(204)


crud.register(FORMS, FLOWS, VAULT)
