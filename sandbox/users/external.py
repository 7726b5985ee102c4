"""Writes that a custom database must hear of: the scripts that Auth0 runs for create, change and delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import records


def is_custom(connection: Mapping[str, Any]) -> bool:
    return bool((connection.get("options") or {}).get("enabledDatabaseCustomization"))


def is_legacy(connection: Mapping[str, Any]) -> bool:
    """The external store stays the truth (import_mode off)."""
    return is_custom(connection) and not (connection.get("options") or {}).get("import_mode")


async def create(tenant: Tenant, connection: Document, body: Mapping[str, Any]) -> Document:
    """The new record; in a custom database get_user must not know the user, then `create` runs (legacy only)."""
    if is_custom(connection) and _script(connection, "get_user") and await _run(connection, "get_user", _name(body)):
        raise records.duplicate()
    if not is_legacy(connection):
        return records.create(tenant, body)
    sent = {k: v for k, v in body.items() if k not in ("connection", "verify_email", "email_verified")}
    await _run(connection, "create", {**sent, "tenant": tenant.name, "connection": connection["name"]})
    profile = await _run(connection, "get_user", _name(body)) if _script(connection, "get_user") else None
    described = {**body, **(profile if isinstance(profile, dict) else {})}
    described |= {"connection": connection["name"], "user_id": _local_id(described, body)}
    described.pop("password", None)
    return records.create(tenant, described)


def _local_id(described: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
    found = described.get("user_id") or body.get("user_id")
    return str(found).removeprefix("auth0|") if found else None


def _name(body: Mapping[str, Any]) -> str:
    return str(body.get("email") or body.get("username") or body.get("phone_number") or "").lower()


async def change_password(tenant: Tenant, connection: Document, user: Document, password: str) -> None:
    if is_legacy(connection):
        if not await _run(connection, "change_password", _name(user), password):
            raise ApiError(400, "The password was not changed.", "operation_not_supported")
        now = tenant.timestamp()
        records.update(tenant, user["user_id"], {"last_password_reset": now})
        records.end_sessions(tenant, user["user_id"], "password-changed")
    else:
        records.set_password(tenant, user["user_id"], password, connection["name"])
    logs.write(
        tenant,
        "scp",
        user_id=user["user_id"],
        user_name=_name(user),
        connection=connection["name"],
        connection_id=connection["id"],
        description="Password changed by an administrator",
    )


async def change_email(tenant: Tenant, connection: Document, old: str, new: str, verified: bool) -> None:
    if is_legacy(connection) and not await _run(connection, "change_email", old, new, verified):
        raise ApiError(400, "The email was not changed.", "operation_not_supported")


async def delete(tenant: Tenant, user: Document) -> None:
    """Run `delete` for each identity in a legacy custom database."""
    for identity in user["identities"]:
        connection = tenant.store.first("connections", name=identity["connection"])
        if connection is not None and is_legacy(connection) and _script(connection, "delete"):
            await _run(connection, "delete", identity["user_id"])


def _script(connection: Mapping[str, Any], name: str) -> str | None:
    return ((connection.get("options") or {}).get("customScripts") or {}).get(name)


async def _run(connection: Document, script: str, *arguments: Any) -> Any:
    """What the script called back with. Raises ApiError with the script's message, 409 for user_exists."""
    from sandbox.login import custom_database

    try:
        return await custom_database.run(connection, script, *arguments)
    except custom_database.ScriptError as problem:
        if problem.code == "user_exists":
            raise records.duplicate() from None
        raise ApiError(400, str(problem) or problem.name, "auth0_idp_error") from None
