"""What an Action's code would do to users: the code itself is run, on events built from what Auth0 knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from identity.mfa import login_flow
from identity.mfa.factors import enrolled, labels
from identity.mfa.login_flow import MfaSettings
from identity.users import records
from portal import auth0
from portal.models import Tenant
from runtime import actions
from runtime.actions import ActionResult

BROWSER = "oidc-basic-profile"
LOG_PREFIX = "MFA policy: "
USER_FIELDS = (
    *("user_id", "email", "email_verified", "username", "phone_number", "phone_verified", "name", "nickname"),
    *("given_name", "family_name", "picture", "created_at", "updated_at", "app_metadata", "user_metadata"),
    *("identities", "multifactor", "last_password_reset"),
)
# kind of verdict -> (its words in a count, the pages' status). The worst last.
KINDS: dict[str, tuple[str, str]] = {
    "not_asked": ("not asked", "allow"),
    "challenge": ("asked for a factor that they have", "challenge"),
    "challenge_enrol": ("asked for their factor, then to enrol an allowed one", "challenge"),
    "enrol": ("asked to enrol", "enroll"),
    "any": ("asked by Auth0 for any factor", "challenge"),
    "deny": ("refused", "deny"),
    "cannot": ("cannot satisfy the policy", "deny"),
    "error": ("stopped by an error", "error"),
}
LOCKED_OUT = ("deny", "cannot", "error")


@dataclass(frozen=True)
class Verdict:
    """What a sign-in meets. kind: key of KINDS. words: a sentence. rule: as the code names it ("rule 1"), or ""."""

    kind: str
    words: str
    rule: str = ""

    @property
    def status(self) -> str:
        return KINDS[self.kind][1]

    @property
    def locked_out(self) -> bool:
        return self.kind in LOCKED_OUT


@dataclass(frozen=True)
class Situation:
    """A way to sign in: `protocol` as Auth0 names it, `methods` what was passed in the session before."""

    label: str
    protocol: str = BROWSER
    methods: tuple[str, ...] = ()


SITUATIONS = (
    Situation("First sign-in at the sign-in page"),
    Situation("Again in a session in which MFA was passed", methods=("mfa",)),
    Situation("A refresh token is exchanged", "oauth2-refresh-token"),
    Situation("A program sends the password itself", "oauth2-password"),
)


def event_of(
    user: dict[str, Any], factors: Sequence[dict[str, Any]], situation: Situation = SITUATIONS[0]
) -> dict[str, Any]:
    """A post-login event. `user`: as GET /users/{id}; `factors`: as identity.mfa.factors.enrolled gives them.

    Nobody has chosen an application yet, so the client is a stand-in.
    """
    now = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    identity: dict[str, Any] = next(iter(user.get("identities") or []), {})
    known = {name: user[name] for name in USER_FIELDS if user.get(name) is not None}
    methods = [{"name": name, "timestamp": now} for name in ("pwd", *situation.methods)]
    return {
        "user": {"app_metadata": {}, "user_metadata": {}, **known, "enrolledFactors": list(factors)},
        "authentication": {"methods": methods},
        "authorization": {"roles": []},
        "client": {"client_id": "preview", "name": "Preview", "metadata": {}},
        "connection": {"id": "", "name": identity.get("connection", ""), "strategy": identity.get("provider", "")},
        "request": {"ip": "127.0.0.1", "method": "GET", "query": {}, "body": {}, "geoip": {}},
        "stats": {"logins_count": user.get("logins_count", 0)},
        "tenant": {"id": "preview"},
        "transaction": {"protocol": situation.protocol, "acr_values": [], "requested_scopes": [], "metadata": {}},
    }


def factors_of(tenant: Tenant, user: dict[str, Any]) -> list[dict[str, Any]]:
    """The user's enrolled factors as an event has them (GET /users/{id}/authentication-methods)."""
    return enrolled(records.methods(tenant, user["user_id"]), user)


def verdicts(code: str, events: Sequence[dict[str, Any]], settings: MfaSettings) -> list[Verdict]:
    """One verdict per event, in order, in one process. `code` "" is a login flow without a policy."""
    if not code:
        return [Verdict("not_asked", "Not asked: no policy is published here.") for _ in events]
    return [verdict(result, settings) for result in actions.run_batch(code, events=events)]


