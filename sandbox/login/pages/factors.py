"""The pages of the second factor: authenticator apps, pushes, security keys, recovery codes, and the choice of one."""

from __future__ import annotations

from typing import Any

import segno
from starlette.responses import Response

from sandbox import logs
from sandbox.login import factor_paths, factors, flow, mfa
from sandbox.login.factors import FACTORS
from sandbox.login.pages import sent_codes
from sandbox.login.pages.factor_page import context, enrolled, factor_page, has_recovery, passed
from sandbox.login.pipeline import NeedsFactor
from sandbox.login.replies import to_page
from sandbox.login.visits import Visit
from sandbox.store import Document

# --- one-time passwords ----------------------------------------------------------------------------------------------


@factor_page("enroll", "otp")
async def otp_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    transaction, tenant = visit.transaction, visit.call.tenant
    challenge = transaction.challenge
    if challenge is None or challenge.type != "otp" or not challenge.enrolling:
        challenge = mfa.start(tenant, user, "otp", enrolling={"_secret": factors.new_secret()})
        transaction.challenge = challenge
    error = ""
    if visit.posted:
        if mfa.totp_fits(tenant, user["user_id"], visit.typed("code"), secret=challenge.enrolling["_secret"]):
            enrolled(visit, "otp", _secret=challenge.enrolling["_secret"])
            return await passed(visit, step, "otp")
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
        **context(visit, step, "otp"),
    )


@factor_page("challenge", "otp")
async def otp_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error = ""
    if visit.posted:
        if mfa.totp_fits(visit.call.tenant, user["user_id"], visit.typed("code")):
            return await passed(visit, step, "otp")
        error = "Invalid code. Enter the newest code that your app shows."
    return visit.render(
        "code",
        400 if error else 200,
        title="Verify Your Identity",
        label="Enter your one-time code",
        text="Check your preferred one-time password application for a code.",
        error=error,
        resend=False,
        **context(visit, step, "otp"),
    )


# --- push and WebAuthn -----------------------------------------------------------------------------------------------


@factor_page("enroll", "push-notification")
async def push_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    if visit.posted:
        enrolled(visit, "push-notification", name="Sandbox phone")
        return await passed(visit, step, "push-notification")
    return visit.render(
        "touch",
        kind="push-enroll",
        title="Secure your account",
        button="I've added this account",
        text="The sandbox stands in for the Guardian app: its phone is on the sandbox's own page.",
        **context(visit, step, "push-notification"),
    )


@factor_page("challenge", "push-notification")
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
        return await passed(visit, step, "push-notification")
    error = "The request was rejected on your phone." if state == "rejected" else ""
    if state == "rejected":
        logs.write(tenant, "gd_auth_rejected", user_id=user["user_id"])
    return visit.render(
        "push",
        400 if error else 200,
        error=error,
        phones=f"{tenant.browser_url}_sandbox/",
        **context(visit, step, "push-notification"),
    )


def _webauthn(kind: str, type: str) -> Any:
    @factor_page(kind, type)
    async def shown(visit: Visit, step: NeedsFactor, user: Document) -> Response:
        if visit.posted:
            if kind == "enroll":
                enrolled(visit, type, name="Sandbox key")
            else:
                logs.write(visit.call.tenant, "gd_auth_succeed", user_id=user["user_id"])
            return await passed(visit, step, type)
        return visit.render(
            "touch",
            kind="webauthn",
            title=f"{FACTORS[type].label}",
            button="Touch the key",
            text="The sandbox stands in for the authenticator: the button is its touch.",
            **context(visit, step, type),
        )

    return shown


# --- recovery codes --------------------------------------------------------------------------------------------------


@factor_page("challenge", "recovery-code")
async def recovery_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error = ""
    if visit.posted:
        new = mfa.recovery_fits(visit.call.tenant, user["user_id"], visit.typed("code"))
        if new is not None:
            visit.transaction.recovery_code = new
            return await passed(visit, step, "recovery-code")
        error = "Invalid recovery code. Please try again."
    return visit.render(
        "recovery_challenge", 400 if error else 200, error=error, **context(visit, step, "recovery-code")
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
    if visit.posted and chosen == "recovery-code" and has_recovery(visit):
        return to_page(visit.transaction, factor_paths.CHALLENGES["recovery-code"])
    types = list(step.types)
    if step.kind == "challenge" and has_recovery(visit) and "recovery-code" not in types:
        types.append("recovery-code")
    choices = [{"type": type, "label": FACTORS[type].label} for type in types]
    return visit.render("options", enrolls=step.kind == "enroll", choices=choices)


PAGES = [
    *sent_codes.PAGES,
    ("/u/mfa-otp-enrollment", otp_enrollment),
    ("/u/mfa-otp-challenge", otp_challenge),
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
