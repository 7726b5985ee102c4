"""The OpenID configuration of a tenant: what there is, by its addresses and settings."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.tenant import Tenant

PATH = "/.well-known/openid-configuration"

SCOPES = [
    *("openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname", "email"),
    *("email_verified", "picture", "created_at", "identities", "phone", "address"),
]
CLAIMS = [
    *("aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name", "iat"),
    *("identities", "iss", "name", "nickname", "phone_number", "picture", "sub"),
]
RESPONSE_TYPES = ["code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token"]
CLIENT_ALGORITHMS = ["RS256", "RS384", "PS256"]
RESPONSE_MODES = ["query", "fragment", "form_post", "web_message"]
GRANT_TYPES = [
    *("authorization_code", "implicit", "refresh_token", "client_credentials", "password"),
    *(f"urn:ietf:params:oauth:grant-type:{name}" for name in ("device_code", "token-exchange")),
    "urn:openid:params:grant-type:ciba",
    *(f"http://auth0.com/oauth/grant-type/{name}" for name in ("mfa-otp", "mfa-oob", "mfa-recovery-code")),
    *(f"http://auth0.com/oauth/grant-type/{name}" for name in ("password-realm", "passwordless/otp")),
]


# Libraries that refuse plain HTTP addresses of an HTTPS issuer, by their User-Agent: openid-client from version 6 on,
# and what stands on it. They are given the HTTPS addresses, for which a browser has to trust the sandbox's authority.
HTTPS_ONLY = ("openid-client/", "express-openid-connect/", "oauth4webapi/")


def configuration(tenant: Tenant, user_agent: str = "") -> dict[str, object]:
    """The discovery document. What a browser visits is the plain HTTP address; the rest is HTTPS."""
    server, settings = tenant.issuer, _settings(tenant) or {}
    browser = server if variant(user_agent) else tenant.browser_url
    document: dict[str, object] = {
        "issuer": tenant.issuer,
        "authorization_endpoint": f"{browser}authorize",
        "token_endpoint": f"{server}oauth/token",
        "device_authorization_endpoint": f"{server}oauth/device/code",
        "userinfo_endpoint": f"{server}userinfo",
        "mfa_challenge_endpoint": f"{server}mfa/challenge",
        "backchannel_authentication_endpoint": f"{server}bc-authorize",
        "backchannel_token_delivery_modes_supported": ["poll"],
        "jwks_uri": f"{server}.well-known/jwks.json",
        "revocation_endpoint": f"{server}oauth/revoke",
        "scopes_supported": SCOPES,
        "response_types_supported": RESPONSE_TYPES,
        "code_challenge_methods_supported": ["S256", "plain"],
        "response_modes_supported": RESPONSE_MODES,
        "subject_types_supported": ["public"],
        "grant_types_supported": GRANT_TYPES,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "claims_supported": CLAIMS,
        "request_uri_parameter_supported": False,
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
    return document | {name: value for name, (value, there) in _optional(tenant, settings, browser).items() if there}


def _optional(tenant: Tenant, settings: dict[str, Any], browser: str) -> dict[str, tuple[object, bool]]:
    """What the tenant's settings turn on or off, each with whether it is on."""
    logout = (settings.get("oidc_logout") or {}).get("rp_logout_end_session_endpoint_discovery", True)
    names_issuer = settings.get("authorization_response_iss_parameter_supported", False)
    registers = (settings.get("flags") or {}).get("enable_dynamic_client_registration", True)
    pushes = settings.get("pushed_authorization_requests_supported", False)
    return {
        "registration_endpoint": (f"{tenant.issuer}oidc/register", bool(registers)),
        "end_session_endpoint": (f"{browser}oidc/logout", bool(logout)),
        "pushed_authorization_request_endpoint": (f"{tenant.issuer}oauth/par", bool(pushes)),
        "require_pushed_authorization_requests": (False, bool(pushes)),
        "authorization_response_iss_parameter_supported": (True, bool(names_issuer)),
    }


def _settings(tenant: Tenant) -> dict[str, Any] | None:
    """The tenant's settings, None while nobody has changed them (or they are not loaded yet)."""
    return tenant.store.get("settings", "settings/tenants/settings")


PUBLIC = {"Cache-Control": "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"}
HEADERS = {**PUBLIC, "Vary": "User-Agent"}


def variant(user_agent: str) -> bool:
    """Which of the two documents such a client gets."""
    return user_agent.startswith(HTTPS_ONLY)


def body(tenant: Tenant, user_agent: str) -> bytes:
    """The document as JSON, made once per state of the settings: a document of the store is never changed in place."""
    made: dict[bool, tuple[object, bytes]] = tenant.memory.setdefault("discovery", {})
    key, settings = variant(user_agent), _settings(tenant)
    found = made.get(key)
    if found is None or found[0] is not settings:
        found = made[key] = (settings, orjson.dumps(configuration(tenant, user_agent)))
    return found[1]
