"""/users/{id}/roles, permissions, organizations and groups, and what a user effectively holds."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import checkpoint, listing
from sandbox.store import Document
from sandbox.users import memberships, records


def _user_id(call: Call) -> str:
    return str(records.get(call.tenant, call.params["id"])["user_id"])


@operation("GET", "/users/{id}/roles")
def list_roles(call: Call) -> Any:
    roles = [memberships.role_summary(role) for role in memberships.roles_of(call.tenant, _user_id(call))]
    return listing(call, roles, "roles")


@operation("POST", "/users/{id}/roles")
def assign_roles(call: Call) -> Reply:
    user_id, roles = _user_id(call), _wanted(call, "roles")
    for role_id in roles:
        if call.store.get("roles", role_id) is None:
            raise ApiError(404, "The role does not exist.", "inexistent_role")
    memberships.assign_roles(call.tenant, user_id, roles)
    return Reply(204)


@operation("DELETE", "/users/{id}/roles")
def remove_roles(call: Call) -> Reply:
    memberships.remove_roles(call.tenant, _user_id(call), _wanted(call, "roles"))
    return Reply(204)


def _wanted(call: Call, name: str) -> list[Any]:
    found = (call.body or {}).get(name) if isinstance(call.body, dict) or call.body is None else None
    if not isinstance(found, list):
        raise ApiError(400, f"Payload validation error: 'Missing required property: {name}'.", "invalid_body")
    if not found:
        raise ApiError(
            400, f"Payload validation error: 'Array is too short (0), minimum 1' on property {name}.", "invalid_body"
        )
    return found


@operation("GET", "/users/{id}/permissions")
def list_permissions(call: Call) -> Any:
    rows = memberships.permissions_of(call.tenant, _user_id(call))
    direct = {"source_id": "", "source_name": "", "source_type": "DIRECT"}
    items = [{**_permission(call, row), "sources": [direct]} for row in rows]
    items.sort(key=lambda item: (item["resource_server_identifier"], item["permission_name"]))
    return listing(call, items, "permissions")


def _permission(call: Call, row: Document) -> Document:
    identifier, name = row["resource_server_identifier"], row["permission_name"]
    api = call.store.first("resource_servers", identifier=identifier) or {}
    scope: Document = next((s for s in api.get("scopes") or () if s["value"] == name), {})
    return {
        "permission_name": name,
        "description": scope.get("description", ""),
        "resource_server_name": api.get("name", ""),
        "resource_server_identifier": identifier,
    }


@operation("POST", "/users/{id}/permissions")
def assign_permissions(call: Call) -> Reply:
    user_id, rows = _user_id(call), _wanted(call, "permissions")
    for row in rows:
        _check_permission(call, row)
    for row in rows:
        memberships.put(call.tenant, "user_permissions", user_id=user_id, **_key(row))
    return Reply(201, {})


@operation("DELETE", "/users/{id}/permissions")
def remove_permissions(call: Call) -> Reply:
    user_id = _user_id(call)
    for row in _wanted(call, "permissions"):
        memberships.remove(call.tenant, "user_permissions", user_id=user_id, **_key(row))
    return Reply(204)


def _key(row: Any) -> dict[str, str]:
    names = ("resource_server_identifier", "permission_name")
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in names):
        raise ApiError(400, "Payload validation error: 'Missing required property: permission_name'.", "invalid_body")
    return {name: row[name] for name in names}


def _check_permission(call: Call, row: Any) -> None:
    wanted = _key(row)
    api = call.store.first("resource_servers", identifier=wanted["resource_server_identifier"])
    if api is None:
        raise ApiError(404, "The resource server does not exist", "inexistent_resource_server")
    if all(scope["value"] != wanted["permission_name"] for scope in api.get("scopes") or ()):
        raise ApiError(
            400,
            f"Permission '{wanted['permission_name']}' does not exist in the resource server "
            f"'{wanted['resource_server_identifier']}'",
            "invalid_body",
        )


@operation("GET", "/users/{id}/organizations")
def list_organizations(call: Call) -> Any:
    names = ("id", "name", "display_name", "branding", "metadata")
    found = memberships.organizations_of(call.tenant, _user_id(call))
    return listing(call, [{n: o[n] for n in names if n in o} for o in found], "organizations")


@operation("GET", "/users/{id}/groups")
def list_groups(call: Call) -> Any:
    rows = call.store.find("group_members", user_id=_user_id(call))
    groups = [(call.store.get("groups", row["group_id"]), row) for row in rows]
    items = [{**group, "membership_created_at": row.get("created_at")} for group, row in groups if group]
    return listing(call, items, "groups")


@operation("GET", "/users/{id}/effective-roles")
def list_effective_roles(call: Call) -> Any:
    return checkpoint(call, memberships.effective_roles(call.tenant, _user_id(call)), "roles")


@operation("GET", "/users/{id}/effective-roles/sources/groups")
def list_role_source_groups(call: Call) -> Any:
    user_id, role_id = _user_id(call), call.query["role_id"]
    if call.store.get("roles", role_id) is None:
        raise ApiError(404, "The role does not exist.", "inexistent_role")
    return checkpoint(call, memberships.granting_groups(call.tenant, user_id, role_id), "groups")


@operation("GET", "/users/{id}/effective-permissions")
def list_effective_permissions(call: Call) -> Any:
    user_id, identifier = _user_id(call), call.query["resource_server_identifier"]
    sources: dict[str, list[str]] = {}
    for row in memberships.permissions_of(call.tenant, user_id):
        if row["resource_server_identifier"] == identifier:
            sources.setdefault(row["permission_name"], []).append("direct")
    for role in memberships.effective_roles(call.tenant, user_id):
        for row in memberships.permissions_of_role(call.tenant, role["id"]):
            if row["resource_server_identifier"] == identifier:
                sources.setdefault(row["permission_name"], []).append("roles")
    items = [
        {**_permission(call, {"resource_server_identifier": identifier, "permission_name": name})}
        | {"sources": [*dict.fromkeys(where)]}
        for name, where in sorted(sources.items())
    ]
    return checkpoint(call, items, "permissions")


@operation("GET", "/users/{id}/effective-permissions/sources/effective-roles")
def list_permission_source_roles(call: Call) -> Any:
    user_id, query = _user_id(call), call.query
    wanted = (query["resource_server_identifier"], query["permission_name"])
    roles = [
        role
        for role in memberships.effective_roles(call.tenant, user_id)
        if any(
            (row["resource_server_identifier"], row["permission_name"]) == wanted
            for row in memberships.permissions_of_role(call.tenant, role["id"])
        )
    ]
    return checkpoint(call, roles, "roles")
