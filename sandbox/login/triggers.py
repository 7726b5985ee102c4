"""The Actions of the triggers beside post-login: each runs to its end, none can pause."""

from __future__ import annotations

from typing import Any

from sandbox import logs
from sandbox.kinds.actions import bound
from sandbox.kinds.triggers import HANDLERS
from sandbox.login.effects import Effects
from sandbox.login.visitor import Visitor
from sandbox.store import Document
from sandbox.tenant import Tenant

BUDGET_SECONDS = 20.0


async def run(tenant: Tenant, trigger: str, event: dict[str, Any], actions: list[Document] | None = None) -> Effects:
    """What the bound Actions (or these) asked for. An Action that fails denies, as access.deny does."""
    effects, left = Effects(), BUDGET_SECONDS
    for action in bound(tenant, trigger) if actions is None else actions:
        from runtime.actions import arun  # noqa: PLC0415 - tenants without Actions never start Node

        result = await arun(
            action["code"],
            event={**event, "tenant": {"id": tenant.name}},
            secrets=action["secrets"],
            handler=HANDLERS[trigger],
            timeout_seconds=max(0.05, left),
            now=tenant.now(),
        )
        left -= result.duration_ms / 1000
        if result.outcome != "completed":
            message = (result.error or {}).get("message") or "The Action failed."
            logs.write(tenant, "actions_execution_failed", description=message, details={"action": action["name"]})
            effects.denied = ("access_denied", message)
            return effects
        effects.apply(result.commands)
        if effects.denied:
            return effects
    return effects


def request_of(visitor: Visitor) -> dict[str, Any]:
    """event.request."""
    return {
        "ip": visitor.ip,
        "method": visitor.method,
        "hostname": visitor.hostname,
        "user_agent": visitor.user_agent,
        "language": visitor.language,
        "geoip": visitor.geoip,
        "query": visitor.query,
        "body": visitor.body,
    }


def client_of(client: Document) -> dict[str, Any]:
    """event.client."""
    return {
        "client_id": client.get("client_id", ""),
        "name": client.get("name", ""),
        "metadata": client.get("client_metadata") or {},
    }
