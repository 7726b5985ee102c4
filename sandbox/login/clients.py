"""Applications: finding them, and proving that a caller is one (secret or private key JWT)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sandbox.errors import OAuthError
from sandbox.login.calls import Call
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = ["RS256", "RS384", "PS256"]
ASSERTION_SECONDS = 300
_SKEW_SECONDS = 10


@dataclass(frozen=True)
class Authenticated:
    """The application that called, and whether it proved itself (a public one can't)."""

    client: Document
    proven: bool


def find(tenant: Tenant, client_id: object) -> Document | None:
    if not isinstance(client_id, str) or not client_id:
        return None
    client = tenant.store.get("clients", client_id)
    if client is None or client.get("client_id") != client_id:
        client = tenant.store.first("clients", client_id=client_id)
    return None if client is None or client.get("global") else client


def is_public(client: Document) -> bool:
    return client.get("token_endpoint_auth_method") == "none"


def authenticate(call: Call, *, proof_required: bool = True) -> Authenticated:
    """The calling application. Raises OAuthError 401 access_denied for an unknown one or a wrong proof.

    An application without `client_secret` or assertion passes only when it is a public one (or with
    `proof_required=False`): what it may then do is the grant's to say.
    """
    if call.text("client_assertion"):
        return Authenticated(_by_assertion(call), proven=True)
    client_id, secret = call.basic_credentials or (call.text("client_id"), call.text("client_secret"))
    if not client_id:
        raise OAuthError(400, "invalid_request", "Missing required parameter: client_id")
    client = find(call.tenant, client_id)
    if client is None:
        raise unauthorized()
    if secret:
        if not _secret_fits(client, secret):
            raise unauthorized()
        return Authenticated(client, proven=True)
    if proof_required and not is_public(client):
        raise unauthorized()
    return Authenticated(client, proven=False)


def unauthorized() -> OAuthError:
    return OAuthError(401, "access_denied", "Unauthorized")


def allow_grant(client: Document, grant_type: str) -> None:
    """Raises OAuthError 403 unauthorized_client when the application may not use that grant."""
    if grant_type not in client.get("grant_types", []):
        raise OAuthError(
            403,
            "unauthorized_client",
            f"Grant type '{grant_type}' not allowed for the client.",
            error_uri="https://auth0.com/docs/clients/client-grant-types",
        )


def _secret_fits(client: Document, secret: str) -> bool:
    known = client.get("client_secret")
    if not known or client.get("client_authentication_methods"):
        return False
    return hmac.compare_digest(known.encode(), secret.encode("utf-8", "surrogatepass"))


def _by_assertion(call: Call) -> Document:
    assertion = call.text("client_assertion")
    if call.text("client_assertion_type") != ASSERTION_TYPE or len(assertion) > 2048:
        raise OAuthError(400, "invalid_request", "Invalid client_assertion_type or client_assertion")
    for client, key in _candidates(call, assertion):
        try:
            token = jwt.decode(assertion, key, algorithms=ASSERTION_ALGORITHMS)
        except (JoseError, ValueError):
            continue
        _check_assertion(call.tenant, client, token.claims)
        return client
    raise OAuthError(401, "invalid_client", "Failed to verify client assertion")


def _candidates(call: Call, assertion: str) -> list[tuple[Document, RSAKey]]:
    """The public keys that the application named by the assertion has registered."""
    from joserfc.jws import extract_compact  # noqa: PLC0415 - only callers with a private key need it

    try:
        claims = _loads(extract_compact(assertion.encode()).payload)
    except (JoseError, ValueError):
        return []
    client = find(call.tenant, claims.get("iss"))
    if client is None:
        return []
    methods = (client.get("client_authentication_methods") or {}).get("private_key_jwt") or {}
    wanted = {credential.get("id") for credential in methods.get("credentials", [])}
    return [(client, key) for key in _public_keys(call.tenant, client, wanted)]


def _public_keys(tenant: Tenant, client: Document, wanted: set[Any]) -> list[RSAKey]:
    found = []
    for credential in tenant.store.find("client_credentials", client_id=client["client_id"]):
        pem = credential.get("_pem") or credential.get("pem")
        if credential.get("id") in wanted and pem and not _expired(tenant, credential):
            found.append(RSAKey.import_key(pem))
    return found


def _expired(tenant: Tenant, credential: Document) -> bool:
    return bool(credential.get("expires_at")) and credential["expires_at"] <= tenant.timestamp()


def _check_assertion(tenant: Tenant, client: Document, claims: dict[str, Any]) -> None:
    now, expires, identity = tenant.now(), claims.get("exp"), claims.get("jti")
    if not _is_audience(tenant, claims.get("aud")):
        raise _bad_assertion("Invalid audience")
    if claims.get("sub") != client["client_id"]:
        raise _bad_assertion("Issuer and subject must be the client_id")
    if not isinstance(identity, str) or not 0 < len(identity) <= 64:
        raise _bad_assertion("jti is missing or too long")
    if not isinstance(expires, (int, float)) or expires + _SKEW_SECONDS <= now:
        raise _bad_assertion("Client assertion expired")
    if expires > now + ASSERTION_SECONDS + _SKEW_SECONDS:
        raise _bad_assertion("Client assertion lives too long")
    used = transient(tenant, "used assertions")
    if used.get(f"{client['client_id']} {identity}"):
        raise _bad_assertion("Client assertion was used before")
    used.put(f"{client['client_id']} {identity}", True, expires + _SKEW_SECONDS - now)


def _is_audience(tenant: Tenant, audience: Any) -> bool:
    audiences = audience if isinstance(audience, list) else [audience]
    accepted = (tenant.issuer, tenant.issuer.rstrip("/"), f"{tenant.issuer}oauth/token")
    return any(one in accepted for one in audiences)


def _bad_assertion(reason: str) -> OAuthError:
    return OAuthError(401, "invalid_client", reason)


def _loads(raw: bytes) -> dict[str, Any]:
    import orjson  # noqa: PLC0415

    claims = orjson.loads(raw)
    if not isinstance(claims, dict):
        raise ValueError("The claims are no JSON object.")
    return claims
