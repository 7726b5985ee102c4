"""Registering tenants, and what their machine-to-machine applications are granted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.cache import cache

from portal import audit, scopes
from portal.auth0 import tokens
from portal.errors import Invalid, MissingScope, NotConnected, PortalError
from portal.models import Tenant, tenant_snapshot
from portal.scopes import Granted

# What a tenant signs in with and to: where one of these changes, it is tried before it is stored.
CREDENTIALS = (
    *("domain", "ca_bundle", "client_id", "client_secret", "private_key"),
    *("reader_client_id", "reader_client_secret", "reader_private_key"),
)


def save(tenant: Tenant, *, actor: Any) -> Tenant:
    """Store a new or changed tenant, and record it.

    Changed credentials are tried first: Invalid where Auth0 refuses them, and what was stored stays in use. Work that
    is under way goes on with the token that it has: each token is kept under its own credentials.
    """
    old = Tenant.objects.filter(pk=tenant.pk).first() if tenant.pk else None
    with audit.recorded(actor, "tenants.manage", tenant=tenant, target=tenant.slug, target_label=tenant.name) as entry:
        entry.before = tenant_snapshot(old) if old else {}
        if old and any(getattr(old, name) != getattr(tenant, name) for name in CREDENTIALS):
            _try(tenant)
        tenant.save()
        entry.after = tenant_snapshot(tenant)
    return tenant


@dataclass(frozen=True)
class Access:
    """What works at a tenant, found out once: for a page with many acts, one object."""

    tenant: Tenant

    @cached_property
    def granted(self) -> Granted | None:
        """What the tenant's applications hold, from the shared tokens: no call. None where that can't be known now."""
        return _granted(self.tenant, tokens.for_a_page(tokens.current))

    @cached_property
    def granted_now(self) -> Granted | None:
        """The same by young tokens; None where somebody asked in the last minute: no page waits for one in trouble."""
        first = cache.add(f"granted-again:{self.tenant.pk}", "1", timeout=tokens.YOUNG_SECONDS)
        return _granted(self.tenant, tokens.for_a_page(tokens.young)) if first else None

    def missing(self, feature: str, also: Iterable[str] = ()) -> list[str]:
        """The scopes without which this feature does not work here; empty where it does, or where nothing can be known.

        `also`: what this very act needs besides. Where something is missing a fresh token tells what is granted by now.
        """
        also, held = tuple(also), self.granted
        if held is None or not scopes.missing(feature, held, also):
            return []
        return scopes.missing(feature, self.granted_now or held, also)


def missing_scopes(tenant: Tenant, feature: str, also: Iterable[str] = ()) -> list[str]:
    return Access(tenant).missing(feature, also)


def require(tenant: Tenant, feature: str, also: Iterable[str] = ()) -> None:
    """Raise MissingScope, before anything is written, where the feature can't come to its end here."""
    also = tuple(also)
    if not missing_scopes(tenant, feature, also):
        return
    held = _granted(tenant, tokens.young)
    if held and (missing := scopes.missing(feature, held, also)):
        raise MissingScope(missing, tenant.name, every=True)


def sign_in_anew(tenant: Tenant) -> None:
    """Fresh tokens for all applications of the tenant. Raises NotConnected or Unavailable."""
    tokens.both(tenant, tokens.fetch)


def _granted(tenant: Tenant, get: tokens.Get) -> Granted | None:
    try:
        reads, writes = tokens.both(tenant, get)
    except PortalError:
        return None
    return Granted(reads.scopes, writes.scopes)


def _try(tenant: Tenant) -> None:
    try:
        sign_in_anew(tenant)
    except NotConnected as error:
        raise Invalid(f"Not saved, the old credentials stay in use. {error.message}") from None
