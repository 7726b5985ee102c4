"""The page at /_sandbox/."""

from __future__ import annotations

from starlette.routing import Route

from sandbox.tenant import Tenant


def routes(tenant: Tenant) -> list[Route]:
    return []
