"""The public keys that an application has registered, and JSON Web Tokens that it signed with their private ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from sandbox.kinds.certificates import public_key
from sandbox.store import Document
from sandbox.tenant import Tenant

Claims = dict[str, Any]

SKEW_SECONDS = 10
ALGORITHMS = ["RS256", "RS384", "PS256"]


def peek(token: str) -> tuple[Claims, Claims]:
    """Header and claims, unchecked. Raises ValueError when it is no signed JSON Web Token."""
    try:
        parts = extract_compact(token.encode())
        claims = orjson.loads(parts.payload)
    except (JoseError, UnicodeError, orjson.JSONDecodeError) as problem:
        raise ValueError(str(problem)) from None
    if not isinstance(claims, dict):
        raise ValueError("The claims are no JSON object.")
    return dict(parts.headers()), claims


def verified(tenant: Tenant, client: Document, holder: Any, token: str) -> Claims | None:
    """The claims, if one of the credentials that `holder` names signed the token with that credential's algorithm.

    holder: {"credentials": [{"id"}]}, as client_authentication_methods.private_key_jwt has it.
    """
    head, claims = peek(token)
    for credential in _credentials(tenant, client, holder):
        key = public_key(credential["_pem"])
        fits = head.get("alg") == credential.get("alg") and head.get("kid") in (None, credential.get("kid"))
        if fits and isinstance(key, RSAPublicKey) and _signed(token, key):
            return claims
    return None


def _signed(token: str, key: RSAPublicKey) -> bool:
    try:
        jwt.decode(token, RSAKey.import_key(key), algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        return False
    return True


def _credentials(tenant: Tenant, client: Document, holder: Any) -> Iterator[Document]:
    named = {credential.get("id") for credential in (holder or {}).get("credentials") or ()}
    for credential in tenant.store.find("client_credentials", client_id=client["client_id"]):
        expires = credential.get("expires_at")
        if credential["id"] in named and credential.get("_pem") and not (expires and expires <= tenant.timestamp()):
            yield credential
