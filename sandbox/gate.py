"""What stands at a tenant's ports while its application is loaded: all waits but discovery, if that is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox import discovery
from sandbox.tenant import Tenant

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Gate:
    """An ASGI application; loading takes a few tenths of a second, in a thread of its own.

    as_new: the tenant begins with the settings of a new one, which is all that discovery has to know.
    """

    def __init__(self, tenant: Tenant, *, as_new: bool) -> None:
        self.tenant = tenant
        self.as_new = as_new
        self._application: ASGIApp | None = None
        self._open = asyncio.Event()

    def open(self, application: ASGIApp) -> None:
        self._application = application
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._application is None:
            if self.as_new and scope["type"] == "http" and discovery.is_plain(scope):
                return await discovery.answer(self.tenant, scope, send)
            await self._open.wait()
        assert self._application is not None  # noqa: S101 (for the type checker)
        return await self._application(scope, receive, send)
