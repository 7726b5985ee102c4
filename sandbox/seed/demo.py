"""Larkspur Outfitters: a company as one would find it, in three tenants that differ in ways worth promoting."""

from __future__ import annotations

from dataclasses import replace

from sandbox.kinds import actions, factory, triggers
from sandbox.seed import people
from sandbox.store import Document
from sandbox.tenant import Tenant

ROLES_CLAIM = "https://castellan.example/roles"
PORTAL_CLIENT_ID = "castellanPortalLocalDemoOnly0001"
PORTAL_CLIENT_SECRET = "local-demo-only-castellan-portal-secret-0001"
PORTAL_URLS = ("http://localhost:8000", "http://127.0.0.1:8000")
STAFF_ROLES_CODE = f"""\
/**
 * Puts the person's Castellan roles on the tokens: the Auth0 roles named castellan-..., without that prefix.
 */
exports.onExecutePostLogin = async (event, api) => {{
  const roles = (event.authorization?.roles ?? [])
    .filter((name) => name.startsWith("castellan-"))
    .map((name) => name.slice("castellan-".length));
  api.idToken.setCustomClaim("{ROLES_CLAIM}", roles);
  api.accessToken.setCustomClaim("{ROLES_CLAIM}", roles);
}};
"""


def fill(tenant: Tenant) -> None:
    """On top of a factory tenant. Needs nothing from outside."""
    _roles(tenant)
    _connections(tenant)
    _portal(tenant)
    _action(tenant, "Castellan staff roles", STAFF_ROLES_CODE)
    people.fill(tenant)


def _roles(tenant: Tenant) -> None:
    for name in dict.fromkeys(role for _, role in people.STAFF.values() if role):
        words = name.replace("-", " ")
        factory.insert(tenant, "/roles", {"name": f"castellan-{name}", "description": f"Castellan: {words}"})


def _connections(tenant: Tenant) -> None:
    factory.insert(tenant, "/connections", {"name": people.CUSTOMER_DATABASE, "strategy": "auth0"})
    options = {"client_id": "local-demo", "client_secret": "local-demo", "scope": ["email", "profile"]}
    factory.insert(tenant, "/connections", {"name": people.SOCIAL, "strategy": people.SOCIAL, "options": options})


def _portal(tenant: Tenant) -> None:
    client = factory.insert(
        tenant,
        "/clients",
        {
            "client_id": PORTAL_CLIENT_ID,
            "client_secret": PORTAL_CLIENT_SECRET,
            "name": "Castellan",
            "app_type": "regular_web",
            "callbacks": [f"{url}/complete/auth0-oidc/" for url in PORTAL_URLS],
            "allowed_logout_urls": [f"{url}/" for url in PORTAL_URLS],
            "grant_types": [
                "authorization_code",
                "refresh_token",
                "password",
                "http://auth0.com/oauth/grant-type/password-realm",
            ],
            "oidc_conformant": True,
            "jwt_configuration": {"alg": "RS256"},
        },
    )
    for connection in tenant.store.all("connections"):
        enabled = [*connection.get("enabled_clients", []), client["client_id"]]
        tenant.store.put("connections", connection["id"], {**connection, "enabled_clients": enabled})


def _action(tenant: Tenant, name: str, code: str, *, bound: bool = True) -> Document:
    """A deployed post-login Action, bound behind those that are there."""
    body = {"name": name, "code": code, "supported_triggers": [{"id": "post-login", "version": "v3"}], "deploy": True}
    action = actions.create(factory.call(tenant, "/actions/actions", body)).body
    if bound:
        there = [{"ref": {"type": "action_id", "value": b["id"]}} for b in actions.bound(tenant, "post-login")]
        new = {"ref": {"type": "action_id", "value": action["id"]}, "display_name": name}
        call = factory.call(tenant, "/actions/triggers/post-login/bindings", {"bindings": [*there, new]})
        triggers.replace_bindings(replace(call, params={"trigger_id": "post-login"}))
    return action
