"""/v2/logout and /oidc/logout, and telling applications by back-channel that a session has ended."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response

from sandbox import logs, tokens
from sandbox.login import callbacks, clients, configuration, sessions
from sandbox.login.calls import Answer, Call
from sandbox.login.credentials import name_of
from sandbox.login.rendering import error_page, page
from sandbox.login.replies import added_to, redirect, without_cookie
from sandbox.login.transactions import cookie_name
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.tokens import InvalidTokenError

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_SECONDS = 120
_waiting: set[asyncio.Task[None]] = set()


async def v2(call: Call) -> Answer:
    """GET /v2/logout: client_id, returnTo."""
    client = clients.find(call.tenant, call.parameters.get("client_id"))
    if call.parameters.get("client_id") and client is None:
        return error_page(call.tenant, 400, "invalid_request", "Unknown client")
    target = call.text("returnTo")
    registered = _registered(call.tenant, client)
    if target and not callbacks.allowed(registered, target):
        text = f"The returnTo address {target} is not in the list of allowed logout URLs."
        return error_page(call.tenant, 400, "invalid_request", text)
    if not target and client is not None:
        target = next(iter(registered), "")
    return _end(call, client, redirect(target) if target else PlainTextResponse("OK"))


def _registered(tenant: Tenant, client: Document | None) -> list[str]:
    source = client if client is not None else configuration.tenant_settings(tenant)
    return list(source.get("allowed_logout_urls") or [])


async def oidc(call: Call) -> Answer:
    """GET and POST /oidc/logout (OpenID Connect RP-Initiated Logout)."""
    try:
        hint = _hint(call)
    except InvalidTokenError:
        return error_page(call.tenant, 400, "invalid_request", "Invalid id_token_hint")
    client_id = call.text("client_id") or (hint or {}).get("aud", "")
    if hint and client_id != hint.get("aud"):
        return error_page(call.tenant, 400, "invalid_request", "client_id and id_token_hint do not match")
    client = clients.find(call.tenant, client_id)
    if client_id and client is None:
        return error_page(call.tenant, 400, "invalid_request", "Unknown client")
    target = call.text("post_logout_redirect_uri")
    if target and not callbacks.allowed(_registered(call.tenant, client), target):
        text = f"The post_logout_redirect_uri {target} is not in the list of allowed logout URLs."
        return error_page(call.tenant, 400, "invalid_request", text)
    session = _session(call)
    if session is not None and not hint and not _confirmed(call, session):
        return _ask(call)
    if target and call.text("state"):
        target = added_to(target, {"state": call.text("state")})
    done = (
        redirect(target)
        if target
        else page(call.tenant, "message", title="Logged out", text="You have been logged out.")
    )
    return _end(call, client, done)


def _hint(call: Call) -> dict[str, Any] | None:
    """The claims of the ID token that says whose session it is; an expired one will do."""
    token = call.text("id_token_hint")
    return tokens.verify(call.tenant, token, expired_is_fine=True) if token else None


def _session(call: Call) -> Document | None:
    return sessions.of_cookie(call.tenant, call.request.cookies.get(cookie_name(call.tenant, "auth0")))


def _confirmed(call: Call, session: Document) -> bool:
    """Without an ID token anybody could have sent the person here: the logout_hint has to fit, or the person agrees."""
    if call.text("logout_hint") == session["id"]:
        return True
    token = call.text("confirmed") if call.request.method == "POST" else ""
    return bool(token) and transient(call.tenant, "logout confirmations").pop(token) == session["id"]


def _ask(call: Call) -> Response:
    token, session = new_id("", 32), _session(call)
    transient(call.tenant, "logout confirmations").put(token, (session or {}).get("id"), 600.0)
    names = ("client_id", "post_logout_redirect_uri", "state")
    return page(call.tenant, "logout", values={n: call.text(n) for n in names if call.text(n)}, token=token)


def _end(call: Call, client: Document | None, answer: Response) -> Response:
    tenant, session = call.tenant, _session(call)
    if session is not None:
        user = tenant.store.get("users", session["user_id"]) or {"user_id": session["user_id"]}
        sessions.end(tenant, session)
        logs.write(
            tenant,
            "slo",
            user_id=session["user_id"],
            user_name=name_of(user),
            ip=call.ip,
            session_id=session["id"],
            user_agent=call.user_agent,
            client_id=client["client_id"] if client else None,
            client_name=client.get("name") if client else None,
        )
        tell_applications(tenant, session)
    return without_cookie(answer, tenant, "auth0")


def tell_applications(tenant: Tenant, session: Document) -> None:
    """Send a logout token to each application of the session that wants one; nobody waits for the answers."""
    for entry in session.get("clients") or ():
        client = clients.find(tenant, entry["client_id"])
        urls = ((client or {}).get("oidc_logout") or {}).get("backchannel_logout_urls") or []
        for url in urls:
            token = _logout_token(tenant, entry["client_id"], session)
            task = asyncio.get_running_loop().create_task(_post(tenant, entry["client_id"], url, token))
            _waiting.add(task)
            task.add_done_callback(_waiting.discard)


def _logout_token(tenant: Tenant, client_id: str, session: Document) -> str:
    now = int(tenant.now())
    body = {
        "iss": tenant.issuer,
        "sub": session["user_id"],
        "aud": client_id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_SECONDS,
        "jti": new_id("", 32),
        "sid": session["id"],
        "events": {LOGOUT_EVENT: {}},
    }
    return tokens.issue(tenant, body, typ="logout+jwt")


async def _post(tenant: Tenant, client_id: str, url: str, token: str) -> None:
    try:
        status = await asyncio.to_thread(_send, url, token)
        kind = "oidc_backchannel_logout_succeeded" if status < 300 else "oidc_backchannel_logout_failed"
    except (OSError, ValueError):
        kind = "oidc_backchannel_logout_failed"
    logs.write(tenant, kind, client_id=client_id, details={"url": url})


def _send(url: str, token: str) -> int:
    """Only to this machine or by HTTPS. The applications' certificates are their own: they are not checked."""
    if not url.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        raise ValueError("A back-channel logout URL has to be HTTPS, or on this machine.")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    body = urlencode({"logout_token": token}).encode()
    request = urllib.request.Request(url, body, method="POST")  # noqa: S310 - the scheme is checked above
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return int(refused.code)
