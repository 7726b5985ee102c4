"""Keys and certificates with which an application signs in."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import client_keys, crud
from sandbox.kinds.applications import CLIENTS
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document


@operation("GET", "/clients/{client_id}/credentials")
def list_credentials(call: Call) -> list[Document]:
    crud.find(CLIENTS, call, call.params["client_id"])
    return [_shown(c) for c in call.store.find("client_credentials", client_id=call.params["client_id"])]


@operation("POST", "/clients/{client_id}/credentials")
def create_credential(call: Call) -> Reply:
    client = crud.find(CLIENTS, call, call.params["client_id"])
    return Reply(201, _shown(client_keys.create(call, client["client_id"], call.body or {})))


def _shown(credential: Document) -> Document:
    return {key: value for key, value in credential.items() if key != "client_id" and not key.startswith("_")}


def _asked(call: Call) -> Document:
    crud.find(CLIENTS, call, call.params["client_id"])
    credential = call.store.get("client_credentials", call.params["credential_id"])
    if credential is None or credential["client_id"] != call.params["client_id"]:
        raise ApiError(404, "The credential does not exist", "inexistent_credential")
    return credential


@operation("GET", "/clients/{client_id}/credentials/{credential_id}")
def read_credential(call: Call) -> Document:
    return _shown(_asked(call))


@operation("PATCH", "/clients/{client_id}/credentials/{credential_id}")
def change_credential(call: Call) -> Document:
    old = _asked(call)
    new = {
        **old,
        **{k: v for k, v in (call.body or {}).items() if k == "expires_at"},
        "updated_at": call.tenant.timestamp(),
    }
    return _shown(call.store.put("client_credentials", old["id"], new))


@operation("DELETE", "/clients/{client_id}/credentials/{credential_id}")
def delete_credential(call: Call) -> Reply:
    credential = _asked(call)
    client: dict[str, Any] = call.store.get("clients", credential["client_id"]) or {}
    methods = client.get("client_authentication_methods") or {}
    used = [c["id"] for method in methods.values() for c in method.get("credentials", ())]
    if credential["id"] in used:
        raise ApiError(409, "The credential is in use by the client.", "credential_in_use")
    call.store.remove("client_credentials", credential["id"])
    return Reply(204)
