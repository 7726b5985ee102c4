"""What would go wrong if a plan were applied: each finding says why, and what to do. Pure.

An analyser is a function of (item, circumstances) that yields findings; ANALYSERS lists them all. An error keeps the
plan from being requested, a warning asks for a look, a note is good to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from deployments import fields, plan
from deployments.kinds import KINDS
from deployments.plan import CREATE, DELETE, UPDATE, Item

ERROR, WARNING, NOTE = "error", "warning", "info"
_RANK = {ERROR: 0, WARNING: 1, NOTE: 2}
_URL = re.compile(r"https?://[^\s\"'<>`]+")
_LOCAL = re.compile(r"^(localhost|127\.|0\.0\.0\.0|\[::1\]|.*\.(local|test|localhost)$)")
_DEVELOPMENT = re.compile(r"(^|[.-])(dev|develop|development|test|testing|qa|staging|stage|sandbox|uat)\d*([.-]|$)")
_OLD_RUNTIMES = ("node8", "node10", "node12", "node16")
_WEAK_GRANTS = ("implicit", "password", "http://auth0.com/oauth/grant-type/password-realm")
_ADDRESSES = ("callbacks", "allowed_logout_urls", "web_origins", "allowed_origins")


@dataclass(frozen=True)
class Finding:
    severity: str
    code: str
    item: str
    text: str
    advice: str
    path: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What the analysers need to know beside the plan. `source_ids` are {id: what it is} of the source tenant."""

    target: plan.Content
    stage: str = "development"
    source_domain: str = ""
    source_ids: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    portal_client_id: str = ""
    given_secrets: frozenset[str] = frozenset()
    items: tuple[Item, ...] = ()


def analyse(items: list[Item], circumstances: Circumstances) -> list[Finding]:
    """All findings of a plan, the worst first."""
    known = Circumstances(**{**vars(circumstances), "items": tuple(items)})
    found = [*_references(items, known), *_unreadable(items, known)]
    for item in items:
        for analyser in ANALYSERS:
            found += analyser(item, known)
    return sorted(dict.fromkeys(found), key=lambda finding: (_RANK[finding.severity], finding.item))


def _references(items: list[Item], known: Circumstances) -> Iterator[Finding]:
    for item, kind, name in plan.unresolved(items, known.target):
        label = KINDS[kind].label
        yield Finding(
            ERROR, "missing-reference", item.key, f"It refers to {label} “{name}”, which the target does not have.",
            f"Pick “{name}” too (“Add what it needs”), or keep the target's value of this field.",
        )  # fmt: skip


def _unreadable(items: list[Item], known: Circumstances) -> Iterator[Finding]:
    for kind in sorted({item.kind for item in items} & known.unreadable.keys()):
        yield Finding(ERROR, "unreadable", "", f"{KINDS[kind].label} could not be read whole: {known.unreadable[kind]}.",
                      "Mend the reason, and export again.")  # fmt: skip


def _markers(item: Item, known: Circumstances) -> Iterator[Finding]:
    for path, value in fields.leaves(item.after):
        found = fields.PLACEHOLDER.search(value) if isinstance(value, str) else None
        if found and not plan.is_secret_path(item.kind, path):
            name = found.group().strip("#@")
            yield Finding(ERROR, "marker", item.key, f"The text {found.group()} would be written as it stands.",
                          f"Give the target tenant a variable {name}, or put the value into the source.", path)  # fmt: skip


def _secrets(item: Item, known: Circumstances) -> Iterator[Finding]:
    for path in plan.secrets_needed(item):
        if f"{item.key}|{path}" not in known.given_secrets:
            yield Finding(ERROR, "secret-needed", item.key, f"The target has no value for the secret {fields.label(path)}.",
                          "Secrets are never copied between tenants: enter the target's own value.", path)  # fmt: skip
    if item.kind == "databases" and item.action == CREATE and fields.get(item.after, "options/customScripts"):
        yield Finding(WARNING, "configuration", item.key, "Values that the database scripts read from `configuration` are not exported.",
                      "Set them in the target before the first sign-in, or every script call fails.")  # fmt: skip


def _addresses(item: Item, known: Circumstances) -> Iterator[Finding]:
    """Only what the plan changes: an address that the target has already is not this plan's doing."""
    before = {value for _, value in fields.leaves(item.before) if isinstance(value, str)}
    for path, value in fields.leaves(item.after):
        if isinstance(value, str) and value not in before and not path.endswith(("code", "script")):
            yield from _address(item, path, value, known)


def _address(item: Item, path: str, value: str, known: Circumstances) -> Iterator[Finding]:
    advice = "Give both tenants a variable for it, so that it is replaced, or keep the target's value of this field."
    for url in _URL.findall(value):
        host = urlsplit(url).hostname or ""
        if known.source_domain and urlsplit(url).netloc == known.source_domain:
            yield Finding(
                WARNING, "source-domain", item.key, f"{url} is an address of the source tenant.", advice, path
            )
        elif known.stage == "production" and (_LOCAL.match(host) or _DEVELOPMENT.search(host)):
            yield Finding(
                WARNING,
                "development-address",
                item.key,
                f"{url} looks like development, and the target is production.",
                advice,
                path,
            )
        elif url.startswith("http://") and not _LOCAL.match(host) and path.split("/")[0] in _ADDRESSES:
            yield Finding(
                WARNING,
                "plain-http",
                item.key,
                f"{url} is not HTTPS: tokens would travel in clear.",
                "Use https.",
                path,
            )
        if "*" in host and path.split("/")[0] == "callbacks":
            yield Finding(WARNING, "wildcard", item.key, f"{url} accepts any subdomain.", "Name each address.", path)


