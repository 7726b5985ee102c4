"""What stands at a tenant's ports: it answers discovery at once; all else waits until the application is loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from sandbox import discovery
from sandbox.tenant import Tenant

if TYPE_CHECKING:
    from sandbox.app import Application, Receive, Scope, Send

DISCOVERY = "/.well-known/openid-configuration"


class Gate:
    """An ASGI application; loading takes a few tenths of a second, in a thread of its own."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._application: Application | None = None
        self._open = asyncio.Event()

    def open(self, application: Application) -> None:
        self._application = application
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._application is None:
            if _is_plain_discovery(scope):
                return await self._discover(scope, send)
            await self._open.wait()
        assert self._application is not None  # noqa: S101 (for the type checker)
        return await self._application(scope, receive, send)

    async def _discover(self, scope: Scope, send: Send) -> None:
        agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
        body = orjson.dumps(discovery.configuration(self.tenant, agent))
        headers = {**discovery.HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body))}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def _is_plain_discovery(scope: Scope) -> bool:
    """A script's request from another origin waits for the application, which knows the headers for it."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != DISCOVERY:
        return False
    return all(name != b"origin" for name, _ in scope["headers"])
