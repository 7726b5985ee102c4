"""Texts that mean something else in another tenant: markers, secrets, addresses, ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from deployments import fields, plan
from deployments.findings import ERROR, WARNING, Circumstances, Finding
from deployments.plan import CREATE, Item

_URL = re.compile(r"https?://[^\s\"'<>`]+")
_LOCAL = re.compile(r"^(localhost|127\.|0\.0\.0\.0|\[::1\]|.*\.(local|test|localhost)$)")
_DEVELOPMENT = re.compile(r"(^|[.-])(dev|develop|development|test|testing|qa|staging|stage|sandbox|uat)\d*([.-]|$)")
ADDRESSES = ("callbacks", "allowed_logout_urls", "web_origins", "allowed_origins")


def markers(item: Item, known: Circumstances) -> Iterator[Finding]:
    for path, value in fields.leaves(item.after):
        found = fields.PLACEHOLDER.search(value) if isinstance(value, str) else None
        if found and not plan.is_secret_path(item.kind, path):
            name = found.group().strip("#@")
            yield Finding(
                ERROR,
                "marker",
                item.key,
                f"The text {found.group()} would be written as it stands.",
                f"Give the target tenant a variable {name}, or put the value into the source.",
                path,
            )


def secrets(item: Item, known: Circumstances) -> Iterator[Finding]:
    for path in plan.secrets_needed(item):
        if f"{item.key}|{path}" not in known.given_secrets:
            yield Finding(
                ERROR,
                "secret-needed",
                item.key,
                f"The target has no value for the secret {fields.label(path)}.",
                "Secrets are never copied between tenants: enter the target's own value.",
                path,
            )
    if item.kind == "databases" and item.action == CREATE and fields.get(item.after, "options/customScripts"):
        yield Finding(
            WARNING,
            "configuration",
            item.key,
            "Values that the database scripts read from `configuration` are not exported.",
            "Set them in the target before the first sign-in, or every script call fails.",
        )


def addresses(item: Item, known: Circumstances) -> Iterator[Finding]:
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
        elif url.startswith("http://") and not _LOCAL.match(host) and path.split("/")[0] in ADDRESSES:
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


def source_ids(item: Item, known: Circumstances) -> Iterator[Finding]:
    text = fields.canonical(item.after) if item.after is not None else ""
    for id_, what in known.source_ids.items():
        if len(id_) >= 12 and id_ in text:
            yield Finding(
                WARNING,
                "source-id",
                item.key,
                f"It holds {id_}, the id of {what} in the source tenant.",
                "Ids differ between tenants: use a name, client metadata, or a variable.",
            )
