"""Challenges of a second factor: sending codes, checking answers, and the limits on wrong ones."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox import logs, mailbox
from sandbox.login import emails, factors
from sandbox.login.transient import allow, transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.totp import Authenticator

_TOTP_STEPS_AROUND = 1


class TooManyAttempts(Exception):  # noqa: N818 - a decision, not a fault
    """The user has given too many wrong answers of this kind; the text says so."""


@dataclass
class Challenge:
    """A code, push or touch that was asked for. `transaction` finds the push that the person answers."""

    type: str
    user_id: str
    code: str = ""
    transaction: str = ""
    destination: str = ""
    # Of a phone: "sms" or "voice".
    channel: str = ""
    # What the MFA API knows the challenge by.
    oob_code: str = ""
    # Enrolment: what becomes of the method once the answer is right.
    enrolling: dict[str, Any] = field(default_factory=dict)


def start(
    tenant: Tenant, user: Document, type: str, *, enrolling: dict[str, Any] | None = None, channel: str = ""
) -> Challenge:
    """Ask for a factor. Raises TooManyAttempts when messages were asked for too often.

    channel: how a phone is reached, "" as the person prefers it.
    """
    challenge = Challenge(type, user["user_id"], enrolling=enrolling or {}, channel=channel)
    if type in _SENDERS:
        _SENDERS[type](tenant, user, challenge)
    logs.write(
        tenant,
        "gd_start_enroll" if enrolling else "gd_start_auth",
        user_id=user["user_id"],
        description=f"Guardian - Second factor started ({type})",
    )
    return challenge


def _send_phone(tenant: Tenant, user: Document, challenge: Challenge) -> None:
    _limit_messages(tenant, "sms", user["user_id"], burst=10, per_second=1 / 3600)
    method = challenge.enrolling or _method(tenant, user, "phone")
    number = method.get("phone_number", "")
    channel = challenge.channel = challenge.channel or method.get("preferred_authentication_method") or "sms"
    challenge.code, challenge.destination = _digits(), number
    mailbox.text(tenant, number, f"Your verification code is: {challenge.code}", challenge.code, channel)
    logs.write(tenant, "gd_send_voice" if channel == "voice" else "gd_send_sms", user_id=user["user_id"])


def _send_email(tenant: Tenant, user: Document, challenge: Challenge) -> None:
    _limit_messages(tenant, "email", user["user_id"], burst=20, per_second=1 / 60)
    challenge.code, challenge.destination = _digits(), user.get("email", "")
    emails.deliver(tenant, "mfa_oob_code", user, code=challenge.code)
    logs.write(tenant, "gd_send_email", user_id=user["user_id"])


def _send_push(tenant: Tenant, user: Document, challenge: Challenge) -> None:
    _limit_messages(tenant, "push", user["user_id"], burst=5, per_second=5 / 60)
    challenge.transaction = new_id("push_", 24)
    mailbox.push(tenant, user["user_id"], f"Sign in to {tenant.name}?", challenge.transaction)
    logs.write(tenant, "gd_send_pn", user_id=user["user_id"])


_SENDERS = {"phone": _send_phone, "email": _send_email, "push-notification": _send_push}


def _limit_messages(tenant: Tenant, kind: str, user_id: str, *, burst: int, per_second: float) -> None:
    allowed, _ = allow(tenant, f"mfa {kind}", user_id, burst=burst, per_second=per_second)
    if not allowed:
        raise TooManyAttempts("You have exceeded the maximum number of messages. Please try again later.")


def push_state(tenant: Tenant, challenge: Challenge) -> str:
    """ "pending", "accepted" or "rejected"."""
    found = tenant.store.first("phone_messages", transaction=challenge.transaction)
    return str(found["state"]) if found else "pending"


def code_fits(tenant: Tenant, challenge: Challenge, code: str) -> bool:
    """Whether this is the code that was sent. Raises TooManyAttempts."""
    _limit_failures(tenant, "code", challenge.user_id)
    fits = bool(challenge.code) and hmac.compare_digest(_compact(code).encode(), challenge.code.encode())
    _note(tenant, "code", challenge.user_id, fits)
    return fits


def totp_fits(
    tenant: Tenant, user_id: str, code: str, *, secret: str | None = None, type: str = "otp"
) -> Document | bool:
    """The authenticator whose current code this is (or True for `secret`), else False. Raises TooManyAttempts.

    type: "otp", or "push-notification" for the codes of the app that gets pushes.
    """
    _limit_failures(tenant, "otp", user_id)
    code = _compact(code)
    if secret is not None:
        return _totp_fits(tenant, secret, code)
    for method in factors.methods(tenant, user_id, type):
        if _totp_fits(tenant, method.get("_secret", ""), code):
            factors.touch(tenant, method)
            _note(tenant, "otp", user_id, fits=True)
            return method
    _note(tenant, "otp", user_id, fits=False)
    return False


def _totp_fits(tenant: Tenant, secret: str, code: str) -> bool:
    if not secret or not code.isascii() or not code.isdigit():
        return False
    try:
        return bool(
            Authenticator(secret).verify(
                code, for_time=datetime.fromtimestamp(tenant.now(), UTC), valid_window=_TOTP_STEPS_AROUND
            )
        )
    except ValueError:
        return False


def recovery_fits(tenant: Tenant, user_id: str, code: str) -> str | None:
    """The new recovery code that takes the place of the one given; None for a wrong one. Raises TooManyAttempts."""
    _limit_failures(tenant, "recovery", user_id)
    given = _compact(code).upper().replace("-", "").encode()
    for method in factors.methods(tenant, user_id, "recovery-code"):
        if method.get("_secret") and hmac.compare_digest(method["_secret"].encode(), given):
            logs.write(tenant, "gd_recovery_succeed", user_id=user_id)
            return factors.new_recovery_code(tenant, user_id)
    count_failure(tenant, "recovery", user_id)
    logs.write(tenant, "gd_recovery_failed", user_id=user_id)
    return None


def _limit_failures(tenant: Tenant, kind: str, user_id: str) -> None:
    """Ten wrong answers per hour."""
    if (transient(tenant, f"wrong {kind}").get(user_id) or 0) >= 10:
        exceeded = "gd_recovery_rate_limit_exceed" if kind == "recovery" else "gd_otp_rate_limit_exceed"
        logs.write(tenant, exceeded, user_id=user_id)
        raise TooManyAttempts("Too many failed codes. Wait for some minutes before retrying.")


def _note(tenant: Tenant, kind: str, user_id: str, fits: bool) -> None:
    if fits:
        logs.write(tenant, "gd_auth_succeed", user_id=user_id)
        transient(tenant, f"wrong {kind}").pop(user_id)
    else:
        logs.write(tenant, "gd_auth_failed", user_id=user_id)
        count_failure(tenant, kind, user_id)


def count_failure(tenant: Tenant, kind: str, user_id: str) -> None:
    failures = transient(tenant, f"wrong {kind}")
    failures.put(user_id, (failures.get(user_id) or 0) + 1, 3600.0)


def _method(tenant: Tenant, user: Document, type: str) -> Document:
    return next(iter(factors.methods(tenant, user["user_id"], type)), {})


def _digits() -> str:
    return f"{secrets.randbelow(10**6):06d}"


def _compact(code: str) -> str:
    return "".join(code.split())