def in_every_situation(
    code: str, tenant: Tenant, user: dict[str, Any], factors: Sequence[dict[str, Any]]
) -> list[tuple[Situation, Verdict]]:
    """One user, each of SITUATIONS. Reads the tenant's MFA settings."""
    events = [event_of(user, factors, situation) for situation in SITUATIONS]
    return list(zip(SITUATIONS, verdicts(code, events, login_flow.mfa_settings(tenant)), strict=True))


def verdict(result: ActionResult, settings: MfaSettings) -> Verdict:
    """In words, what the commands of one run mean in a tenant with these settings."""
    rule, why = _log(result)
    if result.outcome != "completed":
        message = (result.error or {}).get("message", result.outcome)
        return Verdict("error", f"The sign-in fails: the Action ended with “{message}”.", rule)
    asked = {command["name"]: command["arguments"] for command in result.commands}
    for name, read in _READERS.items():
        if name in asked:
            return read(asked, settings, rule)
    return Verdict("not_asked", f"Not asked: {why or 'the Action asks for nothing'}.", rule)


def _denied(asked: dict[str, Any], settings: MfaSettings, rule: str) -> Verdict:
    return Verdict("deny", f"Refused: “{asked['access.deny'][0]}”", rule)


def _challenged(asked: dict[str, Any], settings: MfaSettings, rule: str) -> Verdict:
    wanted = _types(asked["authentication.challengeWithAny"])
    usable = [type for type in wanted if type in settings.enabled]
    if not usable:
        words = f"Cannot sign in: has {labels(wanted, last='and')}, which the tenant does not offer."
        return Verdict("cannot", words, rule)
    if "authentication.enrollWithAny" not in asked:
        return Verdict("challenge", f"Asked for {labels(usable)}.", rule)
    then = _enrolling(asked, settings, rule)
    if then.kind == "cannot":
        return then
    return Verdict("challenge_enrol", f"Asked for {labels(usable)}; then must enrol {_offered(asked, settings)}.", rule)


def _enrolling(asked: dict[str, Any], settings: MfaSettings, rule: str) -> Verdict:
    offered = _offered(asked, settings)
    if not offered:
        wanted = labels(_types(asked["authentication.enrollWithAny"]))
        return Verdict("cannot", f"Cannot sign in: must enrol {wanted}, which the tenant does not offer.", rule)
    return Verdict("enrol", f"Must enrol {offered}.", rule)


def _any(asked: dict[str, Any], settings: MfaSettings, rule: str) -> Verdict:
    if not settings.enabled:
        return Verdict("cannot", "Cannot sign in: the tenant offers no factor.", rule)
    return Verdict("any", "Answered mfa_required: any factor that the tenant offers counts.", rule)


# The first command that is there decides, in this order.
_READERS = {
    "access.deny": _denied,
    "authentication.challengeWithAny": _challenged,
    "authentication.enrollWithAny": _enrolling,
    "multifactor.enable": _any,
}


def _offered(asked: dict[str, Any], settings: MfaSettings) -> str:
    types = [type for type in _types(asked["authentication.enrollWithAny"]) if type in settings.enabled]
    return labels(types) if types else ""


def _types(arguments: list[Any]) -> list[str]:
    return [factor.get("type", "") for factor in arguments[0]]


def _log(result: ActionResult) -> tuple[str, str]:
    """("rule 1", "why") from the line that the generated code logs; ("", "") for other code."""
    line = next((text for text in result.console if text.startswith(LOG_PREFIX)), "")
    parts = line.removeprefix(LOG_PREFIX).split("; ")
    rule = parts[0] if parts[0].startswith(("rule ", "no e-mail")) else ""
    return rule, parts[-1] if len(parts) > 1 else ""


def find_user(tenant: Tenant, text: str) -> dict[str, Any] | None:
    """A user by e-mail address or user_id; None where there is none (or where two share the address: the first)."""
    text = text.strip()
    if "|" in text:
        return records.read(tenant, text)
    for address in dict.fromkeys([text.lower(), text]):
        if found := auth0.request(tenant, "GET", "/users-by-email", params={"email": address}):
            return found[0]
    return None
