"""POST /passwordless/start, and the link in its e-mail."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox.errors import OAuthError
from sandbox.login import authorize, clients, configuration, factors, flow, passwordless_login
from sandbox.login.attempts import Attempt, SignInRefused
from sandbox.login.calls import Answer, Call
from sandbox.login.credentials import refuse_blocked
from sandbox.login.rendering import error_page
from sandbox.login.visitor import visitor

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")


async def start(call: Call) -> Answer:
    """Sends a code, or for `send: "link"` an e-mail with a link that signs in by itself."""
    proof = configuration.flag(call.tenant, "enforce_client_authentication_on_passwordless_start", default=True)
    caller = clients.authenticate(call, proof_required=proof)
    name = call.required("connection")
    enabled = configuration.enabled_connections(call.tenant, caller.client)
    connection = next((c for c in enabled if c["name"] == name and c["strategy"] in ("email", "sms")), None)
    if connection is None:
        raise OAuthError(400, "bad.connection", "Connection does not exist or is not enabled for this client")
    if connection["strategy"] == "sms":
        number = call.required("phone_number")
        if not factors.PHONE_NUMBER.match(number):
            raise OAuthError(400, "bad.phone_number", "The phone number is not valid")
        passwordless_login.start(call.tenant, connection, number)
        return {"_id": "", "phone_number": number, "request_language": None}
    email = call.required("email")
    if not _EMAIL.fullmatch(email):
        raise OAuthError(400, "bad.email", "The email is not valid")
    passwordless_login.start(call.tenant, connection, email, _link(call, caller.client["client_id"]))
    return {"_id": "", "email": email.lower(), "email_verified": False}


def _link(call: Call, client_id: str) -> dict[str, str] | None:
    if call.text("send") != "link":
        return None
    parameters: Any = call.parameters.get("authParams")
    given = {str(k): str(v) for k, v in parameters.items()} if isinstance(parameters, dict) else {}
    return {"response_type": "token", "scope": "openid profile email", **given, "client_id": client_id}


async def follow_link(call: Call) -> Answer:
    """GET /passwordless/verify_redirect."""
    transaction = authorize.prepared(call)
    if isinstance(transaction, Response):
        return transaction
    connection = transaction.connection
    if connection is None:
        return error_page(call.tenant, 400, "invalid_request", "The connection is missing")
    try:
        email, code = call.text("email"), call.text("verification_code")
        user = passwordless_login.check(call.tenant, connection, email, code)
        refuse_blocked(Attempt(call.tenant, transaction.client, connection, visitor(call)), user)
    except SignInRefused as refused:
        return error_page(call.tenant, refused.status, refused.code, refused.page_text)
    answer = await flow.signed_in(transaction, call, user, connection, "email")
    return flow.with_browser(answer, transaction)
