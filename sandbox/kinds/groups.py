"""Groups that came from a directory: their members, and the roles they give, in the tenant and within organizations."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.organizations import ORGANIZATIONS
from sandbox.kinds.roles import ROLES
from sandbox.store import Document
from sandbox.users import memberships

MOST_ROLES = 50
"""That one group may hold within an organization."""
# What a pairing calls the id of one of these.
_FIELD = {"roles": "role_id", "groups": "group_id"}

GROUPS = Kind(
    path="/groups",
    store="groups",
    envelope="groups",
    id=Id("grp_", 22, BASE58),
    missing=("Group not found.", "inexistent_group"),
    defaults=lambda call, sent: {"tenant_name": call.tenant.name},
    created_at="created_at",
    updated_at="updated_at",
    paging="both",
    filters=("connection_id", "name", "external_id"),
    after_delete=lambda call, group: memberships.forget_group(call.tenant, group["id"]),
)


def synchronize(call: Call, connection_id: str, selected: list[Document]) -> None:
    """Bring the groups of a directory in line with what is selected there: {"id", "name"?} by its own ids."""
    known = {group["external_id"]: group for group in call.store.find("groups", connection_id=connection_id)}
    for one in selected:
        fields = {"name": one.get("name") or one["id"], "external_id": one["id"], "connection_id": connection_id}
        if one["id"] in known:
            crud.update(GROUPS, call, known.pop(one["id"]), fields)
        else:
            crud.insert(GROUPS, call, fields)
    for gone in known.values():
        crud.remove(GROUPS, call, gone)


@operation("GET", "/groups")
def list_groups(call: Call) -> Any:
    """`search` is the beginning of a name or an external id."""
    start = call.query.get("search", "").lower()
    found = [
        group
        for group in call.store.all("groups")
        if crud.passes(GROUPS, call, group)
        and any(str(group.get(field, "")).lower().startswith(start) for field in ("name", "external_id"))
    ]
    return crud.listed(call, found, "groups", "both")


@operation("GET", "/groups/{id}/members")
def list_members(call: Call) -> Any:
    group = crud.asked(GROUPS, call)
    rows = call.store.find("group_members", group_id=group["id"])
    kind = {"member_type": "user", "type": "connection", "connection_id": group.get("connection_id")}
    members = [{"id": row["user_id"], **kind, "created_at": row["created_at"]} for row in rows]
    return crud.listed(call, members, "members", "checkpoint")


def _documents(call: Call, kind: str, ids: list[str]) -> list[Document]:
    return [found for id in ids if (found := call.store.get(kind, id))]


def _wanted(call: Call, kind: Kind) -> list[str]:
    """The ids in the body, each of which must be there. Raises ApiError 404."""
    return [crud.find(kind, call, id)["id"] for id in call.body[kind.store]]


def _give(call: Call, store: str, kind: Kind, **place: str) -> Reply:
    """Join each that the body names to the place. Raises ApiError 404."""
    for id in _wanted(call, kind):
        memberships.put(call.tenant, store, **place, **{_FIELD[kind.store]: id})
    return Reply(204)


def _take(call: Call, store: str, kind: Kind, **place: str) -> Reply:
    """Part each that the body names from the place; what is not there is no mistake."""
    for id in call.body[kind.store]:
        memberships.remove(call.tenant, store, **place, **{_FIELD[kind.store]: id})
    return Reply(204)


# --- roles of groups -------------------------------------------------------------------------------------------------


@operation("GET", "/groups/{id}/roles")
def roles_of_group(call: Call) -> Any:
    rows = call.store.find("group_roles", group_id=crud.asked(GROUPS, call)["id"])
    roles = [memberships.role_summary(role) for role in _documents(call, "roles", [row["role_id"] for row in rows])]
    return crud.listed(call, roles, "roles", "checkpoint")


@operation("POST", "/groups/{id}/roles")
def give_roles(call: Call) -> Reply:
    return _give(call, "group_roles", ROLES, group_id=crud.asked(GROUPS, call)["id"])


@operation("DELETE", "/groups/{id}/roles")
def take_roles(call: Call) -> Reply:
    return _take(call, "group_roles", ROLES, group_id=crud.asked(GROUPS, call)["id"])


@operation("GET", "/roles/{id}/groups")
def groups_of_role(call: Call) -> Any:
    rows = call.store.find("group_roles", role_id=crud.asked(ROLES, call)["id"])
    return crud.listed(call, _documents(call, "groups", [row["group_id"] for row in rows]), "groups", "checkpoint")


@operation("POST", "/roles/{id}/groups")
def give_to_groups(call: Call) -> Reply:
    return _give(call, "group_roles", GROUPS, role_id=crud.asked(ROLES, call)["id"])


@operation("DELETE", "/roles/{id}/groups")
def take_from_groups(call: Call) -> Reply:
    return _take(call, "group_roles", GROUPS, role_id=crud.asked(ROLES, call)["id"])


# --- within an organization ------------------------------------------------------------------------------------------


def _organization(call: Call) -> str:
    return str(crud.find(ORGANIZATIONS, call, call.params["organization_id"])["id"])


def _group_in(call: Call) -> dict[str, str]:
    group = crud.find(GROUPS, call, call.params["group_id"])
    return {"organization_id": _organization(call), "group_id": group["id"]}


def _groups(call: Call, **equal: str) -> Any:
    rows = call.store.find("organization_group_roles", **equal)
    ids = list(dict.fromkeys(row["group_id"] for row in rows))
    return crud.listed(call, _documents(call, "groups", ids), "groups", "checkpoint")


@operation("GET", "/organizations/{organization_id}/groups")
def groups_of_organization(call: Call) -> Any:
    """Those that hold a role there."""
    return _groups(call, organization_id=_organization(call))


@operation("GET", "/organizations/{organization_id}/roles/{role_id}/groups")
def groups_with_role(call: Call) -> Any:
    role = crud.find(ROLES, call, call.params["role_id"])
    return _groups(call, organization_id=_organization(call), role_id=role["id"])


@operation("GET", "/organizations/{organization_id}/groups/{group_id}/roles")
def roles_within(call: Call) -> Any:
    rows = call.store.find("organization_group_roles", **_group_in(call))
    roles = [memberships.role_summary(role) for role in _documents(call, "roles", [row["role_id"] for row in rows])]
    return crud.listed(call, roles, "roles", "checkpoint")


@operation("POST", "/organizations/{organization_id}/groups/{group_id}/roles")
def give_roles_within(call: Call) -> Reply:
    place, wanted = _group_in(call), set(_wanted(call, ROLES))
    held = {row["role_id"] for row in call.store.find("organization_group_roles", **place)}
    if len(held | wanted) > MOST_ROLES:
        raise ApiError(409, "No more roles can be assigned to this organization group.", "too_many_roles")
    return _give(call, "organization_group_roles", ROLES, **place)


@operation("DELETE", "/organizations/{organization_id}/groups/{group_id}/roles")
def take_roles_within(call: Call) -> Reply:
    return _take(call, "organization_group_roles", ROLES, **_group_in(call))


crud.register(GROUPS)
