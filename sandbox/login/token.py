"""POST /oauth/token: who calls, with which grant, and what each grant does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import clients, dpop
from sandbox.login.calls import Answer, Call
from sandbox.login.clients import Authenticated
from sandbox.login.grants import (
    authorization_code,
    backchannel,
    client_credentials,
    device,
    factors,
    passwords,
    refresh,
    token_exchange,
)
from sandbox.login.refresh_tokens import ReusedTokenError

Grant = Callable[[Call, Authenticated], Awaitable[dict[str, Any]]]

_AUTH0 = "http://auth0.com/oauth/grant-type/"
GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code.exchange,
    "client_credentials": client_credentials.exchange,
    "refresh_token": refresh.exchange,
    "password": passwords.password,
    f"{_AUTH0}password-realm": passwords.password_realm,
    f"{_AUTH0}passwordless/otp": passwords.passwordless,
    f"{_AUTH0}mfa-otp": factors.otp,
    f"{_AUTH0}mfa-oob": factors.oob,
    f"{_AUTH0}mfa-recovery-code": factors.recovery_code,
    device.GRANT_TYPE: device.exchange,
    clients.TOKEN_EXCHANGE: token_exchange.exchange,
    backchannel.GRANT_TYPE: backchannel.exchange,
}
# What a refused exchange is called in the tenant log.
FAILURES = {
    "authorization_code": "feacft",
    "client_credentials": "feccft",
    "refresh_token": "fertft",
    "password": "fepft",
    f"{_AUTH0}password-realm": "fepft",
    f"{_AUTH0}passwordless/otp": "fepotpft",
    f"{_AUTH0}mfa-otp": "feotpft",
    f"{_AUTH0}mfa-oob": "feoobft",
    f"{_AUTH0}mfa-recovery-code": "fercft",
    device.GRANT_TYPE: "fede",
    clients.TOKEN_EXCHANGE: "fecte",
    backchannel.GRANT_TYPE: "ciba_exchange_failed",
}
# Not failures: the answers to a poll that came before the person's, and to a login that needs one more factor.
WAITING = ("authorization_pending", "slow_down", "mfa_required")


async def token(call: Call) -> Answer:
    grant_type = call.required("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError(403, "unsupported_grant_type", f"Unsupported grant type: {grant_type}")
    caller: Authenticated | None = None
    try:
        caller = clients.authenticate(call)
        clients.allow_grant(caller.client, grant_type)
        thumbprint = dpop.proven(call, public=clients.is_public(caller.client))
        return await grant(call, replace(caller, thumbprint=thumbprint) if thumbprint else caller)
    except OAuthError as problem:
        _log_refusal(call, caller, grant_type, problem)
        raise


def _log_refusal(call: Call, caller: Authenticated | None, grant_type: str, problem: OAuthError) -> None:
    client = caller.client if caller else {"client_id": str(call.parameters.get("client_id") or "")}
    if isinstance(problem, ReusedTokenError):
        call.log("ferrt", client, user_id=problem.user_id, description=problem.reason)
    elif problem.error not in WAITING:
        call.log(FAILURES[grant_type], client, description=str(problem))
