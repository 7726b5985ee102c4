"""Applications, protection and the tenant itself: what would lock people out, or let others in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployments import fields
from deployments.analysers.texts import ADDRESSES
from deployments.findings import NOTE, WARNING, Circumstances, Finding
from deployments.plan import CREATE, UPDATE, Item

_WEAK_GRANTS = ("implicit", "password", "http://auth0.com/oauth/grant-type/password-realm")


def applications(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "clients" or item.after is None:
        return
    if item.action == CREATE:
        yield Finding(
            NOTE,
            "new-secret",
            item.key,
            "The target gives it a client id and a secret of its own.",
            "Hand them to the application once this is applied.",
        )
        if item.after.get("client_authentication_methods"):
            yield Finding(
                WARNING, "credentials", item.key, "Its public keys are not promoted.", "Register the target's own key."
            )
    if item.action == UPDATE:
        yield from _removed_addresses(item)
    if item.name == "Castellan" and item.action == UPDATE:
        yield Finding(
            WARNING,
            "own-application",
            item.key,
            "This looks like the application by which people sign in here.",
            "Make sure that its callback stays, or nobody can sign in to approve the way back.",
        )
    weak = [
        g
        for g in item.after.get("grant_types") or []
        if g in _WEAK_GRANTS and g not in _list(item.before, "grant_types")
    ]
    if weak and known.stage == "production":
        yield Finding(
            WARNING,
            "weak-grant",
            item.key,
            f"It may use {', '.join(weak)} in production.",
            "Use authorization code with PKCE.",
        )


def _removed_addresses(item: Item) -> Iterator[Finding]:
    gone = {}
    for change in item.changes:
        if change.path in ADDRESSES and isinstance(change.before, list):
            gone[change.label] = [str(url) for url in change.before if url not in (change.after or [])]
    lost = "; ".join(f"{label} loses {', '.join(urls)}" for label, urls in gone.items() if urls)
    if lost:
        advice = "Sign-in from there fails at once. Keep the target's values where they are used, or set variables."
        yield Finding(WARNING, "removes-address", item.key, f"{lost}.", advice)


def protection(item: Item, known: Circumstances) -> Iterator[Finding]:
    """Switches that make sign-in weaker."""
    for change in item.changes:
        if change.before is True and change.after is False and (item.kind in ("guardianFactors", "attackProtection")):
            yield Finding(
                WARNING,
                "turns-off",
                item.key,
                f"{change.label} is turned off.",
                "Users who rely on it are locked out, or attacks are no longer stopped.",
                change.path,
            )
    if item.kind == "guardianPolicies" and _list(item.before, "policies") and not _list(item.after, "policies"):
        yield Finding(
            WARNING,
            "mfa-off",
            item.key,
            "MFA is no longer required by the tenant's policy.",
            "Make sure an Action asks for it.",
        )
    if item.kind == "databases" and item.action == UPDATE:
        yield from _database(item)


def _database(item: Item) -> Iterator[Finding]:
    strength = ["none", "low", "fair", "good", "excellent"]
    old, new = (fields.get(thing, "options/passwordPolicy") or "none" for thing in (item.before, item.after))
    if old in strength and new in strength and strength.index(new) < strength.index(old):
        yield Finding(
            WARNING,
            "weaker-passwords",
            item.key,
            f"The password policy goes from {old} to {new}.",
            "Keep the stronger one.",
        )
    if (
        fields.get(item.before, "options/brute_force_protection")
        and fields.get(item.after, "options/brute_force_protection") is False
    ):
        yield Finding(
            WARNING, "turns-off", item.key, "Brute-force protection is turned off for this connection.", "Keep it on."
        )
    if fields.get(item.before, "options/import_mode") and not fields.get(item.after, "options/import_mode"):
        yield Finding(
            WARNING,
            "import-ends",
            item.key,
            "Import mode is turned off: users who have not moved yet can no longer sign in.",
            "Check how many are left in the old store.",
        )


def tenant(item: Item, known: Circumstances) -> Iterator[Finding]:
    names = [
        c.label for c in item.changes if c.path in ("friendly_name", "support_email", "support_url", "picture_url")
    ]
    if item.kind == "tenant" and names:
        yield Finding(
            WARNING,
            "tenant-name",
            item.key,
            f"People would see the source's {', '.join(names)}.",
            "Keep the target's value.",
        )


def _list(thing: Any, key: str) -> list[Any]:
    value = fields.get(thing, key)
    return value if isinstance(value, list) else [value] if value else []
