"""GET and POST /authorize: is this a request that we answer, and is someone signed in already?"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.errors import OAuthError
from sandbox.login import (
    authorization_requests,
    configuration,
    flow,
    organizations,
    pushed_requests,
    request_objects,
    sessions,
)
from sandbox.login.authorization_requests import AuthorizationRequest
from sandbox.login.calls import Answer, Call
from sandbox.login.rendering import error_page
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction, begin, cookie_name
from sandbox.store import Document


async def authorize(call: Call) -> Answer:
    """What is wrong is said on a page, or to the application once its address is known."""
    transaction = prepared(call)
    return transaction if isinstance(transaction, Response) else await _sign_in(call, transaction)


def prepared(call: Call) -> Transaction | Response:
    """The transaction of a request that is in order, else the answer that says what is wrong."""
    try:
        client, request = _asked(call)
    except OAuthError as refused:
        return error_page(call.tenant, refused.status, refused.error, refused.description)
    transaction = _begun(call, client, request)
    try:
        transaction.connection = authorization_requests.check(call.tenant, client, request)
        transaction.organization = organizations.of_request(transaction)
        transaction.invitation = organizations.invitation_of_request(transaction)
    except OAuthError as refused:
        return flow.refuse(transaction, call, refused.error, refused.description)
    return transaction


def _asked(call: Call) -> tuple[Document, AuthorizationRequest]:
    """The application and its request, sent along, pushed or signed. Raises OAuthError, for a page."""
    parameters = authorization_requests.texts(call.parameters)
    client = authorization_requests.client_of(call.tenant, parameters)
    if parameters.get("request_uri"):
        request = pushed_requests.taken(call.tenant, client, parameters["request_uri"])
    else:
        request = request_objects.read(call.tenant, client, parameters)
    authorization_requests.check_callback(client, request.parameters)
    return client, request


def _begun(call: Call, client: Document, request: AuthorizationRequest) -> Transaction:
    parameters, sent = request.parameters, request.parameters.get("redirect_uri", "")
    parameters.setdefault("redirect_uri", next(iter(client.get("callbacks") or []), ""))
    parameters["_redirect_uri_sent"] = sent
    transaction = begin(call, client, parameters, _protocol(parameters))
    if not request.pushed:
        transaction.query = {name: value for name, value in call.parameters.items() if isinstance(value, str)}
    return transaction


def _protocol(parameters: dict[str, str]) -> str:
    types = set(parameters.get("response_type", "code").split())
    if types == {"code"}:
        return "oidc-basic-profile"
    return "oidc-hybrid-profile" if "code" in types else "oidc-implicit-profile"


async def _sign_in(call: Call, transaction: Transaction) -> Response:
    session = _usable_session(call, transaction)
    if session is not None:
        transaction.login = _from_session(call, transaction, session)
        answer = await flow.proceed(transaction, call)
    elif transaction.silent:
        answer = flow.refuse(transaction, call, "login_required", "Login required")
    else:
        answer = flow.first_page(transaction)
    return flow.with_browser(answer, transaction)


def _usable_session(call: Call, transaction: Transaction) -> Document | None:
    """The browser's session, if it is enough for this request."""
    tenant, parameters = call.tenant, transaction.parameters
    if {"login", "select_account", "create"} & set(transaction.prompt) or transaction.invitation:
        return None
    session = sessions.of_cookie(tenant, call.request.cookies.get(cookie_name(tenant, "auth0")))
    if session is None or sessions.find_user(tenant, session) is None:
        return None
    max_age = parameters.get("max_age") or transaction.client.get("default_max_age")
    if max_age and sessions.age_seconds(tenant, session) > float(max_age):
        return None
    if transaction.connection is not None and session.get("_connection") != transaction.connection["name"]:
        return None
    enabled = configuration.enabled_connections(tenant, transaction.client)
    return session if session.get("_connection") in [c["name"] for c in enabled] else None


def _from_session(call: Call, transaction: Transaction, session: Document) -> Login:
    connection: Any = configuration.connection_named(call.tenant, session.get("_connection", ""))
    transaction.connection = connection
    login = flow.new_login(transaction, call, session["user_id"], connection)
    login.session, login.session_id = session, session["id"]
    login.methods = list((session.get("authentication") or {}).get("methods") or [])
    return login
