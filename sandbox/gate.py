"""What the web server asks: requests wait there until the tenant's application is loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.tenant import Tenant

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Gate:
    """An ASGI application; loading takes a few tenths of a second, in a thread of its own."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._application: ASGIApp | None = None
        self._open = asyncio.Event()

    def open(self, application: ASGIApp) -> None:
        self._application = application
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._application is None:
            await self._open.wait()
        assert self._application is not None  # noqa: S101 (for the type checker)
        return await self._application(scope, receive, send)
