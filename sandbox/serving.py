"""From options to listening tenants: sockets, certificates, documents, one event loop for all."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import resource
import secrets
import signal
import socket
import sqlite3
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.entrance import Entrance
from sandbox.gate import Gate
from sandbox.tenant import Tenant

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from sandbox.journal import Journal

BACKLOG = 4096
LOOPBACK = "127.0.0.1"
# The seeds that leave alone what discovery tells of a tenant's settings.
AS_NEW = ("factory", "demo")
DEFAULT_CLIENT_ID = "sandboxMachineToMachine000000001"


class StartError(Exception):
    """Why the program can't start, in one line."""


@dataclass
class Running:
    """The servers of all tenants, and what to close after them."""

    entrances: list[Entrance]
    servers: list[uvicorn.Server]
    tasks: list[asyncio.Task[None]]
    journals: list[Journal]
    loading: asyncio.Task[None] | None = None

    async def listening(self) -> None:
        while not all(server.started for server in self.servers) and not any(task.done() for task in self.tasks):
            await asyncio.sleep(0.002)

    async def started(self) -> None:
        """Returns when every tenant answers everything. Raises StartError."""
        try:
            await (self.loading or asyncio.sleep(0))
        except Exception:
            self.stop()
            self.stop()  # at once: what waits will not be answered
            await asyncio.gather(*self.tasks, return_exceptions=True)
            raise

    async def ended(self) -> None:
        await asyncio.gather(*self.tasks)
        for journal in self.journals:
            journal.close()

    def stop(self) -> None:
        """Once: finish what runs; twice: at once."""
        for entrance in self.entrances:
            entrance.close()
        for server in self.servers:
            server.force_exit = server.should_exit
            server.should_exit = True


def tenants(options: argparse.Namespace) -> list[Tenant]:
    count = len(options.tenants)
    overlap = abs(options.https_port - options.http_port) < count
    if overlap or max(options.https_port, options.http_port) + count > 65536:
        raise StartError(f"the HTTPS and HTTP ports of {count} tenants overlap or pass 65535; choose others")
    client_id = options.client_id or os.environ.get("SANDBOX_CLIENT_ID") or DEFAULT_CLIENT_ID
    secret = options.client_secret or os.environ.get("SANDBOX_CLIENT_SECRET") or _kept_secret(options.state)
    return [
        Tenant(name, options.https_port + n, options.http_port + n, client_id, secret, seed=options.seed)
        for n, name in enumerate(options.tenants)
    ]


def _kept_secret(folder: Path | None) -> str:
    """A random secret; with --state the same one at every start."""
    if folder is None:
        return secrets.token_urlsafe(32)
    path = folder / "client-secret"
    try:
        if path.is_file():
            return path.read_text().strip()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
    except OSError as problem:
        raise StartError(f"can't keep state in {folder}: {problem.strerror}") from None


@dataclass
class _Port:
    """One of a tenant's two; `early` takes its connections until the web server does."""

    gate: Gate
    entrance: Entrance
    sockets: list[socket.socket]
    secure: bool
    early: list[asyncio.Server] = field(default_factory=list)


async def start(options: argparse.Namespace, tenants: list[Tenant], ca_folder: Path) -> Running:
    """Listen, and answer discovery over HTTP; what answers the rest is loaded meanwhile. Raises StartError."""
    gates = [Gate(tenant) for tenant in tenants]
    as_new = options.state is None and options.seed in AS_NEW
    ports = [
        _Port(gate, Entrance(gate.tenant, as_new=as_new), _listen(options.host, number), secure)
        for gate in gates
        for number, secure in ((gate.tenant.https_port, True), (gate.tenant.http_port, False))
    ]
    loop, running = asyncio.get_running_loop(), Running([port.entrance for port in ports], [], [], [])
    for port in ports:
        for listening in () if port.secure else port.sockets:
            port.early.append(await loop.create_server(port.entrance, sock=listening.dup(), backlog=BACKLOG))
    running.loading = loop.create_task(_load(options, ports, gates, ca_folder, running))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.stop)
    return running


