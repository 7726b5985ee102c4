"""Signing up, and the pages behind the links in e-mails: new password, verified address, lifted block."""

from __future__ import annotations

from starlette.responses import Response

from sandbox import logs, password_policy
from sandbox.errors import ApiError
from sandbox.login import attack_protection, configuration, custom_database, flow, password_reset, signup
from sandbox.login.attempts import Attempt
from sandbox.login.calls import Answer, Call, DatabaseConnectionError
from sandbox.login.custom_database import ScriptError
from sandbox.login.pages.login import database
from sandbox.login.rendering import page
from sandbox.login.replies import added_to, redirect
from sandbox.login.transient import transient
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import records

_LINK_DEAD = "This link has expired or was used already. Please ask for a new one."


async def sign_up(visit: Visit) -> Response:
    """/u/signup."""
    connection = database(visit)
    if connection is None or configuration.option(connection, "disable_signup"):
        return visit.render(
            "message", 403, title="Sign up is closed", text="This application does not let people sign up."
        )
    if not visit.posted:
        return _sign_up_page(visit, connection)
    visit.note_capabilities()
    attempt = Attempt(visit.call.tenant, visit.transaction.client, connection, visitor(visit.call))
    wanted = {k: visit.typed(k).strip() for k in ("email", "username") if visit.typed(k).strip()}
    wanted["password"] = visit.typed("password")
    try:
        user = await signup.create(attempt, wanted)
    except DatabaseConnectionError as problem:
        return _sign_up_page(visit, connection, _said(problem))
    return await flow.signed_in(visit.transaction, visit.call, user, connection, "pwd")


def _said(problem: DatabaseConnectionError) -> str:
    if problem.body["code"] in ("invalid_signup", "user_exists"):
        return "Something went wrong. Use another address, or log in if you have an account already."
    return str(problem.body.get("message") or problem.body["description"])


def _sign_up_page(visit: Visit, connection: Document, error: str = "") -> Response:
    invited = (visit.transaction.invitation or {}).get("invitee") or {}
    email = visit.typed("email") or invited.get("email") or visit.transaction.parameters.get("login_hint", "")
    return visit.render(
        "signup",
        400 if error else 200,
        error=error,
        email=email,
        username=visit.typed("username"),
        asks_username=bool(configuration.option(connection, "requires_username")),
        rules=password_policy.of(connection.get("options") or {}).sentences(),
        login_path=flow.login_path(visit.call.tenant),
    )


async def reset_request(visit: Visit) -> Response:
    """/u/reset-password/request: where should the mail go?"""
    connection = database(visit)
    if connection is None:
        return visit.render(
            "message", 400, title="No password here", text="This application has no passwords to reset."
        )
    email = visit.typed("email").strip() or visit.transaction.identifier
    back = flow.login_path(visit.call.tenant)
    if not visit.posted or not email:
        error = "Please enter an email address" if visit.posted else ""
        return visit.render("reset_request", 400 if error else 200, email=email, error=error, login_path=back)
    attempt = Attempt(visit.call.tenant, visit.transaction.client, connection, visitor(visit.call))
    await password_reset.request(attempt, email)
    text = f"If there is an account for {email}, a mail with a link to reset the password is on its way."
    return visit.render("message", title="Check Your Email", text=text)


async def reset_password(call: Call) -> Answer:
    """/u/reset-verify, /lo/reset: the link of a reset mail or of a ticket."""
    tenant, id = call.tenant, call.request.query_params.get("ticket") or call.parameters.get("ticket")
    ticket = password_reset.usable_ticket(tenant, id, "change_password")
    if ticket is None:
        return page(tenant, "message", 400, title="Link expired", text=_LINK_DEAD)
    if call.request.method != "POST":
        return _reset_page(tenant, ticket)
    password, again = call.text("password")[:1000], call.text("password_again")[:1000]
    if password != again or not password:
        return _reset_page(tenant, ticket, "The two passwords are not the same." if password else "Enter a password.")
    try:
        user = await password_reset.reset(tenant, ticket, password, visitor(call))
    except (ApiError, ScriptError) as problem:
        logs.write(tenant, "fcp", description=str(problem), user_id=ticket["user_id"], connection=ticket["connection"])
        refusal = password_reset_text(problem)
        return _reset_page(tenant, ticket, refusal)
    return _done(tenant, ticket, user, "Password Changed!", "Your password has been changed successfully.")


def password_reset_text(problem: Exception) -> str:
    known = signup.password_refusal(str(problem))
    return str(known.body["message"]) if known else str(problem) or "The password was not changed."


def _reset_page(tenant: Tenant, ticket: Document, error: str = "") -> Response:
    connection = records.connection_named(tenant, ticket["connection"])
    return page(
        tenant,
        "reset_password",
        400 if error else 200,
        ticket=ticket["id"],
        error=error,
        rules=password_policy.of(connection.get("options") or {}).sentences(),
        email=(tenant.store.get("users", ticket["user_id"]) or {}).get("email", ""),
    )


def _done(tenant: Tenant, ticket: Document, user: Document, title: str, text: str) -> Response:
    """Back to who asked for the ticket, or a page."""
    if ticket.get("result_url"):
        values = {"success": "true", "message": text}
        if ticket.get("includeEmailInRedirect"):
            values["email"] = user.get("email", "")
        return redirect(added_to(ticket["result_url"], values))
    client = tenant.store.get("clients", str(ticket.get("client_id") or "")) or {}
    return page(
        tenant,
        "message",
        title=title,
        text=text,
        link=client.get("initiate_login_uri") or "",
        link_text="Back to the application",
    )


async def verify_email(call: Call) -> Answer:
    """/u/email-verification: the link of a verification mail or ticket."""
    tenant = call.tenant
    ticket = password_reset.usable_ticket(tenant, call.request.query_params.get("ticket"), "email_verification")
    if ticket is None:
        return page(tenant, "message", 400, title="Link expired", text=_LINK_DEAD)
    user = records.get(tenant, ticket["user_id"])
    connection = configuration.connection_named(tenant, ticket["connection"])
    password_reset.spend(tenant, ticket)
    try:
        if connection is not None and custom_database.is_legacy(connection):
            await custom_database.verify(connection, user.get("email", ""))
        else:
            records.update(tenant, user["user_id"], {"email_verified": True})
    except ScriptError as problem:
        logs.write(tenant, "fv", description=str(problem), user_id=user["user_id"])
        return page(tenant, "message", 400, title="Something went wrong", text=str(problem))
    logs.write(
        tenant, "sv", user_id=user["user_id"], user_name=user.get("email"), description="Your email was verified."
    )
    return _done(tenant, ticket, user, "Email Verified", "Your email address was successfully verified.")


async def unblock(call: Call) -> Answer:
    """/u/unblock: the link of the mail about a blocked account."""
    target = transient(call.tenant, "unblock links").pop(str(call.request.query_params.get("ticket")))
    if target is None:
        return page(call.tenant, "message", 400, title="Link expired", text=_LINK_DEAD)
    attack_protection.release(call.tenant, target)
    logs.write(call.tenant, "ublkdu", user_id=target.user_id, user_name=target.identifier, connection=target.connection)
    return page(call.tenant, "message", title="Account unblocked", text="You can log in again.")


PAGES = [("/u/signup", sign_up), ("/u/reset-password/request", reset_request)]
OPEN_PAGES = [
    ("/u/reset-verify", reset_password),
    ("/u/reset-password", reset_password),
    ("/lo/reset", reset_password),
    ("/u/email-verification", verify_email),
    ("/u/unblock", unblock),
]
