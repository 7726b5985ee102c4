"""Which second factor a login needs: by an Action's command, by multifactor.enable, by the tenant's policy."""

from __future__ import annotations

from typing import Any

from sandbox import logs
from sandbox.login import audiences, configuration, factors, remembered, risk
from sandbox.login.effects import FactorCommand
from sandbox.login.steps import Done, NeedsFactor, Refused, Step
from sandbox.login.subject import Login

# What tenant logs say (docs: Customize MFA Selection, Customize MFA Enrollments).
UNUSABLE = {
    "challenge": (
        "An MFA challenge is used in a PostLogin action but the requested factors are not properly set up. To perform "
        "MFA, enable the requested factors and ensure the user is enrolled with them."
    ),
    "enroll": (
        "An MFA enrollment is used in a PostLogin action but the requested factors are not properly set up. To perform "
        "MFA, enable the requested factors and ensure the user is not already enrolled with them."
    ),
}
PARTLY_UNUSABLE = {
    "challenge": (
        "An MFA challenge is used in a PostLogin action, but the requested factor {} is not properly set up. Enable "
        "the requested factor and ensure the user is enrolled with it."
    ),
    "enroll": (
        "An MFA enrollment is used in a PostLogin action, but the requested factor {} is not properly set up. Enable "
        "the requested factor and ensure the user is not already enrolled with it."
    ),
}
CHALLENGE_FIRST = (
    "An MFA enrollment was requested but the user is already enrolled in MFA. Challenge with at least one existing "
    "factor before enrolling a new one."
)
NOT_CUSTOMIZABLE = (
    "Actions can't choose factors: customize_mfa_in_postlogin_action of the tenant settings "
    '("Customize MFA Factors using Actions") is off.'
)
NOTHING_OFFERED = "MFA is required, and no factor is enabled that the user can be challenged with or enroll in."
# With Universal Login (docs: Customize Multi-Factor Authentication Pages).
_OF_PROVIDER = {
    "guardian": ("push-notification", "phone", "otp", "email", "recovery-code"),
    "google-authenticator": ("push-notification", "phone", "otp", "email"),
}
_REMEMBER_WITHOUT_ASKING = ("google-authenticator", "duo")


def by_command(login: Login, command: FactorCommand) -> Step:
    """challengeWith, enrollWith ...; Done where a challenge was passed already in this transaction."""
    if not configuration.tenant_settings(login.tenant).get("customize_mfa_in_postlogin_action"):
        return refused(login, NOT_CUSTOMIZABLE)
    wanted = list(dict.fromkeys(factors.known(factor) or _named(factor) for factor in command.factors))
    if command.enrolls and factors.independent(login.tenant, login.user) and not login.passed_mfa(fresh=True):
        return refused(login, CHALLENGE_FIRST)
    done = set() if command.enrolls else {method.get("type") for method in login.fresh} & set(wanted)
    possible = _enrollable(login) if command.enrolls else factors.usable(login.tenant, login.user)
    found = [type for type in wanted if type in possible and type not in done]
    if not command.enrolls:
        found = _fitting(login, found)
    if not found:
        return Done() if done else refused(login, UNUSABLE[command.kind])
    for type in wanted:
        text = PARTLY_UNUSABLE[command.kind].format(type)
        if type not in found and type not in done and text not in login.warnings:
            login.warnings.append(text)
            _log(login, "w", text)
    picker = command.any_of and len(found) > 1
    return NeedsFactor(command.kind, found, picker=picker, options=_options(command))


def _named(factor: Any) -> str:
    return str(factor.get("type") if isinstance(factor, dict) else factor)[:50]


def _options(command: FactorCommand) -> dict[str, dict[str, Any]]:
    given = [factor for factor in command.factors if isinstance(factor, dict)]
    return {factors.known(f): f["options"] for f in given if isinstance(f.get("options"), dict)}


def by_provider(login: Login, provider: str, *, allow_remember: bool) -> Step:
    """api.multifactor.enable: the person is challenged, or enrolls."""
    if login.passed_mfa(fresh=True) or (allow_remember and _is_remembered(login)):
        return Done()
    silently = allow_remember and provider in _REMEMBER_WITHOUT_ASKING
    may_remember = allow_remember and not silently
    if provider == "duo":
        return NeedsFactor("challenge", ["duo"], remembers=silently)
    types = _OF_PROVIDER.get(provider, tuple(factors.FACTORS))
    return _any_of(login, types, may_remember=may_remember, remembers=silently)


def _is_remembered(login: Login) -> bool:
    """A browser that is remembered has to prove itself all the same where the application asks for MFA."""
    return remembered.is_remembered(login) and not login.transaction.get("acr_values")


def by_policy(login: Login) -> Step:
    policy, offered = configuration.mfa_policy(login.tenant), factors.enabled(login.tenant)
    if login.audience == audiences.mfa_audience(login.tenant) and factors.independent(login.tenant, login.user):
        # Whoever manages their factors has to pass one, remembered browser or not.
        return Done() if login.passed_mfa() else _any_of(login, tuple(factors.FACTORS), may_remember=False)
    if not policy or login.passed_mfa() or not offered:
        return Done()
    adaptive = policy == "confidence-score"
    if adaptive and risk.assess(login)["confidence"] != "low":
        return Done()
    if not adaptive and _is_remembered(login):
        return Done()
    if offered == ["duo"]:
        return NeedsFactor("challenge", ["duo"])
    return _any_of(login, tuple(factors.FACTORS), may_remember=not adaptive)


def _any_of(login: Login, types: tuple[str, ...], *, may_remember: bool, remembers: bool = False) -> Step:
    independent = factors.independent(login.tenant, login.user)
    usable = factors.usable(login.tenant, login.user)
    # Who has a factor is never sent to enroll another one without it.
    found = [type for type in usable if type in types] or (usable if independent else [])
    offered = factors.enrollable(login.tenant, login.user)
    if found and (independent or "recovery-code" in found or not offered):
        default = _fitting(login, [type for type in found if type != "recovery-code"] or found)
        return NeedsFactor("challenge", default, may_remember=may_remember, remembers=remembers)
    choices = _fitting(login, [type for type in offered if type in types and type not in factors.DEPENDENT])
    if not choices:
        return refused(login, NOTHING_OFFERED)
    return NeedsFactor("enroll", choices, picker=len(choices) > 1, may_remember=may_remember, remembers=remembers)


def _fitting(login: Login, types: list[str]) -> list[str]:
    """Those that work in this browser; where none does, all: the page says what is missing.

    Keys that the sandbox holds work everywhere.
    """
    tenant, id = login.tenant, login.user_id
    return [type for type in types if _allowed(login, type) or factors.virtual(tenant, id, type)] or types


def _enrollable(login: Login) -> list[str]:
    return [type for type in factors.enrollable(login.tenant, login.user) if _allowed(login, type)]


def _allowed(login: Login, type: str) -> bool:
    return login.capabilities is None or login.capabilities.allow(type)


def refused(login: Login, reason: str) -> Refused:
    _log(login, "mfar", reason)
    return Refused("access_denied", reason)


def _log(login: Login, kind: str, description: str) -> None:
    logs.write(
        login.tenant,
        kind,
        description=description,
        user_id=login.user_id,
        ip=login.visitor.ip,
        client_id=login.client["client_id"],
        client_name=login.client.get("name"),
        connection=login.connection.get("name"),
        user_agent=login.visitor.user_agent,
    )
