"""GET and POST /authorize: is this a request that we answer, and is someone signed in already?"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.errors import OAuthError
from sandbox.login import audiences, callbacks, clients, configuration, flow, organizations, sessions
from sandbox.login.calls import Answer, Call
from sandbox.login.rendering import error_page
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction, begin, cookie_name
from sandbox.store import Document

RESPONSE_TYPES = frozenset(
    frozenset(types.split())
    for types in ("code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token")
)
RESPONSE_MODES = ("query", "fragment", "form_post", "web_message")
PROMPTS = frozenset(["none", "login", "consent", "select_account", "create"])
_LONGEST_PARAMETER = 4096


async def authorize(call: Call) -> Answer:
    """What is wrong is said on a page, or to the application once its address is known."""
    transaction = prepared(call)
    return transaction if isinstance(transaction, Response) else await _sign_in(call, transaction)


def prepared(call: Call) -> Transaction | Response:
    """The transaction of a request that is in order, else the answer that says what is wrong."""
    parameters = {k: v for k, v in call.parameters.items() if isinstance(v, str) and len(v) <= _LONGEST_PARAMETER}
    client = clients.find(call.tenant, parameters.get("client_id"))
    problem = _client_problem(client, parameters)
    if client is None or problem is not None:
        status, error, description = problem or (400, "invalid_request", "Unknown client")
        return error_page(call.tenant, status, error, description)
    parameters.setdefault("redirect_uri", next(iter(client.get("callbacks") or []), ""))
    parameters["_redirect_uri_sent"] = call.text("redirect_uri")
    transaction = begin(call, client, parameters, _protocol(parameters))
    transaction.query = {k: v for k, v in call.parameters.items() if isinstance(v, str)}
    try:
        _check(transaction)
        transaction.organization = organizations.of_request(transaction)
        transaction.invitation = organizations.invitation_of_request(transaction)
    except OAuthError as refused:
        return flow.refuse(transaction, call, refused.error, refused.description)
    return transaction


def _client_problem(client: Document | None, parameters: dict[str, str]) -> tuple[int, str, str] | None:
    if not parameters.get("client_id"):
        return 400, "invalid_request", "Missing required parameter: client_id"
    if client is None:
        return 400, "invalid_request", f"Unknown client: {parameters['client_id']}"
    registered, sent = list(client.get("callbacks") or []), parameters.get("redirect_uri", "")
    if not sent and not registered:
        return 400, "invalid_request", "Missing required parameter: redirect_uri"
    if sent and not callbacks.allowed(registered, sent):
        return (
            403,
            "unauthorized_client",
            (
                f"Callback URL mismatch. {sent} is not in the list of allowed callback URLs of the application "
                f"{client.get('name', '')}."
            ),
        )
    return None


def _protocol(parameters: dict[str, str]) -> str:
    types = set(parameters.get("response_type", "code").split())
    if types == {"code"}:
        return "oidc-basic-profile"
    return "oidc-hybrid-profile" if "code" in types else "oidc-implicit-profile"


def _check(transaction: Transaction) -> None:
    parameters, client = transaction.parameters, transaction.client
    if "request" in parameters or "request_uri" in parameters:
        raise OAuthError(400, "request_not_supported", "Request objects are not supported")
    _check_response(parameters, client)
    _check_pkce(parameters)
    _check_prompt(parameters)
    if parameters.get("max_age") and not parameters["max_age"].isdecimal():
        raise OAuthError(400, "invalid_request", "Invalid value for max_age: it has to be a number of seconds")
    audience = audiences.requested(transaction.tenant, parameters.get("audience", ""), parameters.get("resource", ""))
    parameters["audience"] = audience
    if audience and audience != audiences.userinfo_audience(transaction.tenant):
        audiences.for_people(transaction.tenant, client, audience)
    elif audience:
        parameters["audience"] = ""
    _check_connection(transaction)


def _check_response(parameters: dict[str, str], client: Document) -> None:
    wanted = parameters.get("response_type", "")
    if not wanted:
        raise OAuthError(400, "invalid_request", "Missing required parameter: response_type")
    types = frozenset(wanted.split())
    if types not in RESPONSE_TYPES:
        raise OAuthError(400, "unsupported_response_type", f"Unsupported response type: {wanted}")
    mode = parameters.get("response_mode")
    if mode and mode not in RESPONSE_MODES:
        raise OAuthError(400, "invalid_request", f"Unsupported response mode: {mode}")
    if mode == "query" and types != {"code"}:
        raise OAuthError(400, "invalid_request", "response_mode query is not allowed for this response type")
    if "code" in types:
        clients.allow_grant(client, "authorization_code")
    if types - {"code"}:
        clients.allow_grant(client, "implicit")
    if "id_token" in types and not parameters.get("nonce"):
        raise OAuthError(400, "invalid_request", "Missing required parameter: nonce")


def _check_pkce(parameters: dict[str, str]) -> None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if method and method not in ("S256", "plain"):
        raise OAuthError(400, "invalid_request", f"Unsupported code challenge method: {method}")
    if method and not challenge:
        raise OAuthError(400, "invalid_request", "Missing required parameter: code_challenge")
    if challenge and not 43 <= len(challenge) <= 128:
        raise OAuthError(400, "invalid_request", "code_challenge has to be 43 to 128 characters long")


def _check_prompt(parameters: dict[str, str]) -> None:
    prompts = set(parameters.get("prompt", "").split())
    if prompts - PROMPTS:
        raise OAuthError(400, "invalid_request", f"Invalid prompt: {parameters['prompt']}")
    if "none" in prompts and len(prompts) > 1:
        raise OAuthError(400, "invalid_request", "prompt none can't be combined with others")


def _check_connection(transaction: Transaction) -> None:
    enabled = configuration.enabled_connections(transaction.tenant, transaction.client)
    if not enabled:
        raise OAuthError(400, "invalid_request", "no connections enabled for the client")
    name = transaction.parameters.get("connection")
    if not name:
        return
    found = next((connection for connection in enabled if connection["name"] == name), None)
    if found is None:
        raise OAuthError(400, "invalid_request", "the connection was not found")
    transaction.connection = found


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
