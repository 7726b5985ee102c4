"""Applications that prove themselves by a token they have signed (docs: Authenticate with Private Key JWT)."""

from __future__ import annotations

from typing import Any, TypeGuard

from sandbox.errors import OAuthError
from sandbox.login import registered_keys
from sandbox.login.calls import Call
from sandbox.login.registered_keys import Claims
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LARGEST_BYTES = 2048
LONGEST_CLAIM = 64
LIFETIME_SECONDS = 300


def issuer(call: Call) -> Any:
    """Who claims to have signed `client_assertion`. Raises OAuthError 400 invalid_request, 401 invalid_client."""
    assertion = call.text("client_assertion")
    if call.text("client_assertion_type") != TYPE or len(assertion) > LARGEST_BYTES:
        raise OAuthError(400, "invalid_request", "Invalid client_assertion_type or client_assertion")
    try:
        return registered_keys.peek(assertion)[1].get("iss")
    except ValueError:
        raise _not_verified() from None


def proves(call: Call, client: Document | None) -> Document:
    """The application that issued the assertion, if it has signed it. Raises OAuthError 401 invalid_client."""
    if client is None or call.text("client_id") not in ("", client["client_id"]):
        raise _not_verified()
    methods = client.get("client_authentication_methods") or {}
    holder, assertion = methods.get("private_key_jwt"), call.text("client_assertion")
    claims = registered_keys.verified(call.tenant, client, holder, assertion)
    if claims is None:
        raise _not_verified()
    _check(call.tenant, client["client_id"], claims)
    return client


def _check(tenant: Tenant, client_id: str, claims: Claims) -> None:
    now, identity = tenant.now(), claims.get("jti")
    if not _is_audience(tenant, claims.get("aud")):
        raise _refused("Invalid audience")
    if claims.get("sub") != client_id:
        raise _refused("Issuer and subject must be the client_id")
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_CLAIM:
        raise _refused("jti is missing or too long")
    _check_times(claims, now)
    used, key = transient(tenant, "used assertions"), f"{client_id} {identity}"
    if used.get(key):
        raise _refused("Client assertion was used before")
    used.put(key, True, claims["exp"] + registered_keys.SKEW_SECONDS - now)


def _check_times(claims: Claims, now: float) -> None:
    expires = claims.get("exp")
    if not _is_instant(expires) or expires + registered_keys.SKEW_SECONDS <= now:
        raise _refused("Client assertion expired")
    if expires > now + LIFETIME_SECONDS + registered_keys.SKEW_SECONDS:
        raise _refused("Client assertion lives too long")
    for name in ("iat", "nbf"):
        if name in claims and (not _is_instant(claims[name]) or claims[name] > now + registered_keys.SKEW_SECONDS):
            raise _refused(f"{name} lies in the future")


def _is_instant(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_audience(tenant: Tenant, audience: Any) -> bool:
    audiences = audience if isinstance(audience, list) else [audience]
    accepted = (tenant.issuer, tenant.issuer.rstrip("/"), f"{tenant.issuer}oauth/token")
    return any(one in accepted for one in audiences)


def _not_verified() -> OAuthError:
    return _refused("Failed to verify client assertion")


def _refused(reason: str) -> OAuthError:
    return OAuthError(401, "invalid_client", reason)
