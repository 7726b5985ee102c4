"""Signing in with an identifier and a password, on one page or on two."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.login import configuration, flow, organizations, passwordless_login
from sandbox.login.attempts import Attempt, SignInRefused
from sandbox.login.credentials import check_password
from sandbox.login.pages import passkeys
from sandbox.login.rendering import custom_text
from sandbox.login.replies import to_page
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.store import Document


async def combined(visit: Visit) -> Response:
    """/u/login: identifier and password on one page."""
    if not visit.posted:
        return show(visit, "login")
    visit.note_capabilities()
    identifier = visit.typed("username").strip()
    visit.transaction.identifier = identifier
    elsewhere = _elsewhere(visit, identifier)
    if elsewhere is not None:
        return elsewhere
    return await _sign_in(visit, identifier, "login")


async def identifier(visit: Visit) -> Response:
    """/u/login/identifier: who are you? The next page depends on the answer; a passkey is the whole answer."""
    if not visit.posted:
        return show(visit, "identifier")
    visit.note_capabilities()
    connection = database(visit)
    if connection is not None and passkeys.FIELD in visit.call.parameters:
        return await _with_passkey(visit, connection)
    typed = visit.typed("username").strip()
    visit.transaction.identifier = typed
    if not typed:
        return show(visit, "identifier", error="Please enter an email address")
    elsewhere = _elsewhere(visit, typed)
    if elsewhere is not None:
        return elsewhere
    connection = _passwordless(visit, typed)
    if connection is not None:
        passwordless_login.send(visit, connection, typed)
        return to_page(visit.transaction, "/u/login/passwordless-code")
    return to_page(visit.transaction, "/u/login/password")


async def _with_passkey(visit: Visit, connection: Document) -> Response:
    try:
        return await passkeys.sign_in(visit, connection)
    except SignInRefused as refused:
        return show(visit, "identifier", error=refused.page_text, status=400)


async def password(visit: Visit) -> Response:
    """/u/login/password: the second page of identifier-first."""
    if not visit.transaction.identifier:
        return to_page(visit.transaction, "/u/login/identifier")
    if not visit.posted:
        return show(visit, "password")
    return await _sign_in(visit, visit.transaction.identifier, "password")


async def _sign_in(visit: Visit, typed: str, screen: str) -> Response:
    transaction = visit.transaction
    connection = database(visit)
    if connection is None:
        return show(visit, screen, error="This application has no database connection to sign in with.")
    attempt = Attempt(transaction.tenant, transaction.client, connection, visitor(visit.call))
    try:
        user = await check_password(attempt, typed, visit.typed("password"), transaction.organization)
    except SignInRefused as refused:
        return show(visit, screen, error=refused.page_text, status=400)
    return await flow.signed_in(transaction, visit.call, user, connection, "pwd")


def database(visit: Visit) -> Document | None:
    """The database connection of this login: the one asked for, else the application's first."""
    chosen = visit.transaction.connection
    if chosen is not None and configuration.is_database(chosen):
        return chosen
    found = organizations.connections_of(visit.transaction)
    return next((connection for connection in found if configuration.is_database(connection)), None)


def _elsewhere(visit: Visit, typed: str) -> Response | None:
    """An e-mail address whose domain belongs to an enterprise connection signs in there."""
    domain = typed.rpartition("@")[2].lower()
    for connection in organizations.connections_of(visit.transaction):
        aliases = configuration.option(connection, "domain_aliases") or []
        if "@" in typed and domain in [str(alias).lower() for alias in aliases]:
            return to_page(visit.transaction, "/u/login/connection", connection=connection["name"])
    return None


def _passwordless(visit: Visit, typed: str) -> Document | None:
    """The e-mail or SMS connection to use when the application has no database."""
    if database(visit) is not None:
        return None
    wanted = "email" if "@" in typed else "sms"
    found = organizations.connections_of(visit.transaction)
    return next((connection for connection in found if connection["strategy"] == wanted), None)


def show(visit: Visit, screen: str, error: str = "", status: int = 200) -> Response:
    transaction = visit.transaction
    connection = database(visit)
    prompt = {"login": "login", "identifier": "login-id", "password": "login-password"}[screen]
    tenant, default = transaction.tenant, f"Log in to {configuration.friendly_name(transaction.tenant)}"
    return visit.render(
        "login",
        status,
        screen=screen,
        title=custom_text(
            tenant, prompt, prompt, "title", "Enter your password" if screen == "password" else "Welcome"
        ),
        description=custom_text(
            tenant, prompt, prompt, "description", f"{default} to continue to {_application(visit)}."
        ),
        identifier=transaction.identifier or transaction.parameters.get("login_hint", ""),
        error=error,
        with_password=connection is not None or screen != "identifier",
        sign_up=connection is not None and not configuration.option(connection, "disable_signup"),
        others=[_button(c) for c in organizations.connections_of(transaction) if _is_upstream(c)],
        has_reset=connection is not None,
        passkey=passkeys.request(visit, connection) if screen == "identifier" else {},
    )


def _application(visit: Visit) -> str:
    return str(visit.transaction.client.get("name") or "the application")


def _is_upstream(connection: Document) -> bool:
    if connection["strategy"] in ("auth0", "email", "sms"):
        return False
    return bool(connection.get("show_as_button", True))


def _button(connection: Document) -> dict[str, str]:
    known = {
        "google-oauth2": "Google",
        "github": "GitHub",
        "windowslive": "Microsoft",
        "apple": "Apple",
        "facebook": "Facebook",
        "linkedin": "LinkedIn",
    }
    name = connection.get("display_name") or known.get(connection["strategy"]) or connection["name"]
    return {"connection": connection["name"], "label": f"Continue with {name}"}


PAGES = [
    ("/u/login", combined),
    ("/u/login/identifier", identifier),
    ("/u/login/password", password),
]
