"""Sessions of browsers: the documents that /sessions lists and revokes, and the cookie that finds one.

A document of the kind `sessions` is what GET /sessions/{id} returns, plus `_token_hash` (of the cookie's value) and
`_connection`. To revoke a session is to remove its document.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sandbox import backchannel
from sandbox.login import configuration
from sandbox.login.effects import Effects
from sandbox.login.subject import Login
from sandbox.login.visitor import Visitor
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id


def of_cookie(tenant: Tenant, value: str | None) -> Document | None:
    """The living session behind a cookie; an expired one is removed."""
    if not value:
        return None
    session = tenant.store.first("sessions", _token_hash=_hash(value))
    if session is None:
        return None
    now = tenant.timestamp()
    if now >= session["expires_at"] or now >= session["idle_expires_at"]:
        backchannel.end(tenant, session, "session-expired")
        return None
    return session


def find_user(tenant: Tenant, session: Document) -> Document | None:
    """The session's user, None once deleted."""
    return tenant.store.get("users", session["user_id"])


def keep(login: Login, effects: Effects) -> str | None:
    """Create the session of a finished login, or bring the one it came with up to date.

    Answers the value for the cookie of a new session, None for an old one (the browser has the cookie already).
    """
    tenant, old = login.tenant, login.session
    if old is not None and old["user_id"] == login.user_id and tenant.store.get("sessions", old["id"]) is not None:
        _store(login, {**old, **_touched(login, old)}, effects)
        return None
    for gone in (old, login.replaces):
        if gone is not None:
            tenant.store.remove("sessions", gone["id"])
    token = new_id("", 48)
    _store(login, _new(login, token), effects)
    return token


def _new(login: Login, token: str) -> Document:
    tenant, now = login.tenant, login.tenant.timestamp()
    whole, idle = configuration.session_lifetimes_seconds(tenant)
    return {
        "id": login.session_id,
        "user_id": login.user_id,
        "created_at": now,
        "updated_at": now,
        "authenticated_at": now,
        "last_interacted_at": now,
        "idle_expires_at": tenant.timestamp(tenant.now() + idle),
        "expires_at": tenant.timestamp(tenant.now() + whole),
        "device": device(login.visitor),
        "clients": [{"client_id": login.client["client_id"]}],
        "authentication": {"methods": login.methods},
        "cookie": {"mode": configuration.tenant_settings(tenant).get("session_cookie", {}).get("mode", "persistent")},
        "_token_hash": _hash(token),
        "_connection": login.connection.get("name"),
    }


def _touched(login: Login, old: Document) -> dict[str, Any]:
    tenant, now = login.tenant, login.tenant.timestamp()
    _, idle = configuration.session_lifetimes_seconds(tenant)
    clients = old.get("clients") or []
    id = login.client["client_id"]
    if id not in [client["client_id"] for client in clients]:
        clients = [*clients, {"client_id": id}]
    device = {**(old.get("device") or {}), "last_user_agent": login.visitor.user_agent, "last_ip": login.visitor.ip}
    until = min(tenant.timestamp(tenant.now() + idle), old["expires_at"])
    return {
        "updated_at": now,
        "last_interacted_at": now,
        "idle_expires_at": until,
        "clients": clients,
        "device": device,
        "authentication": {"methods": login.methods},
    }


def _store(login: Login, session: Document, effects: Effects) -> None:
    asked = effects.session
    for name in ("expires_at", "idle_expires_at"):
        if asked.get(name):
            session[name] = min(asked[name], session["expires_at"])
    if asked.get("cookie_mode"):
        session["cookie"] = {"mode": asked["cookie_mode"]}
    metadata = changed_metadata(session.get("session_metadata"), asked)
    if metadata is not None:
        session["session_metadata"] = metadata
    login.session = login.tenant.store.put("sessions", session["id"], session)


def changed_metadata(old: dict[str, Any] | None, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Metadata after setMetadata, deleteMetadata and evictMetadata; None where nothing was asked."""
    if not ("metadata" in asked or asked.get("evict")):
        return None
    merged = {**({} if asked.get("evict") else old or {}), **asked.get("metadata", {})}
    return {key: value for key, value in merged.items() if value is not None}


def age_seconds(tenant: Tenant, session: Document) -> float:
    """Seconds since the person last proved who they are."""
    authenticated = datetime.fromisoformat(str(session["authenticated_at"])).timestamp()
    return tenant.now() - authenticated


def device(visitor: Visitor) -> dict[str, str]:
    """The `device` of a new session or refresh token."""
    agent, ip = visitor.user_agent, visitor.ip
    return {"initial_user_agent": agent, "initial_ip": ip, "last_user_agent": agent, "last_ip": ip}


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
