"""How users and groups get into an enterprise connection: SCIM, and synchronisation of a directory."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, groups
from sandbox.kinds.connections import CONNECTIONS
from sandbox.kinds.kind import BASE58
from sandbox.kinds.mappings import DIRECTORY_MAPPING, SCIM_MAPPING
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.strategies import DIRECTORY, SCIM
from sandbox.store import Document
from sandbox.tenant import new_id

NO_SCIM = (
    "This connection type does not support SCIM. Please see our documentation for the currently supported connection "
    "types: https://auth0.com/docs/authenticate/protocols/scim/configure-inbound-scim."
)
TOKEN_SCOPES = ["get:users", "post:users", "put:users", "patch:users", "delete:users"]


def _connection(call: Call, allowed: frozenset[str], refusal: str) -> Document:
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    if connection["strategy"] not in allowed:
        raise ApiError(404, refusal)
    return connection


def _found(call: Call, kind: str, connection: Document) -> Document:
    document = call.store.get(kind, connection["id"])
    if document is None:
        raise ApiError(404, "Not Found")
    return document


# --- SCIM ------------------------------------------------------------------------------------------------------------


def _default_scim(connection: Document) -> list[Document]:
    user_name = "preferred_username" if connection["strategy"] in ("oidc", "okta") else "username"
    return [{"scim": scim, "auth0": user_name if scim == "userName" else auth0} for scim, auth0 in SCIM_MAPPING]


@operation("POST", "/connections/{id}/scim-configuration")
def create_scim(call: Call) -> Reply:
    connection = _connection(call, SCIM, NO_SCIM)
    if call.store.get("scim_configurations", connection["id"]):
        raise ApiError(409, "The connection already has a SCIM configuration.", "scim_configuration_conflict")
    sent, now = call.body or {}, call.tenant.timestamp()
    document = {
        "tenant_name": call.tenant.name,
        "connection_id": connection["id"],
        "connection_name": connection["name"],
        "strategy": connection["strategy"],
        "mapping": sent.get("mapping") or _default_scim(connection),
        "updated_on": now,
        "created_at": now,
        "user_id_attribute": sent.get("user_id_attribute") or "externalId",
    }
    return Reply(201, call.store.put("scim_configurations", connection["id"], document))


@operation("GET", "/connections/{id}/scim-configuration")
def read_scim(call: Call) -> Document:
    return _found(call, "scim_configurations", crud.find(CONNECTIONS, call, call.params["id"]))


@operation("PATCH", "/connections/{id}/scim-configuration")
def change_scim(call: Call) -> Document:
    old = read_scim(call)
    new = {**old, **(call.body or {}), "updated_on": call.tenant.timestamp()}
    return call.store.put("scim_configurations", old["connection_id"], new)


@operation("DELETE", "/connections/{id}/scim-configuration")
def delete_scim(call: Call) -> Reply:
    document = read_scim(call)
    call.store.remove("scim_configurations", document["connection_id"])
    return Reply(204)


@operation("GET", "/connections/{id}/scim-configuration/default-mapping")
def scim_default_mapping(call: Call) -> Document:
    return {"mapping": _default_scim(_connection(call, SCIM, NO_SCIM))}


@operation("GET", "/connections-scim-configurations")
def list_scim(call: Call) -> Any:
    return crud.listed(call, list(call.store.all("scim_configurations")), "scim_configurations", "checkpoint")


@operation("GET", "/connections/{id}/scim-configuration/tokens")
def list_scim_tokens(call: Call) -> list[Document]:
    configuration = read_scim(call)
    tokens = call.store.find("scim_tokens", _connection_id=configuration["connection_id"])
    return [{key: value for key, value in token.items() if key != "token"} for token in tokens]


@operation("POST", "/connections/{id}/scim-configuration/tokens")
def create_scim_token(call: Call) -> Reply:
    """The token itself is shown only here."""
    configuration, sent = read_scim(call), call.body or {}
    if len(call.store.find("scim_tokens", _connection_id=configuration["connection_id"])) >= 2:
        raise ApiError(409, "Maximum number of SCIM tokens reached for this connection.", "too_many_tokens")
    now = call.tenant.timestamp()
    document: Document = {
        "token_id": new_id("tok_", 16),
        "token": new_id("", 43),
        "scopes": sent.get("scopes") or TOKEN_SCOPES,
        "created_at": now,
        "_connection_id": configuration["connection_id"],
    }
    lifetime = sent.get("token_lifetime")
    if lifetime:
        document["valid_until"] = call.tenant.timestamp(call.tenant.now() + lifetime)
    return Reply(201, call.store.put("scim_tokens", document["token_id"], document))


@operation("DELETE", "/connections/{id}/scim-configuration/tokens/{token_id}")
def delete_scim_token(call: Call) -> Reply:
    read_scim(call)
    if call.store.remove("scim_tokens", call.params["token_id"]) is None:
        raise ApiError(404, "The SCIM token does not exist.", "inexistent_scim_token")
    return Reply(204)


# --- directories -----------------------------------------------------------------------------------------------------


def _default_directory() -> list[Document]:
    return [{"idp": idp, "auth0": auth0} for idp, auth0 in DIRECTORY_MAPPING]


@operation("POST", "/connections/{id}/directory-provisioning")
def create_directory(call: Call) -> Reply:
    connection = _connection(call, DIRECTORY, "This connection type does not support directory provisioning.")
    if call.store.get("directory_provisionings", connection["id"]):
        raise ApiError(409, "Directory provisioning is already configured.", "directory_provisioning_conflict")
    sent, now = call.body or {}, call.tenant.timestamp()
    document = {
        "connection_id": connection["id"],
        "connection_name": connection["name"],
        "strategy": connection["strategy"],
        "mapping": sent.get("mapping") or _default_directory(),
        "synchronize_automatically": sent.get("synchronize_automatically", False),
        "synchronize_groups": sent.get("synchronize_groups", "off"),
        "created_at": now,
        "updated_at": now,
    }
    return Reply(201, call.store.put("directory_provisionings", connection["id"], document))


@operation("GET", "/connections/{id}/directory-provisioning")
def read_directory(call: Call) -> Document:
    return _found(call, "directory_provisionings", crud.find(CONNECTIONS, call, call.params["id"]))


@operation("PATCH", "/connections/{id}/directory-provisioning")
def change_directory(call: Call) -> Document:
    old = read_directory(call)
    new = {**old, **(call.body or {}), "updated_at": call.tenant.timestamp()}
    return call.store.put("directory_provisionings", old["connection_id"], new)


@operation("DELETE", "/connections/{id}/directory-provisioning")
def delete_directory(call: Call) -> Reply:
    document = read_directory(call)
    call.store.remove("directory_provisionings", document["connection_id"])
    call.store.remove("synchronized_groups", document["connection_id"])
    return Reply(204)


@operation("GET", "/connections/{id}/directory-provisioning/default-mapping")
def directory_default_mapping(call: Call) -> Document:
    _connection(call, DIRECTORY, "This connection type does not support directory provisioning.")
    return {"mapping": _default_directory()}


@operation("GET", "/connections-directory-provisionings")
def list_directories(call: Call) -> Any:
    documents = list(call.store.all("directory_provisionings"))
    return crud.listed(call, documents, "directory_provisionings", "checkpoint")


@operation("POST", "/connections/{id}/directory-provisioning/synchronizations")
def synchronize(call: Call) -> Reply:
    """There is no directory behind it: the groups are those that were selected, without members."""
    document = read_directory(call)
    if document["synchronize_groups"] != "off":
        groups.synchronize(call, document["connection_id"], _groups(call)[1])
    run = {
        "connection_id": document["connection_id"],
        "synchronization_id": new_id("dps_", 22, BASE58),
        "status": "pending",
    }
    return Reply(201, run)


# --- groups of a directory -------------------------------------------------------------------------------------------


def _groups(call: Call) -> tuple[str, list[Document]]:
    document = read_directory(call)
    stored = call.store.get("synchronized_groups", document["connection_id"]) or {"groups": []}
    return document["connection_id"], stored["groups"]


def _put_groups(call: Call, id: str, selected: list[Document]) -> Reply:
    call.store.put("synchronized_groups", id, {"groups": list({group["id"]: group for group in selected}.values())})
    return Reply(204)


@operation("GET", "/connections/{id}/directory-provisioning/synchronized-groups")
def list_groups(call: Call) -> Any:
    return crud.listed(call, _groups(call)[1], "groups", "checkpoint")


@operation("PUT", "/connections/{id}/directory-provisioning/synchronized-groups")
def replace_groups(call: Call) -> Reply:
    id, _ = _groups(call)
    return _put_groups(call, id, call.body["groups"])


@operation("POST", "/connections/{id}/directory-provisioning/synchronized-groups")
def add_groups(call: Call) -> Reply:
    id, selected = _groups(call)
    return _put_groups(call, id, [*selected, *call.body["groups"]])


@operation("DELETE", "/connections/{id}/directory-provisioning/synchronized-groups")
def remove_groups(call: Call) -> Reply:
    id, selected = _groups(call)
    gone = {group["id"] for group in call.body["groups"]}
    return _put_groups(call, id, [group for group in selected if group["id"] not in gone])
