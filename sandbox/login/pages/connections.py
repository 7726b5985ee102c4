"""Sign-in at another identity provider (the sandbox stands in for it), and by a code in place of a password."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.errors import ApiError
from sandbox.login import flow, organizations, passwordless_login
from sandbox.login.attempts import Attempt, SignInRefused
from sandbox.login.credentials import refuse_blocked
from sandbox.login.replies import to_page
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.store import Document
from sandbox.users import records

_MOST_SHOWN = 4


async def upstream(visit: Visit) -> Response:
    """/u/login/connection: which account of that provider signs in?"""
    connection = _chosen(visit)
    if connection is None:
        return to_page(visit.transaction, flow.login_path(visit.call.tenant))
    if not visit.posted:
        return _show(visit, connection)
    email = visit.typed("email").strip().lower()
    if "@" not in email.strip("@"):
        return _show(visit, connection, "Please enter a valid email address")
    try:
        user = _user(visit, connection, email)
        refuse_blocked(_attempt(visit, connection), user)
    except SignInRefused as refused:
        return _show(visit, connection, refused.page_text)
    except ApiError as problem:
        return _show(visit, connection, str(problem))
    return await flow.signed_in(visit.transaction, visit.call, user, connection, "federated")


def _chosen(visit: Visit) -> Document | None:
    name = visit.call.request.query_params.get("connection") or visit.typed("connection")
    found = organizations.connections_of(visit.transaction)
    return next((c for c in found if c["name"] == name and c["strategy"] != "auth0"), None)


def _user(visit: Visit, connection: Document, email: str) -> Document:
    """Social and enterprise users get their record at the first sign-in."""
    tenant = visit.call.tenant
    found = records.find_by_email(tenant, email, connection["name"])
    if found:
        return found[0]
    body: dict[str, Any] = {"connection": connection["name"], "email": email, "email_verified": True}
    return records.create(tenant, {**body, "name": visit.typed("name").strip() or email.partition("@")[0]})


def _attempt(visit: Visit, connection: Document) -> Attempt:
    return Attempt(visit.call.tenant, visit.transaction.client, connection, visitor(visit.call))


def _show(visit: Visit, connection: Document, error: str = "") -> Response:
    known: list[str] = []
    for user in visit.call.tenant.store.all("users"):
        if len(known) < _MOST_SHOWN and user.get("email") and _first_connection(user) == connection["name"]:
            known.append(user["email"])
    return visit.render(
        "connection",
        400 if error else 200,
        connection=connection["name"],
        provider=connection.get("display_name") or connection["name"],
        known=known,
        error=error,
    )


def _first_connection(user: Document) -> str:
    return str(user["identities"][0]["connection"]) if user.get("identities") else ""


async def passwordless(visit: Visit) -> Response:
    """/u/login/passwordless-code: the code that was sent."""
    transaction, connection = visit.transaction, visit.transaction.connection
    if connection is None or connection["strategy"] not in ("email", "sms"):
        return to_page(transaction, flow.login_path(visit.call.tenant))
    if not visit.posted:
        return _code_page(visit)
    if visit.typed("action") == "resend":
        passwordless_login.send(visit, connection, transaction.identifier)
        return _code_page(visit, notice="We've sent a new code.")
    try:
        user = passwordless_login.check(visit.call.tenant, connection, transaction.identifier, visit.typed("code"))
        refuse_blocked(_attempt(visit, connection), user)
    except SignInRefused as refused:
        return _code_page(visit, error=refused.page_text)
    method = "sms" if connection["strategy"] == "sms" else "email"
    return await flow.signed_in(transaction, visit.call, user, connection, method)


def _code_page(visit: Visit, error: str = "", notice: str = "") -> Response:
    return visit.render(
        "code",
        400 if error else 200,
        title="Verify your identity",
        error=error,
        notice=notice,
        resend=True,
        text=f"We've sent a code to {visit.transaction.identifier}.",
        label="Enter the 6-digit code",
        others=False,
        remember_browser=None,
        recovery=False,
        other_path="",
    )


PAGES = [("/u/login/connection", upstream), ("/u/login/passwordless-code", passwordless)]
