"""urn:ietf:params:oauth:grant-type:device_code, and POST /oauth/device/code before it."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import audiences, clients, device_codes, issuing
from sandbox.login.calls import Answer, Call
from sandbox.login.clients import Authenticated
from sandbox.login.device_codes import DeviceCode
from sandbox.login.issuing import Extras

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


async def start(call: Call) -> Answer:
    """POST /oauth/device/code."""
    try:
        code = _created(call)
    except OAuthError as problem:
        client = clients.find(call.tenant, call.parameters.get("client_id"))
        call.log("fdeaz", client, description=str(problem))
        raise
    page = f"{call.tenant.browser_url}activate"
    return {
        "device_code": code.device_code,
        "user_code": code.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={code.user_code}",
        "expires_in": device_codes.LIFETIME_SECONDS,
        "interval": device_codes.INTERVAL_SECONDS,
    }


def _created(call: Call) -> DeviceCode:
    caller = clients.authenticate(call, proof_required=False)
    clients.allow_grant(caller.client, GRANT_TYPE)
    audience = audiences.requested(call.tenant, call.text("audience"), call.text("resource"))
    if audience:
        audiences.for_people(call.tenant, caller.client, audience)
    return device_codes.create(call.tenant, caller.client, call.text("scope"), audience)


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    code = device_codes.by_device_code(call.tenant, call.required("device_code"))
    if code is None or code.client["client_id"] != caller.client["client_id"]:
        raise OAuthError(403, "expired_token", "The device code is expired or invalid.")
    now, asked_before = call.tenant.now(), code.last_asked
    code.last_asked = now
    if code.state == "denied":
        device_codes.spend(call.tenant, code)
        raise OAuthError(403, "access_denied", "The end-user has denied the authorization request.")
    if code.state == "pending" or code.login is None:
        if now - asked_before < device_codes.INTERVAL_SECONDS - 1:
            raise OAuthError(429, "slow_down", "You are polling faster than the specified interval of 5 seconds.")
        raise OAuthError(403, "authorization_pending", "User has yet to authorize device code.")
    device_codes.spend(call.tenant, code)
    code.login.thumbprint = caller.thumbprint
    call.log("sede", caller.client, user_id=code.login.user_id)
    return issuing.token_answer(code.login, code.effects, Extras())
