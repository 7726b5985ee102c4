"""The device flow's two codes: the one that the device polls with, and the one that a person types in."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field

from starlette.responses import Response

from sandbox import logs
from sandbox.login import configuration
from sandbox.login.effects import Effects
from sandbox.login.rendering import page
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

LIFETIME_SECONDS = 900
INTERVAL_SECONDS = 5
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass
class DeviceCode:
    """state: "pending", "approved" or "denied"."""

    device_code: str
    user_code: str
    client: Document
    scope: str
    audience: str
    state: str = "pending"
    login: Login | None = None
    effects: Effects = field(default_factory=Effects)
    last_asked: float = 0.0


def create(tenant: Tenant, client: Document, scope: str, audience: str) -> DeviceCode:
    code = DeviceCode(new_id("", 24), _user_code(tenant), client, scope, audience)
    transient(tenant, "device codes").put(code.device_code, code, LIFETIME_SECONDS)
    transient(tenant, "user codes").put(_typed(code.user_code), code, LIFETIME_SECONDS)
    return code


def _user_code(tenant: Tenant) -> str:
    """As the tenant's device_flow says: `charset` base20 or digits, `mask` with a * for each."""
    settings = configuration.tenant_settings(tenant).get("device_flow") or {}
    letters = string.digits if settings.get("charset") == "digits" else _LETTERS
    mask = settings.get("mask") or "****-****"
    return "".join(secrets.choice(letters) if place == "*" else place for place in mask)


def _typed(code: str) -> str:
    """What a code comes down to, however a person writes it."""
    return "".join(c for c in code.upper() if c.isalnum())


def by_user_code(tenant: Tenant, typed: str) -> DeviceCode | None:
    found: DeviceCode | None = transient(tenant, "user codes").get(_typed(typed))
    return found if found is not None and found.state == "pending" else None


def by_device_code(tenant: Tenant, device_code: str) -> DeviceCode | None:
    found: DeviceCode | None = transient(tenant, "device codes").get(device_code)
    return found


def approve(transaction: Transaction, login: Login, effects: Effects) -> Response:
    code = by_device_code(transaction.tenant, transaction.device_code)
    if code is not None:
        code.state, code.login, code.effects = "approved", login, effects
        transient(transaction.tenant, "user codes").pop(_typed(code.user_code))
    return page(
        transaction.tenant,
        "message",
        title="Congratulations, you're all set!",
        text="Your device is now connected. You can close this window.",
    )


def reject(transaction: Transaction) -> None:
    code = by_device_code(transaction.tenant, transaction.device_code)
    if code is not None:
        code.state = "denied"
        client = transaction.client
        logs.write(transaction.tenant, "fdecc", client_id=client["client_id"], client_name=client.get("name"))


def spend(tenant: Tenant, code: DeviceCode) -> None:
    transient(tenant, "device codes").pop(code.device_code)
    transient(tenant, "user codes").pop(_typed(code.user_code))