def _source_ids(item: Item, known: Circumstances) -> Iterator[Finding]:
    text = fields.canonical(item.after) if item.after is not None else ""
    for id_, what in known.source_ids.items():
        if len(id_) >= 12 and id_ in text:
            yield Finding(WARNING, "source-id", item.key, f"It holds {id_}, the id of {what} in the source tenant.",
                          "Ids differ between tenants: use a name, client metadata, or a variable.")  # fmt: skip


def _actions(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "actions" or item.after is None:
        return
    bound = {b.get("action_name") for bindings in _after(known, "triggers").values() for b in bindings or []}
    if item.name not in bound and "triggers" in known.target:
        yield Finding(WARNING, "not-bound", item.key, "No trigger of the target runs this Action, so it would do nothing.",
                      "Pick its binding (Action bindings) too.")  # fmt: skip
    if not item.after.get("deployed"):
        yield Finding(WARNING, "not-deployed", item.key, "The source has not deployed this Action: its draft would be written.",
                      "Deploy it in the source, try it there, and export again.")  # fmt: skip
    if item.after.get("runtime") in _OLD_RUNTIMES:
        yield Finding(WARNING, "old-runtime", item.key, f"It runs on {item.after['runtime']}, which Auth0 no longer supports.",
                      "Move it to node22 in the source.")  # fmt: skip
    for dependency in item.after.get("dependencies") or []:
        if dependency.get("version") in ("latest", "", None):
            yield Finding(WARNING, "loose-dependency", item.key, f"{dependency.get('name')} has no fixed version.",
                          "Name the version, so that both tenants run the same code.")  # fmt: skip


def _bindings(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "triggers":
        return
    before = {b.get("action_name") for b in item.before or []}
    dropped = sorted(before - {b.get("action_name") for b in item.after or []})
    if dropped:
        yield Finding(WARNING, "unbinds", item.key, f"The target's own Actions would stop running: {', '.join(dropped)}.",
                      "Leave “exactly the source's bindings” off to keep them.")  # fmt: skip
    if item.own:
        yield Finding(NOTE, "keeps-own", item.key, f"Actions that only the target has stay bound: {', '.join(item.own)}.",
                      "Check that the order is right: each Action sees what the ones before it did.")  # fmt: skip
    for name in (b.get("action_name") for b in item.after or []):
        action = _after(known, "actions").get(name)
        if action is not None and not action.get("deployed"):
            yield Finding(ERROR, "bound-not-deployed", item.key, f"“{name}” is bound but not deployed in the target.",
                          "Pick the deployed Action too.")  # fmt: skip


def _deletions(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.action != DELETE:
        return
    danger = {
        "connections": "Users of this connection can no longer sign in, and their accounts go with it.",
        "clients": "Everybody who uses this application is locked out, and its client id is lost for good.",
        "resourceServers": "Tokens for this API are no longer issued; grants and permissions go with it.",
        "organizations": "Its memberships, invitations and connections go with it.",
        "roles": "Everybody loses this role, and no export holds who had it.",
        "actions": "Its versions and secrets go with it.",
    }.get(item.kind, "It can't be brought back with the same id.")
    yield Finding(WARNING, "deletes", item.key, danger, "Delete only what nothing uses any more.")


def _applications(item: Item, known: Circumstances) -> Iterator[Finding]:
    if item.kind != "clients" or item.after is None:
        return
    if item.action == CREATE:
        yield Finding(NOTE, "new-secret", item.key, "The target gives it a client id and a secret of its own.",
                      "Hand them to the application once this is applied.")  # fmt: skip
        if item.after.get("client_authentication_methods"):
            yield Finding(
                WARNING, "credentials", item.key, "Its public keys are not promoted.", "Register the target's own key."
            )
    if item.action == UPDATE:
        yield from _removed_addresses(item)
    if item.name == "Castellan" and item.action == UPDATE:
        yield Finding(WARNING, "own-application", item.key, "This looks like the application by which people sign in here.",
                      "Make sure that its callback stays, or nobody can sign in to approve the way back.")  # fmt: skip
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
        if change.path in _ADDRESSES and isinstance(change.before, list):
            gone[change.label] = [str(url) for url in change.before if url not in (change.after or [])]
    lost = "; ".join(f"{label} loses {', '.join(urls)}" for label, urls in gone.items() if urls)
    if lost:
        advice = "Sign-in from there fails at once. Keep the target's values if they are still used, or give both tenants a variable."
        yield Finding(WARNING, "removes-address", item.key, f"{lost}.", advice)


def _protection(item: Item, known: Circumstances) -> Iterator[Finding]:
    """Switches that make sign-in weaker."""
    for change in item.changes:
        if change.before is True and change.after is False and (item.kind in ("guardianFactors", "attackProtection")):
            yield Finding(WARNING, "turns-off", item.key, f"{change.label} is turned off.",
                          "Users who rely on it are locked out, or attacks are no longer stopped.", change.path)  # fmt: skip
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
        yield Finding(WARNING, "import-ends", item.key, "Import mode is turned off: users who have not moved yet can no longer sign in.",
                      "Check how many are left in the old store.")  # fmt: skip


def _tenant(item: Item, known: Circumstances) -> Iterator[Finding]:
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


ANALYSERS: tuple[Callable[[Item, Circumstances], Iterator[Finding]], ...] = (
    _markers, _secrets, _addresses, _source_ids, _actions, _bindings, _deletions, _applications, _protection, _tenant,
)  # fmt: skip


def _after(known: Circumstances, kind: str) -> dict[str, Any]:
    """The kind's objects in the target once the plan is applied."""
    return plan.applied({kind: known.target.get(kind, {})}, [i for i in known.items if i.kind == kind]).get(kind, {})


def _list(thing: Any, key: str) -> list[Any]:
    value = fields.get(thing, key)
    return value if isinstance(value, list) else [value] if value else []
