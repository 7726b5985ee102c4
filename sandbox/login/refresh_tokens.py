"""Refresh tokens: the documents that /refresh-tokens lists and revokes, rotation, and detection of reuse.

A document of the kind `refresh_tokens` is what GET /refresh-tokens/{id} returns, plus `_token_hash`, `_methods` (how
the person had signed in) and `_organization`. Spent tokens of a rotating one are kept in the kind
`spent_refresh_tokens`: {"id": hash, "refresh_token_id", "spent_at" (epoch seconds)}.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox import logs
from sandbox.errors import OAuthError
from sandbox.login import sessions
from sandbox.login.effects import Effects
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

MOST_PER_USER_AND_CLIENT = 200
_INVALID = "Unknown or invalid refresh token."


def create(login: Login, effects: Effects, granted: list[str]) -> str:
    """A new refresh token for what was granted."""
    tenant, token = login.tenant, _new_token()
    _drop_oldest(tenant, login)
    id = new_id("rt_", 22)
    now = tenant.now()
    document: Document = {
        "id": id,
        "user_id": login.user_id,
        "created_at": tenant.timestamp(now),
        "client_id": login.client["client_id"],
        "session_id": login.session["id"] if login.session else None,
        "rotating": _settings(login.client)["rotation_type"] == "rotating",
        "resource_servers": [{"audience": login.audience or f"{tenant.issuer}userinfo", "scopes": " ".join(granted)}],
        "device": sessions.device(login.visitor),
        "last_exchanged_at": None,
        **_lifetimes(tenant, login.client, now),
        "_token_hash": _hash(token),
        "_audience": login.audience,
        "_scopes": granted,
        "_methods": login.methods,
        "_connection": login.connection.get("name"),
        "_organization": login.organization["id"] if login.organization else None,
    }
    tenant.store.put("refresh_tokens", id, asked_by_actions(document, effects))
    return token


def asked_by_actions(document: Document, effects: Effects) -> Document:
    asked = effects.refresh_token
    changed = {name: asked[name] for name in ("expires_at", "idle_expires_at") if asked.get(name)}
    metadata = sessions.changed_metadata(document.get("refresh_token_metadata"), asked)
    if metadata is not None:
        changed["refresh_token_metadata"] = metadata
    return {**document, **changed}


def find(tenant: Tenant, client: Document, token: str) -> Document:
    """The living refresh token. Raises OAuthError 403 invalid_grant; a spent one ends its whole family."""
    hashed = _hash(token)
    document = tenant.store.first("refresh_tokens", _token_hash=hashed)
    if document is None:
        document = _recently_spent(tenant, client, hashed)
    now = tenant.timestamp()
    if document is None or document["client_id"] != client["client_id"]:
        raise invalid()
    if any(document.get(name) and document[name] <= now for name in ("expires_at", "idle_expires_at")):
        tenant.store.remove("refresh_tokens", document["id"])
        raise invalid()
    return document


def invalid() -> OAuthError:
    return OAuthError(403, "invalid_grant", _INVALID)


def _recently_spent(tenant: Tenant, client: Document, hashed: str) -> Document | None:
    """Within the leeway a spent token still works (a retried request); later it means theft."""
    spent = tenant.store.get("spent_refresh_tokens", hashed)
    document = tenant.store.get("refresh_tokens", spent["refresh_token_id"]) if spent else None
    if spent is None or document is None:
        return None
    if tenant.now() <= spent["spent_at"] + float(_settings(client)["leeway"]):
        return document
    tenant.store.remove("refresh_tokens", document["id"])
    tenant.store.remove("spent_refresh_tokens", hashed)
    logs.write(
        tenant,
        "ferrt",
        user_id=document["user_id"],
        client_id=document["client_id"],
        client_name=client.get("name"),
        description="Unsuccessful Refresh Token exchange, reused refresh token detected",
    )
    return None


def exchanged(login: Login, effects: Effects, document: Document) -> str | None:
    """Note the use of a refresh token; the token that replaces it when it rotates, else None."""
    tenant, now = login.tenant, login.tenant.now()
    changed = {**document, "last_exchanged_at": tenant.timestamp(now)}
    changed["device"] = {
        **document["device"],
        "last_ip": login.visitor.ip,
        "last_user_agent": login.visitor.user_agent,
    }
    changed |= {k: v for k, v in _lifetimes(tenant, login.client, now).items() if k == "idle_expires_at"}
    token = None
    if document["rotating"]:
        token = _new_token()
        spent = {"id": document["_token_hash"], "refresh_token_id": document["id"], "spent_at": now}
        tenant.store.put("spent_refresh_tokens", spent["id"], spent)
        changed["_token_hash"] = _hash(token)
    tenant.store.put("refresh_tokens", document["id"], asked_by_actions(changed, effects))
    return token


def revoke(tenant: Tenant, client: Document, token: str) -> None:
    """RFC 7009: an unknown token is no error."""
    document = tenant.store.first("refresh_tokens", _token_hash=_hash(token))
    if document is not None and document["client_id"] == client["client_id"]:
        tenant.store.remove("refresh_tokens", document["id"])


def _drop_oldest(tenant: Tenant, login: Login) -> None:
    held = tenant.store.find("refresh_tokens", user_id=login.user_id, client_id=login.client["client_id"])
    for document in held[: max(0, len(held) - MOST_PER_USER_AND_CLIENT + 1)]:
        tenant.store.remove("refresh_tokens", document["id"])


def _lifetimes(tenant: Tenant, client: Document, now: float) -> dict[str, Any]:
    """`expires_at` and `idle_expires_at`, None where the token does not expire."""
    settings = _settings(client)
    ends: dict[str, Any] = {"expires_at": None, "idle_expires_at": None}
    if settings["expiration_type"] == "expiring" and not settings["infinite_token_lifetime"]:
        ends["expires_at"] = tenant.timestamp(now + settings["token_lifetime"])
    if settings["expiration_type"] == "expiring" and not settings["infinite_idle_token_lifetime"]:
        ends["idle_expires_at"] = tenant.timestamp(now + settings["idle_token_lifetime"])
    return ends


def _settings(client: Document) -> dict[str, Any]:
    defaults = {
        "rotation_type": "non-rotating",
        "expiration_type": "non-expiring",
        "leeway": 0,
        "token_lifetime": 2_592_000,
        "idle_token_lifetime": 1_296_000,
        "infinite_token_lifetime": False,
        "infinite_idle_token_lifetime": False,
    }
    return {**defaults, **(client.get("refresh_token") or {})}


def _new_token() -> str:
    return "v1." + new_id("", 43)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
