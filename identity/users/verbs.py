"""What the helpdesk does to a user: each act once, recorded, with the reason.

Each takes (tenant, user_id, *, actor, reason, ticket) and returns the Outcome. All read the user first: an unknown
user, or one who works with this portal, is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from identity.users import records
from portal import access, audit, auth0, tenants
from portal.errors import Invalid, PortalError, Refused
from portal.login import subject
from portal.models import AuditEvent, Tenant

RESET_LINK_SECONDS = 15 * 60


@dataclass(frozen=True)
class Outcome:
    """What happened and what happens next, in a person's words. `secret` is shown once and stored nowhere."""

    event: AuditEvent
    happened: str
    next: str
    secret: str = ""


def send_password_reset(tenant: Tenant, user_id: str, *, actor: User, reason: str, ticket: str = "") -> Outcome:
    """Mail a reset link (Authentication API, POST /dbconnections/change_password)."""
    user = _subject_of_act(tenant, user_id, actor)
    identity = _with_password(user)
    if not user.get("email"):
        raise Invalid("This user has no e-mail address, so no mail can be sent. Create a one-time reset link instead.")
    with _recorded("users.send_password_reset", tenant, user, actor, reason, ticket) as entry:
        auth0.send_password_reset(tenant, email=user["email"], connection=identity["connection"])
        entry.detail = f"Password-reset mail requested for connection {identity['connection']}."
    return Outcome(
        entry.event,
        f"Auth0 is sending a password-reset mail to {user['email']}.",
        "It should arrive within a minute: ask to look in the spam folder too. The link works once, and only "
        "the newest one works. The old password stays valid until a new one is set.",
    )


def create_reset_link(tenant: Tenant, user_id: str, *, actor: User, reason: str, ticket: str = "") -> Outcome:
    """Make a one-time link to hand over (POST /tickets/password-change, 15 minutes). Sends no mail."""
    user = _subject_of_act(tenant, user_id, actor)
    _with_password(user)
    with _recorded("users.create_reset_link", tenant, user, actor, reason, ticket) as entry:
        # Whoever holds the link is not proven to own the mailbox, so it never marks the address as verified.
        answer = auth0.management(tenant).tickets.change_password(
            user_id=user_id, ttl_sec=RESET_LINK_SECONDS, mark_email_as_verified=False
        )
        entry.detail = "One-time reset link created, valid for 15 minutes."
    return Outcome(
        entry.event,
        "The one-time reset link is ready. It is shown only now.",
        "Make sure that you speak with the right person, then hand the link over. It works once, for 15 minutes.",
        secret=answer.ticket,
    )


def block(tenant: Tenant, user_id: str, *, actor: User, reason: str, ticket: str = "") -> Outcome:
    """Stop a user from signing in (PATCH /users/{id})."""
    user = _subject_of_act(tenant, user_id, actor)
    event = _set_blocked(tenant, user, True, "users.block", actor, reason, ticket)
    return Outcome(
        event,
        f"{records.label(user)} is blocked.",
        "New sign-ins are refused from now on. A session that is open already goes on until it ends.",
    )


def unblock(tenant: Tenant, user_id: str, *, actor: User, reason: str, ticket: str = "") -> Outcome:
    """Let a blocked user sign in again (PATCH /users/{id})."""
    user = _subject_of_act(tenant, user_id, actor)
    event = _set_blocked(tenant, user, False, "users.unblock", actor, reason, ticket)
    return Outcome(
        event,
        f"{records.label(user)} is no longer blocked.",
        "The user can sign in at once, unless brute-force protection holds a block as well: see that panel.",
    )


def clear_blocks(tenant: Tenant, user_id: str, *, actor: User, reason: str, ticket: str = "") -> Outcome:
    """Remove the blocks that brute-force protection holds (DELETE /user-blocks/{id})."""
    user = _subject_of_act(tenant, user_id, actor)
    with _recorded("users.clear_blocks", tenant, user, actor, reason, ticket) as entry:
        entry.before = {"blocked_for": records.blocks(tenant, user_id)}
        auth0.management(tenant).user_blocks.delete(user_id)
        entry.after = {"blocked_for": records.blocks(tenant, user_id)}
    return Outcome(
        entry.event,
        f"The brute-force blocks of {records.label(user)} are removed.",
        "The user can try again at once. Ten more wrong passwords lock the account again: offer a reset.",
    )


def remove_mfa(
    tenant: Tenant,
    user_id: str,
    *,
    actor: User,
    reason: str,
    ticket: str = "",
    method: str = "",
    passkeys: bool = False,
) -> Outcome:
    """Remove one authentication method, or all factors (DELETE /users/{id}/authentication-methods/{id}, one by one).

    Passwords are never removed; passkeys only where asked for. Remembered browsers are forgotten, so that the next
    sign-in asks. A failure half-way is recorded with what was removed until then.
    """
    user = _subject_of_act(tenant, user_id, actor)
    chosen = _chosen(records.methods(tenant, user_id), method, passkeys)
    with _recorded("users.remove_mfa", tenant, user, actor, reason, ticket) as entry:
        entry.before = {"methods": [_described(m) for m in chosen]}
        removed: list[str] = []
        entry.after = {"removed": removed}
        client = auth0.management(tenant)
        for row in chosen:
            client.users.authentication_methods.delete(user_id, row["id"])
            removed.append(_described(row))
        entry.detail = _forget_browsers(tenant, user_id)
    names = ", ".join(dict.fromkeys(row["label"] for row in chosen))
    return Outcome(
        entry.event,
        f"Removed from {records.label(user)}: {names}.",
        "At the next sign-in that asks for MFA the user enrols anew. Sessions that are open already go on.",
    )


