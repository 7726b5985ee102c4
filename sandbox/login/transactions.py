"""Logins that run in a browser just now, each bound to the browser that began it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sandbox.login.calls import Call
from sandbox.login.capabilities import Capabilities
from sandbox.login.ceremonies import Ceremony
from sandbox.login.mfa import Challenge
from sandbox.login.pipeline import Pipeline
from sandbox.login.steps import Step
from sandbox.login.subject import Login
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

LIFETIME_SECONDS = 3600.0
# Between the first and the second factor (docs: Troubleshoot MFA Issues).
MFA_SECONDS = 300.0


@dataclass
class Transaction:
    """id: the `state` of the pages. parameters: of /authorize, with the defaults filled in; query: as they came."""

    id: str
    tenant: Tenant
    client: Document
    parameters: dict[str, str]
    query: dict[str, str]
    browser: str
    protocol: str
    organization: Document | None = None
    invitation: Document | None = None
    device_code: str = ""
    enrollment_ticket: str = ""
    identifier: str = ""
    connection: Document | None = None
    login: Login | None = None
    pipeline: Pipeline | None = None
    step: Step | None = None
    challenge: Challenge | None = None
    # The question that an authenticator has to answer next, and the page that offers to keep a new one.
    ceremony: Ceremony | None = None
    offer: str = ""
    offered: set[str] = field(default_factory=set)
    capabilities: Capabilities | None = None
    # Whether the passkey that signed in lives on another device.
    cross_device: bool = False
    mfa_since: float = 0.0
    recovery_code: str = ""
    # What was filled in so far in the form that an Action shows, step by step.
    form_answers: list[dict[str, Any]] = field(default_factory=list)
    consented: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def scopes(self) -> list[str]:
        return self.parameters.get("scope", "").split()

    @property
    def prompt(self) -> list[str]:
        return self.parameters.get("prompt", "").split()

    @property
    def silent(self) -> bool:
        return "none" in self.prompt

    def restart(self) -> None:
        """Forget who signed in: another person begins."""
        self.login = self.pipeline = self.step = self.challenge = self.ceremony = None
        self.offer, self.recovery_code, self.mfa_since = "", "", 0.0
        self.offered.clear()
        self.form_answers.clear()


def cookie_name(tenant: Tenant, purpose: str) -> str:
    """Ports don't separate cookies, so the tenant's name is in each."""
    return f"{purpose}-{tenant.name}"


def begin(call: Call, client: Document, parameters: dict[str, str], protocol: str) -> Transaction:
    tenant = call.tenant
    browser = call.request.cookies.get(cookie_name(tenant, "did")) or new_id("", 32)
    query = {name: value for name, value in parameters.items() if not name.startswith("_")}
    transaction = Transaction(new_id("", 40), tenant, client, parameters, query, browser, protocol)
    transient(tenant, "transactions").put(transaction.id, transaction, LIFETIME_SECONDS)
    return transaction


def find(call: Call) -> Transaction | None:
    """The transaction of the `state` in the address, if this browser began it."""
    state = call.request.query_params.get("state") or call.parameters.get("state")
    found: Any = transient(call.tenant, "transactions").get(state) if isinstance(state, str) else None
    browser = call.request.cookies.get(cookie_name(call.tenant, "did"))
    return found if found is not None and found.browser == browser else None


def end(transaction: Transaction) -> None:
    transient(transaction.tenant, "transactions").pop(transaction.id)
