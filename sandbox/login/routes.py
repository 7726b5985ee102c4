"""Path -> handler: everything that a tenant serves beside the Management API."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sandbox.login import (
    authorize,
    cors,
    logout,
    mfa_api,
    password_reset,
    passwordless,
    pushed_requests,
    registration,
    rendering,
    signup,
    token,
    userinfo,
    wellknown,
)
from sandbox.login.calls import Answer, Call, Handler, endpoint
from sandbox.login.grants import backchannel, device
from sandbox.login.pages import accounts, connections, devices, factors, forms, login, passkeys, permissions, webauthn
from sandbox.login.transient import forget_on_reset
from sandbox.login.visits import in_login
from sandbox.tenant import Tenant

GET, POST, BOTH = ["GET"], ["POST"], ["GET", "POST"]

# What scripts in browsers may call from other origins is marked True.
API: list[tuple[str, list[str], Handler, bool]] = [
    ("/.well-known/openid-configuration", GET, wellknown.openid_configuration, True),
    ("/.well-known/oauth-authorization-server", GET, wellknown.openid_configuration, True),
    ("/.well-known/jwks.json", GET, wellknown.jwks, True),
    ("/pem", GET, wellknown.pem, False),
    ("/authorize", BOTH, authorize.authorize, False),
    ("/oauth/par", POST, pushed_requests.push, False),
    ("/oauth/token", POST, token.token, True),
    ("/oauth/revoke", POST, userinfo.revoke, True),
    ("/bc-authorize", POST, backchannel.start, False),
    ("/oauth/device/code", POST, device.start, True),
    ("/userinfo", BOTH, userinfo.userinfo, True),
    ("/mfa/challenge", POST, mfa_api.challenge, True),
    ("/mfa/associate", POST, mfa_api.associate, True),
    ("/mfa/authenticators", GET, mfa_api.authenticators, True),
    ("/mfa/authenticators/{id}", ["DELETE"], mfa_api.delete, True),
    ("/oidc/register", POST, registration.register, True),
    ("/passwordless/start", POST, passwordless.start, True),
    ("/passwordless/verify_redirect", GET, passwordless.follow_link, False),
    ("/dbconnections/signup", POST, signup.api, True),
    ("/dbconnections/change_password", POST, password_reset.api, True),
    ("/v2/logout", GET, logout.v2, False),
    ("/oidc/logout", BOTH, logout.oidc, False),
]
IN_LOGIN = [
    *(*login.PAGES, *connections.PAGES, *accounts.PAGES, *permissions.PAGES),
    *(*factors.PAGES, *webauthn.PAGES, *passkeys.PAGES, *forms.PAGES),
]
OPEN = [*accounts.OPEN_PAGES, *devices.OPEN_PAGES]
INDEXES = [
    ("clients", "client_id"),
    ("resource_servers", "identifier"),
    ("client_grants", "client_id"),
    ("client_credentials", "client_id"),
    ("connections", "name"),
    ("sessions", "_token_hash"),
    ("refresh_tokens", "_token_hash"),
    ("refresh_tokens", "session_id"),
    ("remembered_browsers", "user_id"),
    ("user_blocks", "identifier"),
    ("phone_messages", "transaction"),
    ("grants", "user_id"),
    ("authentication_methods", "user_id"),
    ("authentication_methods", "key_id"),
]


async def asset(call: Call) -> Answer:
    """/u/assets/{name}."""
    name = call.request.path_params["name"]
    if name == "branding.css":
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(rendering.branding_css(call.tenant), 200, headers, "text/css")
    return rendering.asset(name) or Response(status_code=404)


async def resume(call: Call) -> Answer:
    """/authorize/resume, where older bookmarks of a running login lead."""
    return await in_login(permissions.continued)(call)


def build(tenant: Tenant) -> list[Route]:
    for kind, field in INDEXES:
        tenant.store.index(kind, field)
    forget_on_reset(tenant)
    routes = [
        Route(
            path,
            cors.open_to_scripts(tenant, endpoint(tenant, handler)) if scripts else endpoint(tenant, handler),
            methods=[*methods, "OPTIONS"] if scripts else methods,
        )
        for path, methods, handler, scripts in API
    ]
    routes += [Route(path, endpoint(tenant, in_login(handler)), methods=BOTH) for path, handler in IN_LOGIN]
    routes += [Route(path, endpoint(tenant, handler), methods=BOTH) for path, handler in OPEN]
    routes.append(Route("/authorize/resume", endpoint(tenant, resume), methods=GET))
    routes.append(Route("/u/assets/{name}", endpoint(tenant, asset), methods=GET))
    return routes
