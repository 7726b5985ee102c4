"""Registering tenants, and what their access looks like now."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from portal import audit, auth0
from portal.auth0 import limits, tokens
from portal.errors import PortalError
from portal.models import Tenant, tenant_snapshot


@dataclass(frozen=True)
class State:
    """What a tenant's machine-to-machine application can do at this moment. `problem` is None where it answers."""

    problem: PortalError | None = None
    scopes: list[str] = field(default_factory=list)
    token_age_seconds: float = 0
    token_left_seconds: float = 0
    rate_limit: dict[str, float] | None = None


def save(tenant: Tenant, *, actor: Any) -> Tenant:
    """Store a new or changed tenant, drop what was cached for its old credentials, and record it."""
    old = Tenant.objects.filter(pk=tenant.pk).first() if tenant.pk else None
    with audit.recorded(actor, "tenants.manage", tenant=tenant, target=tenant.slug, target_label=tenant.name) as entry:
        entry.before = tenant_snapshot(old) if old else {}
        if old:
            auth0.forget(old)
        tenant.save()
        entry.after = tenant_snapshot(tenant)
    return tenant


def state(tenant: Tenant) -> State:
    """Asks the tenant for a token if none is at hand; never raises."""
    try:
        token = tokens.current(tenant)
    except PortalError as error:
        return State(problem=error)
    now = time.time()
    return State(None, sorted(token.scopes), now - token.fetched_at, token.expires_at - now, limits.state(tenant))
