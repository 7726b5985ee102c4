"""Logins without pages: run the Actions, and where they want a second factor answer mfa_required."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox import logs, tokens
from sandbox.errors import OAuthError
from sandbox.login import audiences, clients, configuration, factors, flow, issuing, pipeline, primary_user
from sandbox.login.credentials import name_of
from sandbox.login.issuing import Extras
from sandbox.login.pipeline import Pipeline
from sandbox.login.steps import Done, NeedsFactor, NeedsPrompt, NeedsRedirect, Refused, Step
from sandbox.login.subject import Login
from sandbox.login.transient import transient
from sandbox.login.visitor import Visitor
from sandbox.tenant import Tenant, new_id
from sandbox.tokens import InvalidTokenError

MFA_TOKEN_SECONDS = 600.0


@dataclass
class Paused:
    """A login that waits for a second factor, found by its mfa_token, or by an access token for the MFA API.

    granted: the scopes of that access token, None for a login that waits.
    """

    login: Login
    running: Pipeline
    narrowed_to: list[str] | None = None
    challenge: Any = None
    granted: list[str] | None = None


async def finish(login: Login, running: Pipeline | None = None, narrowed_to: list[str] | None = None) -> dict[str, Any]:
    """Tokens for this login. Raises OAuthError: denied by an Action, mfa_required, ..."""
    running = running or pipeline.start(login)
    step = await running.advance()
    if isinstance(step, Done):
        return _tokens(login, running, narrowed_to)
    running.save_metadata()
    raise _problem(login, running, step, narrowed_to)


def _tokens(login: Login, running: Pipeline, narrowed_to: list[str] | None) -> dict[str, Any]:
    problem = primary_user.switch(login, running.effects)
    if problem:
        raise _problem(login, running, Refused("access_denied", problem), narrowed_to)
    running.save_metadata()
    if login.fresh_first_factor:
        flow.count_login(login)
        _log(login, running, "s", None)
    refresh = login.refresh_token is None
    return issuing.token_answer(login, running.effects, Extras(), narrowed_to=narrowed_to, refresh=refresh)


def _problem(login: Login, running: Pipeline, step: Step, narrowed_to: list[str] | None) -> OAuthError:
    if isinstance(step, NeedsFactor):
        return _mfa_required(login, running, step, narrowed_to)
    if isinstance(step, NeedsRedirect | NeedsPrompt):
        _log(login, running, "f", "An Action asks for a redirect, which needs a browser.")
        return OAuthError(403, "interaction_required", "An Action asks for a redirect, which needs a browser")
    running.revoke()
    refused = step if isinstance(step, Refused) else Refused("access_denied", "")
    _log(login, running, "f", refused.description)
    return OAuthError(403, refused.error, refused.description)


def _mfa_required(login: Login, running: Pipeline, step: NeedsFactor, narrowed_to: list[str] | None) -> OAuthError:
    token = "Fe26.2**" + new_id("", 64)
    transient(login.tenant, "mfa tokens").put(token, Paused(login, running, narrowed_to), MFA_TOKEN_SECONDS)
    _log(login, running, "mfar", "Multifactor authentication required")
    wanted = [{"type": _requirement(type)} for type in step.types]
    return OAuthError(
        403,
        "mfa_required",
        "Multifactor authentication required",
        mfa_token=token,
        mfa_requirements={step.kind: wanted},
    )


def _requirement(type: str) -> str:
    factor = factors.FACTORS[type]
    return {"auth0": "push-notification", "sms": "phone"}.get(factor.channel, factor.channel or factor.api or type)


def paused(tenant: Tenant, token: str) -> Paused:
    """Raises OAuthError 403 invalid_grant / expired_token."""
    found: Paused | None = transient(tenant, "mfa tokens").get(token) if token else None
    found = found or _by_access_token(tenant, token)
    if found is None:
        raise OAuthError(403, "expired_token", "mfa_token is expired")
    return found


def _by_access_token(tenant: Tenant, token: str) -> Paused | None:
    try:
        claims = tokens.verify(tenant, token)
    except InvalidTokenError:
        return None
    audience, aud = audiences.mfa_audience(tenant), claims.get("aud")
    client, user = clients.find(tenant, claims.get("azp")), tenant.store.get("users", str(claims.get("sub")))
    if audience not in (aud if isinstance(aud, list) else [aud]) or client is None or user is None:
        return None
    granted = str(claims.get("scope") or "").split()
    connection = configuration.connection_named(tenant, user["identities"][0]["connection"]) or {}
    at = Visitor("")
    login = Login(tenant, client, connection, user["user_id"], at, "oauth2-password", scopes=granted, audience=audience)
    found = Paused(login, Pipeline(login, []), granted=granted)
    transient(tenant, "mfa tokens").put(token, found, claims["exp"] - tenant.now())
    return found


def spend(tenant: Tenant, token: str) -> None:
    transient(tenant, "mfa tokens").pop(token)


def _log(login: Login, running: Pipeline, kind: str, description: str | None) -> None:
    user = login.tenant.store.get("users", login.user_id) or {"user_id": login.user_id}
    logs.write(
        login.tenant,
        kind,
        description=description,
        client_id=login.client["client_id"],
        client_name=login.client.get("name"),
        connection=login.connection.get("name"),
        connection_id=login.connection.get("id"),
        strategy=login.connection.get("strategy"),
        ip=login.visitor.ip,
        user_agent=login.visitor.user_agent,
        user_id=login.user_id,
        user_name=name_of(user),
        details={"actions": {"executions": running.keep_execution()}},
    )
