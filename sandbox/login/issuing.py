"""Tokens for people: access, ID and refresh token of a finished login."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import tokens
from sandbox.login import audiences, claims, configuration, dpop, refresh_tokens, scopes
from sandbox.login.effects import Effects
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import Tenant

MFA_ACR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
ID_TOKEN_SECONDS = 36_000
_GTY = {
    "oauth2-password": "password",
    "oauth2-refresh-token": "refresh_token",
    "oauth2-token-exchange": "urn:ietf:params:oauth:grant-type:token-exchange",
    "oauth2-device-code": "urn:ietf:params:oauth:grant-type:device_code",
}


@dataclass(frozen=True)
class Extras:
    """What the request adds to the ID token. code/access_token: hashed into one from the authorization endpoint."""

    nonce: str = ""
    auth_time: bool = False
    code: str = ""
    access_token: str = ""


def token_answer(
    login: Login, effects: Effects, extras: Extras, *, narrowed_to: list[str] | None = None, refresh: bool = True
) -> dict[str, Any]:
    """The body of /oauth/token. Raises OAuthError when the API is unknown."""
    granted = scopes.granted(login, effects)
    if narrowed_to is not None:
        granted = [scope for scope in granted if scope in narrowed_to or scope in effects.added_scopes]
    issued = access(login, effects, granted)
    answer: dict[str, Any] = {"access_token": issued.pop("access_token")}
    if refresh and "offline_access" in granted:
        bound = issued["token_type"] == dpop.SCHEME
        answer["refresh_token"] = refresh_tokens.create(login, effects, granted, bound=bound)
    if "openid" in granted:
        answer["id_token"] = id_token(login, effects, granted, extras)
    return answer | issued


def access(login: Login, effects: Effects, granted: list[str], *, browser: bool = False) -> dict[str, Any]:
    """access_token, scope, expires_in, token_type: a JWT for an API, an opaque token for /userinfo alone."""
    tenant, now = login.tenant, int(login.tenant.now())
    api = audiences.resource_server(tenant, login.audience) if login.audience else None
    bound = dpop.binds(login.client, api, login.thumbprint)
    seconds = audiences.lifetime_seconds(api, browser=browser)
    body: dict[str, Any] = {
        **effects.access_claims,
        "iss": tenant.issuer,
        "sub": login.user_id,
        "aud": _audience(login, granted),
        "iat": now,
        "exp": now + seconds,
        "scope": " ".join(granted),
        "azp": login.client["client_id"],
    }
    if login.organization:
        body |= _organization(login)
    if login.session is not None:
        body["sid"] = login.session["id"]
    if login.protocol in _GTY:
        body["gty"] = _GTY[login.protocol]
    if bound:
        body["cnf"] = {"jkt": login.thumbprint}
    if api is not None and _dialect(api).endswith("_authz") and api.get("enforce_policies"):
        body["permissions"] = scopes.permissions(login, api)
    token = tokens.seal(tenant, body) if api is None else for_api(tenant, api, body)
    kind = dpop.SCHEME if bound else "Bearer"
    return {"access_token": token, "scope": " ".join(granted), "expires_in": seconds, "token_type": kind}


def for_api(tenant: Tenant, api: Document, body: dict[str, Any]) -> str:
    """An access token in the dialect and with the algorithm that the API has chosen."""
    typ = "JWT"
    if _dialect(api).startswith("rfc9068"):
        typ, named = "at+jwt", {key: value for key, value in body.items() if key != "azp"}
        body = {**named, "client_id": body["azp"], "jti": _half_hash(repr(body))}
    algorithm = str(api.get("signing_alg") or "RS256")
    if algorithm == "HS256":
        return tokens.issue_symmetric(body, str(api["signing_secret"]), typ=typ)
    return tokens.issue(tenant, body, typ=typ, algorithm=algorithm)


def _dialect(api: Document) -> str:
    return str(api.get("token_dialect") or "access_token")


def _audience(login: Login, granted: list[str]) -> str | list[str]:
    userinfo = audiences.userinfo_audience(login.tenant)
    if not login.audience:
        return userinfo
    return [login.audience, userinfo] if "openid" in granted else login.audience


def id_token(login: Login, effects: Effects, granted: list[str], extras: Extras) -> str:
    tenant, client, now = login.tenant, login.client, int(login.tenant.now())
    configured = client.get("jwt_configuration") or {}
    body: dict[str, Any] = {
        **claims.of_user(login.user, granted),
        **effects.id_claims,
        "iss": tenant.issuer,
        "aud": client["client_id"],
        "sub": login.user_id,
        "iat": now,
        "exp": now + int(configured.get("lifetime_in_seconds") or ID_TOKEN_SECONDS),
    }
    if login.session is not None:
        body["sid"] = login.session["id"]
    if login.organization:
        body |= _organization(login)
    if extras.nonce:
        body["nonce"] = extras.nonce
    if extras.auth_time:
        body["auth_time"] = _auth_time(login, now)
    if login.interactive and login.passed_mfa(fresh=True):
        body |= {"amr": ["mfa"], "acr": MFA_ACR}
    body |= _hashes(extras)
    if configured.get("alg") == "HS256" and client.get("client_secret"):
        return tokens.issue_symmetric(body, client["client_secret"])
    return tokens.issue(tenant, body, algorithm="PS256" if configured.get("alg") == "PS256" else "RS256")


def _hashes(extras: Extras) -> dict[str, str]:
    given = {"c_hash": extras.code, "at_hash": extras.access_token}
    return {name: _half_hash(value) for name, value in given.items() if value}


def _organization(login: Login) -> dict[str, str]:
    organization: Document = login.organization or {}
    found = {"org_id": organization["id"]}
    if configuration.tenant_settings(login.tenant).get("allow_organization_name_in_authentication_api"):
        found["org_name"] = organization.get("name", "")
    return found


def _auth_time(login: Login, now: int) -> int:
    if login.session is None:
        return now
    return int(datetime.fromisoformat(login.session["authenticated_at"]).timestamp())


def _half_hash(value: str) -> str:
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
