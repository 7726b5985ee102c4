"""The parent's side of a script's connections: opens allowed hosts alone, and can play a database in trouble."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

SOCKETS = 24
CONNECT_SECONDS = 10.0
HELLO_SECONDS = 5.0
CONNECTED, REFUSED, FORBIDDEN, TIMED_OUT, UNKNOWN = b"0", b"1", b"2", b"3", b"4"

FaultKind = Literal["down", "silent", "slow", "dropped"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong between a script and its database.

    down: every connection is refused. silent: connections open, then nothing ever arrives, not even their end.
    slow: every answer comes `seconds` late. dropped: the connection breaks as soon as `marker` is sent (a part of
    the statement or its values, plain, in UTF-16 or as in a URL, in any case), so that the statement is under way.
    """

    kind: FaultKind
    seconds: float = 1.0
    marker: str = ""


def targets(hosts: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """What a script may reach: {"host:port" as the script names it: "host:port" or "/path" as we reach it}."""
    if isinstance(hosts, Mapping):
        return {name.lower(): address for name, address in hosts.items()}
    return {name.lower(): name for name in hosts}


@dataclass
class Relay:
    """Some sockets whose other ends a child inherits. `targets` and `fault` are set before the child's first run."""

    targets: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    used: int = 0
    _open: set[socket.socket] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    def __post_init__(self) -> None:
        pairs = [socket.socketpair() for _ in range(SOCKETS)]
        self.ends = [ours for ours, _ in pairs]
        self.child_ends = [theirs for _, theirs in pairs]
        self._wake_read, self._wake_write = os.pipe()

    def start(self) -> None:
        """Call after the child has inherited its ends."""
        for end in self.child_ends:
            end.close()
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    @property
    def open_connections(self) -> int:
        """Connections that the script has opened and not closed yet."""
        with self._changed:
            return len(self._open)

    def settled_connections(self, seconds: float) -> int:
        """The same, once a goodbye that is under way has arrived."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, seconds)
            return len(self._open)

    @property
    def free(self) -> int:
        return SOCKETS - self.used

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")
        for end in [*self.ends, *self.child_ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        """Wait for the first word on any end; each connection then has a thread of its own."""
        waiting = {end.fileno(): end for end in self.ends}
        poll = select.poll()
        for descriptor in (*waiting, self._wake_read):
            poll.register(descriptor, select.POLLIN)
        while waiting:
            for descriptor, _ in poll.poll():
                if descriptor == self._wake_read:
                    self._finish(waiting)
                    return
                poll.unregister(descriptor)
                threading.Thread(target=self._serve, args=(waiting.pop(descriptor),), daemon=True).start()
        self._finish({})

    def _finish(self, waiting: dict[int, socket.socket]) -> None:
        for end in waiting.values():
            end.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1

    def _serve(self, end: socket.socket) -> None:
        with end, contextlib.ExitStack() as stack:
            end.settimeout(HELLO_SECONDS)
            try:
                name = self._hello(end)
                if not name:
                    return
                self.used += 1
                status, upstream = self._connect(name)
                if upstream is not None:
                    stack.enter_context(upstream)  # closed too where the child is gone by now
                end.sendall(status)
                if upstream is None or end.recv(1) != b"\n":
                    return
            except OSError:
                return
            self._relay(end, upstream)

    @staticmethod
    def _hello(end: socket.socket) -> str:
        received = bytearray()
        while not received.endswith(b"\n") and len(received) < 300:
            byte = end.recv(1)
            if not byte:
                return ""
            received += byte
        return received.decode("utf-8", "replace").strip().lower()

    def _connect(self, name: str) -> tuple[bytes, socket.socket | None]:
        address = self.targets.get(name)
        if address is None:
            return FORBIDDEN, None
        if self.fault and self.fault.kind == "down":
            return REFUSED, None
        try:
            return CONNECTED, connect(address)
        except TimeoutError:
            return TIMED_OUT, None
        except socket.gaierror:
            return UNKNOWN, None
        except OSError:
            return REFUSED, None

    def _relay(self, end: socket.socket, upstream: socket.socket) -> None:
        with self._changed:
            self._open.add(end)
        try:
            with contextlib.suppress(OSError):
                pump(end, upstream, self.fault)
        finally:
            with self._changed:
                self._open.discard(end)
                self._changed.notify_all()


def connect(address: str) -> socket.socket:
    if address.startswith("/"):
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(CONNECT_SECONDS)
        local.connect(address)
        return local
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS)


def pump(end: socket.socket, upstream: socket.socket, fault: Fault | None) -> None:
    """Carry bytes both ways until either side is done, with the fault in between."""
    for side in (end, upstream):
        side.setblocking(True)
        side.settimeout(CONNECT_SECONDS)
    sides = {end.fileno(): (end, upstream), upstream.fileno(): (upstream, end)}
    poll = select.poll()
    for descriptor in sides:
        poll.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            source, sink = sides[descriptor]
            data = source.recv(65536)
            if fault is not None and fault.kind == "silent" and source is upstream and not data:
                poll.unregister(descriptor)
                continue
            if not data or not passes(data, fault, source is upstream):
                return
            if fault is None or fault.kind != "silent" or source is end:
                sink.sendall(data)


def passes(data: bytes, fault: Fault | None, from_database: bool) -> bool:
    """False when the connection must break here; slow answers wait here."""
    if fault is None:
        return True
    if fault.kind == "slow" and from_database:
        time.sleep(fault.seconds)
    if fault.kind != "dropped" or from_database:
        return True
    marker = fault.marker.lower()
    shapes = (marker.encode(), marker.encode("utf-16-le"), quote(marker, safe="").lower().encode())
    return not any(shape in data.lower() for shape in shapes)
