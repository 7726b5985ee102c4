"""Runs the scripts of a custom database connection, each at the moments that Auth0 runs it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from sandbox import passwords
from sandbox.login import configuration
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import records

TIMEOUT_SECONDS = 20.0
NOT_WRITTEN = (
    "Please implement the {} script for this database connection at https://manage.auth0.com/#/connections/database"
)
ON_EACH_LOGIN = "on_each_login"
_ROOT = (
    *("name", "nickname", "given_name", "family_name", "picture", "username", "email", "email_verified"),
    *("phone_number", "phone_verified"),
)


class ScriptError(Exception):
    """A script's own verdict.

    name: WrongUsernameOrPasswordError, ValidationError, UnauthorizedError, Error, or TimeoutError and the like where it
        gave none. code: of a ValidationError. identifier: what a WrongUsernameOrPasswordError named, or None.
    """

    def __init__(self, name: str, message: str, code: str | None = None, identifier: str | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code
        self.identifier = identifier


def is_custom(connection: Document) -> bool:
    return configuration.is_database(connection) and bool(
        configuration.option(connection, "enabledDatabaseCustomization")
    )


def imports(connection: Document) -> bool:
    """Whether users move to Auth0's store at their first login."""
    return is_custom(connection) and bool(configuration.option(connection, "import_mode"))


def is_legacy(connection: Document) -> bool:
    """Whether the external store stays the truth for every login."""
    return is_custom(connection) and not configuration.option(connection, "import_mode")


async def run(connection: Document, script: str, *arguments: Any, context: dict[str, Any] | None = None) -> Any:
    """The value that the script called back with. Raises ScriptError."""
    from runtime import scripts  # noqa: PLC0415 - only tenants with custom databases pay for it

    code = (configuration.option(connection, "customScripts") or {}).get(script)
    if not code:
        raise ScriptError("Error", NOT_WRITTEN.format(script))
    shown, plain = configuration.option(connection, "configuration") or {}, connection.get("_configuration") or {}
    values = {str(key): str(plain.get(key, value)) for key, value in shown.items()}
    if not configuration.option(connection, "enable_script_context"):
        context = None
    elif context is None:
        context = {}
    result = await scripts.arun(
        code,
        script=script,
        arguments=list(arguments),
        configuration=values,
        context=context,
        allow_hosts=tuple(hosts(values)),
        timeout_seconds=TIMEOUT_SECONDS,
    )
    if result.outcome == "success":
        return result.value
    error = result.error or {}
    raise ScriptError(
        error.get("name") or "Error", error.get("message") or "", error.get("code"), error.get("identifier") or None
    )


# The ports that drivers take where an address names none.
_PORTS = {
    **{"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306, "sqlserver": 1433, "mssql": 1433},
    **{"mongodb": 27017, "http": 80, "https": 443},
}
_ADO_SERVER = re.compile(r"(?i)(?:^|;)\s*(?:server|data source)\s*=\s*(?:tcp:)?([\w.-]+)(?:,\s*(\d+))?")


def hosts(values: dict[str, str]) -> list[str]:
    """The "host:port" names that a connection's configuration holds: the only ones that its scripts may reach.

    An address without scheme and port stands for the usual port of every kind of store.
    """
    return list(dict.fromkeys(name for value in values.values() for name in _names(value.strip())))


def _names(text: str) -> list[str]:
    if server := _ADO_SERVER.search(text):
        return [f"{server[1]}:{server[2] or 1433}"]
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return []
    if not host or not all(part for part in host.split(".")) or host.isdigit() or " " in text:
        return []
    ports = [port] if port else [_PORTS[parts.scheme]] if parts.scheme in _PORTS else dict.fromkeys(_PORTS.values())
    return [f"{host}:{one}" for one in ports]


async def login(
    tenant: Tenant, connection: Document, identifier: str, password: str, organization: Document | None = None
) -> Document:
    """Run `login` and bring the user's record up to date with the profile. Raises ScriptError."""
    profile = await run(connection, "login", identifier, password, context=_context(organization))
    return keep(tenant, connection, _checked(profile), password if imports(connection) else None)


async def find(tenant: Tenant, connection: Document, identifier: str) -> Document | None:
    """Run `get_user`; the record of the user it found, or None. Raises ScriptError."""
    profile = await run(connection, "get_user", identifier)
    if not profile:
        return None
    return keep(tenant, connection, _checked(profile), None)


def keep(tenant: Tenant, connection: Document, profile: dict[str, Any], password: str | None) -> Document:
    """Create or update the record of a user whom a script described; `password` is stored (hashed) when given."""
    user_id = f"auth0|{_local_id(profile)}"
    user = tenant.store.get("users", user_id)
    stored = passwords.hash(password) if password is not None else None
    if user is None:
        body = {**profile, "connection": connection["name"], "user_id": _local_id(profile)}
        body.pop("password", None)
        return records.create(tenant, body, password_hash=stored, check_password=False)
    changes = _root_changes(connection, user, profile)
    if stored is not None:
        changes["_password"] = stored
    return records.update(tenant, user_id, changes) if changes else user


def _root_changes(connection: Document, user: Document, profile: dict[str, Any]) -> dict[str, Any]:
    each_login = (configuration.option(connection, "set_user_root_attributes") or ON_EACH_LOGIN) == ON_EACH_LOGIN
    fields = _ROOT if each_login else ("email_verified", "phone_verified")
    return {f: profile[f] for f in fields if profile.get(f) is not None and profile[f] != user.get(f)}


def _checked(profile: Any) -> dict[str, Any]:
    if not isinstance(profile, dict):
        raise ScriptError("Error", "The script gave no user profile.")
    if not _local_id(profile):
        raise ScriptError("Error", "The profile has no user_id.")
    return profile


def _local_id(profile: dict[str, Any]) -> str:
    found = profile.get("user_id")
    return "" if found is None else str(found).removeprefix("auth0|")


def _context(organization: Document | None) -> dict[str, Any]:
    if organization is None:
        return {}
    shown = {name: organization.get(name) for name in ("id", "name", "display_name")}
    return {"organization": {**shown, "metadata": organization.get("metadata") or {}}}


async def change_password(connection: Document, identifier: str, new_password: str) -> bool:
    """Whether the external store changed it. Raises ScriptError."""
    return bool(await run(connection, "change_password", identifier, new_password))


async def verify(connection: Document, email: str) -> bool:
    return bool(await run(connection, "verify", email))
