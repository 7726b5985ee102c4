"""Which organization a login is for, who may sign in to it, and invitations to join."""

from __future__ import annotations

from typing import Any

from sandbox import logs
from sandbox.errors import OAuthError
from sandbox.login import configuration
from sandbox.login.transactions import Transaction
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import memberships, records


def named(tenant: Tenant, wanted: str) -> Document | None:
    """By id, or by name (in lower case, as names are)."""
    found = tenant.store.get("organizations", wanted)
    return found or tenant.store.first("organizations", name=wanted.lower())


def of_request(transaction: Transaction) -> Document | None:
    """The organization that /authorize names. Raises OAuthError."""
    client, wanted = transaction.client, transaction.parameters.get("organization", "")
    usage = client.get("organization_usage") or "deny"
    if not wanted:
        if usage == "require" and behavior(client) == "no_prompt":
            raise OAuthError(400, "invalid_request", "parameter organization is required for this client")
        return None
    if usage == "deny":
        raise OAuthError(400, "invalid_request", "parameter organization is not allowed for this client")
    found = named(transaction.tenant, wanted)
    if found is None:
        raise OAuthError(400, "invalid_request", f"parameter organization is invalid: {wanted}")
    return found


def of_grant(tenant: Tenant, client: Document, wanted: str) -> Document | None:
    """The organization that a request without pages names, by id or name. Raises OAuthError 400."""
    if not wanted:
        return None
    if (client.get("organization_usage") or "deny") == "deny":
        raise OAuthError(400, "invalid_request", "parameter organization is not allowed for this client")
    found = named(tenant, wanted)
    if found is None:
        raise OAuthError(400, "invalid_request", f"parameter organization is invalid: {wanted}")
    return found


def refuse_stranger(tenant: Tenant, organization: Document | None, user_id: str) -> None:
    """Raises OAuthError 403 for who is no member."""
    if organization and not memberships.is_member(tenant, organization["id"], user_id):
        text = f"user {user_id} is not part of the {organization['id']} organization"
        raise OAuthError(403, "access_denied", text)


def behavior(client: Document) -> str:
    """When to ask for the organization: no_prompt, pre_login_prompt or post_login_prompt."""
    return str(client.get("organization_require_behavior") or "no_prompt")


def prompt_before_login(transaction: Transaction) -> bool:
    return _asks(transaction) and behavior(transaction.client) == "pre_login_prompt"


def prompt_after_login(transaction: Transaction) -> bool:
    return _asks(transaction) and behavior(transaction.client) == "post_login_prompt"


def _asks(transaction: Transaction) -> bool:
    usage = transaction.client.get("organization_usage")
    return transaction.organization is None and usage in ("require", "allow")


def connections_of(transaction: Transaction) -> list[Document]:
    """The application's connections; with an organization, those that both have enabled."""
    enabled = configuration.enabled_connections(transaction.tenant, transaction.client)
    if transaction.organization is None:
        return enabled
    id = transaction.organization["id"]
    links = transaction.tenant.store.find("organization_connections", _organization_id=id)
    linked = {link["connection_id"] for link in links if link.get("is_enabled", True)}
    return [connection for connection in enabled if connection["id"] in linked] or (enabled if not linked else [])


def membership_problem(transaction: Transaction, user_id: str, connection: Document) -> str | None:
    """Why the user can't sign in to the organization; joins it first where the connection says so."""
    organization, tenant = transaction.organization, transaction.tenant
    if organization is None:
        return None
    if transaction.invitation is not None and not _accepted(transaction, transaction.invitation, user_id):
        return "The specified account is not allowed to accept the current invitation"
    link = tenant.store.get("organization_connections", f"{organization['id']} {connection['id']}") or {}
    if link.get("assign_membership_on_login"):
        memberships.add_member(tenant, organization["id"], user_id)
    if memberships.is_member(tenant, organization["id"], user_id):
        return None
    return f"user {user_id} is not part of the {organization['id']} organization"


def invitation_of_request(transaction: Transaction) -> Document | None:
    """Raises OAuthError for one that is unknown, spent or expired."""
    ticket: Any = transaction.parameters.get("invitation")
    if not ticket:
        return None
    found = transaction.tenant.store.first("invitations", ticket_id=ticket)
    organization = transaction.organization or {}
    if found is None or found["organization_id"] != organization.get("id"):
        raise OAuthError(400, "invalid_request", "The invitation was not found or was already used")
    if found["expires_at"] <= transaction.tenant.timestamp():
        raise OAuthError(400, "invalid_request", "The invitation has expired")
    return found


def _accepted(transaction: Transaction, invitation: Document, user_id: str) -> bool:
    """An invitation is for the address that it was sent to."""
    tenant, client = transaction.tenant, transaction.client
    user = records.get(tenant, user_id)
    invited = (invitation.get("invitee") or {}).get("email", "").lower() == (user.get("email") or "").lower()
    who = {"user_id": user_id, "user_name": user.get("email")}
    logs.write(tenant, "si" if invited else "fi", client_id=client["client_id"], client_name=client.get("name"), **who)
    if invited:
        _accept(tenant, invitation, user_id)
    return invited


def _accept(tenant: Tenant, invitation: Document, user_id: str) -> None:
    if tenant.store.get("invitations", invitation["id"]) is None:
        return
    memberships.add_member(tenant, invitation["organization_id"], user_id)
    for role_id in invitation.get("roles") or ():
        memberships.add_member_role(tenant, invitation["organization_id"], user_id, role_id)
    user = records.get(tenant, user_id)
    changes = {
        name: records.merge_metadata(user.get(name), invitation[name])
        for name in ("app_metadata", "user_metadata")
        if invitation.get(name)
    }
    if changes:
        records.update(tenant, user_id, changes)
    tenant.store.remove("invitations", invitation["id"])
