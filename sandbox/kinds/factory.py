"""A tenant as Auth0 hands it out: default settings, one application, one database, the Management API."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from sandbox.kinds import crud, management_scopes, registry, settings
from sandbox.kinds.keys import fill_encryption_keys
from sandbox.kinds.kind import filled
from sandbox.kinds.messaging import FACTORY_TEMPLATES
from sandbox.kinds.operations import Call
from sandbox.store import Document
from sandbox.tenant import Tenant

DATABASE = "Username-Password-Authentication"
DEFAULT_APP = "Default App"
GLOBAL_CLIENT = "All Applications"
MACHINE = "Sandbox M2M"
JWT_CONFIGURATION = {"alg": "RS256", "lifetime_in_seconds": 36000}


def fill(tenant: Tenant) -> None:
    """Fill an empty store. The tenant's client_id and client_secret are the application "Sandbox M2M"."""
    registry.load()
    settings.fill(tenant.store)
    settings.put(tenant.store, "guardian/policies", {"policies": []})
    for template in FACTORY_TEMPLATES:
        tenant.store.put("email_templates", template["template"], dict(template))
    fill_encryption_keys(tenant)
    tenant.store.put("resource_servers", *_management_api(tenant))
    clients = [_application(tenant, GLOBAL_CLIENT), _application(tenant, DEFAULT_APP), _machine(tenant)]
    everyone = [client["client_id"] for client in clients[1:2]]
    database = {"name": DATABASE, "strategy": "auth0", "enabled_clients": everyone}
    insert(tenant, "/connections", database)
    grant = {"client_id": tenant.client_id, "audience": tenant.management_audience, "scope": management_scopes.values()}
    insert(tenant, "/client-grants", grant)


def insert(tenant: Tenant, path: str, document: Document) -> Document:
    """Create a document of the kind at that path, with its defaults and checks, outside of any request."""
    registry.load()
    return crud.insert(crud.KINDS[path], call(tenant, path, document), document)


def call(tenant: Tenant, path: str, body: Any) -> Call:
    """A call by the sandbox itself."""
    request = Request({"type": "http", "method": "POST", "headers": [], "path": path, "query_string": b""})
    return Call(tenant, request, "POST", path, {}, {}, [], body, {}, frozenset(management_scopes.values()))


def _management_api(tenant: Tenant) -> tuple[str, Document]:
    document = filled(
        crud.KINDS["/resource-servers"],
        call(tenant, "/resource-servers", {}),
        {"name": "Auth0 Management API", "identifier": tenant.management_audience},
    )
    id = crud.KINDS["/resource-servers"].id.new()
    return id, {**document, "id": id, "is_system": True, "scopes": management_scopes.described()}


def _application(tenant: Tenant, name: str) -> Document:
    body: Document = {"name": name, "callbacks": [], "oidc_conformant": True, "jwt_configuration": JWT_CONFIGURATION}
    client = insert(tenant, "/clients", body)
    if name == GLOBAL_CLIENT:
        client = {
            **client,
            "global": True,
            "cross_origin_authentication": True,
            "owners": [],
            "custom_login_page": "<html>\n</html>\n",
            "custom_login_page_on": True,
        }
        client = tenant.store.put("clients", client["client_id"], client)
    return client


def _machine(tenant: Tenant) -> Document:
    body: Document = {
        "name": MACHINE,
        "app_type": "non_interactive",
        "grant_types": ["client_credentials", "password", "http://auth0.com/oauth/grant-type/password-realm"],
        "oidc_conformant": True,
        "token_endpoint_auth_method": "client_secret_post",
        "jwt_configuration": JWT_CONFIGURATION,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
    }
    return insert(tenant, "/clients", body)
