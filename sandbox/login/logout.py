"""GET /v2/logout, GET and POST /oidc/logout: the session of the browser ends.

`federated` and `ui_locales` change nothing here: foreign identity providers are played by the sandbox's own pages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.responses import PlainTextResponse, Response

from sandbox import backchannel, tokens
from sandbox.errors import OAuthError
from sandbox.login import callbacks, clients, configuration, sessions
from sandbox.login.calls import Answer, Call
from sandbox.login.credentials import name_of
from sandbox.login.rendering import error_page, page
from sandbox.login.replies import added_to, redirect, without_cookie
from sandbox.login.transactions import cookie_name
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.tokens import Claims, InvalidTokenError

_CONFIRMATION_SECONDS = 600.0
# What the confirmation page hands on.
_ASKED = ("client_id", "post_logout_redirect_uri", "state", "id_token_hint", "logout_hint")


def _refusals_on_a_page(handler: Callable[[Call], Awaitable[Answer]]) -> Callable[[Call], Awaitable[Answer]]:
    @wraps(handler)
    async def answered(call: Call) -> Answer:
        try:
            return await handler(call)
        except OAuthError as refused:
            client = clients.find(call.tenant, call.parameters.get("client_id"))
            call.log("flo", client, description=str(refused))
            return error_page(call.tenant, refused.status, refused.error, refused.description)

    return answered


@_refusals_on_a_page
async def v2(call: Call) -> Answer:
    """GET /v2/logout: client_id, returnTo."""
    client, target = _client(call, call.text("client_id")), call.text("returnTo")
    target = _allowed(call.tenant, client, "returnTo", target) if target else _usual_target(client)
    return _end(call, client, redirect(target) if target else PlainTextResponse("OK"))


@_refusals_on_a_page
async def oidc(call: Call) -> Answer:
    """GET and POST /oidc/logout (OpenID Connect RP-Initiated Logout)."""
    hint = _hint(call)
    client = _client(call, call.text("client_id") or hint.get("aud", ""))
    name = "post_logout_redirect_uri"
    target = call.text(name)
    target = _allowed(call.tenant, client, name, target) if target else _usual_target(client)
    session = _session(call)
    if session is not None and not _certain(call, session, hint):
        return _ask(call, session)
    if target and call.text("state"):
        target = added_to(target, {"state": call.text("state")})
    farewell = page(call.tenant, "message", title="Logged out", text="You have been logged out.")
    return _end(call, client, redirect(target) if target else farewell)


def _client(call: Call, client_id: str) -> Document | None:
    client = clients.find(call.tenant, client_id)
    if client_id and client is None:
        raise _refused("Unknown client")
    return client


def _allowed(tenant: Tenant, client: Document | None, name: str, url: str) -> str:
    """The address, if the application (the tenant, where none is named) has registered it. Raises OAuthError 400."""
    source = client if client is not None else configuration.tenant_settings(tenant)
    if not callbacks.allowed(list(source.get("allowed_logout_urls") or []), url):
        raise _refused(f"The {name} address {url} is not in the list of allowed logout URLs.")
    return url


def _usual_target(client: Document | None) -> str:
    return next(iter((client or {}).get("allowed_logout_urls") or ()), "")


def _hint(call: Call) -> Claims:
    """The claims of the ID token that says whose session it is, {} without one; an expired one will do.

    Raises OAuthError 400 when it is none of this tenant, or contradicts the other parameters.
    """
    token = call.text("id_token_hint")
    if not token:
        return {}
    try:
        claims = _verified(call.tenant, token)
    except InvalidTokenError:
        raise _refused("Invalid id_token_hint") from None
    if call.text("client_id") not in ("", claims.get("aud")):
        raise _refused("client_id and id_token_hint do not match")
    if call.text("logout_hint") not in ("", claims.get("sid")):
        raise _refused("logout_hint and id_token_hint do not match")
    return claims


def _verified(tenant: Tenant, token: str) -> Claims:
    client = clients.find(tenant, tokens.unverified(token).get("aud")) or {}
    secret = client.get("client_secret") or ""
    if (client.get("jwt_configuration") or {}).get("alg") == "HS256" and secret:
        return tokens.verify_symmetric(token, secret)
    return tokens.verify(tenant, token, expired_is_fine=True)


def _refused(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)


def _session(call: Call) -> Document | None:
    return sessions.of_cookie(call.tenant, call.request.cookies.get(cookie_name(call.tenant, "auth0")))


def _certain(call: Call, session: Document, hint: Claims) -> bool:
    """Anybody could have sent the person here: a hint has to name the session, or the person says yes."""
    prompts = (configuration.tenant_settings(call.tenant).get("sessions") or {}).get("oidc_logout_prompt_enabled", True)
    if not prompts or session["id"] in (hint.get("sid"), call.text("logout_hint")):
        return True
    token = call.text("confirmed") if call.request.method == "POST" else ""
    return bool(token) and transient(call.tenant, "logout confirmations").pop(token) == session["id"]


def _ask(call: Call, session: Document) -> Response:
    token = new_id("", 32)
    transient(call.tenant, "logout confirmations").put(token, session["id"], _CONFIRMATION_SECONDS)
    return page(call.tenant, "logout", values={n: call.text(n) for n in _ASKED if call.text(n)}, token=token)


def _end(call: Call, client: Document | None, answer: Response) -> Response:
    tenant, session = call.tenant, _session(call)
    if session is not None:
        user = tenant.store.get("users", session["user_id"]) or {"user_id": session["user_id"]}
        backchannel.end(tenant, session, "rp-logout")
        who = {"user_id": session["user_id"], "user_name": name_of(user)}
        call.log("slo", client, session_id=session["id"], **who)
    return without_cookie(answer, tenant, "auth0")
