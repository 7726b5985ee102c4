"""What a token may be for: APIs (resource servers), their scopes and lifetimes, and client grants."""

from __future__ import annotations

from typing import Any

from sandbox import tokens
from sandbox.errors import OAuthError
from sandbox.login import third_party
from sandbox.store import Document
from sandbox.tenant import Tenant

IDENTITY_SCOPES = frozenset(
    ["openid", "profile", "email", "phone", "address", "offline_access", "name", "given_name", "family_name"]
    + ["nickname", "picture", "email_verified", "created_at", "identities"]
)
DEFAULT_LIFETIME_SECONDS = 86_400
DEFAULT_BROWSER_LIFETIME_SECONDS = 7_200
MFA_SCOPES = ("enroll", "read:authenticators", "remove:authenticators")
_MFA_API: Document = {
    "name": "Auth0 MFA API",
    "scopes": [{"value": scope} for scope in MFA_SCOPES],
    "token_lifetime": 600,
    "token_lifetime_for_web": 600,
    "allow_offline_access": True,
    "skip_consent_for_verifiable_first_party_clients": True,
}
_GRANTS_PAGE = "https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"


def userinfo_audience(tenant: Tenant) -> str:
    return f"{tenant.issuer}userinfo"


def canonical(tenant: Tenant, audience: str) -> str:
    """The Management API answers at several addresses; tokens are always for its identifier."""
    return tenant.management_audience if audience in tokens.management_audiences(tenant) else audience


def requested(tenant: Tenant, audience: str, resource: str = "") -> str:
    """The audience asked for, else the tenant's default one, else "".

    `resource` (RFC 8707) counts where the tenant's profile is "compatibility", and no audience is given.
    """
    settings: dict[str, Any] = tenant.store.get("settings", "settings/tenants/settings") or {}
    if settings.get("resource_parameter_profile") == "compatibility":
        audience = audience or resource
    return canonical(tenant, audience or settings.get("default_audience") or "")


def mfa_audience(tenant: Tenant) -> str:
    return f"{tenant.issuer}mfa/"


def find(tenant: Tenant, audience: str) -> Document | None:
    """The API with that identifier: one of the tenant's, or the MFA API, which each tenant has."""
    if audience == mfa_audience(tenant):
        return {"identifier": audience, **_MFA_API}
    return tenant.store.first("resource_servers", identifier=audience)


def resource_server(tenant: Tenant, audience: str) -> Document:
    """`find`, which raises OAuthError 403 "Service not found"."""
    found = find(tenant, audience)
    if found is None:
        raise OAuthError(403, "access_denied", f"Service not found: {audience}")
    return found


def for_people(tenant: Tenant, client: Document, audience: str) -> Document:
    """The API that an application wants to call for somebody. Raises OAuthError 403: unknown, or closed to it.

    Who gets what is the API's access policy (docs: API Access Policies for Applications).
    """
    api = resource_server(tenant, audience)
    policy = _user_policy(client, api)
    if policy == "deny_all" or (policy != "allow_all" and _grant_for_people(tenant, client, api) is None):
        text = f'Client "{client["client_id"]}" is not authorized to access resource server "{audience}".'
        raise OAuthError(403, "access_denied", text)
    return api


def scopes_for_people(tenant: Tenant, client: Document, api: Document) -> list[str]:
    """What an application may ask for on an API that is open to it."""
    grant = _grant_for_people(tenant, client, api)
    if _user_policy(client, api) == "allow_all" or grant is None or grant.get("allow_all_scopes"):
        return scope_values(api)
    return [scope for scope in scope_values(api) if scope in (grant.get("scope") or ())]


def _grant_for_people(tenant: Tenant, client: Document, api: Document) -> Document | None:
    return client_grant(tenant, client, api["identifier"], "user")


def _user_policy(client: Document, api: Document) -> str:
    """A strict application of others always needs a grant."""
    policy = _policy(api, "user")
    return "require_client_grant" if policy == "allow_all" and third_party.is_strict(client) else policy


def _policy(api: Document, subject: str) -> str:
    """ "allow_all", "require_client_grant" or "deny_all"."""
    usual = "allow_all" if subject == "user" else "require_client_grant"
    return str(((api.get("subject_type_authorization") or {}).get(subject) or {}).get("policy") or usual)


def client_grant(tenant: Tenant, client: Document, audience: str, subject_type: str = "client") -> Document | None:
    """The application's own grant, else the one that every third-party application has."""
    found = tenant.store.find("client_grants", client_id=client["client_id"], audience=audience)
    if client.get("is_first_party") is False:
        found = [*found, *tenant.store.find("client_grants", default_for="third_party_clients", audience=audience)]
    return next((grant for grant in found if grant.get("subject_type", "client") == subject_type), None)


def granted_scopes(tenant: Tenant, client: Document, api: Document) -> tuple[list[str], Document]:
    """The scopes an application holds for itself on an API, with the client grant. Raises OAuthError 403."""
    audience = api["identifier"]
    grant = client_grant(tenant, client, audience)
    if grant is None or _policy(api, "client") == "deny_all":
        raise OAuthError(
            403,
            "access_denied",
            f'Client is not authorized to access "{audience}". You need to create a "client-grant" associated to '
            f"this API. See: {_GRANTS_PAGE}",
        )
    if grant.get("allow_all_scopes"):
        return scope_values(api), grant
    return list(grant.get("scope") or []), grant


def scope_values(api: Document) -> list[str]:
    return [scope["value"] for scope in api.get("scopes") or []]


def lifetime_seconds(api: Document | None, *, browser: bool = False) -> int:
    if api is None:
        return DEFAULT_LIFETIME_SECONDS
    if browser:
        return int(api.get("token_lifetime_for_web") or DEFAULT_BROWSER_LIFETIME_SECONDS)
    return int(api.get("token_lifetime") or DEFAULT_LIFETIME_SECONDS)
