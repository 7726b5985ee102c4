"""Keys of applications: a private key that signs, and its public half registered with the tenant."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOMENTS = ("exp", "iat", "nbf")


def from_now(claims: dict[str, Any]) -> dict[str, Any]:
    """Claims as they are sent: of `exp`, `iat` and `nbf` the tests say how many seconds from now they lie."""
    now = int(time.time())
    return {k: now + v if k in MOMENTS and isinstance(v, int) else v for k, v in claims.items()}


@cache
def private_key() -> RSAKey:
    """The same one for all tests: making one takes a while."""
    return RSAKey.generate_key(2048)


def public_pem(key: RSAKey | None = None) -> str:
    return (key or private_key()).as_pem(private=False).decode()


def credential(tenant: Any, client: dict[str, Any], alg: str = "RS256", **fields: Any) -> Any:
    """Register the public key; GET /clients/{id}/credentials/{id}."""
    wanted = {"credential_type": "public_key", "name": "key", "pem": public_pem(), "alg": alg, **fields}
    return tenant.api("POST", f"/clients/{client['client_id']}/credentials", wanted)


def signs_in_by_key(tenant: Any, client: dict[str, Any], alg: str = "RS256") -> Any:
    """From now on the application proves itself by assertions; the credential."""
    made = credential(tenant, client, alg)
    methods = {"private_key_jwt": {"credentials": [{"id": made["id"]}]}}
    body = {"token_endpoint_auth_method": None, "client_authentication_methods": methods}
    tenant.api("PATCH", f"/clients/{client['client_id']}", body)
    return made


def assertion(tenant: Any, client: dict[str, Any], alg: str = "RS256", kid: str = "", **changes: Any) -> str:
    id = client["client_id"]
    body = {"iss": id, "sub": id, "aud": f"{tenant.url}/", "iat": 0, "exp": 60, "jti": str(time.time_ns())}
    head = {"alg": alg, "kid": kid} if kid else {"alg": alg}
    return jwt.encode(head, from_now({**body, **changes}), private_key(), algorithms=[alg])
