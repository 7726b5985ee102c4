"""Passkeys: whether a connection offers them, whose they are, and keeping a new one."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sandbox.login import configuration, factors
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import records
from sandbox.users.factors import MOST_PASSKEYS


def offered(tenant: Tenant, connection: Document | None) -> bool:
    """Only with identifier-first login (docs: Configure Passkeys)."""
    if connection is None or not configuration.is_database(connection) or not configuration.identifier_first(tenant):
        return False
    methods = configuration.option(connection, "authentication_methods") or {}
    return bool((methods.get("passkey") or {}).get("enabled"))


def options(connection: Document) -> Document:
    """passkey_options, complete."""
    usual = {"challenge_ui": "both", "progressive_enrollment_enabled": True, "local_enrollment_enabled": True}
    return {**usual, **(configuration.option(connection, "passkey_options") or {})}


def of_user(tenant: Tenant, user_id: str) -> list[Document]:
    return [method for method in factors.methods(tenant, user_id) if method["type"] == "passkey"]


def has_room(tenant: Tenant, user_id: str) -> bool:
    return len(of_user(tenant, user_id)) < MOST_PASSKEYS


def handle_of(tenant: Tenant, user_id: str) -> bytes:
    """What the user's authenticators know the account by; empty while there is no passkey."""
    for method in of_user(tenant, user_id):
        text = str(method.get("user_handle") or "")
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):  # the Management API takes any text
            continue
    return b""


def keep(tenant: Tenant, user: Document, connection: Document, key: dict[str, Any], user_agent: str) -> Document:
    """Store a new passkey of the user's identity in this connection."""
    identity = records.identity_in(user, connection["name"])
    fields = {**key, "identity_user_id": str(identity["user_id"]), "user_agent": user_agent[:500]}
    return factors.enroll(tenant, user["user_id"], "passkey", **fields)
