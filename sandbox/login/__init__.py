"""The Authentication API and Universal Login of one tenant."""

from __future__ import annotations

from starlette.routing import Route

from sandbox.tenant import Tenant


def routes(tenant: Tenant) -> list[Route]:
    """All routes of a tenant outside /api/v2/ and /_sandbox/."""
    from sandbox.login.routes import build  # noqa: PLC0415 - a program that only asks for --help starts faster

    return build(tenant)
