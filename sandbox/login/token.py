"""POST /oauth/token: who calls, with which grant, and what each grant does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sandbox import logs
from sandbox.errors import OAuthError
from sandbox.login import clients
from sandbox.login.calls import Answer, Call
from sandbox.login.clients import Authenticated
from sandbox.login.grants import client_credentials

Grant = Callable[[Call, Authenticated], Awaitable[dict[str, Any]]]

GRANTS: dict[str, Grant] = {
    "client_credentials": client_credentials.exchange,
}
# What a refused exchange is called in the tenant log.
FAILURES = {
    "client_credentials": "feccft",
}


async def token(call: Call) -> Answer:
    grant_type = call.required("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError(403, "unsupported_grant_type", f"Unsupported grant type: {grant_type}")
    caller: Authenticated | None = None
    try:
        caller = clients.authenticate(call)
        clients.allow_grant(caller.client, grant_type)
        return await grant(call, caller)
    except OAuthError as problem:
        _log_refusal(call, caller, grant_type, problem)
        raise


def _log_refusal(call: Call, caller: Authenticated | None, grant_type: str, problem: OAuthError) -> None:
    kind = FAILURES.get(grant_type)
    if kind is None:
        return
    client = caller.client if caller else {}
    client_id = client.get("client_id") or str(call.parameters.get("client_id") or "")
    logs.write(
        call.tenant,
        kind,
        description=str(problem),
        client_id=client_id,
        client_name=client.get("name"),
        ip=call.ip,
        user_agent=call.user_agent,
    )
