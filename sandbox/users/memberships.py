"""Who holds which role and permission, and who belongs to which organization; shared by both sides of the API.

Documents are pairings: the fields of PAIRINGS and `created_at`; `_key` repeats the key.
Functions that take several ids change nothing where one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant

# kind -> its fields; their values in this order, with blanks between, are the key.
PAIRINGS = {
    "user_roles": ("user_id", "role_id"),
    "user_permissions": ("user_id", "resource_server_identifier", "permission_name"),
    "role_permissions": ("role_id", "resource_server_identifier", "permission_name"),
    "organization_members": ("organization_id", "user_id"),
    "organization_member_roles": ("organization_id", "user_id", "role_id"),
    "group_members": ("group_id", "user_id"),
    "group_roles": ("group_id", "role_id"),
    "organization_group_roles": ("organization_id", "group_id", "role_id"),
}
HOLDERS = ("user_roles", "group_roles")
WITHIN_ORGANIZATION = ("organization_member_roles", "organization_group_roles")
"""Kinds that give roles to users, and to groups."""


def prepare(tenant: Tenant) -> None:
    for kind, field in (
        ("user_roles", "user_id"),
        ("user_roles", "role_id"),
        ("user_permissions", "user_id"),
        ("organization_members", "user_id"),
        ("organization_members", "organization_id"),
        ("organization_member_roles", "organization_id"),
        ("organization_member_roles", "user_id"),
        ("role_permissions", "role_id"),
        ("group_members", "group_id"),
        ("group_roles", "group_id"),
    ):
        tenant.store.index(kind, field)


def roles_of(tenant: Tenant, user_id: str) -> list[Document]:
    """The roles assigned to the user, as documents of the kind `roles`."""
    return _documents(tenant, "roles", (row["role_id"] for row in tenant.store.find("user_roles", user_id=user_id)))


def users_of(tenant: Tenant, role_id: str) -> list[Document]:
    """The users who hold the role, in the order of assignment."""
    return _documents(tenant, "users", (row["user_id"] for row in tenant.store.find("user_roles", role_id=role_id)))


def assign_roles(tenant: Tenant, user_id: str, role_ids: Iterable[str]) -> None:
    for role_id in role_ids:
        put(tenant, "user_roles", user_id=user_id, role_id=role_id)


def remove_roles(tenant: Tenant, user_id: str, role_ids: Iterable[str]) -> None:
    for role_id in role_ids:
        remove(tenant, "user_roles", user_id=user_id, role_id=role_id)


def permissions_of(tenant: Tenant, user_id: str) -> list[Document]:
    """Rows {resource_server_identifier, permission_name} given to the user directly."""
    return tenant.store.find("user_permissions", user_id=user_id)


def permissions_of_role(tenant: Tenant, role_id: str) -> list[Document]:
    return tenant.store.find("role_permissions", role_id=role_id)


def organizations_of(tenant: Tenant, user_id: str) -> list[Document]:
    rows = tenant.store.find("organization_members", user_id=user_id)
    return _documents(tenant, "organizations", (row["organization_id"] for row in rows))


def members_of(tenant: Tenant, organization_id: str) -> list[Document]:
    """The users of an organization, in the order of joining."""
    rows = tenant.store.find("organization_members", organization_id=organization_id)
    return _documents(tenant, "users", (row["user_id"] for row in rows))


def is_member(tenant: Tenant, organization_id: str, user_id: str) -> bool:
    return tenant.store.get("organization_members", f"{organization_id} {user_id}") is not None


def add_member(tenant: Tenant, organization_id: str, user_id: str) -> None:
    put(tenant, "organization_members", organization_id=organization_id, user_id=user_id)


def remove_member(tenant: Tenant, organization_id: str, user_id: str) -> None:
    """Takes the roles within the organization away, too."""
    remove(tenant, "organization_members", organization_id=organization_id, user_id=user_id)
    for role in member_roles(tenant, organization_id, user_id):
        remove_member_role(tenant, organization_id, user_id, role["id"])


def member_roles(tenant: Tenant, organization_id: str, user_id: str) -> list[Document]:
    """The roles that the user holds within the organization."""
    rows = tenant.store.find("organization_member_roles", user_id=user_id, organization_id=organization_id)
    return _documents(tenant, "roles", (row["role_id"] for row in rows))


def add_member_role(tenant: Tenant, organization_id: str, user_id: str, role_id: str) -> None:
    put(tenant, "organization_member_roles", organization_id=organization_id, user_id=user_id, role_id=role_id)


def remove_member_role(tenant: Tenant, organization_id: str, user_id: str, role_id: str) -> None:
    remove(tenant, "organization_member_roles", organization_id=organization_id, user_id=user_id, role_id=role_id)


def groups_of(tenant: Tenant, user_id: str) -> list[Document]:
    rows = tenant.store.find("group_members", user_id=user_id)
    return _documents(tenant, "groups", (row["group_id"] for row in rows))


def granting_groups(tenant: Tenant, user_id: str, role_id: str, organization_id: str | None = None) -> list[Document]:
    """The user's groups that hold the role, in the tenant or within an organization."""
    kind = WITHIN_ORGANIZATION[1] if organization_id else HOLDERS[1]
    prefix = f"{organization_id} " if organization_id else ""
    groups = groups_of(tenant, user_id)
    return [group for group in groups if tenant.store.get(kind, f"{prefix}{group['id']} {role_id}")]


