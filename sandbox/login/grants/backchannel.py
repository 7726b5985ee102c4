"""Client-initiated backchannel authentication (CIBA): an application asks, the person answers a push on the phone.

By push alone: Auth0's other channel, e-mail, for requests of more than five minutes, does not exist here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox import logs, mailbox
from sandbox.errors import OAuthError
from sandbox.login import audiences, clients, configuration, factors
from sandbox.login.calls import Answer, Call
from sandbox.login.clients import Authenticated
from sandbox.login.credentials import name_of
from sandbox.login.grants import unattended
from sandbox.login.subject import MFA, Login
from sandbox.login.transient import limited, transient
from sandbox.login.visitor import Visitor, visitor
from sandbox.store import Document
from sandbox.tenant import new_id

GRANT_TYPE = "urn:openid:params:grant-type:ciba"
# Auth0 does not tell Actions' word for it.
PROTOCOL = "oauth2-ciba"
LONGEST_EXPIRY_SECONDS = 300
INTERVAL_SECONDS = 5
_MESSAGE = re.compile(r"[A-Za-z0-9 +\-_.,:#]{1,64}")
_CHANNEL = "guardian-push"


@dataclass
class Waiting:
    """A request that a person has been asked about. push: the push's transaction; not_before: of the next poll."""

    client_id: str
    user_id: str
    scopes: list[str]
    audience: str
    at: Visitor
    push: str
    interval: int = INTERVAL_SECONDS
    not_before: float = 0.0


async def start(call: Call) -> Answer:
    """POST /bc-authorize."""
    try:
        waiting, seconds = _asked(call)
    except OAuthError as problem:
        client = clients.find(call.tenant, call.parameters.get("client_id"))
        call.log("ciba_start_failed", client, description=str(problem))
        raise
    id = new_id("", 48)
    transient(call.tenant, "backchannel requests").put(id, waiting, seconds)
    client = clients.find(call.tenant, waiting.client_id)
    call.log("ciba_start_succeeded", client, user_id=waiting.user_id)
    return {"auth_req_id": id, "expires_in": seconds, "interval": INTERVAL_SECONDS}


def _asked(call: Call) -> tuple[Waiting, int]:
    tenant, client = call.tenant, _client(call)
    message, scopes, seconds = call.required("binding_message"), call.required("scope").split(), _expiry(call)
    if not _MESSAGE.fullmatch(message):
        raise OAuthError(400, "invalid_binding_message", "binding_message: at most 64 letters, digits, spaces, +-_.,:#")
    if "openid" not in scopes:
        raise OAuthError(400, "invalid_scope", "scope must include openid")
    audience = audiences.requested(tenant, call.text("audience"), call.text("resource"))
    if audience:
        audiences.for_people(tenant, client, audience)
    user = _user(call)
    limited(tenant, "backchannel", user["user_id"], burst=5, per_second=5 / 60)
    transaction = new_id("push_", 24)
    mailbox.push(tenant, user["user_id"], f"{client.get('name')} asks: {message}", transaction)
    logs.write(tenant, "gd_send_pn", user_id=user["user_id"])
    return Waiting(client["client_id"], user["user_id"], scopes, audience, visitor(call), transaction), seconds


def _client(call: Call) -> Document:
    """Confidential, first-party and OIDC-conformant ones alone. Raises OAuthError."""
    caller = clients.authenticate(call)
    client = caller.client
    clients.allow_grant(client, GRANT_TYPE)
    channels = client.get("async_approval_notification_channels") or [_CHANNEL]
    trusted = client.get("is_first_party", True) and client.get("oidc_conformant") and caller.proven
    if not trusted or _CHANNEL not in channels:
        raise OAuthError(403, "unauthorized_client", "The client can't use back-channel login by push notification")
    return client


def _expiry(call: Call) -> int:
    asked = call.text("requested_expiry") or str(LONGEST_EXPIRY_SECONDS)
    if not asked.isdecimal() or not 1 <= int(asked) <= LONGEST_EXPIRY_SECONDS:
        raise OAuthError(400, "invalid_request", f"requested_expiry must be from 1 to {LONGEST_EXPIRY_SECONDS}")
    return int(asked)


def _user(call: Call) -> Document:
    """The user whom `login_hint` names. Raises OAuthError 400."""
    try:
        hint = orjson.loads(call.required("login_hint"))
    except ValueError:
        hint = None
    if not isinstance(hint, dict) or hint.get("format") != "iss_sub" or hint.get("iss") != call.tenant.issuer:
        raise OAuthError(400, "invalid_request", "login_hint must be JSON: format iss_sub, iss of the tenant, sub")
    user = call.tenant.store.get("users", str(hint.get("sub")))
    if user is None or user.get("blocked"):
        raise OAuthError(400, "unknown_user_id", "The user does not exist or is blocked")
    if "push-notification" not in factors.usable(call.tenant, user):
        raise OAuthError(400, "invalid_request", "The user is not enrolled in push notifications")
    return user


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    id, requests = call.required("auth_req_id"), transient(call.tenant, "backchannel requests")
    waiting: Waiting | None = requests.get(id)
    if waiting is not None and waiting.client_id != caller.client["client_id"]:
        raise OAuthError(400, "invalid_grant", "The auth_req_id was issued to another client")
    push = call.tenant.store.first("phone_messages", transaction=waiting.push) if waiting else None
    if waiting is None or push is None or push["state"] == "rejected":
        requests.pop(id)
        raise OAuthError(400, "access_denied", "The end-user denied the authorization request or it has been expired")
    if push["state"] == "pending":
        _slow_down(call.tenant.now(), waiting)
        raise OAuthError(400, "authorization_pending", "The end-user authorization is pending")
    requests.pop(id)
    login = _login(call, caller, waiting)
    answer = await unattended.finish(login)
    call.log("ciba_exchange_succeeded", caller.client, user_id=login.user_id, user_name=name_of(login.user))
    return answer


def _slow_down(now: float, waiting: Waiting) -> None:
    """Who asks too often has to wait longer each time. Raises OAuthError."""
    too_early = now < waiting.not_before
    waiting.interval += INTERVAL_SECONDS if too_early else 0
    waiting.not_before = now + waiting.interval
    if too_early:
        text = f"You are polling faster than allowed. Try again in {waiting.interval} seconds."
        problem = OAuthError(400, "slow_down", text, interval=waiting.interval)
        problem.headers = {"Retry-After": str(waiting.interval)}
        raise problem


def _login(call: Call, caller: Authenticated, waiting: Waiting) -> Login:
    user = call.tenant.store.get("users", waiting.user_id)
    if user is None or user.get("blocked"):
        raise OAuthError(403, "unauthorized", "user is blocked")
    name = user["identities"][0]["connection"]
    login = Login(
        call.tenant,
        caller.client,
        configuration.connection_named(call.tenant, name) or {"name": name},
        user["user_id"],
        waiting.at,
        PROTOCOL,
        scopes=waiting.scopes,
        audience=waiting.audience,
        thumbprint=caller.thumbprint,
    )
    login.add_method(MFA, type="push-notification")
    return login