def _chosen(methods: list[dict[str, Any]], method: str, passkeys: bool) -> list[dict[str, Any]]:
    if method:
        chosen = [m for m in methods if m["id"] == method and m["type"] != "password"]
    else:
        chosen = [m for m in methods if m["is_factor"] or (passkeys and m["type"] == "passkey")]
    if not chosen:
        raise Invalid(
            "There is nothing to remove: this user has no such factor. Reload the page to see what is there now."
        )
    return chosen


def _described(method: dict[str, Any]) -> str:
    name = method.get("name") or method.get("phone_number") or ""
    return f"{method['type']} {name}".strip()


def _forget_browsers(tenant: Tenant, user_id: str) -> str:
    try:
        auth0.management(tenant).users.multifactor.invalidate_remember_browser(user_id)
    except PortalError as error:
        return f"Remembered browsers could not be forgotten: {error.message}"
    return "Remembered browsers forgotten."


def _set_blocked(
    tenant: Tenant, user: dict[str, Any], blocked: bool, verb: str, actor: User, reason: str, ticket: str
) -> AuditEvent:
    with _recorded(verb, tenant, user, actor, reason, ticket) as entry:
        entry.before = {"blocked": bool(user.get("blocked"))}
        auth0.management(tenant).users.update(user["user_id"], blocked=blocked)
        entry.after = {"blocked": blocked}
    return entry.event


def _subject_of_act(tenant: Tenant, user_id: str, actor: User) -> dict[str, Any]:
    """The user as Auth0 has it now; Refused for the own account, and for staff without the right to act on staff."""
    home = tenant.domain == settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN
    if home and user_id == subject(actor):
        raise Refused(
            "This is your own account. Use “My account” for your password; somebody else does the rest for you."
        )
    user = records.read(tenant, user_id)
    if home and records.staff_account(user_id):
        access.check(actor, "users.manage_staff")
    return user


def _with_password(user: dict[str, Any]) -> dict[str, Any]:
    identity = records.database_identity(user)
    if identity is None:
        provider = user["user_id"].partition("|")[0]
        raise Refused(f"This user signs in with {provider}: the password lives there and can't be reset here.")
    return identity


@contextmanager
def _recorded(
    verb: str, tenant: Tenant, user: dict[str, Any], actor: User, reason: str, ticket: str
) -> Iterator[audit.Entry]:
    """Refused and recorded, before the first step, where the tenant's application lacks a scope of the act."""
    with audit.recorded(
        actor,
        verb,
        tenant=tenant,
        target=user["user_id"],
        target_label=records.label(user)[:254],
        reason=audit.required_reason(reason),
        ticket=ticket.strip(),
    ) as entry:
        tenants.require(tenant, verb)
        yield entry


@dataclass(frozen=True)
class Verb:
    """How the pages offer an act. `fits` says whether it makes sense for this user record."""

    name: str
    label: str
    icon: str
    key: str
    act: Callable[..., Outcome]
    asks: str
    usual_reason: str = ""
    danger: bool = False
    fits: Callable[[dict[str, Any]], bool] = lambda user: True

    @property
    def permission(self) -> str:
        return f"users.{self.name}"

    @property
    def slug(self) -> str:
        return self.name.replace("_", "-")


VERBS: dict[str, Verb] = {
    verb.slug: verb
    for verb in (
        Verb(
            "send_password_reset", "Send password-reset mail", "mail-forward", "p", send_password_reset,
            "Auth0 mails a link to set a new password. The old one stays valid until then.",
            usual_reason="The user asked for a new password.",
            fits=lambda user: bool(user.get("email") and records.database_identity(user)),
        ),
        Verb(
            "create_reset_link", "Create one-time reset link", "link", "l", create_reset_link,
            "You get a link to hand over after you have made sure who the caller is. It is valid for 15 minutes. "
            "No mail is sent.",
            fits=lambda user: bool(records.database_identity(user)),
        ),
        Verb(
            "remove_mfa", "Remove MFA factors", "shield-off", "m", remove_mfa,
            "All factors and the recovery code are removed; the user enrols anew when a sign-in asks for MFA.",
            danger=True,
        ),
        Verb(
            "clear_blocks", "Remove brute-force blocks", "lock-open", "u", clear_blocks,
            "Blocks after too many wrong passwords are removed for all addresses.",
            usual_reason="The user was locked out by wrong passwords.",
        ),
        Verb(
            "block", "Block user", "ban", "b", block, "New sign-ins are refused. Open sessions go on until they end.",
            danger=True, fits=lambda user: not user.get("blocked"),
        ),
        Verb(
            "unblock", "Unblock user", "circle-check", "b", unblock, "The user can sign in again.",
            fits=lambda user: bool(user.get("blocked")),
        ),
    )
}  # fmt: skip
