"""Second factors by a code that is sent: phone and e-mail."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.login import factor_paths, factors, mfa
from sandbox.login.pages.factor_page import context, enrolled, factor_page, passed
from sandbox.login.replies import to_page
from sandbox.login.steps import NeedsFactor
from sandbox.login.visits import Visit
from sandbox.store import Document


@factor_page("enroll", "phone")
async def phone_enrollment(visit: Visit, step: NeedsFactor, user: Document) -> Response:
    error, number = "", "".join(c for c in visit.typed("phone") if c not in " -()")
    channels = _channels(step) or ["sms", "voice"]
    if visit.posted:
        if factors.PHONE_NUMBER.match(number):
            channel = visit.typed("channel") if visit.typed("channel") in channels else channels[0]
            fields = {"phone_number": number, "preferred_authentication_method": channel}
            visit.transaction.challenge = mfa.start(visit.call.tenant, user, "phone", enrolling=fields)
            return to_page(visit.transaction, "/u/mfa-sms-enrollment-verify")
        error = "Enter the number with its country code, such as +49 30 1234567."
    return visit.render(
        "phone",
        400 if error else 200,
        error=error,
        number=visit.typed("phone"),
        channels=channels,
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


def _channels(step: NeedsFactor) -> list[str]:
    """How an Action wants phones to be reached (preferredMethod); none where it does not say."""
    wanted = step.options.get("phone", {}).get("preferredMethod")
    return ["sms", "voice"] if wanted == "both" else [wanted] if wanted in ("sms", "voice") else []


_SWITCHES = {"switch-to-sms": "sms", "switch-to-voice": "voice"}


async def _sent_code(visit: Visit, step: NeedsFactor, user: Document, type: str) -> Response:
    transaction, channels = visit.transaction, _channels(step) if type == "phone" else []
    if transaction.challenge is None or transaction.challenge.type != type:
        channel = channels[0] if len(channels) == 1 else ""
        transaction.challenge = mfa.start(visit.call.tenant, user, type, channel=channel)
    elif _SWITCHES.get(visit.typed("action")) in channels:
        chosen = _SWITCHES[visit.typed("action")]
        transaction.challenge = mfa.start(visit.call.tenant, user, type, channel=chosen)
    elif _typed_right(visit, transaction.challenge):
        return await passed(visit, step, type)
    return await _code_page(visit, step, user, type)


def _typed_right(visit: Visit, challenge: mfa.Challenge) -> bool:
    if not visit.posted or visit.typed("action") in ("resend", *_SWITCHES):
        return False
    return mfa.code_fits(visit.call.tenant, challenge, visit.typed("code"))


async def _code_page(visit: Visit, step: NeedsFactor, user: Document, type: str) -> Response:
    challenge, notice, error = visit.transaction.challenge, "", ""
    if visit.posted and visit.typed("action") == "resend" and challenge is not None:
        again, channel = challenge.enrolling, challenge.channel
        challenge = mfa.start(visit.call.tenant, user, type, enrolling=again, channel=channel)
        visit.transaction.challenge, notice = challenge, "We've sent a new code."
    elif visit.posted and visit.typed("action") not in _SWITCHES:
        error = "Invalid code. Please try again."
    destination = _masked(challenge.destination if challenge else "")
    return visit.render(
        "code",
        400 if error else 200,
        title="Verify Your Identity",
        label="Enter the 6-digit code",
        error=error,
        notice=notice,
        text=f"We've {'called' if challenge and challenge.channel == 'voice' else 'sent a code to'} {destination}.",
        resend=True,
        switches=_other_channels(step, challenge),
        **context(visit, step, type),
    )


def _other_channels(step: NeedsFactor, challenge: mfa.Challenge | None) -> list[tuple[str, str]]:
    labels = {"switch-to-sms": "Get a text message instead", "switch-to-voice": "Get a call instead"}
    if challenge is None or challenge.type != "phone" or challenge.enrolling:
        return []
    other = [action for action, channel in _SWITCHES.items() if channel != challenge.channel]
    return [(action, labels[action]) for action in other if _SWITCHES[action] in _channels(step)]


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
