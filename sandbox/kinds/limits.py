"""How many of a kind a tenant may hold, by the plan that /_sandbox/conditions sets, and what all plans share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.kind import Kind
from sandbox.kinds.operations import Call
from sandbox.plans import lacks, refusal
from sandbox.store import Document
from sandbox.users import documents

PLANS: dict[str, dict[str, int]] = {
    "free": {"clients": 10, "resource_servers": 10, "client_grants": 100, "connections": 100, "rules": 3},
    "professional": {
        "clients": 100,
        "resource_servers": 100,
        "client_grants": 10_000,
        "connections": 100,
        "rules": 10,
    },
    "enterprise": {"clients": 100_000, "resource_servers": 100_000, "client_grants": 100_000},
}
PLANS["enterprise-non-production"] = PLANS["enterprise"]

EVERY_PLAN = {"organizations": 100_000}
SOCIAL_CONNECTIONS_ON_FREE = 2


@dataclass(frozen=True, slots=True)
class Links:
    """How many rows of `store` one owner may have. The request names the owner in its path, the others in its body."""

    store: str
    most: int
    owner: dict[str, str]
    """Field of a row -> parameter of the path."""
    body: str
    others: tuple[str, ...]
    """The fields of a row that tell the owner's rows apart."""


ROLES_PER_USER = 50
PERMISSION = ("resource_server_identifier", "permission_name")
LINKS = {
    "POST /users/{id}/roles": Links("user_roles", ROLES_PER_USER, {"user_id": "id"}, "roles", ("role_id",)),
    "POST /users/{id}/permissions": Links("user_permissions", 1000, {"user_id": "id"}, "permissions", PERMISSION),
    "POST /roles/{id}/permissions": Links("role_permissions", 1000, {"role_id": "id"}, "permissions", PERMISSION),
    "POST /organizations/{id}/members": Links(
        "organization_members", 100_000, {"organization_id": "id"}, "members", ("user_id",)
    ),
    "POST /organizations/{id}/members/{user_id}/roles": Links(
        "organization_member_roles", 50, {"organization_id": "id", "user_id": "user_id"}, "roles", ("role_id",)
    ),
    "POST /organizations/{id}/client-grants": Links(
        "organization_client_grants", 100, {"_organization_id": "id"}, "grant_id", ("grant_id",)
    ),
}
SCOPES_PER_API = 1000
CONNECTIONS_PER_ORGANIZATION = 10
ACTION_VERSIONS = 50
ACTION_SECRETS = 30
ACTION_DEPENDENCIES = 10
ACTION_MODULES = 3
EXECUTION_SECONDS = 10 * 86_400
ACTION_CODE_BYTES = 100_000
SECRET_NAME_LENGTH = 128
SECRET_VALUE_LENGTH = 4096


def check(kind: Kind, call: Call) -> None:
    """Raises ApiError 403 too_many_entities where one more would be too many."""
    plan = call.tenant.conditions.plan or ""
    limits = (kind.most, PLANS.get(plan, {}).get(kind.store), EVERY_PLAN.get(kind.store))
    most = min((n for n in limits if n is not None), default=None)
    if most is not None and call.store.count(kind.store) >= most:
        raise too_many()
    if kind.store == "connections" and plan == "free":
        _check_social(call)


def _check_social(call: Call) -> None:
    held = sum(_is_social(connection) for connection in call.store.all("connections"))
    if held >= SOCIAL_CONNECTIONS_ON_FREE and _is_social(call.body or {}):
        raise too_many()


def _is_social(connection: Document) -> bool:
    return documents.is_social(str(connection.get("strategy")))


def check_links(call: Call) -> None:
    """Raises ApiError 403 where the request would give somebody too many roles, permissions or members."""
    links = LINKS.get(f"{call.method} {call.route}")
    if links is not None and isinstance(call.body, dict):
        owner = {field: call.params[parameter] for field, parameter in links.owner.items()}
        held = {tuple(row[name] for name in links.others) for row in call.store.find(links.store, **owner)}
        given = call.body.get(links.body) or ()
        added = {_other(links, item) for item in ([given] if isinstance(given, str) else given)}
        if len(held | added) > links.most:
            raise too_many()


def check_holders(call: Call, role_id: str, user_ids: list[str]) -> None:
    """Raises ApiError 403 where one of these users would hold too many roles."""
    for user_id in user_ids:
        roles = {row["role_id"] for row in call.store.find("user_roles", user_id=user_id)}
        if len(roles | {role_id}) > ROLES_PER_USER:
            raise too_many()


def _other(links: Links, item: Any) -> tuple[str, ...]:
    return tuple(str(item.get(name)) for name in links.others) if isinstance(item, dict) else (str(item),)


def entitled(call: Call, feature: str) -> None:
    """Raises ApiError 403 where the plan set by /_sandbox/conditions does not include the feature."""
    if lacks(call.tenant.conditions.plan, feature):
        raise ApiError(403, *refusal(feature))


def too_many() -> ApiError:
    return ApiError(403, "You reached the limit of entities of this type for this tenant.", "too_many_entities")
