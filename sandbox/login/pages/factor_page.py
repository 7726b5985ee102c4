"""What every page of a second factor shares: it opens only while the login waits for that factor, and goes on after."""

from __future__ import annotations

import functools
from typing import Any

from starlette.responses import Response

from sandbox.login import factor_paths, factors, flow, remembered
from sandbox.login.mfa import TooManyAttempts
from sandbox.login.pipeline import NeedsFactor
from sandbox.login.subject import MFA
from sandbox.login.transactions import MFA_SECONDS
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
    login = visit.transaction.login
    return login is not None and "recovery-code" in factors.usable(login.tenant, login.user)


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
    if step.may_remember and visit.typed("remember") == "true":
        remembered.remember(login)
    transaction.challenge = None
    transaction.mfa_since = visit.call.tenant.now()
    running.factor_passed()
    return await flow.proceed(transaction, visit.call)


def enrolled(visit: Visit, type: str, **fields: Any) -> None:
    """Store the new method, and make the recovery code that comes with the first one."""
    tenant, user_id = visit.call.tenant, visit.transaction.login.user_id  # type: ignore[union-attr]
    factors.enroll(tenant, user_id, type, **fields)
    if factors.recovery_code_due(tenant, user_id):
        visit.transaction.recovery_code = factors.new_recovery_code(tenant, user_id)


def context(visit: Visit, step: NeedsFactor, type: str) -> dict[str, Any]:
    others = len(step.types) > 1
    options = factor_paths.CHALLENGE_OPTIONS if step.kind == "challenge" else factor_paths.ENROLLMENT_OPTIONS
    recovery = step.kind == "challenge" and type != "recovery-code" and has_recovery(visit)
    return {"others": others, "other_path": options, "may_remember": step.may_remember, "recovery": recovery}
