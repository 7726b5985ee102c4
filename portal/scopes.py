"""Which scopes of the Management API each right of the portal needs: the one table, for pages, doctor and docs."""

from __future__ import annotations

from collections.abc import Iterable

from portal.access import PERMISSIONS

_READ_ALL = (
    *("read:actions", "read:attack_protection", "read:branding", "read:client_grants", "read:clients"),
    *("read:connections", "read:connections_options", "read:custom_domains", "read:email_provider"),
    *("read:email_templates", "read:guardian_factors", "read:log_streams", "read:mfa_policies"),
    *("read:organizations", "read:organization_connections", "read:organization_client_grants", "read:prompts"),
    *("read:resource_servers", "read:roles", "read:tenant_settings", "read:triggers"),
)
_WRITE_PROMOTED = (
    *("create:actions", "update:actions", "create:clients", "update:clients", "create:connections"),
    *("update:connections", "update:connections_options", "create:client_grants", "update:client_grants"),
    *("create:resource_servers", "update:resource_servers", "create:roles", "update:roles"),
    *("update:attack_protection", "update:branding", "update:guardian_factors", "update:mfa_policies"),
    *("update:prompts", "update:tenant_settings", "create:email_templates", "update:email_templates"),
    *("create:organizations", "update:organizations", "create:organization_connections"),
)
_MFA_SETTINGS = ("read:guardian_factors", "read:tenant_settings", "read:mfa_policies")
# Publishing runs the policy for the people who must stay able to sign in, so it reads users and their factors.
_PUBLISH_ACTION = (
    *("read:actions", "create:actions", "update:actions", *_MFA_SETTINGS),
    *("read:users", "read:authentication_methods"),
)
_DATABASES = ("read:connections", "read:connections_options")

# permission -> scopes without which it does not work at all
NEEDS: dict[str, tuple[str, ...]] = {
    "users.view": ("read:users",),
    "users.send_password_reset": ("read:users",),
    "users.create_reset_link": ("read:users", "create:user_tickets"),
    "users.block": ("read:users", "update:users"),
    "users.unblock": ("read:users", "update:users"),
    "users.remove_mfa": ("read:users", "read:authentication_methods", "delete:authentication_methods"),
    "users.clear_blocks": ("read:users", "update:users"),
    "mfa.view": ("read:actions",),
    "mfa.publish": _PUBLISH_ACTION,
    "mfa.roll_back": _PUBLISH_ACTION,
    "databases.view": _DATABASES,
    "databases.publish": (*_DATABASES, "update:connections", "update:connections_options"),
    "snapshots.export": ("read:clients",),
    "promotions.apply": ("read:clients",),
    "promotions.roll_back": ("read:clients",),
}
# permission -> scopes that make it whole; what is missing is left out of the page or the snapshot, and said so there
IMPROVES: dict[str, tuple[str, ...]] = {
    "users.view": (
        *("read:authentication_methods", "read:logs", "read:sessions", "read:roles", "read:organizations"),
        "read:connections",
    ),
    "users.remove_mfa": ("update:users",),
    "mfa.view": (*_MFA_SETTINGS, "read:users", "read:authentication_methods"),
    "mfa.publish": ("update:tenant_settings",),
    "mfa.roll_back": ("update:tenant_settings",),
    "snapshots.export": _READ_ALL,
    "promotions.apply": (*_READ_ALL, *_WRITE_PROMOTED),
    "promotions.roll_back": (*_READ_ALL, *_WRITE_PROMOTED),
}
# scope -> why it is dangerous to grant
DANGEROUS: dict[str, str] = {
    "create:client_grants": "The application can grant itself, or any other, every scope. Needed only where client "
    "grants are promoted: prefer a separate application for that.",
    "update:client_grants": "As create:client_grants: the application can raise its own rights.",
    "read:user_idp_tokens": "Shows the access tokens that users have with Google and others. Never needed here.",
    "read:client_keys": "Shows the client secrets of all applications. The portal never asks for them.",
    "delete:users": "Deleted users can't be brought back. The portal never deletes users.",
    "delete:connections": "Deletes a database with all its users. The portal never does that.",
    "delete:clients": "Breaks an application at once. The portal deletes only what an approved plan names.",
    "create:signing_keys": "Rotates the keys that all applications trust.",
    "update:signing_keys": "Revokes the keys that all applications trust.",
}


def missing(permission: str, granted: Iterable[str]) -> list[str]:
    """The scopes without which this right does not work, in the table's order; empty where it does."""
    held = set(granted)
    return [scope for scope in NEEDS.get(permission, ()) if scope not in held]


def reduced(permission: str, granted: Iterable[str]) -> list[str]:
    """The scopes whose absence leaves something out."""
    held = set(granted)
    return [scope for scope in IMPROVES.get(permission, ()) if scope not in held]


def needed() -> dict[str, list[str]]:
    """scope -> the permissions that want it."""
    wanted: dict[str, list[str]] = {}
    for permission in PERMISSIONS:
        for scope in (*NEEDS.get(permission, ()), *IMPROVES.get(permission, ())):
            wanted.setdefault(scope, []).append(permission)
    return wanted


def unused(granted: Iterable[str]) -> list[str]:
    """Granted, and wanted by nothing in the portal."""
    wanted = needed()
    return sorted(scope for scope in granted if scope not in wanted)
