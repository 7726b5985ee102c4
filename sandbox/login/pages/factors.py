"""The pages of the second factor: authenticator apps, pushes, recovery codes, Duo, and the choice of one."""

from __future__ import annotations

import segno
from starlette.responses import Response

from sandbox import logs
from sandbox.login import configuration, factor_paths, factors, flow, mfa
from sandbox.login.credentials import name_of
from sandbox.login.factors import FACTORS
from sandbox.login.pages import sent_codes
from sandbox.login.pages.factor_page import context, enrolled, factor_page, has_recovery, passed
from sandbox.login.replies import to_page
from sandbox.login.steps import NeedsFactor
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


# --- pushes ---------------------------------------------------------------------------------------------------------


@factor_page("enroll", "push-notification")
async def push_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    if visit.posted:
        enrolled(visit, "push-notification", name="Sandbox phone", _secret=factors.new_secret())
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
    """The push is answered on the phone; the app shows codes, too, unless the Action wants none (otpFallback)."""
    transaction, tenant, id = visit.transaction, visit.call.tenant, user["user_id"]
    codes = step.options.get("push-notification", {}).get("otpFallback") is not False and any(
        method.get("_secret") for method in factors.methods(tenant, id, "push-notification")
    )
    if codes and visit.typed("code") and mfa.totp_fits(tenant, id, visit.typed("code"), type="push-notification"):
        return await passed(visit, step, "push-notification")
    challenge = transaction.challenge
    if (
        challenge is None
        or challenge.type != "push-notification"
        or (visit.posted and visit.typed("action") == "resend")
    ):
        challenge = transaction.challenge = mfa.start(tenant, user, "push-notification")
    state = mfa.push_state(tenant, challenge)
    if state == "accepted":
        logs.write(tenant, "gd_auth_succeed", user_id=id)
        return await passed(visit, step, "push-notification")
    error = "The request was rejected on your phone." if state == "rejected" else ""
    if state == "rejected":
        logs.write(tenant, "gd_auth_rejected", user_id=id)
    elif visit.typed("code"):
        error = "Invalid code. Enter the newest code that your app shows."
    return visit.render(
        "push",
        400 if error else 200,
        error=error,
        codes=codes,
        phones=f"{tenant.browser_url}_sandbox/",
        **context(visit, step, "push-notification"),
    )


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
    """The new recovery code, shown until the person says that it is kept.

    It came with another factor, or an Action asks for it (enrollWith).
    """
    transaction, login, step = visit.transaction, visit.transaction.login, visit.transaction.step
    asked_for = isinstance(step, NeedsFactor) and step.kind == "enroll" and "recovery-code" in step.types
    if asked_for and login is not None and not transaction.recovery_code:
        transaction.recovery_code = factors.new_recovery_code(login.tenant, login.user_id)
    if not transaction.recovery_code:
        return await flow.proceed(transaction, visit.call)
    if visit.posted and visit.typed("saved") == "true":
        transaction.recovery_code = ""
        if isinstance(step, NeedsFactor) and asked_for:
            return await passed(visit, step, "recovery-code")
        return await flow.proceed(transaction, visit.call)
    error = "Please confirm that you have recorded the code." if visit.posted else ""
    return visit.render("recovery_code", 400 if error else 200, code=transaction.recovery_code, error=error)


# --- Duo -------------------------------------------------------------------------------------------------------------


@factor_page("challenge", "duo")
async def duo(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    """The sandbox stands in for Cisco's service: the page is the phone that gets the push."""
    tenant, chosen = visit.call.tenant, visit.typed("action")
    if visit.transaction.challenge is None:
        visit.transaction.challenge = mfa.start(tenant, user, "duo")
    if chosen == "accept":
        logs.write(tenant, "gd_auth_succeed", user_id=user["user_id"])
        factors.enroll_in_duo(tenant, user)
        return await passed(visit, step, "duo")
    if chosen == "reject":
        logs.write(tenant, "gd_auth_rejected", user_id=user["user_id"])
    error = "The push was rejected. It was sent anew." if chosen == "reject" else ""
    return visit.render(
        "duo",
        400 if error else 200,
        error=error,
        host=_duo_host(visit),
        user=name_of(user),
        days=round(configuration.remember_browser(tenant)["mfa_session_overall_timeout"] / 86_400)
        if step.remembers
        else 0,
    )


def _duo_host(visit: Visit) -> str:
    """Of the account that the Action names, else the tenant's own; "" where it is incomplete."""
    running = visit.transaction.pipeline
    given = running.effects.provider_options if running is not None else {}
    account = given or configuration.setting(visit.call.tenant, "guardian/factors/duo/settings")
    complete = all(isinstance(account.get(name), str) and account[name] for name in ("host", "ikey", "skey"))
    return str(account["host"]) if complete else ""


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
    (factor_paths.ENROLLMENTS["recovery-code"], recovery_enrollment),
    (factor_paths.CHALLENGES["duo"], duo),
    (factor_paths.CHALLENGE_OPTIONS, options),
    (factor_paths.ENROLLMENT_OPTIONS, options),
]
