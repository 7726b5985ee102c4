"""Applications: finding them, and proving that a caller is one (secret or private key JWT).

Auth0 takes a secret from the body or the Authorization header, whichever of client_secret_post and client_secret_basic
an application is set to. One that is set to `none` can't prove itself, one with keys only by an assertion.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass

from sandbox.errors import OAuthError
from sandbox.login import assertions
from sandbox.login.calls import Call
from sandbox.store import Document
from sandbox.tenant import Tenant

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name


@dataclass(frozen=True)
class Authenticated:
    """The application that called, and whether it proved itself (a public one can't).

    thumbprint: of the key that it proves to hold by DPoP, "" where it does not.
    """

    client: Document
    proven: bool
    thumbprint: str = ""


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
    caller = _caller(call)
    if not caller.proven and proof_required and not is_public(caller.client):
        raise unauthorized()
    if caller.proven and caller.client.get("is_token_endpoint_ip_header_trusted"):
        call.forwarded_ip = _forwarded_ip(call)
    return caller


def _caller(call: Call) -> Authenticated:
    if call.text("client_assertion"):
        client = find(call.tenant, assertions.issuer(call))
        return Authenticated(assertions.proves(call, client), proven=True)
    client_id, secret = call.basic_credentials or (call.text("client_id"), call.text("client_secret"))
    if not client_id:
        raise OAuthError(400, "invalid_request", "Missing required parameter: client_id")
    client = find(call.tenant, client_id)
    if client is None:
        raise unauthorized()
    if not secret or is_public(client):
        return Authenticated(client, proven=False)
    if not _secret_fits(client, secret):
        raise unauthorized()
    return Authenticated(client, proven=True)


def _forwarded_ip(call: Call) -> str:
    """Where the person is, as an application says in `auth0-forwarded-for` that is trusted with it; "" elsewhere."""
    claimed = call.request.headers.get("auth0-forwarded-for", "").partition(",")[0].strip()
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return ""


def unauthorized() -> OAuthError:
    return OAuthError(401, "access_denied", "Unauthorized")


def allow_grant(client: Document, grant_type: str) -> None:
    """Raises OAuthError 403 unauthorized_client when the application may not use that grant."""
    if grant_type == TOKEN_EXCHANGE:
        kinds = (client.get("token_exchange") or {}).get("allow_any_profile_of_type") or ()
        trusted = client.get("is_first_party", True) and client.get("oidc_conformant")
        allowed = trusted and "custom_authentication" in kinds
    else:
        allowed = grant_type in client.get("grant_types", [])
    if not allowed:
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
