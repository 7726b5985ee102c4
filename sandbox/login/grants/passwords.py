"""password, password-realm and passwordless OTP: somebody's credentials, handed over by an application."""

from __future__ import annotations

from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import audiences, configuration, organizations, passwordless_login
from sandbox.login.attempts import Attempt, SignInRefused
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated
from sandbox.login.credentials import check_password, name_of, refuse_blocked
from sandbox.login.grants import unattended
from sandbox.login.subject import Login
from sandbox.login.visitor import Visitor, visitor
from sandbox.store import Document


async def password(call: Call, caller: Authenticated) -> dict[str, Any]:
    """The connection is the tenant's default directory, else the application's first database."""
    name = configuration.tenant_settings(call.tenant).get("default_directory") or ""
    enabled = [c for c in configuration.enabled_connections(call.tenant, caller.client) if configuration.is_database(c)]
    if not enabled and not name:
        raise OAuthError(403, "server_error", "Authorization server not configured with default connection.")
    connection = configuration.connection_named(call.tenant, name) if name else enabled[0]
    if connection is None:
        raise OAuthError(403, "access_denied", f"connection does not exist: {name}")
    return await _sign_in(call, caller, connection)


async def password_realm(call: Call, caller: Authenticated) -> dict[str, Any]:
    realm = call.required("realm")
    enabled = configuration.enabled_connections(call.tenant, caller.client)
    found = [c for c in enabled if c["name"] == realm or realm in (c.get("realms") or ())]
    if not found or not configuration.is_database(found[0]):
        raise OAuthError(400, "invalid_request", f"Specified realm is invalid: {realm}")
    return await _sign_in(call, caller, found[0])


async def _sign_in(call: Call, caller: Authenticated, connection: Document) -> dict[str, Any]:
    name, secret = call.required("username"), call.required("password")
    at = visitor(call)
    organization = organizations.of_grant(call.tenant, caller.client, call.text("organization"))
    attempt = Attempt(call.tenant, caller.client, connection, at)
    try:
        user = await check_password(attempt, name, secret, organization)
    except SignInRefused as refused:
        raise OAuthError(refused.status, refused.code, refused.description) from None
    organizations.refuse_stranger(call.tenant, organization, user["user_id"])
    return await _tokens(call, caller, connection, user, at, organization, "pwd")


async def _tokens(
    call: Call,
    caller: Authenticated,
    connection: Document,
    user: Document,
    at: Visitor,
    organization: Document | None,
    method: str,
) -> dict[str, Any]:
    audience = audiences.requested(call.tenant, call.text("audience"), call.text("resource"))
    login = Login(
        call.tenant,
        caller.client,
        connection,
        user["user_id"],
        at,
        "oauth2-password" if method == "pwd" else "oauth2-resource-owner",
        scopes=_scopes(call, caller.client, audience),
        audience=audience,
        organization=organization,
        thumbprint=caller.thumbprint,
    )
    login.add_method(method)
    answer = await unattended.finish(login)
    who = {"user_id": user["user_id"], "user_name": name_of(user)}
    call.log("sepft", caller.client, ip=at.ip, connection=connection["name"], **who)
    return answer


def _scopes(call: Call, client: Document, audience: str) -> list[str]:
    """Nothing asked for means everything that the API has. Raises OAuthError for an API that is unknown or closed."""
    asked = call.text("scope").split()
    if not audience:
        return asked
    api = audiences.for_people(call.tenant, client, audience)
    return asked or audiences.scope_values(api)


async def passwordless(call: Call, caller: Authenticated) -> dict[str, Any]:
    """http://auth0.com/oauth/grant-type/passwordless/otp: realm "email" or "sms", username, otp."""
    realm = call.required("realm")
    enabled = configuration.enabled_connections(call.tenant, caller.client)
    connection = next(
        (c for c in enabled if c["strategy"] in ("email", "sms") and realm in (c["name"], c["strategy"])), None
    )
    if connection is None:
        raise OAuthError(400, "invalid_request", f"Specified realm is invalid: {realm}")
    attempt = Attempt(call.tenant, caller.client, connection, visitor(call))
    try:
        user = passwordless_login.check(call.tenant, connection, call.required("username"), call.required("otp"))
        refuse_blocked(attempt, user)
    except SignInRefused as refused:
        raise OAuthError(refused.status, refused.code, refused.description) from None
    return await _tokens(call, caller, connection, user, attempt.visitor, None, connection["strategy"])
