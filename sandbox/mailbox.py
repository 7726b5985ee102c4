"""E-mails, text messages and pushes that a tenant sent. Nothing leaves the machine: they are read at /_sandbox/."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

MOST_KEPT = 1000


def send(
    tenant: Tenant, to: str, template: str, subject: str, html: str, text: str, link: str | None = None
) -> Document:
    """Deliver an e-mail; `template` is Auth0's name (verify_email, reset_email ...), `link` what it asks to follow."""
    return _keep(
        tenant,
        "mailbox",
        {"type": "email", "to": to, "template": template, "subject": subject, "html": html, "text": text, "link": link},
    )


def text(tenant: Tenant, to: str, message: str, code: str | None = None, channel: str = "sms") -> Document:
    """Deliver a text message (channel "sms") or a call (channel "voice") to a phone number."""
    return _keep(tenant, "phone_messages", {"type": channel, "to": to, "text": message, "code": code})


def push(tenant: Tenant, user_id: str, message: str, transaction: str) -> Document:
    """Deliver a push notification; the person answers it on the phones part of /_sandbox/.

    The document's "state" becomes "accepted" or "rejected" then; `transaction` is what the asker looks it up by.
    """
    fields = {"type": "push", "to": user_id, "text": message, "transaction": transaction, "state": "pending"}
    return _keep(tenant, "phone_messages", fields)


def messages(tenant: Tenant, *, to: Collection[str] | None = None, newest: int = 100) -> list[Document]:
    """Everything sent, or what was sent to one of these addresses, in any case; newest first."""
    wanted = None if to is None else {address.lower() for address in to}
    everything = (message for kind in ("mailbox", "phone_messages") for message in tenant.store.all(kind))
    found = [message for message in everything if wanted is None or message["to"].lower() in wanted]
    return sorted(found, key=lambda m: (m["date"], m["number"]), reverse=True)[:newest]


def _keep(tenant: Tenant, kind: str, fields: dict[str, Any]) -> Document:
    store = tenant.store
    while store.count(kind) >= MOST_KEPT:
        store.remove(kind, store.oldest(kind))
    id = new_id("msg_", 16)
    return store.put(kind, id, {"id": id, "number": tenant.next_number(), "date": tenant.timestamp(), **fields})
