"""Which scopes of the Management API each feature of the portal needs: the one table, for pages, doctor and docs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.access import ACTS


@dataclass(frozen=True)
class Granted:
    """The scopes that a tenant's applications hold: the one that reads, and the one that writes (often the same)."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.reads | self.writes

    def lacks(self, scope: str, *, by_one: bool = False) -> bool:
        """Whether the application that would use this scope is without it. `by_one`: the writing one reads as well."""
        if not scope.startswith("read:"):
            return scope not in self.writes
        return scope not in self.reads or (by_one and scope not in self.writes)


@dataclass(frozen=True)
class Feature:
    """Off without `needs`; without `improves` something is left out of the page or the snapshot, and said so there."""

    needs: tuple[str, ...]
    improves: tuple[str, ...] = ()
    # The permission that lets a person use it, where the feature is a part of what that permission allows.
    permission: str = ""
    # The Deploy CLI reads and writes with one token: that of the application that writes.
    by_one: bool = False
    # Of local tenants alone: elsewhere nobody should grant for it.
    local: bool = False


def _scopes(verb: str, names: str) -> tuple[str, ...]:
    return tuple(f"{verb}:{name}" for name in names.split())


# What promotions may create, change and delete; tests compare these with the table of kinds.
_MADE = (
    "client_grants clients connection_profiles directory_provisionings email_templates event_streams flows "
    "flows_vault_connections forms log_streams network_acls organization_clients organization_connections "
    "organization_client_grants organization_discovery_domains organizations phone_providers phone_templates "
    "rate_limit_policies resource_servers roles scim_config self_service_profiles token_exchange_profiles "
    "user_attribute_profiles actions connections email_provider"
)
_CHANGED = (
    "attack_protection branding connections_options guardian_factors mfa_policies prompts tenant_settings "
    "self_service_profile_custom_texts"
)
_NEVER_CHANGED = ("organization_clients", "organization_client_grants")
_DELETED = (
    "actions client_grants clients connection_profiles connections event_streams flows flows_vault_connections forms "
    "log_streams network_acls organization_client_grants organization_clients organization_connections "
    "organization_discovery_domains organizations rate_limit_policies resource_servers roles self_service_profiles "
    "token_exchange_profiles user_attribute_profiles"
)
_READ_ALL = tuple(sorted(_scopes("read", f"{_MADE} {_CHANGED} custom_domains")))
_WRITE_ALL = (
    *sorted(_scopes("create", _MADE)),
    *sorted(_scopes("update", " ".join(name for name in f"{_MADE} {_CHANGED}".split() if name not in _NEVER_CHANGED))),
    *sorted(_scopes("delete", _DELETED)),
)
_MFA_SETTINGS = ("read:guardian_factors", "read:tenant_settings", "read:mfa_policies")
_PEOPLE = ("read:users", "read:authentication_methods")
# Publishing runs the policy for the people who must stay able to sign in, so it reads users and their factors.
_PUBLISH_ACTION = ("read:actions", "create:actions", "update:actions", *_MFA_SETTINGS, *_PEOPLE)
_OPTIONS = ("read:connections", "read:connections_options")
_PUBLISH_SCRIPTS = (*_OPTIONS, "update:connections", "update:connections_options")
_PROMOTION = Feature(("read:clients",), (*_READ_ALL, *_WRITE_ALL), by_one=True)

