"""Which scopes of the Management API each feature of the portal needs: the one table, for pages, doctor and docs.

Apps that work their scopes out from tables of their own add features to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """Off without `needs`; without `improves` something is left out of the page or the snapshot, and said so there.

    Where nothing is needed always, such as for a promotion, each of `improves` makes a part of it possible.
    """

    needs: tuple[str, ...]
    improves: tuple[str, ...] = ()
    # The permission that lets a person use it, where the feature is a part of what that permission allows.
    permission: str = ""
    # The Deploy CLI reads and writes with one token: that of the application that writes.
    by_one: bool = False
    # Of local tenants alone: elsewhere nobody should grant for it.
    local: bool = False


_MFA_SETTINGS = ("read:guardian_factors", "read:tenant_settings", "read:mfa_policies")
_PEOPLE = ("read:users", "read:authentication_methods")
# Publishing runs the policy for the people who must stay able to sign in, so it reads users and their factors.
_PUBLISH_ACTION = ("read:actions", "create:actions", "update:actions", *_MFA_SETTINGS, *_PEOPLE)
_OPTIONS = ("read:connections", "read:connections_options")
_PUBLISH_SCRIPTS = (*_OPTIONS, "update:connections", "update:connections_options")

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
    "account.change_password": Feature(("read:users",)),
}
# feature -> what it lets a person do, where that is less than its permission
PARTS: dict[str, str] = {
    "mfa.preview": "Preview an MFA policy for one user or all",
    "mfa.remove": "Take an MFA policy out of the login flow",
    "databases.import": "Take the scripts that are live into the working copy",
    "databases.rehearse": "Rehearse sign-ins with custom database scripts",
}
# scope -> why it is dangerous to grant; the portal never proposes to grant these
DANGEROUS: dict[str, str] = {
    "create:client_grants": "The application can grant itself, or any other, every scope. Needed only where client "
    "grants are promoted: prefer a separate application for that.",
    "update:client_grants": "As create:client_grants: the application can raise its own rights.",
    "read:user_idp_tokens": "Shows the access tokens that users have with Google and others. Never needed here.",
    "read:client_keys": "Shows the client secrets of all applications. The portal never asks for them.",
    "update:client_keys": "Changes the client secrets of all applications. Never needed here.",
    "create:client_credentials": "Registers keys with any application: who holds one signs in as it. Never needed "
    "here.",
    "delete:users": "Deleted users can't be brought back. The portal never deletes users.",
    "create:signing_keys": "Rotates the keys that all applications trust.",
    "update:signing_keys": "Revokes the keys that all applications trust.",
}


def add(features: Mapping[str, Feature], dangerous: Mapping[str, str]) -> None:
    """Features of an app, and which scopes are dangerous to grant for them."""
    FEATURES.update(features)
    DANGEROUS.update(dangerous)


def label(feature: str) -> str:
    """What it lets a person do, as the pages say it."""
    return PARTS.get(feature) or ACTS[feature]


def missing(feature: str, granted: Granted, also: Iterable[str] = ()) -> list[str]:
    """The scopes without which this feature does not work, in the table's order; empty where it does.

    `also`: what this very act needs besides, such as the kinds of objects that a promotion holds.
    """
    known, also = FEATURES[feature], tuple(also)
    # A feature of which nothing would be left is off.
    needs = known.needs or (() if also or granted.all & {*known.improves} else known.improves)
    return [s for s in dict.fromkeys((*needs, *also)) if granted.lacks(s, by_one=known.by_one)]


def reduced(feature: str, granted: Granted) -> list[str]:
    """The scopes whose absence leaves something out."""
    known, off = FEATURES[feature], missing(feature, granted)
    return [s for s in known.improves if s not in off and granted.lacks(s, by_one=known.by_one)]


def needed(*, local: bool = True) -> dict[str, list[str]]:
    """scope -> the features that want it; without those of local tenants where `local` is False."""
    wanted: dict[str, list[str]] = {}
    for name, feature in FEATURES.items():
        if local or not feature.local:
            for scope in dict.fromkeys((*feature.needs, *feature.improves)):
                wanted.setdefault(scope, []).append(name)
    return wanted
