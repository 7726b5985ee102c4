"""mfa-otp, mfa-oob and mfa-recovery-code: a paused login goes on after its second factor."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import factors, mfa
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated
from sandbox.login.grants import unattended
from sandbox.login.grants.unattended import Paused
from sandbox.login.mfa import TooManyAttempts
from sandbox.login.subject import MFA


async def otp(call: Call, caller: Authenticated) -> dict[str, Any]:
    paused = _paused(call, caller)
    code, user_id = call.required("otp"), paused.login.user_id
    enrolling = paused.challenge.enrolling if paused.challenge is not None else {}
    try:
        if enrolling.get("_secret"):
            fits = mfa.totp_fits(call.tenant, user_id, code, secret=enrolling["_secret"])
        else:
            fits = mfa.totp_fits(call.tenant, user_id, code)
    except TooManyAttempts as problem:
        raise OAuthError(429, "too_many_attempts", str(problem)) from None
    if not fits:
        raise OAuthError(403, "invalid_grant", "Invalid otp_code.")
    if enrolling.get("_secret"):
        factors.enroll(call.tenant, user_id, "otp", **enrolling)
    return await _go_on(call, caller, paused, "otp", "seotpft")


async def oob(call: Call, caller: Authenticated) -> dict[str, Any]:
    paused = _paused(call, caller)
    challenge = paused.challenge
    if challenge is None or call.required("oob_code") != challenge.oob_code:
        raise OAuthError(403, "invalid_grant", "Invalid oob_code.")
    _answered(call, challenge)
    if challenge.enrolling:
        factors.enroll(call.tenant, paused.login.user_id, challenge.type, **challenge.enrolling)
    return await _go_on(call, caller, paused, challenge.type, "seoobft")


def _answered(call: Call, challenge: mfa.Challenge) -> None:
    """Raises OAuthError while the person has not answered, or when the answer is wrong."""
    if challenge.type == "push-notification":
        state = mfa.push_state(call.tenant, challenge)
        if state == "pending":
            raise OAuthError(
                400, "authorization_pending", "Authorization pending: please repeat the request in a few seconds."
            )
        if state == "rejected":
            raise OAuthError(403, "invalid_grant", "MFA Authorization rejected.")
        return
    try:
        fits = mfa.code_fits(call.tenant, challenge, call.text("binding_code"))
    except TooManyAttempts as problem:
        raise OAuthError(429, "too_many_attempts", str(problem)) from None
    if not fits:
        raise OAuthError(403, "invalid_grant", "Invalid binding_code.")


async def recovery_code(call: Call, caller: Authenticated) -> dict[str, Any]:
    """The answer carries the new recovery code, to be shown once."""
    paused = _paused(call, caller)
    try:
        new = mfa.recovery_fits(call.tenant, paused.login.user_id, call.required("recovery_code"))
    except TooManyAttempts as problem:
        raise OAuthError(429, "too_many_attempts", str(problem)) from None
    if new is None:
        raise OAuthError(403, "invalid_grant", "MFA Authorization rejected.")
    return await _go_on(call, caller, paused, "recovery-code", "sercft") | {"recovery_code": new}


def _paused(call: Call, caller: Authenticated) -> Paused:
    paused = unattended.paused(call.tenant, call.required("mfa_token"))
    if paused.login.client["client_id"] != caller.client["client_id"]:
        raise OAuthError(403, "invalid_grant", "Invalid mfa_token")
    return paused


async def _go_on(call: Call, caller: Authenticated, paused: Paused, type: str, log_type: str) -> dict[str, Any]:
    unattended.spend(call.tenant, call.text("mfa_token"))
    login = paused.login
    login.thumbprint = caller.thumbprint
    login.add_method(MFA, type=type)
    paused.running.factor_passed()
    call.log(log_type, login.client, user_id=login.user_id)
    return await unattended.finish(login, paused.running, paused.narrowed_to)
