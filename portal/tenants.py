"""Registering tenants, their credentials, and what their access looks like now."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portal import audit, auth0, scopes
from portal.access import PERMISSIONS
from portal.auth0 import limits, tokens
from portal.errors import Invalid, NotConnected, PortalError
from portal.models import Tenant, tenant_snapshot

# What a plan may lack -> a read that tells. Found out when somebody asks, never assumed.
PLAN_FEATURES: dict[str, str] = {
    "Organizations": "/organizations?take=1",
    "Custom domains": "/custom-domains",
    "Log streams": "/log-streams",
    "Attack protection: bot detection": "/attack-protection/bot-detection",
    "Self-service profiles": "/self-service-profiles",
    "Network access control lists": "/network-acls",
}


@dataclass(frozen=True)
class Feature:
    """A right of the portal at one tenant. `missing`: it is off without these; `reduced`: something is left out."""

    permission: str
    label: str
    missing: list[str]
    reduced: list[str]


@dataclass(frozen=True)
class State:
    """What a tenant's machine-to-machine application can do at this moment. `problem` is None where it answers."""

    problem: PortalError | None = None
    scopes: list[str] = field(default_factory=list)
    token_age_seconds: float = 0
    token_left_seconds: float = 0
    rate_limit: dict[str, float] | None = None
    features: list[Feature] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    dangerous: list[tuple[str, str]] = field(default_factory=list)

    @property
    def lacking(self) -> list[str]:
        """All scopes whose absence turns something off or leaves something out, for one command that grants them."""
        return sorted({scope for feature in self.features for scope in (*feature.missing, *feature.reduced)})


def save(tenant: Tenant, *, actor: Any) -> Tenant:
    """Store a new or changed tenant, drop what was cached for its old credentials, and record it.

    Changed credentials are tried first: Invalid where Auth0 refuses them, and what was stored stays in use.
    """
    old = Tenant.objects.filter(pk=tenant.pk).first() if tenant.pk else None
    with audit.recorded(actor, "tenants.manage", tenant=tenant, target=tenant.slug, target_label=tenant.name) as entry:
        entry.before = tenant_snapshot(old) if old else {}
        if old and _signs_in_otherwise(old, tenant):
            _try(tenant)
        if old:
            auth0.forget(old)
        tenant.save()
        entry.after = tenant_snapshot(tenant)
    return tenant


def generate_key(tenant: Tenant, *, actor: Any) -> str:
    """Make a key pair for private key JWT and keep it aside; returns the public key (PEM) to register with Auth0."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with audit.recorded(actor, "tenants.manage", tenant=tenant, target=tenant.slug, target_label=tenant.name) as entry:
        tenant.pending_private_key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        tenant.save(update_fields=["pending_private_key"])
        entry.detail = "New key pair made; the stored credentials stay in use until it works."
    return public_key(tenant)


def public_key(tenant: Tenant) -> str:
    """The public half (PEM) of the key pair that waits to be registered, or "" where none waits."""
    if not tenant.pending_private_key:
        return ""
    key = serialization.load_pem_private_key(tenant.pending_private_key.encode(), password=None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def use_new_key(tenant: Tenant, *, actor: Any) -> None:
    """Sign in with the waiting key once; where that works it takes the place of the old credentials.

    Raises Invalid where no key waits or Auth0 does not know it yet; then nothing changes.
    """
    if not tenant.pending_private_key:
        raise Invalid("There is no new key. Make one first.")
    candidate = copy.copy(tenant)
    candidate.private_key, candidate.client_secret = tenant.pending_private_key, ""
    candidate.pending_private_key = ""
    save(candidate, actor=actor)


def state(tenant: Tenant) -> State:
    """Asks the tenant for a token if none is at hand; never raises."""
    try:
        reader, writer = (tokens.current(tenant, tokens.credentials(tenant, writing=w)) for w in (False, True))
    except PortalError as error:
        return State(problem=error)
    now, granted = time.time(), reader.scopes | writer.scopes
    return State(
        scopes=sorted(granted),
        token_age_seconds=now - writer.fetched_at,
        token_left_seconds=writer.expires_at - now,
        rate_limit=limits.state(tenant),
        features=[_feature(permission, granted) for permission in scopes.NEEDS],
        unused=scopes.unused(granted - set(scopes.DANGEROUS)),
        dangerous=[(scope, why) for scope, why in scopes.DANGEROUS.items() if scope in granted],
    )


def granted_scopes(tenant: Tenant) -> set[str] | None:
    """What the tenant's applications hold together; None where that can't be known now."""
    try:
        tokens_of = [tokens.current(tenant, tokens.credentials(tenant, writing=w)) for w in (False, True)]
    except PortalError:
        return None
    return tokens_of[0].scopes | tokens_of[1].scopes


def missing_scopes(tenant: Tenant, permission: str) -> list[str]:
    """The scopes without which this right does not work here; empty where it does, or where nothing can be known."""
    granted = granted_scopes(tenant)
    return [] if granted is None else scopes.missing(permission, granted)


def plan_features(tenant: Tenant) -> list[tuple[str, str]]:
    """(feature, "" or why it can't be used here), asked of the tenant now; one read each."""
    found = []
    for name, path in PLAN_FEATURES.items():
        try:
            auth0.request(tenant, "GET", path)
            found.append((name, ""))
        except PortalError as error:
            found.append((name, error.message))
    return found


def _feature(permission: str, granted: set[str]) -> Feature:
    return Feature(
        permission,
        PERMISSIONS[permission],
        scopes.missing(permission, granted),
        scopes.reduced(permission, granted),
    )


def _signs_in_otherwise(old: Tenant, new: Tenant) -> bool:
    names = ("domain", "client_id", "client_secret", "private_key", "reader_client_id", "reader_client_secret")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def _try(tenant: Tenant) -> None:
    try:
        for writing in (True, False):
            tokens.fetch(tenant, tokens.credentials(tenant, writing=writing))
    except NotConnected as error:
        raise Invalid(f"Not saved, the old credentials stay in use. {error.message}") from None
