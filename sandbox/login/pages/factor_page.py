"""What every page of a second factor shares: it opens only while the login waits for that factor, and goes on after."""

from __future__ import annotations

import functools
from typing import Any

from starlette.responses import Response

from sandbox.login import configuration, factor_paths, factors, flow, remembered
from sandbox.login.mfa import TooManyAttempts
from sandbox.login.steps import NeedsFactor
from sandbox.login.subject import MFA
from sandbox.login.transactions import MFA_SECONDS
from sandbox.login.visitor import visitor
from sandbox.login.visits import EXPIRED, Visit
from sandbox.store import Document


def _asked_for(visit: Visit, kind: str, type: str) -> NeedsFactor | None:
    """The pause that this page may end, if the login is at it."""
    step = visit.transaction.step
    if not isinstance(step, NeedsFactor) or visit.transaction.login is None or step.kind != kind:
        return None
    if type in step.types or (type == "recovery-code" and kind == "challenge" and has_recovery(visit)):
        return step
    return None


def has_recovery(visit: Visit) -> bool:
    """Whether a recovery code may take the place of the factor; Duo knows nothing of it."""
    login, step = visit.transaction.login, visit.transaction.step
    if login is None or (isinstance(step, NeedsFactor) and step.types == ["duo"]):
        return False
    return "recovery-code" in factors.usable(login.tenant, login.user)


def factor_page(kind: str, type: str) -> Any:
    """Only while the login waits for this factor, and no longer than five minutes after the step before."""

    def decorate(handler: Any) -> Any:
        @functools.wraps(handler)
        async def guarded(visit: Visit) -> Response:
            step = _asked_for(visit, kind, type)
            if step is None:
                return await flow.proceed(visit.transaction, visit.call)
            if visit.call.tenant.now() - visit.transaction.mfa_since > MFA_SECONDS:
                visit.transaction.restart()
                return visit.render("message", 400, title="This took too long", text=EXPIRED)
            user: Document = visit.transaction.login.user  # type: ignore[union-attr]
            try:
                answer: Response = await handler(visit, step, user)
                return answer
            except TooManyAttempts as problem:
                return visit.render("message", 429, title="Too many attempts", text=str(problem))

        return guarded

    return decorate


async def passed(visit: Visit, step: NeedsFactor, type: str) -> Response:
    transaction = visit.transaction
    login, running = transaction.login, transaction.pipeline
    if login is None or running is None:
        return await flow.proceed(transaction, visit.call)
    login.add_method(MFA, type=type)
    login.visitor = visitor(visit.call)
    if step.remembers or (step.may_remember and visit.typed("remember") == "true"):
        remembered.remember(login)
    transaction.challenge = None
    transaction.mfa_since = visit.call.tenant.now()
    running.factor_passed()
    return await flow.proceed(transaction, visit.call)


def enrolled(visit: Visit, type: str, **fields: Any) -> None:
    """Store the new method, and make the recovery code that comes with the first one.

    Not for the older provider google-authenticator (docs: Customize Multi-Factor Authentication Pages).
    """
    tenant, user_id = visit.call.tenant, visit.transaction.login.user_id  # type: ignore[union-attr]
    running = visit.transaction.pipeline
    factors.enroll(tenant, user_id, type, **fields)
    older = running is not None and running.effects.multifactor == "google-authenticator"
    if factors.recovery_code_due(tenant, user_id) and not older:
        visit.transaction.recovery_code = factors.new_recovery_code(tenant, user_id)


def context(visit: Visit, step: NeedsFactor, type: str) -> dict[str, Any]:
    others = len(step.types) > 1
    options = factor_paths.CHALLENGE_OPTIONS if step.kind == "challenge" else factor_paths.ENROLLMENT_OPTIONS
    recovery = step.kind == "challenge" and type != "recovery-code" and has_recovery(visit)
    return {
        "others": others,
        "other_path": options,
        "remember_browser": _box(visit) if step.may_remember else None,
        "recovery": recovery,
    }


def _box(visit: Visit) -> dict[str, Any] | None:
    """The box to remember the browser, as the tenant wants it shown."""
    settings = configuration.remember_browser(visit.call.tenant)
    if not settings["display_remember_me_checkbox"]:
        return None
    days = round(settings["mfa_session_overall_timeout"] / 86_400)
    return {"days": days, "ticked": settings["remember_me_default_value"]}
