"""Connections: databases, social and enterprise identity providers, passwordless."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import connection_checks, crud
from sandbox.kinds.certificates import connection_key
from sandbox.kinds.kind import Id, Kind, Unique, merged
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.strategies import ENTERPRISE, TICKETED, kept_options, new_options
from sandbox.store import Document
from sandbox.tenant import new_id
from sandbox.users import records

KEY_PLACES = ("current", "previous", "next")


def new_connection(call: Call, sent: Document) -> Document:
    strategy, name = sent.get("strategy", ""), sent.get("name", "")
    document: Document = {
        "is_domain_connection": False,
        "authentication": {"active": True},
        "connected_accounts": {"active": False},
        "enabled_clients": [],
        "realms": [name],
    }
    if strategy in ENTERPRISE:
        document["show_as_button"] = False
        document["display_name"] = name
    if strategy in TICKETED:
        document["provisioning_ticket_url"] = f"{call.tenant.issuer}p/{strategy}/{new_id('', 8)}"
    return document


def complete(call: Call, connection: Document) -> Document:
    """Options are replaced whole by a change, completed by what the strategy keeps; configuration is encrypted."""
    before = call.store.get("connections", connection["id"])
    sent = call.body.get("options") if isinstance(call.body, dict) else None
    if before is not None and sent is None:
        return connection
    strategy, given = connection["strategy"], connection.get("options") or {}
    options = kept_options(strategy, given, before["options"]) if before else new_options(strategy, given)
    configuration = options.get("configuration")
    if configuration:
        old = (before or {}).get("options", {}).get("configuration", {})
        options["configuration"] = {key: _encrypted(value, old.get(key)) for key, value in configuration.items()}
        secrets = {key: value for key, value in configuration.items() if value != old.get(key)}
        connection = {**connection, "_configuration": merged((before or {}).get("_configuration", {}), secrets)}
    return {**connection, "options": options}


def _encrypted(value: Any, old: Any) -> Any:
    """What the API shows of a secret of a database script; a value that was read and sent back stays."""
    if not isinstance(value, str) or value == old:
        return value
    digest = hashlib.sha256(value.encode()).digest()
    return base64.b64encode(b"\n" + digest * 3).decode()


def forget(call: Call, connection: Document) -> None:
    """Its users, and every organization's and directory's link to it, go too."""
    id = connection["id"]
    for link in call.store.find("organization_connections", connection_id=id):
        call.store.remove("organization_connections", link["_key"])
    for kind in ("scim_configurations", "directory_provisionings", "connection_keys", "synchronized_groups"):
        call.store.remove(kind, id)
    records.delete_of_connection(call.tenant, connection["name"])


def shown(call: Call, connection: Document) -> Document:
    """Without the scope for them, options are left out of every answer."""
    if "read:connections_options" not in call.scopes:
        return {name: value for name, value in connection.items() if name != "options"}
    if connection["strategy"] == "auth0" or "options" in connection:
        return connection
    return {**connection, "options": {}}


CONNECTIONS = Kind(
    path="/connections",
    store="connections",
    envelope="connections",
    id=Id("con_"),
    missing=("The connection does not exist", "inexistent_connection"),
    defaults=new_connection,
    read_only=frozenset({"id", "provisioning_ticket_url"}),
    unique=(Unique(("name",), "A connection with the same name already exists", "connection_conflict", fold=True),),
    filters=("name", "strategy"),
    paging="both",
    check=connection_checks.check,
    before=complete,
    shown=shown,
    after_delete=forget,
)


@operation("DELETE", "/connections/{id}")
def delete(call: Call) -> Reply:
    crud.remove(CONNECTIONS, call, crud.asked(CONNECTIONS, call))
    return Reply(202, {"deleted_at": call.tenant.timestamp()})


@operation("PATCH", "/connections/{id}")
def change(call: Call) -> Document:
    connection = crud.asked(CONNECTIONS, call)
    sent = dict(call.body or {})
    if "options" in sent and "update:connections_options" not in call.scopes:
        raise ApiError(403, "Insufficient scope, expected any of: update:connections_options", "insufficient_scope")
    for fixed in ("name", "strategy"):
        sent.pop(fixed, None)
    return shown(call, crud.update(CONNECTIONS, call, connection, sent))


@operation("DELETE", "/connections/{id}/users")
def delete_user(call: Call) -> Reply:
    """Delete the user of that e-mail from a database connection; no error where there is none."""
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    records.delete_of_connection(call.tenant, connection["name"], call.query.get("email", "").lower())
    return Reply(204)


@operation("GET", "/connections/{id}/status")
def status(call: Call) -> None:
    """200 without a body where the connector of an Active Directory is online."""
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    if connection["strategy"] not in ("ad", "auth0-adldap"):
        raise ApiError(404, "The connection is not an Active Directory / LDAP connection", "inexistent_connection")
    raise ApiError(404, "The connection is offline", "connection_offline")


@operation("GET", "/connections/{id}/clients")
def clients(call: Call) -> Any:
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    items = [{"client_id": client_id} for client_id in connection.get("enabled_clients", ())]
    return crud.listed(call, items, "clients", "checkpoint")


@operation("PATCH", "/connections/{id}/clients")
def enable_clients(call: Call) -> Reply:
    """[{client_id, status}]: changes the named ones, leaves the others."""
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    enabled = dict.fromkeys(connection.get("enabled_clients", ()))
    for entry in call.body or []:
        if not call.store.get("clients", entry["client_id"]):
            raise ApiError(400, f"The client {entry['client_id']} does not exist", "invalid_body")
        enabled.pop(entry["client_id"], None)
        if entry["status"]:
            enabled[entry["client_id"]] = None
    call.store.put("connections", connection["id"], {**connection, "enabled_clients": list(enabled)})
    return Reply(204)


@operation("GET", "/connections/{id}/keys")
def keys(call: Call) -> Any:
    return _shown_keys(_keys(call))


@operation("POST", "/connections/{id}/keys")
def create_keys(call: Call) -> Reply:
    return Reply(201, _shown_keys(_keys(call)))


@operation("POST", "/connections/{id}/keys/rotate")
def rotate_keys(call: Call) -> Reply:
    """The next key becomes the current one, the current one the previous; the answer is the key that now waits."""
    held = _keys(call)
    following = connection_key(held["name"])
    rotated = {"current": held["next"], "previous": held["current"], "next": following}
    _put_keys(call, held["name"], rotated)
    return Reply(201, {**following, "next": True})


def _keys(call: Call) -> Document:
    """The keys by their place, the name of the connection, and since when the current one is in its place."""
    connection = crud.find(CONNECTIONS, call, call.params["id"])
    if connection["strategy"] not in ("oidc", "okta", "waad", "samlp"):
        raise ApiError(400, "This connection's strategy has no keys.", "operation_not_supported")
    held, name = call.store.get("connection_keys", connection["id"]), connection["name"]
    return held or _put_keys(call, name, {place: connection_key(name) for place in ("current", "next")})


def _put_keys(call: Call, name: str, placed: Document) -> Document:
    held = {**placed, "name": name, "since": call.tenant.timestamp()}
    return call.store.put("connection_keys", call.params["id"], held)


def _shown_keys(held: Document) -> list[Document]:
    found = [{**held[place], place: True} for place in KEY_PLACES if place in held]
    return [{**key, "current_since": held["since"]} if "current" in key else key for key in found]


crud.register(CONNECTIONS)
