"""Signing in without a browser: the password grant, through the tests' own machine-to-machine application."""

from __future__ import annotations

from typing import Any

CUSTOMERS = "larkspur-customers"


def allow(tenant: Any, connection: str = CUSTOMERS) -> None:
    """Enable the connection for the application."""
    found = tenant.named("connections", connection)
    if tenant.client_id not in found["enabled_clients"]:
        enabled = [*found["enabled_clients"], tenant.client_id]
        tenant.api("PATCH", f"/connections/{found['id']}", {"enabled_clients": enabled})


def ask(tenant: Any, user: str, password: str, connection: str = CUSTOMERS, **more: str) -> Any:
    """The answer of the token endpoint; `more` are scope, audience ... ."""
    body = {
        "grant_type": "http://auth0.com/oauth/grant-type/password-realm",
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "username": user,
        "password": password,
        "realm": connection,
        **more,
    }
    return tenant.http.post("/oauth/token", json=body)


def signs_in(tenant: Any, user: str, password: str, connection: str = CUSTOMERS) -> bool:
    allow(tenant, connection)
    return bool(ask(tenant, user, password, connection).status_code == 200)
