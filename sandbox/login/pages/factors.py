"""The pages of the second factor: enrolling, being challenged, choosing between factors, recovery codes."""

from __future__ import annotations

import functools
from typing import Any

import segno
from starlette.responses import Response

from sandbox import logs
from sandbox.login import factor_paths, factors, flow, mfa, remembered
from sandbox.login.factors import FACTORS
from sandbox.login.mfa import TooManyAttempts
from sandbox.login.pipeline import NeedsFactor
from sandbox.login.replies import to_page
from sandbox.login.subject import MFA
from sandbox.login.transactions import MFA_SECONDS
from sandbox.login.visits import EXPIRED, Visit
from sandbox.store import Document

# What a page needs when it is about one factor: the visit, the pause it belongs to, the user.
Context = tuple[Visit, NeedsFactor, Document]


def _asked_for(visit: Visit, kind: str, type: str) -> NeedsFactor | None:
    """The pause that this page may end, if the login is at it."""
    step = visit.transaction.step
    if not isinstance(step, NeedsFactor) or visit.transaction.login is None or step.kind != kind:
        return None
    if type in step.types or (type == "recovery-code" and kind == "challenge" and _has_recovery(visit)):
        return step
    return None


def _has_recovery(visit: Visit) -> bool:
    login = visit.transaction.login
    return login is not None and "recovery-code" in factors.usable(login.tenant, login.user)


def _page(kind: str, type: str) -> Any:
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


async def _passed(visit: Visit, step: NeedsFactor, type: str) -> Response:
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


def _enrolled(visit: Visit, type: str, **fields: Any) -> None:
    """Store the new method, and make the recovery code that comes with the first one."""
    tenant, user_id = visit.call.tenant, visit.transaction.login.user_id  # type: ignore[union-attr]
    factors.enroll(tenant, user_id, type, **fields)
    if factors.recovery_code_due(tenant, user_id):
        visit.transaction.recovery_code = factors.new_recovery_code(tenant, user_id)


def _challenge_context(visit: Visit, step: NeedsFactor, type: str) -> dict[str, Any]:
    others = len(step.types) > 1
    options = factor_paths.CHALLENGE_OPTIONS if step.kind == "challenge" else factor_paths.ENROLLMENT_OPTIONS
    recovery = step.kind == "challenge" and type != "recovery-code" and _has_recovery(visit)
    return {"others": others, "other_path": options, "may_remember": step.may_remember, "recovery": recovery}


# --- one-time passwords ----------------------------------------------------------------------------------------------


@_page("enroll", "otp")
async def otp_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    transaction, tenant = visit.transaction, visit.call.tenant
    challenge = transaction.challenge
    if challenge is None or challenge.type != "otp" or not challenge.enrolling:
        challenge = mfa.start(tenant, user, "otp", enrolling={"_secret": factors.new_secret()})
        transaction.challenge = challenge
    error = ""
    if visit.posted:
        if mfa.totp_fits(tenant, user["user_id"], visit.typed("code"), secret=challenge.enrolling["_secret"]):
            _enrolled(visit, "otp", _secret=challenge.enrolling["_secret"])
            return await _passed(visit, step, "otp")
        error = "Invalid code. Enter the newest code that your app shows."
    uri = factors.otpauth(tenant, user, challenge.enrolling["_secret"])
    picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=2, light="white")
    return visit.render(
        "otp_enrollment",
        400 if error else 200,
        picture=picture,
        secret=challenge.enrolling["_secret"],
        uri=uri,
        error=error,
        **_challenge_context(visit, step, "otp"),
    )


@_page("challenge", "otp")
async def otp_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error = ""
    if visit.posted:
        if mfa.totp_fits(visit.call.tenant, user["user_id"], visit.typed("code")):
            return await _passed(visit, step, "otp")
        error = "Invalid code. Enter the newest code that your app shows."
    return visit.render(
        "code",
        400 if error else 200,
        title="Verify Your Identity",
        label="Enter your one-time code",
        text="Check your preferred one-time password application for a code.",
        error=error,
        resend=False,
        **_challenge_context(visit, step, "otp"),
    )


# --- codes by phone and e-mail ---------------------------------------------------------------------------------------


