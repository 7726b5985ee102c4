"""Tickets (single-use links) and the e-mails that carry them."""

from __future__ import annotations

from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

FIVE_DAYS_SECONDS = 432_000
_PATHS = {"change_password": "lo/reset", "email_verification": "u/email-verification", "enrollment": "u/mfa-enrollment"}


def new_ticket(tenant: Tenant, type: str, user: Document, *, ttl_seconds: int = 0, **fields: Any) -> Document:
    """Store a ticket; {"id", "type", "user_id", "connection", "expires_at" (epoch), "used", "url", ...fields}.

    `type` is change_password, email_verification or enrollment; a ttl of 0 means five days, as on Auth0.
    """
    id = new_id("", 32)
    ticket = {
        "id": id,
        "type": type,
        "user_id": user["user_id"],
        "connection": fields.pop("connection", None) or user["identities"][0]["connection"],
        "expires_at": tenant.now() + (ttl_seconds or FIVE_DAYS_SECONDS),
        "used": False,
        "url": f"{tenant.browser_url}{_PATHS[type]}?ticket={id}",
        **fields,
    }
    return tenant.store.put("tickets", id, ticket)


def send_verification(tenant: Tenant, user: Document, *, client_id: str | None = None, **fields: Any) -> Document:
    """Mail the user a link that verifies the address; answers its ticket."""
    from sandbox.login import emails

    ticket = new_ticket(tenant, "email_verification", user, client_id=client_id, **fields)
    emails.deliver(tenant, "verify_email", user, ticket["url"])
    return ticket
