"""Request objects: the parameters of /authorize in a token that the application signed (RFC 9101, JAR)."""

from __future__ import annotations

from sandbox.errors import OAuthError
from sandbox.login import registered_keys
from sandbox.login.authorization_requests import AuthorizationRequest
from sandbox.login.registered_keys import Claims
from sandbox.store import Document
from sandbox.tenant import Tenant

TYPES = ("jwt", "oauth-authz-req+jwt")
LONGEST_ID_BYTES = 64
_OF_THE_TOKEN = frozenset(["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "request", "request_uri"])


def read(tenant: Tenant, client: Document, parameters: dict[str, str]) -> AuthorizationRequest:
    """The request with what its request object says, which takes precedence. Raises OAuthError 400.

    One that the application is not set up for stays where it is.
    """
    plain, holder = dict(parameters), client.get("signed_request_object") or {}
    if not plain.get("request") or not holder.get("credentials"):
        return AuthorizationRequest(plain)
    asked = _signed(tenant, client, holder, plain.pop("request"))
    return AuthorizationRequest({**plain, **asked}, signed=True)


def _signed(tenant: Tenant, client: Document, holder: Document, token: str) -> dict[str, str]:
    try:
        head, _ = registered_keys.peek(token)
        claims = registered_keys.verified(tenant, client, holder, token)
    except ValueError:
        raise _refused("The request object is not a signed JSON Web Token") from None
    if str(head.get("typ")).lower() not in TYPES:
        raise _refused("typ must be jwt or oauth-authz-req+jwt")
    if claims is None:
        raise _refused("The signature of the request object could not be verified")
    _check(tenant, client, claims)
    asked = {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
    return {name: str(value) for name, value in asked.items() if isinstance(value, (str, int, float))}


def _check(tenant: Tenant, client: Document, claims: Claims) -> None:
    audience, id = claims.get("aud"), client["client_id"]
    if claims.get("iss") != id or claims.get("client_id") != id:
        raise _refused("iss and client_id must be the client_id of the application")
    if tenant.issuer not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("aud must be the issuer of the tenant")
    if not claims.get("response_type"):
        raise _refused("response_type is missing")
    identity = claims.get("jti", "")
    if not isinstance(identity, str) or len(identity.encode("utf-8", "surrogatepass")) > LONGEST_ID_BYTES:
        raise _refused(f"jti must be a string of at most {LONGEST_ID_BYTES} bytes")
    _check_times(tenant.now(), claims)


def _check_times(now: float, claims: Claims) -> None:
    times = {name: claims[name] for name in ("iat", "nbf", "exp") if name in claims}
    if not all(isinstance(value, (int, float)) for value in times.values()):
        raise _refused("iat, nbf and exp must be numeric dates")
    if times.get("exp", now + 1) <= now:
        raise _refused("The request object has expired")
    if times.get("nbf", now) > now + registered_keys.SKEW_SECONDS:
        raise _refused("The request object is not valid yet")


def _refused(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request_object", description)