async def _load(
    options: argparse.Namespace, ports: list[_Port], gates: list[Gate], ca_folder: Path, running: Running
) -> None:
    """The web server, then one tenant after the other: in a thread, so that the loop goes on."""
    await asyncio.to_thread(importlib.import_module, "uvicorn.protocols.http.httptools_impl")
    context = await asyncio.to_thread(_certificate, ca_folder)
    for port in ports:
        server = _server(port, context if port.secure else None)
        running.servers.append(server)
        running.tasks.append(asyncio.create_task(server._serve(port.sockets)))
    await running.listening()
    for early in (early for port in ports for early in port.early):
        early.close()
    for gate in gates:
        gate.open(await asyncio.to_thread(_application, options, gate.tenant, running.journals))
        for port in ports:
            port.entrance.known = port.entrance.known or port.gate is gate


def _listen(host: str, port: int) -> list[socket.socket]:
    """By default on both loopback addresses: clients try either for "localhost"."""
    found = [_bind(host, port)]
    if host == LOOPBACK:
        with contextlib.suppress(StartError):
            found.append(_bind("::1", port))
    return found


def _bind(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        raise StartError(f"can't listen on {host}:{port} ({reason}); choose other ports") from None
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def _certificate(folder: Path) -> ssl.SSLContext:
    from sandbox import certificates

    try:
        return certificates.server_context(folder)
    except (OSError, ValueError) as problem:
        raise StartError(f"can't use the certificates in {folder}: {problem}") from None


def _application(options: argparse.Namespace, tenant: Tenant, journals: list[Journal]) -> ASGIApp:
    from sandbox import app, passwords, seed, users

    passwords.rounds = options.password_rounds
    tenant.memory["beyond_loopback"] = options.host not in (LOOPBACK, "localhost", "::1")
    users.prepare(tenant)
    if tenant.seed not in seed.NAMES:
        _read_seed(tenant)
    if options.state is None:
        seed.apply(tenant, tenant.seed)
        return app.create(tenant)
    try:
        journal = _open_journal(options.state, tenant)
    except (OSError, sqlite3.Error, ValueError) as problem:
        raise StartError(f"can't use the state in {options.state}: {problem}") from None
    journals.append(journal)
    return app.create(tenant, journal.commit)


def _read_seed(tenant: Tenant) -> None:
    from sandbox import seed

    try:
        seed.read_file(tenant, Path(tenant.seed))
    except FileNotFoundError:
        raise StartError(f"there is no seed {tenant.seed!r}: name factory, demo or a file") from None
    except (OSError, ValueError) as problem:
        raise StartError(f"can't read the seed {tenant.seed!r}: {problem}") from None


def _open_journal(folder: Path, tenant: Tenant) -> Journal:
    from sandbox import keys, seed, state
    from sandbox.journal import Journal

    journal = tenant.memory["journal"] = Journal(folder / f"{tenant.name}.sqlite3", tenant.store)
    keys.keep_in(tenant, folder)
    kept, before, now = journal.read(), journal.addresses(), state.addresses(tenant)
    if kept is not None and before in (None, now):
        tenant.store.load(kept)
    journal.watch()
    if kept is None:
        seed.apply(tenant, tenant.seed)
    else:
        if before not in (None, now):  # the ports are others than last time
            tenant.store.load(state.moved(tenant, kept, before or now))
        seed.admit(tenant)
    tenant.start_over()
    journal.commit()
    journal.settle(now)
    return journal


def _server(port: _Port, context: ssl.SSLContext | None) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    config = uvicorn.Config(
        port.gate,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=BACKLOG,
        ws="none",
    )
    config.load()
    config.ssl = context
    config.http_protocol_class = lambda **_: port.entrance()  # type: ignore[assignment]
    server = uvicorn.Server(config)
    port.entrance.open(partial(HttpToolsProtocol, config, server.server_state, {}))
    return server


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def raise_file_limit() -> None:
    """Ten thousand parallel connections need as many file descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
