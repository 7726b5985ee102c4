"""Rules that look at a connection as a whole: which scripts are there, its settings, its other tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from identity.databases.form import CONNECTION_NAME
from identity.databases.lint.findings import Connection, Finding

LARGEST_BYTES = 100_000
LARGE_BYTES = 50_000
LEGACY_ONLY = ("create", "change_password", "verify", "delete", "change_email")

Scripts = Mapping[str, str]
Facts = Mapping[str, Mapping[str, Any]]


def size(code: str) -> int:
    return len(code.encode("utf-8", "surrogatepass"))


def too_large(code: str) -> bool:
    return size(code) > LARGEST_BYTES


def check(scripts: Scripts, connection: Connection, facts: Facts) -> list[Finding]:
    """`facts` is what the plugin saw in each script: {"settings": [{name, line, column}], "fields": [...] or None,
    "open": whether it may read any setting}.
    """
    return [finding for rule in CHECKS for finding in rule(scripts, connection, facts)]


def missing_scripts(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    legacy = not connection.import_mode
    needs = (
        ("CDB01", True, ("login",)),
        ("CDB02", connection.import_mode, ("get_user",)),
        ("CDB03", legacy and connection.signup, ("create", "get_user")),
        ("CDB04", legacy and connection.password_change, ("change_password", "get_user")),
        ("CDB05", legacy and connection.verification_mails, ("verify",)),
        ("CDB06", legacy, ("delete",)),
        ("CDB07", legacy, ("change_email",)),
    )
    for rule, applies, names in needs:
        for name in names:
            if applies and name not in scripts:
                yield Finding.of(rule, f"The script {name} is missing.")


def dead_scripts(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    if connection.import_mode:
        for name in LEGACY_ONLY:
            if name in scripts:
                yield Finding.of("CDB08", f"With import mode Auth0 never runs {name}.", script=name)


def sizes(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    for name, code in scripts.items():
        kilobytes = f"{size(code) / 1000:.1f} kB"
        if too_large(code):
            yield Finding.of("CDB09", f"{name} has {kilobytes}; Auth0 takes 100 kB.", script=name)
        elif size(code) > LARGE_BYTES:
            yield Finding.of(
                "CDB09", f"{name} has {kilobytes}, half of what Auth0 takes.", level="warning", script=name
            )


def settings(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    if connection.configuration is None:
        return
    used = set()
    for name, seen in facts.items():
        for place in seen["settings"]:
            used.add(place["name"])
            if place["name"] not in connection.configuration:
                message = f"configuration.{place['name']} is read here and not set for this connection."
                yield Finding.of("CDB20", message, script=name, line=place["line"], column=place["column"])
    if any(seen["open"] for seen in facts.values()):
        return
    for unused in sorted(connection.configuration - used):
        yield Finding.of("CDB20", f"The setting {unused} is set and no script reads it.", level="warning")


def profiles(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    login, get_user = (facts.get(name, {}).get("fields") for name in ("login", "get_user"))
    if login is None or get_user is None:
        return
    for name, given, other in (("get_user", get_user, login), ("login", login, get_user)):
        if lacking := [one for one in other if one not in given]:
            yield Finding.of("CDB30", f"{name} leaves out {', '.join(lacking)}.", script=name)


def api_audience(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    if connection.api_audience is None or connection.actions is None:
        return
    denied = any(
        connection.api_audience in code and "resource_server" in code and "access.deny" in code
        for code in connection.actions
    )
    if not denied:
        yield Finding.of("CDB44", f"No post-login Action denies {connection.api_audience}.")


def name(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    if connection.name is not None and not CONNECTION_NAME.fullmatch(connection.name):
        yield Finding.of("CDB47", f"{connection.name[:60]!r} is no valid name of a connection.")


def brute_force(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    if connection.brute_force_protection is False:
        yield Finding.of("CDB48", "Brute-force protection is off for this connection.")


def other_tenants(scripts: Scripts, connection: Connection, facts: Facts) -> Iterator[Finding]:
    for tenant, others in connection.elsewhere.items():
        different = [one for one in sorted({*scripts, *others}) if scripts.get(one) != others.get(one)]
        if different:
            yield Finding.of("CDB51", f"In {tenant} these scripts are different: {', '.join(different)}.")


CHECKS: tuple[Callable[[Scripts, Connection, Facts], Iterator[Finding]], ...] = (
    missing_scripts,
    dead_scripts,
    sizes,
    settings,
    profiles,
    api_audience,
    name,
    brute_force,
    other_tenants,
)
