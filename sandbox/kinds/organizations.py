"""Organizations, and what is linked to them: connections, applications, grants, discovery domains."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits
from sandbox.kinds.connections import CONNECTIONS
from sandbox.kinds.kind import Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.users import memberships

NEWER = ("is_enabled", "organization_access_level", "organization_connection_name")
"""Properties of a link that the older enabled_connections do not show."""
LINKS = (
    "organization_connections",
    "organization_client_grants",
    "organization_clients",
    "discovery_domains",
    "invitations",
)


def forget(call: Call, organization: Document) -> None:
    memberships.forget_organization(call.tenant, organization["id"])
    for kind in LINKS:
        for link in call.store.find(kind, _organization_id=organization["id"]):
            call.store.remove(kind, link["_key"])


def created(call: Call, organization: Document) -> None:
    """POST may enable connections at once."""
    for entry in (call.body or {}).get("enabled_connections") or []:
        link(call, organization, entry)


def before(call: Call, organization: Document) -> Document:
    """Metadata that hold nothing are none; connections are linked apart."""
    kept = {key: value for key, value in organization.items() if key != "metadata" or value}
    kept.pop("enabled_connections", None)
    return kept


def shown(call: Call, organization: Document) -> Document:
    """A new organization is answered with the connections that it was made with."""
    if call.method != "POST" or not (call.body or {}).get("enabled_connections"):
        return organization
    return {**organization, "enabled_connections": [shown_link(call, d) for d in _links(call, organization)]}


ORGANIZATIONS = Kind(
    path="/organizations",
    store="organizations",
    envelope="organizations",
    id=Id("org_"),
    missing=("No organization found by that id or name", None),
    defaults={"third_party_client_access": "block", "is_app_entitlement_active": False},
    read_only=frozenset({"id"}),
    unique=(Unique(("name",), "An organization with this name already exists.", "organization_conflict"),),
    paging="both",
    before=before,
    shown=shown,
    after_create=created,
    after_delete=forget,
)


def asked(call: Call) -> Document:
    return crud.find(ORGANIZATIONS, call, next(iter(call.params.values())))


@operation("GET", "/organizations")
def list_organizations(call: Call) -> Any:
    """The newest first."""
    found = list(reversed(list(call.store.all("organizations"))))
    sort = call.query.get("sort")
    if sort:
        field, _, direction = sort.partition(":")
        found.sort(key=lambda o: str(o.get(field, "")), reverse=direction == "-1")
    return crud.listed(call, found, "organizations", "both")


@operation("GET", "/organizations/name/{name}")
def read_by_name(call: Call) -> Document:
    found = call.store.first("organizations", name=call.params["name"])
    if found is None:
        raise ApiError(404, *ORGANIZATIONS.missing)
    return found


# --- connections -----------------------------------------------------------------------------------------------------


def link(call: Call, organization: Document, sent: Document) -> Document:
    connection = call.store.get("connections", sent["connection_id"])
    if connection is None:
        raise ApiError(400, "The connection does not exist.", "invalid_body")
    key = f"{organization['id']} {connection['id']}"
    if call.store.get("organization_connections", key):
        raise ApiError(
            409, "This connection is already enabled for the organization.", "organization_connection_conflict"
        )
    if len(_links(call, organization)) >= limits.CONNECTIONS_PER_ORGANIZATION:
        raise limits.too_many()
    document: Document = {
        "connection_id": connection["id"],
        "assign_membership_on_login": False,
        "show_as_button": True,
        "is_enabled": True,
        "organization_access_level": "none",
        "_key": key,
        "_organization_id": organization["id"],
    }
    if connection["strategy"] == "auth0":
        document["is_signup_enabled"] = False
    document.update({name: value for name, value in sent.items() if value is not None})
    return call.store.put("organization_connections", key, document)


def _links(call: Call, organization: Document) -> list[Document]:
    return call.store.find("organization_connections", _organization_id=organization["id"])


def shown_link(call: Call, document: Document) -> Document:
    connection = call.store.get("connections", document["connection_id"]) or {}
    if "/connections" not in call.route:
        document = {key: value for key, value in document.items() if key not in NEWER}
    return {**document, "connection": {"name": connection.get("name"), "strategy": connection.get("strategy")}}


def _linked(call: Call) -> Document:
    document = call.store.get("organization_connections", f"{asked(call)['id']} {call.params['connection_id']}")
    if document is None:
        raise ApiError(
            404, "No connection found by that id for the organization.", "inexistent_organization_connection"
        )
    return document


@operation("GET", "/organizations/{id}/connections")
@operation("GET", "/organizations/{id}/enabled_connections")
def list_connections(call: Call) -> Any:
    """In the order of the connections, whenever they were enabled."""
    links = {d["connection_id"]: d for d in _links(call, asked(call))}
    ordered = [links[c["id"]] for c in call.store.all("connections") if c["id"] in links]
    wanted = call.query.get("is_enabled")
    found = [shown_link(call, d) for d in ordered if wanted is None or str(d["is_enabled"]).lower() == wanted]
    return crud.listed(call, found, _envelope(call), "offset")


def _envelope(call: Call) -> str:
    return "enabled_connections" if "/enabled_connections" in call.route else "connections"


@operation("POST", "/organizations/{id}/connections")
@operation("POST", "/organizations/{id}/enabled_connections")
def add_connection(call: Call) -> Reply:
    return Reply(201, shown_link(call, link(call, asked(call), call.body or {})))


@operation("GET", "/organizations/{id}/connections/{connection_id}")
@operation("GET", "/organizations/{id}/enabled_connections/{connection_id}")
def read_connection(call: Call) -> Document:
    return shown_link(call, _linked(call))


@operation("PATCH", "/organizations/{id}/connections/{connection_id}")
@operation("PATCH", "/organizations/{id}/enabled_connections/{connection_id}")
def change_connection(call: Call) -> Document:
    old = _linked(call)
    crud.find(CONNECTIONS, call, old["connection_id"])
    new = {**old, **{key: value for key, value in (call.body or {}).items() if value is not None}}
    return shown_link(call, call.store.put("organization_connections", old["_key"], new))


@operation("DELETE", "/organizations/{id}/connections/{connection_id}")
@operation("DELETE", "/organizations/{id}/enabled_connections/{connection_id}")
def remove_connection(call: Call) -> Reply:
    call.store.remove("organization_connections", f"{asked(call)['id']} {call.params['connection_id']}")
    return Reply(204)


# --- grants of machine-to-machine applications ------------------------------------------------------------------------


@operation("GET", "/organizations/{id}/client-grants")
def list_grants(call: Call) -> Any:
    links = call.store.find("organization_client_grants", _organization_id=asked(call)["id"])
    found = [call.store.get("client_grants", d["grant_id"]) for d in links]
    grants = [_grant(g) for g in found if g and _chosen_grant(call, g)]
    return crud.listed(call, grants, "client_grants", "offset")


def _chosen_grant(call: Call, grant: Document) -> bool:
    wanted = call.several("grant_ids")
    same = all(grant.get(key) == call.query[key] for key in ("audience", "client_id") if key in call.query)
    return same and (not wanted or grant["id"] in wanted)


def _grant(grant: Document) -> Document:
    fields = ("id", "client_id", "audience", "scope", "organization_usage", "allow_any_organization")
    return {field: grant[field] for field in fields if field in grant}


@operation("POST", "/organizations/{id}/client-grants")
def add_grant(call: Call) -> Reply:
    organization, grant_id = asked(call), (call.body or {})["grant_id"]
    grant = call.store.get("client_grants", grant_id)
    if grant is None:
        raise ApiError(404, "The client grant does not exist", "inexistent_client_grant")
    if grant.get("organization_usage", "deny") == "deny":
        raise ApiError(400, "The client grant does not allow organizations.", "invalid_body")
    key = f"{organization['id']} {grant_id}"
    call.store.put(
        "organization_client_grants", key, {"grant_id": grant_id, "_key": key, "_organization_id": organization["id"]}
    )
    return Reply(201, {**_grant(grant), "grant_id": grant_id})


@operation("DELETE", "/organizations/{id}/client-grants/{grant_id}")
def remove_grant(call: Call) -> Reply:
    call.store.remove("organization_client_grants", f"{asked(call)['id']} {call.params['grant_id']}")
    return Reply(204)


@operation("GET", "/client-grants/{id}/organizations")
def organizations_of_grant(call: Call) -> Any:
    grant = crud.asked(crud.KINDS["/client-grants"], call)
    links = call.store.find("organization_client_grants", grant_id=grant["id"])
    found = [call.store.get("organizations", d["_organization_id"]) for d in links]
    return crud.listed(call, [o for o in found if o], "organizations", "both")


crud.register(ORGANIZATIONS)