@_page("enroll", "phone")
async def phone_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error, number = "", "".join(c for c in visit.typed("phone") if c not in " -()")
    if visit.posted:
        if factors.PHONE_NUMBER.match(number):
            channel = "voice" if visit.typed("channel") == "voice" else "sms"
            fields = {"phone_number": number, "preferred_authentication_method": channel}
            visit.transaction.challenge = mfa.start(visit.call.tenant, user, "phone", enrolling=fields)
            return to_page(visit.transaction, "/u/mfa-sms-enrollment-verify")
        error = "Enter the number with its country code, such as +49 30 1234567."
    return visit.render(
        "phone",
        400 if error else 200,
        error=error,
        number=visit.typed("phone"),
        **_challenge_context(visit, step, "phone"),
    )


@_page("enroll", "phone")
async def phone_verification(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    challenge = visit.transaction.challenge
    if challenge is None or challenge.type != "phone":
        return to_page(visit.transaction, factor_paths.ENROLLMENTS["phone"])
    if _typed_right(visit, challenge):
        _enrolled(visit, "phone", **challenge.enrolling)
        return await _passed(visit, step, "phone")
    return await _code_page(visit, step, user, "phone")


@_page("challenge", "phone")
async def phone_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    return await _sent_code(visit, step, user, "phone")


@_page("challenge", "email")
async def email_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    return await _sent_code(visit, step, user, "email")


async def _sent_code(visit: Visit, step: NeedsFactor, user: Document, type: str) -> Response:
    transaction = visit.transaction
    if transaction.challenge is None or transaction.challenge.type != type:
        transaction.challenge = mfa.start(visit.call.tenant, user, type)
    elif _typed_right(visit, transaction.challenge):
        return await _passed(visit, step, type)
    return await _code_page(visit, step, user, type)


def _typed_right(visit: Visit, challenge: mfa.Challenge) -> bool:
    if not visit.posted or visit.typed("action") == "resend":
        return False
    return mfa.code_fits(visit.call.tenant, challenge, visit.typed("code"))


async def _code_page(visit: Visit, step: NeedsFactor, user: Document, type: str) -> Response:
    challenge, notice, error = visit.transaction.challenge, "", ""
    if visit.posted and visit.typed("action") == "resend" and challenge is not None:
        challenge = mfa.start(visit.call.tenant, user, type, enrolling=challenge.enrolling)
        visit.transaction.challenge, notice = challenge, "We've sent a new code."
    elif visit.posted:
        error = "Invalid code. Please try again."
    destination = _masked(challenge.destination if challenge else "")
    return visit.render(
        "code",
        400 if error else 200,
        title="Verify Your Identity",
        label="Enter the 6-digit code",
        error=error,
        notice=notice,
        text=f"We've sent a code to {destination}.",
        resend=True,
        **_challenge_context(visit, step, type),
    )


def _masked(destination: str) -> str:
    if "@" in destination:
        name, _, domain = destination.partition("@")
        return f"{name[:2]}****@{domain}"
    return f"{destination[:3]}XXXX{destination[-4:]}" if destination else "you"


# --- push and WebAuthn -----------------------------------------------------------------------------------------------


@_page("enroll", "push-notification")
async def push_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    if visit.posted:
        _enrolled(visit, "push-notification", name="Sandbox phone")
        return await _passed(visit, step, "push-notification")
    return visit.render(
        "touch",
        kind="push-enroll",
        title="Secure your account",
        button="I've added this account",
        text="The sandbox stands in for the Guardian app: its phone is on the sandbox's own page.",
        **_challenge_context(visit, step, "push-notification"),
    )


@_page("challenge", "push-notification")
async def push_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    transaction, tenant = visit.transaction, visit.call.tenant
    challenge = transaction.challenge
    if (
        challenge is None
        or challenge.type != "push-notification"
        or (visit.posted and visit.typed("action") == "resend")
    ):
        challenge = transaction.challenge = mfa.start(tenant, user, "push-notification")
    state = mfa.push_state(tenant, challenge)
    if state == "accepted":
        logs.write(tenant, "gd_auth_succeed", user_id=user["user_id"])
        return await _passed(visit, step, "push-notification")
    error = "The request was rejected on your phone." if state == "rejected" else ""
    if state == "rejected":
        logs.write(tenant, "gd_auth_rejected", user_id=user["user_id"])
    return visit.render(
        "push",
        400 if error else 200,
        error=error,
        phones=f"{tenant.browser_url}_sandbox/",
        **_challenge_context(visit, step, "push-notification"),
    )


def _webauthn(kind: str, type: str) -> Any:
    @_page(kind, type)
    async def shown(visit: Visit, step: NeedsFactor, user: Document) -> Response:
        if visit.posted:
            if kind == "enroll":
                _enrolled(visit, type, name="Sandbox key")
            else:
                logs.write(visit.call.tenant, "gd_auth_succeed", user_id=user["user_id"])
            return await _passed(visit, step, type)
        return visit.render(
            "touch",
            kind="webauthn",
            title=f"{FACTORS[type].label}",
            button="Touch the key",
            text="The sandbox stands in for the authenticator: the button is its touch.",
            **_challenge_context(visit, step, type),
        )

    return shown


# --- recovery codes --------------------------------------------------------------------------------------------------


@_page("challenge", "recovery-code")
async def recovery_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error = ""
    if visit.posted:
        new = mfa.recovery_fits(visit.call.tenant, user["user_id"], visit.typed("code"))
        if new is not None:
            visit.transaction.recovery_code = new
            return await _passed(visit, step, "recovery-code")
        error = "Invalid recovery code. Please try again."
    return visit.render(
        "recovery_challenge", 400 if error else 200, error=error, **_challenge_context(visit, step, "recovery-code")
    )


async def recovery_enrollment(visit: Visit) -> Response:
    """The new recovery code, shown until the person says that it is kept."""
    transaction = visit.transaction
    if not transaction.recovery_code:
        return await flow.proceed(transaction, visit.call)
    if visit.posted and visit.typed("saved") == "true":
        transaction.recovery_code = ""
        return await flow.proceed(transaction, visit.call)
    error = "Please confirm that you have recorded the code." if visit.posted else ""
    return visit.render("recovery_code", 400 if error else 200, code=transaction.recovery_code, error=error)


# --- choosing --------------------------------------------------------------------------------------------------------


async def options(visit: Visit) -> Response:
    """Which of several factors? For challenges and for enrolment."""
    step = visit.transaction.step
    if not isinstance(step, NeedsFactor):
        return await flow.proceed(visit.transaction, visit.call)
    chosen = visit.typed("action")
    if visit.posted and chosen in step.types:
        visit.transaction.challenge = None
        return to_page(visit.transaction, factor_paths.of_type(step, chosen))
    if visit.posted and chosen == "recovery-code" and _has_recovery(visit):
        return to_page(visit.transaction, factor_paths.CHALLENGES["recovery-code"])
    types = list(step.types)
    if step.kind == "challenge" and _has_recovery(visit) and "recovery-code" not in types:
        types.append("recovery-code")
    choices = [{"type": type, "label": FACTORS[type].label} for type in types]
    return visit.render("options", enrolls=step.kind == "enroll", choices=choices)


PAGES = [
    ("/u/mfa-otp-enrollment", otp_enrollment),
    ("/u/mfa-otp-challenge", otp_challenge),
    ("/u/mfa-sms-enrollment", phone_enrollment),
    ("/u/mfa-sms-enrollment-verify", phone_verification),
    ("/u/mfa-sms-challenge", phone_challenge),
    ("/u/mfa-email-challenge", email_challenge),
    ("/u/mfa-push-enrollment-qr", push_enrollment),
    ("/u/mfa-push-challenge-push", push_challenge),
    ("/u/mfa-recovery-code-challenge", recovery_challenge),
    ("/u/mfa-recovery-code-enrollment", recovery_enrollment),
    (factor_paths.CHALLENGE_OPTIONS, options),
    (factor_paths.ENROLLMENT_OPTIONS, options),
    *(
        (factor_paths.CHALLENGES[type], _webauthn("challenge", type))
        for type in ("webauthn-roaming", "webauthn-platform")
    ),
    *(
        (factor_paths.ENROLLMENTS[type], _webauthn("enroll", type))
        for type in ("webauthn-roaming", "webauthn-platform")
    ),
]
