"""/mfa/*: the second factor for applications with their own pages.

The bearer token is the mfa_token of a login that waits, or an access token for the MFA API (docs: Manage Authentication
Factors with Authentication API).
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.errors import OAuthError
from sandbox.login import clients, factors, mfa
from sandbox.login.calls import Answer, Call, json_answer
from sandbox.login.factors import FACTORS
from sandbox.login.grants import unattended
from sandbox.login.grants.unattended import Paused
from sandbox.login.mfa import TooManyAttempts
from sandbox.store import Document
from sandbox.tenant import new_id

_PREFIXES = {
    "totp": "totp",
    "phone": "sms",
    "push": "push",
    "guardian": "push",
    "email": "email",
    "recovery-code": "recovery-code",
}


def _paused(call: Call, scope: str = "") -> Paused:
    """`scope`: what an access token has to allow. Raises OAuthError."""
    token = call.bearer or call.text("mfa_token")
    if not token:
        raise OAuthError(401, "invalid_token", "Missing mfa_token")
    paused = unattended.paused(call.tenant, token)
    if scope and paused.granted is not None and scope not in paused.granted:
        raise OAuthError(403, "insufficient_scope", f"Insufficient scope, expected any of: {scope}")
    return paused


def _locked(paused: Paused) -> bool:
    """Whether an enrolled factor has to be passed first. An access token has been given for that."""
    login = paused.login
    if paused.granted is not None or login.passed_mfa():
        return False
    return bool(factors.independent(login.tenant, login.user))


def _shown(method: Document) -> dict[str, Any] | None:
    """An authenticator of this API, None for a method that it does not know.

    Keys are listed and removed here, and neither challenged nor enrolled (docs: Configure WebAuthn with Security Keys).
    """
    factor = next((f for f in FACTORS.values() if method["type"] in f.methods), None)
    if factor is None:
        return None
    type = factor.api or factor.type
    shown = {"id": public_id(method), "authenticator_type": type, "active": method.get("confirmed", True)}
    if not factor.api and method.get("name"):
        shown["name"] = method["name"]
    if factor.channel:
        shown["oob_channel"] = method.get("preferred_authentication_method") or factor.channel
        shown["name"] = method.get("phone_number") or method.get("email") or method.get("name") or ""
    return shown


def public_id(method: Document) -> str:
    return f"{_PREFIXES.get(method['type'], method['type'])}|{method['id'].partition('|')[2] or method['id']}"


def _authenticators(paused: Paused) -> list[dict[str, Any]]:
    tenant, user = paused.login.tenant, paused.login.user
    found = [shown for method in factors.methods(tenant, user["user_id"]) if (shown := _shown(method))]
    if "email" in factors.usable(tenant, user) and not any(a.get("oob_channel") == "email" for a in found):
        found.append(
            {
                "id": "email|dev_verified",
                "authenticator_type": "oob",
                "active": True,
                "oob_channel": "email",
                "name": user["email"],
            }
        )
    return found


async def authenticators(call: Call) -> Answer:
    """GET /mfa/authenticators."""
    return _authenticators(_paused(call, "read:authenticators"))


async def delete(call: Call) -> Answer:
    """DELETE /mfa/authenticators/{id}."""
    paused, wanted = _paused(call, "remove:authenticators"), call.request.path_params["id"]
    if _locked(paused):
        raise OAuthError(403, "access_denied", "Challenge an existing authenticator before deleting one")
    for method in factors.methods(call.tenant, paused.login.user_id):
        if wanted in (public_id(method), method["id"]):
            call.tenant.store.remove("authentication_methods", method["id"])
            return Response(status_code=204)
    raise OAuthError(404, "not_found", "The authenticator was not found")


async def challenge(call: Call) -> Answer:
    """POST /mfa/challenge: which of the user's authenticators is asked, and the oob_code if a code is on its way."""
    client = clients.authenticate(call, proof_required=False).client
    paused = _paused(call)
    if paused.login.client["client_id"] != client["client_id"]:
        raise OAuthError(403, "invalid_grant", "Invalid mfa_token")
    wanted = (call.text("challenge_type") or "otp oob").split()
    if not {"otp", "oob"} & set(wanted):
        raise OAuthError(
            400, "unsupported_challenge_type", "User does not have an authenticator for this challenge type"
        )
    id, types = call.text("authenticator_id"), factors.usable(call.tenant, paused.login.user)
    usable = [a for a in _authenticators(paused) if a["authenticator_type"] in wanted and _type(a) in types]
    if not factors.independent(call.tenant, paused.login.user) and not usable:
        raise OAuthError(
            403,
            "association_required",
            "User is not enrolled. You can use /mfa/associate endpoint to enroll the first authenticator.",
        )
    chosen = [a for a in usable if not id or id == a["id"]]
    if not chosen:
        raise OAuthError(
            400, "unsupported_challenge_type", "User does not have an authenticator for this challenge type"
        )
    return _started(call, paused, chosen[0])


