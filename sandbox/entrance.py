"""What accepts the connections to a tenant's port: discovery is answered from bytes, all else goes to the web server.

Discovery is what clients ask first and most, and of a tenant that begins as new it needs the addresses alone: it is
answered before the web server's modules are loaded, and at a fraction of the web server's cost afterwards.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import cast

from sandbox import discovery
from sandbox.tenant import Tenant

MakeProtocol = Callable[[], asyncio.Protocol]
# A whole request and nothing after it, which no page of another origin sends and which wants nothing special.
_PLAIN = re.compile(
    rb"GET %b HTTP/1\.1\r\n(?:(?!origin:|connection:\s*(?:close|upgrade)|content-length:|transfer-encoding:|expect:)"
    rb"[^\r\n\0]+\r\n)+\r\n" % re.escape(discovery.PATH.encode()),
    re.IGNORECASE,
)
_AGENT = re.compile(rb"\r\nuser-agent:[ \t]*([^\r\n]*)", re.IGNORECASE)


class Entrance:
    """Makes the protocol of each new connection; `open` names what takes those that ask for more than discovery.

    as_new: the tenant begins with the settings of a new one, so that its discovery is known; else `known` is set later.
    """

    def __init__(self, tenant: Tenant, *, as_new: bool) -> None:
        self.tenant = tenant
        self.known = as_new
        self.web: MakeProtocol | None = None
        self.inside: set[_Connection] = set()
        self._written: dict[bool, tuple[bytes, bytes]] = {}  # the document, and what goes after the date

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def open(self, web: MakeProtocol) -> None:
        self.web = web
        for connection in list(self.inside):
            connection.go_on()

    def close(self) -> None:
        """Ends the connections that the web server doesn't know of, and so can't end."""
        for connection in list(self.inside):
            connection.transport.close()

    def answer(self, request: bytes) -> bytes | None:
        """The whole answer to a plain request for the discovery document; None for every other request."""
        if not self.known or not self.tenant.conditions.calm or not _PLAIN.fullmatch(request):
            return None
        now = time.time()
        found = _AGENT.search(request)
        rest = self._after_date(found[1].decode("latin-1") if found else "")
        self.tenant.requests.append((now, "GET", discovery.PATH, b"", 200, (time.time() - now) * 1000))
        return b"HTTP/1.1 200 OK\r\ndate: %b\r\n%b" % (_date(int(now)), rest)

    def _after_date(self, agent: str) -> bytes:
        key, body = discovery.variant(agent), discovery.body(self.tenant, agent)
        if key not in self._written or self._written[key][0] is not body:
            headers = {**discovery.HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body))}
            lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
            self._written[key] = (body, f"{lines}\r\n".encode() + body)
        return self._written[key][1]


class _Connection(asyncio.Protocol):
    """Waits with what it got until there is a web server, and is that server's from then on."""

    def __init__(self, entrance: Entrance) -> None:
        self.entrance = entrance
        self.waiting = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.entrance.inside.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.entrance.inside.discard(self)

    def data_received(self, data: bytes) -> None:
        found = None if self.waiting else self.entrance.answer(data)
        if found is not None:
            self.transport.write(found)
            return
        self.waiting += data
        if self.entrance.web is None:
            self.transport.pause_reading()
        else:
            self.go_on()

    def go_on(self) -> None:
        """Hand the connection over, if more than discovery was asked on it."""
        if not self.waiting or self.entrance.web is None or self.transport.is_closing():
            return
        protocol = self.entrance.web()
        self.entrance.inside.discard(self)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        self.transport.resume_reading()
        protocol.data_received(self.waiting)


_dated: tuple[int, bytes] = (0, b"")


def _date(second: int) -> bytes:
    """The Date header's value, written once a second."""
    global _dated  # noqa: PLW0603
    if _dated[0] != second:
        _dated = (second, formatdate(second, usegmt=True).encode())
    return _dated[1]
