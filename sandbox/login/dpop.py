"""Tokens bound to a key that the application holds: DPoP proofs (RFC 9449), and who has to send one.

Whether a token is bound depends on the application and the API (docs: Configure Sender Constraining). mTLS, the other
way to bind, does not exist here: an API that requires it gets no tokens.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from sandbox.errors import OAuthError
from sandbox.login import clients
from sandbox.login.calls import Call
from sandbox.login.registered_keys import Claims, peek
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

SCHEME = "DPoP"
ALGORITHMS = ["ES256"]
LIFETIME_SECONDS = 300.0
_SKEW_SECONDS = 10
_LARGEST_BYTES = 4096
_LONGEST_ID = 256
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class DPoPError(OAuthError):
    """400 invalid_dpop_proof or use_dpop_nonce; the latter hands out a nonce."""

    def __init__(self, error: str, description: str, nonce: str = "") -> None:
        super().__init__(400, error, description)
        self.headers = {"DPoP-Nonce": nonce} if nonce else None


def refused(description: str) -> DPoPError:
    return DPoPError("invalid_dpop_proof", description)


def check_thumbprint(value: str) -> None:
    """Raises OAuthError 400 when it can't be the SHA-256 thumbprint of a key."""
    if value and not _THUMBPRINT.fullmatch(value):
        raise OAuthError(400, "invalid_request", "dpop_jkt is not a JWK SHA-256 thumbprint")


def proven(call: Call, *, public: bool = False) -> str:
    """The thumbprint of the key that the request proves to hold, "" without a proof; each proof counts once.

    A public application has to put a nonce of the tenant into it. Raises DPoPError.
    """
    found = _verified(call)
    if found is None:
        return ""
    claims, thumbprint = found
    _check_nonce(call.tenant, claims, required=public)
    used, key = transient(call.tenant, "used DPoP proofs"), f"{thumbprint} {claims['jti']}"
    if used.get(key):
        raise refused("The DPoP proof was used before")
    used.put(key, True, LIFETIME_SECONDS + _SKEW_SECONDS)
    return thumbprint


def proven_with(call: Call, access_token: str) -> str:
    """`proven` for a request that carries an access token. As at Auth0, its proofs may come again."""
    found = _verified(call)
    if found is None:
        return ""
    claims, thumbprint = found
    if claims.get("ath") != _base64url(hashlib.sha256(access_token.encode()).digest()):
        raise refused("ath is not the hash of the access token")
    return thumbprint


def binds(client: Document, api: Document | None, thumbprint: str) -> bool:
    """Whether a token for the API (None: /userinfo) is bound to the key. Raises OAuthError where a proof is missing."""
    policy = (api or {}).get("proof_of_possession") or {}
    mechanism = policy.get("mechanism", "none" if api else "dpop")
    usable = thumbprint != "" and mechanism == "dpop"
    if not usable and (client.get("require_proof_of_possession") or _required(client, policy)):
        raise OAuthError(400, "invalid_request", "A DPoP proof is required for this client or API")
    return usable


def _required(client: Document, policy: dict[str, Any]) -> bool:
    for_public_alone = policy.get("required_for") == "public_clients"
    return bool(policy.get("required")) and (clients.is_public(client) or not for_public_alone)


def _verified(call: Call) -> tuple[Claims, str] | None:
    """Claims and thumbprint of the request's proof."""
    headers = call.request.headers.getlist("dpop")
    if not headers:
        return None
    if len(headers) > 1 or len(headers[0]) > _LARGEST_BYTES:
        raise refused("There must be one DPoP header with one proof")
    try:
        head, claims = peek(headers[0])
    except ValueError:
        raise refused("The DPoP proof is not a signed JSON Web Token") from None
    key = _key(head)
    try:
        jwt.decode(headers[0], key, algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        raise refused("The signature of the DPoP proof could not be verified") from None
    _check(call, claims)
    return claims, key.thumbprint()


def _key(head: Claims) -> ECKey:
    jwk = head.get("jwk")
    if head.get("typ") != "dpop+jwt" or head.get("alg") not in ALGORITHMS:
        raise refused(f"typ must be dpop+jwt and alg one of {', '.join(ALGORITHMS)}")
    if not isinstance(jwk, dict) or "d" in jwk or jwk.get("crv") != "P-256":
        raise refused("jwk must be a public key of the curve P-256")
    try:
        return ECKey.import_key({name: str(jwk.get(name)) for name in ("kty", "crv", "x", "y")})
    except (JoseError, ValueError, TypeError):
        raise refused("jwk must be a public key of the curve P-256") from None


def _check(call: Call, claims: Claims) -> None:
    now, made, identity = call.tenant.now(), claims.get("iat"), claims.get("jti")
    if not isinstance(identity, str) or not 0 < len(identity) <= _LONGEST_ID:
        raise refused("jti is missing or too long")
    if claims.get("htm") != call.request.method:
        raise refused("htm is not the method of the request")
    if claims.get("htu") not in _addresses(call):
        raise refused("htu is not the address of the request")
    if not isinstance(made, (int, float)) or not now - LIFETIME_SECONDS <= made <= now + _SKEW_SECONDS:
        raise refused("iat is missing, too old or in the future")


def _addresses(call: Call) -> tuple[str, str]:
    """The request as it was sent, and by the tenant's issuer."""
    url = call.request.url
    return f"{url.scheme}://{url.netloc}{url.path}", f"{call.tenant.issuer.rstrip('/')}{url.path}"


def _check_nonce(tenant: Tenant, claims: Claims, *, required: bool) -> None:
    nonces, nonce = transient(tenant, "DPoP nonces"), claims.get("nonce")
    if nonce is None and not required:
        return
    if not isinstance(nonce, str) or not nonces.get(nonce):
        new = new_id("", 32)
        nonces.put(new, True, LIFETIME_SECONDS)
        raise DPoPError("use_dpop_nonce", "Authorization server requires nonce in DPoP proof", new)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
