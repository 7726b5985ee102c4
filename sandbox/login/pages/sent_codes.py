"""Second factors by a code that is sent: phone and e-mail."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.login import factor_paths, factors, mfa
from sandbox.login.pages.factor_page import context, enrolled, factor_page, passed
from sandbox.login.pipeline import NeedsFactor
from sandbox.login.replies import to_page
from sandbox.login.visits import Visit
from sandbox.store import Document


@factor_page("enroll", "phone")
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
        **context(visit, step, "phone"),
    )


@factor_page("enroll", "phone")
async def phone_verification(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    challenge = visit.transaction.challenge
    if challenge is None or challenge.type != "phone":
        return to_page(visit.transaction, factor_paths.ENROLLMENTS["phone"])
    if _typed_right(visit, challenge):
        enrolled(visit, "phone", **challenge.enrolling)
        return await passed(visit, step, "phone")
    return await _code_page(visit, step, user, "phone")


@factor_page("challenge", "phone")
async def phone_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    return await _sent_code(visit, step, user, "phone")


@factor_page("challenge", "email")
async def email_challenge(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    return await _sent_code(visit, step, user, "email")


async def _sent_code(visit: Visit, step: NeedsFactor, user: Document, type: str) -> Response:
    transaction = visit.transaction
    if transaction.challenge is None or transaction.challenge.type != type:
        transaction.challenge = mfa.start(visit.call.tenant, user, type)
    elif _typed_right(visit, transaction.challenge):
        return await passed(visit, step, type)
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
        **context(visit, step, type),
    )


def _masked(destination: str) -> str:
    if "@" in destination:
        name, _, domain = destination.partition("@")
        return f"{name[:2]}****@{domain}"
    return f"{destination[:3]}XXXX{destination[-4:]}" if destination else "you"


PAGES = [
    ("/u/mfa-sms-enrollment", phone_enrollment),
    ("/u/mfa-sms-enrollment-verify", phone_verification),
    ("/u/mfa-sms-challenge", phone_challenge),
    ("/u/mfa-email-challenge", email_challenge),
]
