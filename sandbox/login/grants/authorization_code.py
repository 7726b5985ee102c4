"""authorization_code: the code of a finished browser login becomes tokens."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import codes, dpop, issuing
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated, unauthorized
from sandbox.login.credentials import name_of


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    """A public application has nothing but its code verifier to prove itself with."""
    client = caller.client
    code = codes.redeem(
        call.tenant,
        call.required("code"),
        client["client_id"],
        call.text("redirect_uri"),
        call.text("code_verifier"),
    )
    if not caller.proven and not code.challenge:
        raise unauthorized()
    if code.thumbprint and code.thumbprint != caller.thumbprint:
        raise dpop.refused("The DPoP proof is not made with the key that the code is for")
    if call.tenant.store.get("users", code.login.user_id) is None:
        raise OAuthError(403, "invalid_grant", "Invalid authorization code")
    code.login.thumbprint = caller.thumbprint
    answer = issuing.token_answer(code.login, code.effects, code.extras)
    call.log("seacft", client, user_id=code.login.user_id, user_name=name_of(code.login.user))
    return answer
