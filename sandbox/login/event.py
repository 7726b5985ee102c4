"""The event object of the post-login trigger, as Auth0 builds it."""

from __future__ import annotations

from typing import Any

from sandbox.login import factors, risk
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.users import memberships

_USER_FIELDS = (
    *("user_id", "email", "email_verified", "username", "phone_number", "phone_verified", "name", "nickname"),
    *("given_name", "family_name", "picture", "created_at", "updated_at", "last_password_reset"),
)
_SESSION_FIELDS = (
    *("authenticated_at", "clients", "cookie", "created_at", "device", "expires_at", "idle_expires_at"),
    *("last_interacted_at", "updated_at", "user_id"),
)
_REFRESH_TOKEN_FIELDS = (
    *("id", "client_id", "created_at", "device", "expires_at", "idle_expires_at", "last_exchanged_at"),
    *("resource_servers", "rotating", "session_id", "user_id"),
)


def build(login: Login, transaction_metadata: dict[str, Any], prompt: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything but `secrets`, which differ from Action to Action. prompt: the form that was filled in."""
    user = login.user
    event: dict[str, Any] = {
        "authentication": _authentication(login),
        "authorization": {"roles": roles(login)},
        "client": _client(login.client),
        "connection": _connection(login.connection),
        "request": _request(login),
        "stats": {"logins_count": user.get("logins_count", 0) + (0 if login.session or login.refresh_token else 1)},
        "tenant": {"id": login.tenant.name},
        "transaction": _transaction(login, transaction_metadata),
        "user": _user(login, user),
        "session": _session(login),
        "security_context": {},
    }
    if prompt:
        event["prompt"] = prompt
    if login.audience:
        event["resource_server"] = {"identifier": login.audience}
    if login.organization:
        event["organization"] = _organization(login.organization)
    if login.refresh_token:
        token = login.refresh_token
        shown = {f: token[f] for f in _REFRESH_TOKEN_FIELDS if token.get(f) is not None}
        event["refresh_token"] = {**shown, "metadata": token.get("refresh_token_metadata") or {}}
    return event


def roles(login: Login) -> list[str]:
    """Names of the roles: the user's own, and those within the organization of this login."""
    found = memberships.roles_of(login.tenant, login.user_id)
    if login.organization:
        found = [*found, *memberships.member_roles(login.tenant, login.organization["id"], login.user_id)]
    return list(dict.fromkeys(role["name"] for role in found))


def _authentication(login: Login) -> dict[str, Any]:
    found: dict[str, Any] = {"methods": login.methods}
    if risk.assessed(login.tenant):
        found["riskAssessment"] = risk.assess(login)
    return found


def _client(client: Document) -> dict[str, Any]:
    shown = {
        "client_id": client["client_id"],
        "name": client.get("name", ""),
        "metadata": client.get("client_metadata") or {},
    }
    policies = (client.get("refresh_token") or {}).get("policies")
    return shown | {"refresh_token": {"policies": policies}} if policies else shown


def _connection(connection: Document) -> dict[str, Any]:
    shown: dict[str, Any] = {key: connection[key] for key in ("id", "name", "strategy") if key in connection}
    return {**shown, "metadata": connection.get("metadata") or {}}


def _organization(organization: Document) -> dict[str, Any]:
    shown = {key: organization.get(key) or "" for key in ("id", "name", "display_name")}
    return {**shown, "metadata": organization.get("metadata") or {}}


def _request(login: Login) -> dict[str, Any]:
    visitor = login.visitor
    found = {
        "ip": visitor.ip,
        "method": visitor.method,
        "query": visitor.query,
        "body": visitor.body,
        "hostname": visitor.hostname,
        "geoip": visitor.geoip,
    }
    optional = {"language": visitor.language, "user_agent": visitor.user_agent}
    return found | {key: value for key, value in optional.items() if value}


def _transaction(login: Login, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "acr_values": [],
        "ui_locales": [],
        "locale": "en",
        "prompt": [],
        "response_type": [],
        **login.transaction,
        "protocol": login.protocol,
        "requested_scopes": login.scopes,
        "metadata": metadata,
    }


def _user(login: Login, user: Document) -> dict[str, Any]:
    shown = {field: user[field] for field in _USER_FIELDS if user.get(field) is not None}
    enrolled = factors.described(login.tenant, user)
    return {
        **shown,
        "app_metadata": user.get("app_metadata") or {},
        "user_metadata": user.get("user_metadata") or {},
        "identities": [_identity(identity) for identity in user["identities"]],
        "enrolledFactors": enrolled,
        "multifactor": [*_providers([factor["type"] for factor in enrolled]), *(user.get("multifactor") or [])],
    }


def _identity(identity: dict[str, Any]) -> dict[str, Any]:
    fields = ("connection", "provider", "user_id", "isSocial", "profileData")
    return {key: identity[key] for key in fields if key in identity}


def _providers(types: list[str]) -> list[str]:
    """Older vocabulary: whoever holds a code generator, phone or push is with "guardian"; e-mail counts for nothing."""
    return ["guardian"] if set(types) - {"email", "recovery-code"} else []


def _session(login: Login) -> dict[str, Any]:
    session = login.session
    if session is None:
        return {"id": login.session_id, "metadata": {}, "clients": [{"client_id": login.client["client_id"]}]}
    shown = {field: session[field] for field in _SESSION_FIELDS if session.get(field) is not None}
    return {"id": session["id"], **shown, "metadata": session.get("session_metadata") or {}}
