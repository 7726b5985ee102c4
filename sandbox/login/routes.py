"""Path -> handler: everything that a tenant serves beside the Management API."""

from __future__ import annotations

from starlette.routing import Route

from sandbox.login import token, wellknown
from sandbox.login.calls import Handler, endpoint
from sandbox.tenant import Tenant

GET, POST = ["GET"], ["POST"]

API: list[tuple[str, list[str], Handler]] = [
    ("/.well-known/openid-configuration", GET, wellknown.openid_configuration),
    ("/.well-known/oauth-authorization-server", GET, wellknown.openid_configuration),
    ("/.well-known/jwks.json", GET, wellknown.jwks),
    ("/oauth/token", POST, token.token),
]
INDEXES = [
    ("clients", "client_id"),
    ("resource_servers", "identifier"),
    ("client_grants", "client_id"),
]


def build(tenant: Tenant) -> list[Route]:
    for kind, field in INDEXES:
        tenant.store.index(kind, field)
    return [Route(path, endpoint(tenant, handler), methods=methods) for path, methods, handler in API]
