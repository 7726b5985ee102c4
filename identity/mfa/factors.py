"""MFA factors: the one table of what Auth0 calls each in its several APIs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Factor:
    """type: in Actions (challengeWithAny, enrolledFactors). guardian: in GET /guardian/factors. methods: types in
    GET /users/{id}/authentication-methods. An independent factor can be a user's first; e-mail can't be enrolled at
    sign-in, it comes with a verified address.
    """

    type: str
    label: str
    phrase: str
    guardian: str
    methods: tuple[str, ...]
    enrollable: bool = True
    independent: bool = True


FACTORS: dict[str, Factor] = {
    factor.type: factor
    for factor in (
        Factor("otp", "Authenticator app", "an authenticator app", "otp", ("totp",)),
        Factor("webauthn-roaming", "Security key", "a security key", "webauthn-roaming", ("webauthn-roaming",)),
        Factor(
            "push-notification",
            "Push (Guardian)",
            "a push notification",
            "push-notification",
            ("push", "guardian"),
        ),
        Factor("phone", "Phone (SMS or voice)", "a phone", "sms", ("phone",)),
        Factor(
            "webauthn-platform",
            "Device biometrics",
            "device biometrics",
            "webauthn-platform",
            ("webauthn-platform",),
            independent=False,
        ),
        Factor(
            "email",
            "E-mail",
            "an e-mail",
            "email",
            ("email", "email-verification"),
            enrollable=False,
            independent=False,
        ),
    )
}
# Counts for nothing in a policy: it replaces a factor once, it is none.
RECOVERY_CODE = "recovery-code"


def labels(types: Iterable[str], *, last: str = "or") -> str:
    """In words: "an authenticator app or a security key"."""
    words = [FACTORS[type].phrase if type in FACTORS else type for type in types]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else "no factor"


def enrolled(methods: Iterable[dict[str, Any]], user: dict[str, Any]) -> list[dict[str, Any]]:
    """`event.user.enrolledFactors` from the user's authentication methods; e-mail counts once the address is verified.

    The list of authentication methods does not show e-mail, which Auth0 adds by itself.
    """
    types = {method.get("type", "") for method in methods if method.get("confirmed", True)}
    found = [factor.type for factor in FACTORS.values() if types & set(factor.methods)]
    if user.get("email") and user.get("email_verified") and "email" not in found:
        found.append("email")
    if RECOVERY_CODE in types:
        found.append(RECOVERY_CODE)
    return [{"type": type} for type in found]
