"""/tickets: links that change a password or verify an address, handed over by whoever asked for them."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, operation
from sandbox.store import Document
from sandbox.users import mails, records


@operation("POST", "/tickets/password-change")
def password_change(call: Call) -> dict[str, Any]:
    body = call.body or {}
    _check_options(call, body)
    user = _user(call, body)
    connection = _database(call, user, body)
    ticket = mails.new_ticket(
        call.tenant,
        "change_password",
        user,
        connection=connection["name"],
        ttl_seconds=_ttl(body),
        mark_email_as_verified=body.get("mark_email_as_verified", False),
        **_common(body),
    )
    return {"ticket": ticket["url"]}


@operation("POST", "/tickets/email-verification")
def email_verification(call: Call) -> dict[str, Any]:
    body = call.body or {}
    _check_options(call, body)
    if not body.get("user_id"):
        raise ApiError(400, "Payload validation error: 'Missing required property: user_id'.", "invalid_body")
    user = records.get(call.tenant, body["user_id"])
    if not user.get("email"):
        raise ApiError(400, "The user does not have an email address.", "operation_not_supported")
    ticket = mails.new_ticket(call.tenant, "email_verification", user, ttl_seconds=_ttl(body), **_common(body))
    return {"ticket": ticket["url"]}


def _check_options(call: Call, body: Document) -> None:
    if body.get("result_url") and (body.get("client_id") or body.get("organization_id")):
        raise ApiError(400, "Cannot use result_url together with client_id or organization_id.", "invalid_body")
    if body.get("client_id") and call.store.get("clients", body["client_id"]) is None:
        raise ApiError(404, "The client does not exist.", "inexistent_client")
    if body.get("organization_id") and call.store.get("organizations", body["organization_id"]) is None:
        raise ApiError(404, "No organization found by that id or name", "inexistent_organization")


def _ttl(body: Document) -> int:
    ttl = body.get("ttl_sec", 0)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 0:
        raise ApiError(400, "Payload validation error: 'Expected type integer' on property ttl_sec.", "invalid_body")
    return ttl


def _common(body: Document) -> dict[str, Any]:
    names = ("result_url", "client_id", "organization_id", "includeEmailInRedirect", "identity")
    return {name: body[name] for name in names if body.get(name) is not None}


def _user(call: Call, body: Document) -> Document:
    """By user_id, or by email in a connection."""
    if body.get("user_id"):
        if body.get("email"):
            raise ApiError(400, "Send user_id, or email together with connection_id, not both.", "invalid_body")
        return records.get(call.tenant, body["user_id"])
    if not body.get("email") or not body.get("connection_id"):
        raise ApiError(400, "Either user_id, or email and connection_id, must be specified.", "invalid_body")
    connection = call.store.get("connections", body["connection_id"])
    if connection is None:
        raise ApiError(404, "The connection does not exist", "inexistent_connection")
    found = records.find_by_email(call.tenant, str(body["email"]).lower(), connection["name"])
    if not found:
        raise ApiError(404, "The user does not exist.", "inexistent_user")
    return found[0]


def _database(call: Call, user: Document, body: Document) -> Document:
    """The user's database connection: the wanted one, else the first."""
    for identity in user["identities"]:
        connection = call.store.first("connections", name=identity["connection"])
        if connection is None or connection["strategy"] != "auth0":
            continue
        if body.get("connection_id") in (None, connection["id"]):
            return connection
    raise ApiError(400, "The user does not have a database identity: no password to change.", "operation_not_supported")
