"""Logins without pages: run the Actions, and where they want a second factor answer mfa_required."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox import logs
from sandbox.errors import OAuthError
from sandbox.login import factors, flow, issuing, pipeline
from sandbox.login.credentials import name_of
from sandbox.login.issuing import Extras
from sandbox.login.pipeline import Done, NeedsFactor, NeedsRedirect, Pipeline, Refused, Step
from sandbox.login.subject import Login
from sandbox.login.transient import transient
from sandbox.tenant import Tenant, new_id

MFA_TOKEN_SECONDS = 600.0


@dataclass
class Paused:
    """A login that waits for a second factor, found by its mfa_token. kind: what the pipeline waits for."""

    login: Login
    running: Pipeline
    step: NeedsFactor
    narrowed_to: list[str] | None
    challenge: Any = None


async def finish(login: Login, running: Pipeline | None = None, narrowed_to: list[str] | None = None) -> dict[str, Any]:
    """Tokens for this login. Raises OAuthError: denied by an Action, mfa_required, ..."""
    running = running or pipeline.start(login)
    step = await running.advance()
    if isinstance(step, Done):
        return _tokens(login, running, narrowed_to)
    running.save_metadata()
    raise _problem(login, running, step, narrowed_to)


def _tokens(login: Login, running: Pipeline, narrowed_to: list[str] | None) -> dict[str, Any]:
    running.save_metadata()
    primary = running.effects.primary_user
    if primary and login.tenant.store.get("users", primary):
        login.user_id = primary
    if login.fresh_first_factor:
        flow.count_login(login)
        _log(login, running, "s", None)
    refresh = login.refresh_token is None
    return issuing.token_answer(login, running.effects, Extras(), narrowed_to=narrowed_to, refresh=refresh)


def _problem(login: Login, running: Pipeline, step: Step, narrowed_to: list[str] | None) -> OAuthError:
    if isinstance(step, NeedsFactor):
        return _mfa_required(login, running, step, narrowed_to)
    if isinstance(step, NeedsRedirect):
        _log(login, running, "f", "An Action asks for a redirect, which needs a browser.")
        return OAuthError(403, "interaction_required", "An Action asks for a redirect, which needs a browser")
    running.revoke()
    refused = step if isinstance(step, Refused) else Refused("access_denied", "")
    _log(login, running, "f", refused.description)
    return OAuthError(403, refused.error, refused.description)


def _mfa_required(login: Login, running: Pipeline, step: NeedsFactor, narrowed_to: list[str] | None) -> OAuthError:
    token = "Fe26.2**" + new_id("", 64)
    transient(login.tenant, "mfa tokens").put(token, Paused(login, running, step, narrowed_to), MFA_TOKEN_SECONDS)
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
    if found is None:
        raise OAuthError(403, "expired_token", "mfa_token is expired")
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
