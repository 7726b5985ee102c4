"""One user, read: the record, and each panel of the user page. Each function is one call to the Management API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from portal import auth0
from portal.errors import Missing
from portal.login import Auth0
from portal.models import AuditEvent, Tenant

# What Auth0 calls an authentication method -> what a caller calls it
METHODS: dict[str, str] = {
    "totp": "Authenticator app (one-time code)",
    "push-notification": "Guardian app (push)",
    "push": "Guardian app (push)",
    "guardian": "Guardian app",
    "phone": "Phone (SMS or voice)",
    "sms": "Phone (SMS)",
    "email": "E-mail code",
    "email-verification": "E-mail address",
    "webauthn-roaming": "Security key",
    "webauthn-platform": "Device biometrics",
    "passkey": "Passkey",
    "recovery-code": "Recovery code",
    "password": "Password",
}
# Log event types that matter to a caller's question; the others show their type code.
EVENTS: dict[str, str] = {
    "s": "Signed in",
    "f": "Sign-in failed",
    "fp": "Wrong password",
    "fu": "Unknown user name",
    "fs": "Sign-up failed",
    "ss": "Signed up",
    "sapi": "Changed through the Management API",
    "fapi": "Management API call failed",
    "scp": "Password changed",
    "fcp": "Password change failed",
    "scpr": "Password-reset mail requested",
    "fcpr": "Password-reset request failed",
    "sv": "E-mail verified",
    "slo": "Signed out",
    "ssa": "Signed in silently",
    "fsa": "Silent sign-in failed",
    "seacft": "Code exchanged for tokens",
    "sertft": "Refresh token exchanged",
    "fertft": "Refresh token refused",
    "limit_wc": "Locked: too many wrong passwords",
    "limit_mu": "Address blocked: too many failures",
    "limit_sul": "Sign-ins too fast",
    "pwd_leak": "Password found in a breach",
    "gd_auth_succeed": "MFA passed",
    "gd_auth_failed": "MFA failed",
    "gd_auth_rejected": "MFA rejected",
    "gd_enrollment_complete": "MFA enrolled",
    "gd_unenroll": "MFA factor removed",
    "gd_start_auth": "MFA asked",
    "gd_recovery_succeed": "Recovery code used",
    "gd_recovery_failed": "Wrong recovery code",
    "mfar": "MFA required, sign-in stopped",
    "w": "Warning at sign-in",
}
# Neither a second factor nor to be removed with them: without a password or passkey a person may have no way in.
NOT_A_FACTOR = {"password", "passkey", "email-verification"}


@dataclass(frozen=True)
class Panel:
    """A part of the user page that loads by itself, and may fail by itself. `load` returns the template's context."""

    title: str
    icon: str
    load: Callable[[Tenant, str], dict[str, Any]]


def read(tenant: Tenant, user_id: str) -> dict[str, Any]:
    """GET /users/{id}. Raises Missing with a sentence that helps."""
    try:
        return auth0.request(tenant, "GET", f"/users/{auth0.segment(user_id)}")
    except Missing:
        raise Missing(
            f"{tenant.name} has no user {user_id}. It may have been deleted, or live in another tenant."
        ) from None


def label(user: dict[str, Any]) -> str:
    """What people call this user: e-mail address, else name, else phone number, else the id."""
    return next((user[k] for k in ("email", "username", "name", "phone_number") if user.get(k)), user["user_id"])


def database_identity(user: dict[str, Any]) -> dict[str, Any] | None:
    """The identity whose password Auth0 (or the custom database) checks; None for social and enterprise users."""
    return next((i for i in user.get("identities", []) if i.get("provider") == "auth0"), None)


def methods(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """GET /users/{id}/authentication-methods: all of them, each with `label` and `is_factor` added."""
    path = f"/users/{auth0.segment(user_id)}/authentication-methods"
    rows = list(auth0.pages(tenant, path, "authenticators", per_page=50))
    return [
        row | {"label": METHODS.get(row["type"], row["type"]), "is_factor": row["type"] not in NOT_A_FACTOR}
        for row in rows
    ]


def blocks(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """GET /user-blocks/{id}: [{"identifier", "ip", "connection"}] of brute-force protection."""
    return auth0.request(tenant, "GET", f"/user-blocks/{auth0.segment(user_id)}")["blocked_for"]


def events(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """GET /users/{id}/logs, the newest 20."""
    params = {"per_page": 20, "sort": "date:-1"}
    rows = auth0.request(tenant, "GET", f"/users/{auth0.segment(user_id)}/logs", params=params)
    return [row | {"label": EVENTS.get(row["type"], "Event")} for row in rows]


def sessions(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    """GET /users/{id}/sessions (Enterprise plans), the newest 20."""
    answer = auth0.request(tenant, "GET", f"/users/{auth0.segment(user_id)}/sessions", params={"take": 20})
    return answer["sessions"]


def memberships(tenant: Tenant, user_id: str) -> dict[str, Any]:
    base = f"/users/{auth0.segment(user_id)}"
    return {
        "roles": auth0.request(tenant, "GET", f"{base}/roles"),
        "organizations": auth0.request(tenant, "GET", f"{base}/organizations"),
    }


def history(tenant: Tenant, user_id: str) -> list[AuditEvent]:
    """What was done to this user in Castellan, newest first."""
    return list(AuditEvent.objects.filter(tenant=tenant.slug, target=user_id)[:20])


def staff_account(user_id: str) -> User | None:
    """The portal account that signs in as this user and has a role, if there is one."""
    return User.objects.filter(social_auth__provider=Auth0.name, social_auth__uid=user_id, groups__isnull=False).first()


PANELS: dict[str, Panel] = {
    "blocks": Panel("Brute-force protection", "lock", lambda t, u: {"blocks": blocks(t, u)}),
    "methods": Panel("Sign-in methods", "shield-lock", lambda t, u: {"methods": methods(t, u)}),
    "events": Panel("Recent events in Auth0", "activity", lambda t, u: {"events": events(t, u)}),
    "history": Panel("Done in Castellan", "history", lambda t, u: {"history": history(t, u)}),
    "sessions": Panel("Sessions", "device-desktop", lambda t, u: {"sessions": sessions(t, u)}),
    "memberships": Panel("Roles and organizations", "users-group", memberships),
}
