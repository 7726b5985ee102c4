"""Which page asks for which factor; Auth0's own paths."""

from __future__ import annotations

from sandbox.login.steps import NeedsFactor

CHALLENGES = {
    "otp": "/u/mfa-otp-challenge",
    "phone": "/u/mfa-sms-challenge",
    "email": "/u/mfa-email-challenge",
    "push-notification": "/u/mfa-push-challenge-push",
    "webauthn-roaming": "/u/mfa-webauthn-roaming-challenge",
    "webauthn-platform": "/u/mfa-webauthn-platform-challenge",
    "recovery-code": "/u/mfa-recovery-code-challenge",
    "duo": "/u/mfa-duo",
}
ENROLLMENTS = {
    "otp": "/u/mfa-otp-enrollment",
    "phone": "/u/mfa-sms-enrollment",
    "push-notification": "/u/mfa-push-enrollment-qr",
    "webauthn-roaming": "/u/mfa-webauthn-roaming-enrollment",
    "webauthn-platform": "/u/mfa-webauthn-platform-enrollment",
    "recovery-code": "/u/mfa-recovery-code-enrollment",
}
DETECTION = "/u/mfa-detect-browser-capabilities"
CHALLENGE_OPTIONS = "/u/mfa-login-options"
ENROLLMENT_OPTIONS = "/u/mfa-begin-enroll-options"


def first(step: NeedsFactor) -> str:
    """The page that a pause for a second factor starts with."""
    if step.kind == "enroll":
        return ENROLLMENT_OPTIONS if step.picker else ENROLLMENTS[step.types[0]]
    return CHALLENGE_OPTIONS if step.picker else CHALLENGES[step.types[0]]


def of_type(step: NeedsFactor, type: str) -> str:
    return (ENROLLMENTS if step.kind == "enroll" else CHALLENGES)[type]
