"""The machine-to-machine application that the program was started with: a tenant knows it, whatever it holds."""

from __future__ import annotations

from sandbox.kinds import factory, management_scopes
from sandbox.store import Document
from sandbox.tenant import Tenant

_BODY = {"name": factory.MACHINE, "app_type": "non_interactive", "grant_types": ["client_credentials"]}


def admit(tenant: Tenant) -> None:
    """Let the tenant's client_id and client_secret in: documents kept earlier or elsewhere may name others."""
    store = tenant.store
    client = store.get("clients", tenant.client_id) or _renamed(tenant)
    if client.get("client_secret") != tenant.client_secret:
        store.put("clients", tenant.client_id, {**client, "client_secret": tenant.client_secret})
    grants = store.find("client_grants", client_id=tenant.client_id)
    if all(grant["audience"] != tenant.management_audience for grant in grants):
        scopes = management_scopes.values()
        body = {"client_id": tenant.client_id, "audience": tenant.management_audience, "scope": scopes}
        factory.insert(tenant, "/client-grants", body)


def _renamed(tenant: Tenant) -> Document:
    """The application under its new id, with its old grants; a new one where there was none."""
    store = tenant.store
    old = store.first("clients", name=factory.MACHINE)
    if old is None:
        keys = {"client_id": tenant.client_id, "client_secret": tenant.client_secret}
        return factory.insert(tenant, "/clients", {**_BODY, **keys})
    store.remove("clients", old["client_id"])
    for grant in store.find("client_grants", client_id=old["client_id"]):
        store.put("client_grants", grant["id"], {**grant, "client_id": tenant.client_id})
    return store.put("clients", tenant.client_id, {**old, "client_id": tenant.client_id})