def effective_roles(tenant: Tenant, user_id: str, organization_id: str | None = None) -> list[Document]:
    """The roles held directly or through groups, each with its `sources`."""
    found = roles_by_source(tenant, user_id, organization_id)
    roles = _documents(tenant, "roles", found)
    return [{**role_summary(role), "sources": found[role["id"]]} for role in roles]


def role_summary(role: Document) -> Document:
    """As lists of somebody's roles show it."""
    return {"id": role["id"], "name": role["name"], "description": role.get("description") or ""}


def roles_by_source(tenant: Tenant, user_id: str, organization_id: str | None = None) -> dict[str, list[str]]:
    """Role id -> "direct", "groups" or both: how the user holds the role, in the tenant or within an organization."""
    within = {"organization_id": organization_id} if organization_id else {}
    direct, by_group = WITHIN_ORGANIZATION if within else HOLDERS
    found = {row["role_id"]: ["direct"] for row in tenant.store.find(direct, user_id=user_id, **within)}
    for group in groups_of(tenant, user_id):
        for row in tenant.store.find(by_group, group_id=group["id"], **within):
            sources = found.setdefault(row["role_id"], [])
            if "groups" not in sources:
                sources.append("groups")
    return found


def forget_role(tenant: Tenant, role_id: str) -> None:
    """Call when a role is deleted."""
    _forget(tenant, (*HOLDERS, *WITHIN_ORGANIZATION, "role_permissions"), role_id=role_id)


def forget_organization(tenant: Tenant, organization_id: str) -> None:
    """Call when an organization is deleted."""
    _forget(tenant, ("organization_members", *WITHIN_ORGANIZATION), organization_id=organization_id)


def forget_group(tenant: Tenant, group_id: str) -> None:
    """Call when a group is deleted."""
    _forget(tenant, ("group_members", "group_roles", "organization_group_roles"), group_id=group_id)


def _forget(tenant: Tenant, kinds: Iterable[str], **equal: str) -> None:
    for kind in kinds:
        for row in tenant.store.find(kind, **equal):
            tenant.store.remove(kind, row["_key"])


def put(tenant: Tenant, kind: str, **fields: str) -> None:
    """Insert a row; one that is there stays as it is."""
    key = _key(kind, fields)
    if tenant.store.get(kind, key) is None:
        tenant.store.put(kind, key, {"_key": key, **fields, "created_at": tenant.timestamp()})


def remove(tenant: Tenant, kind: str, **fields: str) -> bool:
    return tenant.store.remove(kind, _key(kind, fields)) is not None


def _key(kind: str, fields: dict[str, str]) -> str:
    return " ".join(fields[name] for name in PAIRINGS[kind])


def _documents(tenant: Tenant, kind: str, ids: Iterable[str]) -> list[Document]:
    found: Iterable[Any] = (tenant.store.get(kind, id) for id in ids)
    return [document for document in found if document is not None]
