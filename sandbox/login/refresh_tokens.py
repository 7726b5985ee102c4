"""Refresh tokens: the documents that /refresh-tokens lists and revokes, rotation, and detection of reuse.

A document of the kind `refresh_tokens` is what GET /refresh-tokens/{id} returns, plus `_token_hash`, `_methods` (how
the person had signed in), `_organization`, and the `_thumbprint` of the key that it is for ("" for any). The other
values of a rotating one are kept in the kind `spent_refresh_tokens`: {"id": hash, "refresh_token_id", "spent_at" (epoch
seconds)}; one that a repeated exchange has left living beside the newest has None there.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import configuration, sessions
from sandbox.login.effects import Effects
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

MOST_PER_USER_AND_CLIENT = 200
_INVALID = "Unknown or invalid refresh token."


class ReusedTokenError(OAuthError):
    """A spent token of a rotating one came back: its family is over."""

    reason = "Unsuccessful Refresh Token exchange, reused refresh token detected"

    def __init__(self, user_id: str) -> None:
        super().__init__(403, "invalid_grant", _INVALID)
        self.user_id = user_id


def create(login: Login, effects: Effects, granted: list[str], *, bound: bool = False) -> str:
    """A new refresh token for what was granted; a bound one is for the key of the login alone."""
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
        "_thumbprint": login.thumbprint if bound else "",
        "_audience": login.audience,
        "_scopes": granted,
        "_methods": login.methods,
        "_connection": login.connection.get("name"),
        "_organization": login.organization["id"] if login.organization else None,
    }
    tenant.store.put("refresh_tokens", id, asked_by_actions(document, effects))
    return token


def asked_by_actions(document: Document, effects: Effects) -> Document:
    """Lifetimes may only become shorter than the application's settings say."""
    asked = effects.refresh_token
    changed = {
        name: min(asked[name], document.get(name) or asked[name])
        for name in ("expires_at", "idle_expires_at")
        if asked.get(name)
    }
    metadata = sessions.changed_metadata(document.get("refresh_token_metadata"), asked)
    if metadata is not None:
        changed["refresh_token_metadata"] = metadata
    return {**document, **changed}


def find(tenant: Tenant, client: Document, token: str) -> Document:
    """The living refresh token. Raises OAuthError 403 invalid_grant; a spent one ends its whole family."""
    document = _by_value(tenant, token)
    now = tenant.timestamp()
    if document is None or document["client_id"] != client["client_id"]:
        raise invalid()
    _refuse_reuse(tenant, client, document, _hash(token))
    if any(document.get(name) and document[name] <= now for name in ("expires_at", "idle_expires_at")):
        tenant.store.remove("refresh_tokens", document["id"])
        raise invalid()
    return document


def invalid() -> OAuthError:
    return OAuthError(403, "invalid_grant", _INVALID)


def _by_value(tenant: Tenant, token: str) -> Document | None:
    """The refresh token with this value, the newest one or an earlier one."""
    hashed = _hash(token)
    earlier = tenant.store.get("spent_refresh_tokens", hashed)
    if earlier is not None:
        return tenant.store.get("refresh_tokens", earlier["refresh_token_id"])
    return tenant.store.first("refresh_tokens", _token_hash=hashed)


def _refuse_reuse(tenant: Tenant, client: Document, document: Document, hashed: str) -> None:
    """Within the leeway a spent token still works (a retried request); later it means theft."""
    spent_at = (tenant.store.get("spent_refresh_tokens", hashed) or {}).get("spent_at")
    if spent_at is not None and tenant.now() > spent_at + float(_settings(client)["leeway"]):
        tenant.store.remove("refresh_tokens", document["id"])
        tenant.store.remove("spent_refresh_tokens", hashed)
        raise ReusedTokenError(document["user_id"])


def exchanged(login: Login, effects: Effects, document: Document, used: str) -> str | None:
    """Note the use of a refresh token; the value that replaces `used` when it rotates, else None."""
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
        _note_spent(tenant, document, _hash(used), now)
        changed["_token_hash"] = _hash(token)
    tenant.store.put("refresh_tokens", document["id"], asked_by_actions(changed, effects))
    return token


def _note_spent(tenant: Tenant, document: Document, used: str, now: float) -> None:
    kept = tenant.store.get("spent_refresh_tokens", used)
    first = now if kept is None or kept["spent_at"] is None else kept["spent_at"]
    values: dict[str, float | None] = {used: first}
    if document["_token_hash"] != used:
        values[document["_token_hash"]] = None
    for hashed, spent_at in values.items():
        spent = {"id": hashed, "refresh_token_id": document["id"], "spent_at": spent_at}
        tenant.store.put("spent_refresh_tokens", hashed, spent)


def revoke(tenant: Tenant, client: Document, token: str) -> bool:
    """Whether there was one to revoke. RFC 7009: an unknown token is no error.

    With the tenant's flag `revoke_refresh_token_grant` all that rests on the same grant goes: the refresh tokens of
    the same user, application and audience.
    """
    document = _by_value(tenant, token)
    if document is None or document["client_id"] != client["client_id"]:
        return False
    doomed = [document]
    if configuration.flag(tenant, "revoke_refresh_token_grant"):
        doomed = _of_same_grant(tenant, document)
        for grant in tenant.store.find("grants", user_id=document["user_id"], clientID=client["client_id"]):
            if grant["audience"] == _audience(document):
                tenant.store.remove("grants", grant["id"])
    for one in doomed:
        tenant.store.remove("refresh_tokens", one["id"])
    return True


def _of_same_grant(tenant: Tenant, document: Document) -> list[Document]:
    found = tenant.store.find("refresh_tokens", user_id=document["user_id"], client_id=document["client_id"])
    return [one for one in found if _audience(one) == _audience(document)]


def _audience(document: Document) -> str:
    servers = document.get("resource_servers") or [{}]
    return str(servers[0].get("audience") or "")


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
