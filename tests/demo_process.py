"""The demo as a person starts it: `manage.py demo` as a process, on ports and with a state folder of its own."""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal import demo
from portal.supervisor import Child, Supervisor
from tests.environment import TENANTS, free_ports
from tests.local_tenants import LocalTenant

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class RunningDemo:
    """`said()` is what the terminal shows; `process` the supervisor itself."""

    state: Path
    ports: demo.Demo
    child: Child

    @property
    def url(self) -> str:
        return self.ports.url

    def said(self) -> str:
        return self.child.log.read_text(errors="replace") if self.child.log.exists() else ""

    @contextmanager
    def tenant(self, name: str) -> Iterator[LocalTenant]:
        """A tenant of this demo, with the credentials that the demo made."""
        number = TENANTS.index(name)
        trust = ssl.create_default_context(cafile=str(self.ports.authority))
        tenant = LocalTenant(name, self.ports.https_port + number, self.ports.http_port + number, trust)
        made = json.loads((self.state / "demo.json").read_text())
        tenant.client_id, tenant.client_secret = made["client_id"], made["client_secret"]
        with tenant.http:
            yield tenant


def program(folder: Path, *options: str) -> RunningDemo:
    """A demo that has not been started yet; its state is in `folder`/state, what it says in `folder`/demo.log."""
    first = free_ports(1 + 2 * len(TENANTS))
    ports = demo.Demo(folder / "state", first, first + 1, first + 1 + len(TENANTS))
    command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(ports.port)]
    command += ["--https-port", str(ports.https_port), "--http-port", str(ports.http_port), *options]
    # Nothing of the tests' own settings: a newcomer has none.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {**kept, "STATE_DIR": str(ports.state), "PYTHONUNBUFFERED": "1"}
    child = Child("the demo", command, folder / "demo.log", environment=environment, stop_signal=signal.SIGINT)
    child.stop_seconds = 30
    running = RunningDemo(ports.state, ports, child)
    child.answers = lambda: "Ctrl-C stops it" in running.said()
    return running


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RunningDemo]:
    started = program(folder, *options)
    with Supervisor(signals=False) as programs:
        programs.start(started.child, timeout_seconds=120)
        yield started
