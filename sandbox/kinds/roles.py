"""Roles, what they permit, who holds them."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits, paging
from sandbox.kinds.kind import Id, Kind
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.users import memberships, records

MEMBER_FIELDS = ("user_id", "email", "picture", "name")


def forget(call: Call, role: Document) -> None:
    memberships.forget_role(call.tenant, role["id"])


def shown(call: Call, role: Document) -> Document:
    return role if call.method == "POST" else {**role, "description": role.get("description") or ""}


def check(call: Call, role: Document, before: Document | None) -> None:
    for other in call.store.find("roles", name=role.get("name")):
        if other["id"] != role["id"] and other.get("owner_id") == role.get("owner_id"):
            raise ApiError(409, "A role with the same name already exists", "role_conflict")


ROLES = Kind(
    path="/roles",
    store="roles",
    envelope="roles",
    id=Id("rol_"),
    missing=("The role does not exist.", "inexistent_role"),
    defaults={"description": None, "type": "tenant"},
    keeps_null=frozenset({"description"}),
    read_only=frozenset({"id"}),
    most=1000,
    create_status=200,
    check=check,
    shown=shown,
    after_delete=forget,
)


@operation("GET", "/roles")
def list_roles(call: Call) -> Any:
    """name_filter is part of the name in any case; type and owner_id choose the roles of one organization."""
    part = call.query.get("name_filter", "").lower()
    found = [role for role in call.store.all("roles") if part in role["name"].lower() and _owned(call, role)]
    return crud.listed(call, [shown(call, role) for role in found], "roles", "both")


def _owned(call: Call, role: Document) -> bool:
    return all(role.get(key) == call.query[key] for key in ("type", "owner_id") if key in call.query)


@operation("DELETE", "/roles/{id}")
def delete_role(call: Call) -> Reply:
    crud.remove(ROLES, call, crud.asked(ROLES, call))
    return Reply(200, {})


@operation("GET", "/roles/{id}/permissions")
def list_permissions(call: Call) -> Any:
    role = crud.find(ROLES, call, call.params["id"])
    rows = memberships.permissions_of_role(call.tenant, role["id"])
    return crud.listed(call, [described(call, row) for row in rows], "permissions", "offset")


def described(call: Call, row: Document) -> Document:
    """A permission with the names of its API and its own description."""
    api = call.store.first("resource_servers", identifier=row["resource_server_identifier"]) or {}
    scopes = {scope["value"]: scope.get("description", "") for scope in api.get("scopes", ())}
    return {
        "resource_server_identifier": row["resource_server_identifier"],
        "resource_server_name": api.get("name", ""),
        "permission_name": row["permission_name"],
        "description": scopes.get(row["permission_name"], ""),
    }


def checked_permissions(call: Call) -> list[Document]:
    """The permissions of the body, each of which an API must define. Raises ApiError 400/404."""
    wanted: list[Document] = (call.body or {})["permissions"]
    for row in wanted:
        api = call.store.first("resource_servers", identifier=row["resource_server_identifier"])
        if api is None:
            raise ApiError(
                404, f"Resource server not found: {row['resource_server_identifier']}", "inexistent_resource_server"
            )
        if row["permission_name"] not in {scope["value"] for scope in api.get("scopes", ())}:
            raise ApiError(
                400, f"Permission not found in the resource server: {row['permission_name']}", "invalid_body"
            )
    return wanted


@operation("POST", "/roles/{id}/permissions")
def add_permissions(call: Call) -> Reply:
    role = crud.find(ROLES, call, call.params["id"])
    for row in checked_permissions(call):
        memberships.put(
            call.tenant,
            "role_permissions",
            role_id=role["id"],
            resource_server_identifier=row["resource_server_identifier"],
            permission_name=row["permission_name"],
        )
    return Reply(201, {})


@operation("DELETE", "/roles/{id}/permissions")
def remove_permissions(call: Call) -> Reply:
    role = crud.find(ROLES, call, call.params["id"])
    for row in (call.body or {})["permissions"]:
        memberships.remove(
            call.tenant,
            "role_permissions",
            role_id=role["id"],
            resource_server_identifier=row["resource_server_identifier"],
            permission_name=row["permission_name"],
        )
    return Reply(204)


@operation("GET", "/roles/{id}/users")
def list_users(call: Call) -> Any:
    role = crud.find(ROLES, call, call.params["id"])
    users = memberships.users_of(call.tenant, role["id"])
    return paging.listing(call, [member(user) for user in users], "users")


def member(user: Document) -> Document:
    return {field: user[field] for field in MEMBER_FIELDS if field in user}


@operation("POST", "/roles/{id}/users")
def assign_users(call: Call) -> Reply:
    role = crud.find(ROLES, call, call.params["id"])
    users = [records.get(call.tenant, user_id) for user_id in (call.body or {})["users"]]
    limits.check_holders(call, role["id"], [user["user_id"] for user in users])
    for user in users:
        memberships.assign_roles(call.tenant, user["user_id"], [role["id"]])
    return Reply(200, {})


crud.register(ROLES)
