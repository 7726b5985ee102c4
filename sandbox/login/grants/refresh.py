"""refresh_token: new tokens without the person; scopes may only shrink."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import configuration, dpop, pipeline, refresh_tokens
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated
from sandbox.login.credentials import name_of
from sandbox.login.grants import unattended
from sandbox.login.subject import Login
from sandbox.login.visitor import visitor
from sandbox.store import Document


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    token = call.required("refresh_token")
    document = refresh_tokens.find(call.tenant, caller.client, token)
    if document.get("_thumbprint") and document["_thumbprint"] != caller.thumbprint:
        raise dpop.refused("The DPoP proof is not made with the key that the refresh token is for")
    login = _login(call, caller.client, document)
    login.thumbprint = caller.thumbprint
    running = pipeline.start(login)
    answer = await unattended.finish(login, running, call.text("scope").split() or None)
    replacement = refresh_tokens.exchanged(login, running.effects, document, token)
    if replacement is not None:
        answer["refresh_token"] = replacement
    call.log("sertft", caller.client, user_id=login.user_id, user_name=name_of(login.user))
    return answer


def _login(call: Call, client: Document, document: Document) -> Login:
    """Raises OAuthError 403 when the user is gone or blocked."""
    store = call.tenant.store
    user = store.get("users", document["user_id"])
    if user is None:
        raise refresh_tokens.invalid()
    if user.get("blocked"):
        raise OAuthError(403, "unauthorized", "user is blocked")
    name = document.get("_connection") or user["identities"][0]["connection"]
    connection = configuration.connection_named(call.tenant, name) or {"name": name}
    login = Login(
        call.tenant,
        client,
        connection,
        user["user_id"],
        visitor(call),
        "oauth2-refresh-token",
        scopes=_scopes(document),
        audience=_audience(call, document),
        organization=store.get("organizations", document.get("_organization") or ""),
        methods=list(document.get("_methods") or []),
    )
    login.refresh_token = document
    login.session = store.get("sessions", document.get("session_id") or "")
    return login


def _audience(call: Call, document: Document) -> str:
    if "_audience" in document:
        return str(document["_audience"] or "")
    servers = document.get("resource_servers") or [{}]
    audience = str(servers[0].get("audience") or "")
    return "" if audience == f"{call.tenant.issuer}userinfo" else audience


def _scopes(document: Document) -> list[str]:
    if "_scopes" in document:
        return list(document["_scopes"])
    servers = document.get("resource_servers") or [{}]
    return str(servers[0].get("scopes") or "").split()
