"""Making an account: POST /dbconnections/signup and the sign-up page do the same."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.login import clients, configuration, triggers
from sandbox.login.attempts import Attempt
from sandbox.login.calls import Answer, Call, DatabaseConnectionError
from sandbox.login.visitor import visitor
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import external, mails, records

_PROFILE = ("given_name", "family_name", "name", "nickname", "picture", "username", "phone_number")
_POLICIES = {
    "PasswordStrengthError": ("PasswordStrengthError", "invalid_password", "Password is too weak"),
    "PasswordTooLong": ("PasswordStrengthError", "invalid_password", "Password is too long"),
    "PasswordDictionaryError": ("PasswordDictionaryError", "password_dictionary_error", "Password is too common"),
    "PasswordNoUserInfoError": (
        "PasswordNoUserInfoError",
        "password_no_user_info_error",
        "Password contains user information",
    ),
    "PasswordHistoryError": ("PasswordHistoryError", "password_history_error", "Password has previously been used"),
}


async def api(call: Call) -> Answer:
    """POST /dbconnections/signup."""
    client = clients.find(call.tenant, call.parameters.get("client_id"))
    if client is None:
        raise DatabaseConnectionError(400, "invalid_client", "The client_id is missing or unknown")
    connection = configuration.connection_named(call.tenant, str(call.parameters.get("connection") or ""))
    if connection is None or not _usable(call.tenant, client, connection):
        raise DatabaseConnectionError(400, "invalid_connection", "The connection is missing, unknown or not enabled")
    user = await create(Attempt(call.tenant, client, connection, visitor(call)), _wanted(call.parameters))
    shown = ("email", "email_verified", "username", "phone_number", "given_name", "family_name", "name", "nickname")
    answer = {key: user[key] for key in (*shown, "picture", "user_metadata") if user.get(key) is not None}
    return {"_id": user["user_id"].partition("|")[2], **answer}


def _usable(tenant: Tenant, client: Document, connection: Document) -> bool:
    enabled = configuration.enabled_connections(tenant, client)
    return configuration.is_database(connection) and any(c["id"] == connection["id"] for c in enabled)


def _wanted(parameters: dict[str, Any]) -> dict[str, Any]:
    """The checked fields of a sign-up. Raises DatabaseConnectionError 400."""
    wanted = {key: parameters[key] for key in ("email", "password", *_PROFILE) if parameters.get(key) is not None}
    for key, value in wanted.items():
        if not isinstance(value, str) or len(value) > 2048:
            raise DatabaseConnectionError(400, "invalid_request", f"{key} must be a string")
    metadata = parameters.get("user_metadata")
    if metadata is not None:
        if not _metadata_fits(metadata):
            raise DatabaseConnectionError(
                400, "invalid_request", "user_metadata: at most 10 keys of 100 characters, values of 500"
            )
        wanted["user_metadata"] = metadata
    return wanted


def _metadata_fits(metadata: Any) -> bool:
    if not isinstance(metadata, dict) or len(metadata) > 10:
        return False
    return all(len(k) <= 100 and (not isinstance(v, str) or len(v) <= 500) for k, v in metadata.items())


async def create(attempt: Attempt, wanted: dict[str, Any]) -> Document:
    """The new user; a verification mail is on its way. Raises DatabaseConnectionError."""
    tenant, connection = attempt.tenant, attempt.connection
    try:
        _check(connection, wanted)
        wanted = await _registered(attempt, wanted)
        user = await external.create(tenant, connection, {**wanted, "connection": connection["name"]})
    except ApiError as problem:
        attempt.log("fs", description=str(problem), user_name=_name(wanted))
        raise _refusal(tenant, problem) from None
    except DatabaseConnectionError as problem:
        attempt.log("fs", description=str(problem.body["description"]), user_name=_name(wanted))
        raise
    attempt.log("ss", user_id=user["user_id"], user_name=_name(user))
    if user.get("email") and not user.get("email_verified"):
        mails.send_verification(tenant, user, client_id=attempt.client.get("client_id"))
    await triggers.run(tenant, "post-user-registration", _event(attempt, user))
    return records.get(tenant, user["user_id"])


def _check(connection: Document, wanted: dict[str, Any]) -> None:
    if configuration.option(connection, "disable_signup"):
        raise DatabaseConnectionError(400, "public_signup_disabled", "public signup is disabled")
    if not wanted.get("password"):
        raise DatabaseConnectionError(400, "invalid_request", "password is required")
    email = wanted.get("email", "")
    local, _, domain = email.rpartition("@")
    if email and not (local and "." in domain.strip(".") and not any(c.isspace() for c in email)):
        raise DatabaseConnectionError(400, "invalid_request", "email is not valid")
    if not email and not wanted.get("username") and not wanted.get("phone_number"):
        raise DatabaseConnectionError(400, "invalid_request", "email is required")
    if configuration.option(connection, "requires_username") and not wanted.get("username"):
        raise DatabaseConnectionError(400, "invalid_request", "username is required")


async def _registered(attempt: Attempt, wanted: dict[str, Any]) -> dict[str, Any]:
    """After the pre-user-registration Actions: they may refuse, and add metadata."""
    effects = await triggers.run(attempt.tenant, "pre-user-registration", _event(attempt, wanted))
    if effects.denied:
        raise DatabaseConnectionError(400, "extensibility_error", effects.denied_message or effects.denied[1])
    for name in ("user_metadata", "app_metadata"):
        added = getattr(effects, name)
        if added:
            wanted = {**wanted, name: records.merge_metadata(wanted.get(name), added)}
    return wanted


def _event(attempt: Attempt, user: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in user.items() if key != "password" and not key.startswith("_")}
    connection = {key: attempt.connection[key] for key in ("id", "name", "strategy")}
    return {
        "user": {"app_metadata": {}, "user_metadata": {}, **shown},
        "client": triggers.client_of(attempt.client),
        "connection": {**connection, "metadata": attempt.connection.get("metadata") or {}},
        "request": triggers.request_of(attempt.visitor),
        "transaction": {"metadata": {}},
    }


def _name(user: dict[str, Any]) -> str:
    return str(user.get("email") or user.get("username") or user.get("phone_number") or "")


def _refusal(tenant: Tenant, problem: ApiError) -> DatabaseConnectionError:
    if problem.status == 409:
        if configuration.flag(tenant, "enable_public_signup_user_exists_error"):
            return DatabaseConnectionError(400, "user_exists", "The user already exists.")
        return DatabaseConnectionError(400, "invalid_signup", "Invalid sign up")
    return password_refusal(str(problem)) or DatabaseConnectionError(problem.status, "invalid_signup", str(problem))


def password_refusal(text: str) -> DatabaseConnectionError | None:
    """For a message such as "PasswordStrengthError: Password is too weak"."""
    found = _POLICIES.get(text.partition(":")[0])
    if found is None:
        return None
    name, code, message = found
    return DatabaseConnectionError(400, code, message, name=name, message=message)
