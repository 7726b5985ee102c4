"""POST /oidc/register: an application registers itself, without a token (docs: Dynamic Client Registration)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import ApiError, OAuthError
from sandbox.kinds import crud, operations
from sandbox.kinds.applications import CLIENTS
from sandbox.kinds.kind import BASE58
from sandbox.login import clients, configuration
from sandbox.login.calls import Answer, Call, json_answer
from sandbox.login.transient import limited
from sandbox.store import Document
from sandbox.tenant import new_id

METHODS = ("none", "client_secret_post", "client_secret_basic")
_REFUSED_SCHEMES = ("", "javascript", "data", "vbscript", "file")
_STRICT_GRANTS = ("authorization_code", "refresh_token")
_STRICT: Document = {
    "redirection_policy": "open_redirect_protection",
    "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 3600},
    "refresh_token": {
        "rotation_type": "rotating",
        "expiration_type": "expiring",
        "leeway": 0,
        "token_lifetime": 2_592_000,
        "infinite_token_lifetime": False,
        "idle_token_lifetime": 1_296_000,
        "infinite_idle_token_lifetime": False,
    },
}


async def register(call: Call) -> Answer:
    """The new application, which belongs to somebody else; 201 as RFC 7591 has it."""
    if not configuration.flag(call.tenant, "enable_dynamic_client_registration", default=True):
        raise OAuthError(403, "access_denied", "Dynamic client registration is not enabled for this tenant")
    headers = limited(call.tenant, "register", "", burst=5, per_second=5)
    fields = _fields(call)
    asked = operations.Call(call.tenant, call.request, "POST", "/clients", {}, {}, [], fields, {}, frozenset())
    try:
        client = crud.insert(CLIENTS, asked, fields)
    except ApiError as problem:
        raise _invalid(str(problem)) from None
    call.log("sapi", client, description="Dynamic client registration")
    return json_answer(_shown(client), 201, headers)


def _fields(call: Call) -> Document:
    """The application as the Management API knows it. Raises OAuthError 400."""
    mode = configuration.tenant_settings(call.tenant).get("dynamic_client_registration_security_mode", "permissive")
    method = call.text("token_endpoint_auth_method") or "client_secret_post"
    if method not in METHODS:
        raise _invalid(f"token_endpoint_auth_method must be one of {', '.join(METHODS)}")
    callbacks = _callbacks(call)
    fields: Document = {
        "name": call.text("client_name") or urlsplit(callbacks[0]).netloc or "Dynamic application",
        "callbacks": callbacks,
        "token_endpoint_auth_method": method,
        "is_first_party": False,
        "oidc_conformant": True,
        "third_party_security_mode": mode,
    }
    _texts(call, "response_types")
    grants = _texts(call, "grant_types")
    if mode == "strict":
        allowed = [grant for grant in grants if grant in _STRICT_GRANTS] or ["authorization_code"]
        return {**fields, **_STRICT, "grant_types": allowed, "client_id": new_id("tpc_", 28, BASE58)}
    kept = [grant for grant in grants if "password" not in grant]
    return {**fields, "grant_types": kept} if kept else fields


def _callbacks(call: Call) -> list[str]:
    found = _texts(call, "redirect_uris")
    if not found or not all(_is_address(url) for url in found):
        raise OAuthError(400, "invalid_redirect_uri", "redirect_uris must be a list of addresses to redirect to")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    known = parts.scheme not in _REFUSED_SCHEMES and not parts.fragment
    return known and bool(parts.netloc or parts.path) and url.isascii() and url.isprintable()


def _texts(call: Call, name: str) -> list[str]:
    value: Any = call.parameters.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _invalid(f"{name} must be a list of strings")
    return value


def _shown(client: Document) -> dict[str, Any]:
    shown = {
        "client_name": client["name"],
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "client_secret_expires_at": 0,
        "redirect_uris": client["callbacks"],
        "grant_types": client["grant_types"],
        "token_endpoint_auth_method": client["token_endpoint_auth_method"],
    }
    if clients.is_public(client):
        del shown["client_secret"]
    return shown


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_client_metadata", description)
