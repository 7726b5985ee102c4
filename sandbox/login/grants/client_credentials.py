"""Machine-to-machine tokens: one application, one API, the scopes of its client grant."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.kinds.actions import bound
from sandbox.login import audiences, dpop, issuing, triggers
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated, unauthorized
from sandbox.login.visitor import visitor
from sandbox.store import Document


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    tenant, client = call.tenant, caller.client
    if not caller.proven:
        raise unauthorized()
    audience = audiences.requested(tenant, call.text("audience"), call.text("resource"))
    if not audience:
        raise OAuthError(
            403, "access_denied", "No audience parameter was provided, and no default audience has been configured"
        )
    api = audiences.resource_server(tenant, audience)
    scopes, grant = audiences.granted_scopes(tenant, client, api)
    asked = call.text("scope").split()
    scope = " ".join(s for s in scopes if s in asked) if asked else " ".join(scopes)
    seconds = audiences.lifetime_seconds(api)
    claims = await _custom_claims(call, client, audience, scopes)
    claims |= _claims(call, client, audience, scope, seconds)
    claims |= _organization(call, grant)
    bound = dpop.binds(client, api, caller.thumbprint)
    if bound:
        claims["cnf"] = {"jkt": caller.thumbprint}
    call.log("seccft", client, audience=audience, scope=scope)
    answer = {"access_token": issuing.for_api(tenant, api, claims), "scope": scope, "expires_in": seconds}
    if not scope:
        del answer["scope"]
    return answer | {"token_type": dpop.SCHEME if bound else "Bearer"}


async def _custom_claims(call: Call, client: Document, audience: str, scopes: list[str]) -> dict[str, Any]:
    """What the credentials-exchange Actions add. Raises OAuthError 403 when one denies."""
    if not bound(call.tenant, "credentials-exchange"):
        return {}
    event = {
        "client": triggers.client_of(client),
        "request": triggers.request_of(visitor(call)),
        "resource_server": {"identifier": audience},
        "accessToken": {"customClaims": {}, "scope": scopes},
        "transaction": {"requested_scopes": call.text("scope").split(), "metadata": {}},
    }
    effects = await triggers.run(call.tenant, "credentials-exchange", event)
    if effects.denied:
        # api.access.deny(code, reason): in this trigger the first argument is the error code.
        code, reason = effects.denied[1], effects.denied_message
        raise OAuthError(403, code if reason else effects.denied[0], reason or code)
    return effects.access_claims


def _claims(call: Call, client: Document, audience: str, scope: str, seconds: int) -> dict[str, Any]:
    now = int(call.tenant.now())
    claims = {
        "iss": call.tenant.issuer,
        "sub": f"{client['client_id']}@clients",
        "aud": audience,
        "iat": now,
        "exp": now + seconds,
        "scope": scope,
        "gty": "client-credentials",
        "azp": client["client_id"],
    }
    if not scope:
        del claims["scope"]
    return claims


def _organization(call: Call, grant: Document) -> dict[str, str]:
    """The organization of the token, by id or name. Raises OAuthError 400/403."""
    wanted, usage = call.text("organization"), grant.get("organization_usage") or "deny"
    if not wanted:
        if usage == "require":
            raise OAuthError(400, "invalid_request", "parameter organization is required for this client")
        return {}
    if usage == "deny":
        raise OAuthError(400, "invalid_request", "parameter organization is not allowed for this client")
    store = call.tenant.store
    found = store.get("organizations", wanted) or store.first("organizations", name=wanted)
    if found is None:
        raise OAuthError(400, "invalid_request", f"parameter organization is invalid: {wanted}")
    linked = store.get("organization_client_grants", f"{found['id']} {grant.get('id')}")
    if not grant.get("allow_any_organization") and linked is None:
        raise OAuthError(403, "unauthorized_client", f"Client is not granted for organization {found['id']}")
    return {"org_id": found["id"]}