# Keys are permissions of portal.access, or parts of what one of them allows.
FEATURES: dict[str, Feature] = {
    "users.view": Feature(
        ("read:users",),
        ("read:authentication_methods", "read:logs", "read:sessions", "read:roles", "read:organizations"),
    ),
    "users.send_password_reset": Feature(("read:users",)),
    "users.create_reset_link": Feature(("read:users", "create:user_tickets")),
    "users.block": Feature(("read:users", "update:users")),
    "users.unblock": Feature(("read:users", "update:users")),
    "users.remove_mfa": Feature((*_PEOPLE, "delete:authentication_methods"), ("update:users",)),
    "users.clear_blocks": Feature(("read:users", "update:users")),
    "mfa.view": Feature(("read:actions",), _MFA_SETTINGS),
    "mfa.preview": Feature((*_PEOPLE, "read:actions", *_MFA_SETTINGS), permission="users.view"),
    "mfa.publish": Feature(_PUBLISH_ACTION, ("update:tenant_settings",)),
    "mfa.approve": Feature(_PUBLISH_ACTION, ("update:tenant_settings",)),
    "mfa.roll_back": Feature(_PUBLISH_ACTION, ("update:tenant_settings",)),
    "mfa.remove": Feature(("read:actions", "update:actions"), permission="mfa.publish"),
    "databases.view": Feature(("read:connections",), ("read:connections_options", "read:actions")),
    "databases.import": Feature(_OPTIONS, permission="databases.edit"),
    "databases.rehearse": Feature(
        (*_PUBLISH_SCRIPTS, "create:clients", "delete:clients"), permission="databases.test", local=True
    ),
    "databases.publish": Feature(_PUBLISH_SCRIPTS),
    "databases.approve": Feature(_PUBLISH_SCRIPTS),
    "snapshots.export": Feature(("read:clients",), _READ_ALL),
    "promotions.request": _PROMOTION,
    "promotions.approve": _PROMOTION,
    "promotions.apply": _PROMOTION,
    "promotions.roll_back": _PROMOTION,
    "account.change_password": Feature(("read:users",)),
}
# feature -> what it lets a person do, where that is less than its permission
PARTS: dict[str, str] = {
    "mfa.preview": "Preview an MFA policy for one user or all",
    "mfa.remove": "Take an MFA policy out of the login flow",
    "databases.import": "Take the scripts that are live into the working copy",
    "databases.rehearse": "Rehearse sign-ins with custom database scripts",
}
_APPROVED_ONLY = "The portal deletes only what an approved promotion names: grant it where promotions shall delete."
# scope -> why it is dangerous to grant; the portal never proposes to grant these
DANGEROUS: dict[str, str] = {f"delete:{name}": f"Deletes at once. {_APPROVED_ONLY}" for name in _DELETED.split()} | {
    "create:client_grants": "The application can grant itself, or any other, every scope. Needed only where client "
    "grants are promoted: prefer a separate application for that.",
    "update:client_grants": "As create:client_grants: the application can raise its own rights.",
    "read:user_idp_tokens": "Shows the access tokens that users have with Google and others. Never needed here.",
    "read:client_keys": "Shows the client secrets of all applications. The portal never asks for them.",
    "delete:users": "Deleted users can't be brought back. The portal never deletes users.",
    "delete:connections": f"Deletes a connection with all its users; a database, never. {_APPROVED_ONLY}",
    "delete:clients": f"Breaks an application at once. {_APPROVED_ONLY}",
    "create:signing_keys": "Rotates the keys that all applications trust.",
    "update:signing_keys": "Revokes the keys that all applications trust.",
}


def label(feature: str) -> str:
    """What it lets a person do, as the pages say it."""
    return PARTS.get(feature) or ACTS[feature]


def missing(feature: str, granted: Granted, also: Iterable[str] = ()) -> list[str]:
    """The scopes without which this feature does not work, in the table's order; empty where it does.

    `also`: what this very act needs besides, such as the kinds of objects that a promotion holds.
    """
    known = FEATURES[feature]
    return [s for s in dict.fromkeys((*known.needs, *also)) if granted.lacks(s, by_one=known.by_one)]


def reduced(feature: str, granted: Granted) -> list[str]:
    """The scopes whose absence leaves something out."""
    known = FEATURES[feature]
    return [s for s in known.improves if s not in known.needs and granted.lacks(s, by_one=known.by_one)]


def needed(*, local: bool = True) -> dict[str, list[str]]:
    """scope -> the features that want it; without those of local tenants where `local` is False."""
    wanted: dict[str, list[str]] = {}
    for name, feature in FEATURES.items():
        if local or not feature.local:
            for scope in dict.fromkeys((*feature.needs, *feature.improves)):
                wanted.setdefault(scope, []).append(name)
    return wanted
