"""How many of a kind a tenant may hold, by the plan that /_sandbox/conditions sets, and what all plans share."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds.kind import Kind
from sandbox.kinds.operations import Call
from sandbox.plans import lacks, refusal

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

CONNECTIONS_PER_ORGANIZATION = 10
ACTION_VERSIONS = 50
ACTION_SECRETS = 30
ACTION_DEPENDENCIES = 10
ACTION_CODE_BYTES = 100_000
SECRET_NAME_LENGTH = 128
SECRET_VALUE_LENGTH = 4096


def check(kind: Kind, call: Call) -> None:
    """Raises ApiError 403 too_many_entities where one more would be too many."""
    by_plan = PLANS.get(call.tenant.conditions.plan or "", {}).get(kind.store)
    most = min((n for n in (kind.most, by_plan) if n is not None), default=None)
    if most is not None and call.store.count(kind.store) >= most:
        raise too_many()


def entitled(call: Call, feature: str) -> None:
    """Raises ApiError 403 where the plan set by /_sandbox/conditions does not include the feature."""
    if lacks(call.tenant.conditions.plan, feature):
        raise ApiError(403, *refusal(feature))


def too_many() -> ApiError:
    return ApiError(403, "You reached the limit of entities of this type for this tenant.", "too_many_entities")
