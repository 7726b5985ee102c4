"""Forgotten passwords: the mail with a single-use link, and what the link does."""

from __future__ import annotations

from typing import Any

from starlette.responses import PlainTextResponse

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.login import attack_protection, clients, configuration, custom_database, emails, triggers
from sandbox.login.attack_protection import Target
from sandbox.login.attempts import Attempt
from sandbox.login.calls import Answer, Call, DatabaseConnectionError
from sandbox.login.credentials import name_of
from sandbox.login.custom_database import ScriptError
from sandbox.login.transient import limited
from sandbox.login.visitor import Visitor, visitor
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import mails, records

SENT = "We've just sent you an email to reset your password."


async def api(call: Call) -> Answer:
    """POST /dbconnections/change_password: the same answer whether or not the address is known."""
    email = str(call.parameters.get("email") or "").strip()
    if not email or len(email) > 320:
        raise DatabaseConnectionError(400, "invalid_request", "email is required")
    connection = configuration.connection_named(call.tenant, str(call.parameters.get("connection") or ""))
    if connection is None:
        raise DatabaseConnectionError(400, "invalid_request", "connection is required and has to exist")
    if not configuration.is_database(connection):
        raise DatabaseConnectionError(400, "invalid_connection", "the connection is not a database connection")
    client = clients.find(call.tenant, call.parameters.get("client_id")) or {}
    attempt = Attempt(call.tenant, client, connection, visitor(call))
    key = f"{attempt.visitor.ip} {email.lower()}"
    headers = limited(call.tenant, "change_password", key, burst=10, per_second=1 / 60)
    await request(attempt, email)
    return PlainTextResponse(SENT, headers={**headers, "Cache-Control": "no-store"})


async def request(attempt: Attempt, identifier: str) -> bool:
    """Mail a link to who is known by that identifier; False (and a log event) for who is not."""
    tenant, connection = attempt.tenant, attempt.connection
    user = await _find(attempt, identifier)
    if user is None or not user.get("email"):
        attempt.log(
            "fcpr",
            description="User does not exist." if user is None else "The user has no email.",
            user_name=identifier,
        )
        return False
    _spend_earlier(tenant, user["user_id"])
    ticket = mails.new_ticket(
        tenant,
        "change_password",
        user,
        connection=connection["name"],
        mailed=True,
        ttl_seconds=_lifetime_seconds(tenant),
        client_id=attempt.client.get("client_id"),
        mark_email_as_verified=True,
    )
    emails.deliver(tenant, "reset_email", user, ticket["url"])
    attempt.log(
        "scpr", description="Change password request email sent", user_id=user["user_id"], user_name=name_of(user)
    )
    return True


async def _find(attempt: Attempt, identifier: str) -> Document | None:
    """In a custom database the external store is asked, too."""
    tenant, connection = attempt.tenant, attempt.connection
    known = records.find_by_identifier(tenant, identifier, connection["name"])
    if not custom_database.is_custom(connection):
        return known
    try:
        return await custom_database.find(tenant, connection, identifier.lower()) or known
    except (ScriptError, ApiError) as problem:
        attempt.log("fcpr", description=str(problem), user_name=identifier)
        return known


def _spend_earlier(tenant: Tenant, user_id: str) -> None:
    """Only the newest mail's link works."""
    for ticket in tenant.store.find("tickets", user_id=user_id):
        if ticket["type"] == "change_password" and ticket.get("mailed") and not ticket["used"]:
            tenant.store.put("tickets", ticket["id"], {**ticket, "used": True})


def _lifetime_seconds(tenant: Tenant) -> int:
    template = tenant.store.get("email_templates", "reset_email") or {}
    return int(template.get("urlLifetimeInSeconds") or 0)


def usable_ticket(tenant: Tenant, id: object, type: str) -> Document | None:
    """The ticket, unless it is unknown, spent, expired, or its user is gone."""
    found = tenant.store.get("tickets", id) if isinstance(id, str) and id else None
    if found is None or found["type"] != type or found["used"] or found["expires_at"] <= tenant.now():
        return None
    return found if tenant.store.get("users", found["user_id"]) else None


def spend(tenant: Tenant, ticket: Document) -> None:
    tenant.store.put("tickets", ticket["id"], {**ticket, "used": True})


async def reset(tenant: Tenant, ticket: Document, password: str, at: Visitor) -> Document:
    """Set the new password, end the sessions, lift the blocks; the changed user. Raises ApiError, ScriptError."""
    user = records.get(tenant, ticket["user_id"])
    connection = records.connection_named(tenant, ticket["connection"])
    if custom_database.is_legacy(connection):
        await _reset_in_external_store(tenant, connection, user, password)
    else:
        records.set_password(tenant, user["user_id"], password, connection["name"])
    spend(tenant, ticket)
    if ticket.get("mark_email_as_verified") and not custom_database.is_legacy(connection):
        records.update(tenant, user["user_id"], {"email_verified": True})
    for identifier in filter(None, (user.get("email"), user.get("username"), user.get("phone_number"))):
        attack_protection.release(tenant, Target(identifier, at.ip, connection["name"]))
    logs.write(
        tenant,
        "scp",
        description="You can now login to the application with the new password.",
        user_id=user["user_id"],
        user_name=name_of(user),
        connection=connection["name"],
        connection_id=connection["id"],
        strategy="auth0",
        ip=at.ip,
        user_agent=at.user_agent,
        client_id=ticket.get("client_id"),
    )
    await triggers.run(tenant, "post-change-password", _event(user, connection, at))
    return records.get(tenant, user["user_id"])


async def _reset_in_external_store(tenant: Tenant, connection: Document, user: Document, password: str) -> None:
    identifier = user.get("email") or user.get("username") or user["user_id"].partition("|")[2]
    if not await custom_database.change_password(connection, identifier, password):
        raise ScriptError("Error", "The password was not changed.")
    records.update(tenant, user["user_id"], {"last_password_reset": tenant.timestamp()})
    records.end_sessions(tenant, user["user_id"], "password-changed")


def _event(user: Document, connection: Document, at: Visitor) -> dict[str, Any]:
    shown = {key: value for key, value in user.items() if not key.startswith("_")}
    return {
        "user": shown,
        "connection": {key: connection[key] for key in ("id", "name", "strategy")},
        "request": triggers.request_of(at),
    }
