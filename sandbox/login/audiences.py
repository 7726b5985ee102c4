"""What a token may be for: APIs (resource servers), their scopes and lifetimes, and client grants."""

from __future__ import annotations

from typing import Any

from sandbox import tokens
from sandbox.errors import OAuthError
from sandbox.store import Document
from sandbox.tenant import Tenant

IDENTITY_SCOPES = frozenset(
    ["openid", "profile", "email", "phone", "address", "offline_access", "name", "given_name", "family_name"]
    + ["nickname", "picture", "email_verified", "created_at", "identities"]
)
DEFAULT_LIFETIME_SECONDS = 86_400
DEFAULT_BROWSER_LIFETIME_SECONDS = 7_200
_GRANTS_PAGE = "https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"


def userinfo_audience(tenant: Tenant) -> str:
    return f"{tenant.issuer}userinfo"


def canonical(tenant: Tenant, audience: str) -> str:
    """The Management API answers at several addresses; tokens are always for its identifier."""
    return tenant.management_audience if audience in tokens.management_audiences(tenant) else audience


def requested(tenant: Tenant, audience: str) -> str:
    """The audience asked for, else the tenant's default one, else ""."""
    settings: dict[str, Any] = tenant.store.get("settings", "settings/tenants/settings") or {}
    return canonical(tenant, audience or settings.get("default_audience") or "")


def resource_server(tenant: Tenant, audience: str) -> Document:
    """The API with that identifier. Raises OAuthError 403 "Service not found"."""
    found = tenant.store.first("resource_servers", identifier=audience)
    if found is None:
        raise OAuthError(403, "access_denied", f"Service not found: {audience}")
    return found


def client_grant(tenant: Tenant, client: Document, audience: str, subject_type: str = "client") -> Document | None:
    for grant in tenant.store.find("client_grants", client_id=client["client_id"], audience=audience):
        if grant.get("subject_type", "client") == subject_type:
            return grant
    return None


def granted_scopes(tenant: Tenant, client: Document, api: Document) -> tuple[list[str], Document]:
    """The scopes an application holds for itself on an API, with the client grant. Raises OAuthError 403."""
    audience = api["identifier"]
    grant = client_grant(tenant, client, audience)
    if grant is None:
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