def _type(authenticator: dict[str, Any]) -> str:
    if authenticator["authenticator_type"] != "oob":
        return str(authenticator["authenticator_type"])
    return {"sms": "phone", "voice": "phone", "auth0": "push-notification"}.get(authenticator["oob_channel"], "email")


def _started(call: Call, paused: Paused, authenticator: dict[str, Any]) -> Answer:
    type = _type(authenticator)
    if type == "otp":
        return {"challenge_type": "otp"}
    paused.challenge = _begin(call, paused, type, {})
    answer = {"challenge_type": "oob", "oob_code": paused.challenge.oob_code}
    return answer if type == "push-notification" else {**answer, "binding_method": "prompt"}


def _begin(call: Call, paused: Paused, type: str, enrolling: dict[str, Any]) -> mfa.Challenge:
    try:
        started = mfa.start(call.tenant, paused.login.user, type, enrolling=enrolling)
    except TooManyAttempts as problem:
        raise OAuthError(429, "too_many_requests", str(problem)) from None
    started.oob_code = "Fe26.2**" + new_id("", 48)
    return started


async def associate(call: Call) -> Answer:
    """POST /mfa/associate: enrol an authenticator; it counts once its first code was right."""
    paused = _paused(call, "enroll")
    tenant, user = call.tenant, paused.login.user
    wanted = _listed(call, "authenticator_types")
    channels = _listed(call, "oob_channels")
    type = _wanted_type(wanted, channels)
    if not type or type not in factors.enabled(tenant):
        raise OAuthError(400, "invalid_request", "authenticator_types or oob_channels is not supported or not enabled")
    if _locked(paused):
        raise OAuthError(403, "access_denied", "User is already enrolled.")
    answer = _enrolling(call, paused, type, channels)
    if factors.recovery_code_due(tenant, user["user_id"]):
        answer["recovery_codes"] = [factors.new_recovery_code(tenant, user["user_id"])]
    return json_answer(answer)


def _listed(call: Call, name: str) -> list[str]:
    value = call.parameters.get(name)
    return [str(item) for item in value] if isinstance(value, list) else str(value or "").split()


def _wanted_type(wanted: list[str], channels: list[str]) -> str:
    if "otp" in wanted:
        return "otp"
    if "oob" not in wanted:
        return ""
    return next(
        (
            t
            for c, t in (("sms", "phone"), ("voice", "phone"), ("auth0", "push-notification"), ("email", "email"))
            if c in channels
        ),
        "",
    )


def _enrolling(call: Call, paused: Paused, type: str, channels: list[str]) -> dict[str, Any]:
    tenant, user = call.tenant, paused.login.user
    if type == "otp":
        secret = factors.new_secret()
        paused.challenge = _begin(call, paused, "otp", {"_secret": secret})
        return {"authenticator_type": "otp", "secret": secret, "barcode_uri": factors.otpauth(tenant, user, secret)}
    if type == "push-notification":
        paused.challenge = _begin(call, paused, type, {"name": "Sandbox phone"})
        uri = f"otpauth://totp/{tenant.name}:{user.get('email', '')}?enrollment_tx_id={paused.challenge.transaction}"
        return {
            "authenticator_type": "oob",
            "oob_channel": "auth0",
            "oob_code": paused.challenge.oob_code,
            "barcode_uri": uri,
        }
    if type == "email":
        paused.challenge = _begin(call, paused, type, {"email": call.text("email") or user.get("email", "")})
    else:
        number = call.text("phone_number")
        if not factors.PHONE_NUMBER.match(number):
            raise OAuthError(400, "invalid_request", "phone_number is missing or not in E.164 form")
        channel = "voice" if "voice" in channels else "sms"
        paused.challenge = _begin(
            call, paused, type, {"phone_number": number, "preferred_authentication_method": channel}
        )
    return {
        "authenticator_type": "oob",
        "binding_method": "prompt",
        "oob_channel": channels[0],
        "oob_code": paused.challenge.oob_code,
    }
