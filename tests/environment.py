"""What the tests run on: state in a scratch folder, an embedded Valkey, ports for local tenants, a database.

`begin` must come before Django reads its settings. A developer's own .env and shell have no say here.
"""

from __future__ import annotations

import os
import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import certifi
from cryptography.fernet import Fernet

from portal import demo, valkey
from portal.supervisor import taken_ports
from tests import postgres

TENANTS = demo.TENANTS
# Which of pytest-xdist's workers this is, "gw0" being the first. More than four share ports, by chance only.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
_given: set[int] = set()
M2M_CLIENT_ID = "testsMachineToMachine00000000001"
M2M_CLIENT_SECRET = "only-for-the-tests-" + "x" * 24


@dataclass(frozen=True)
class Environment:
    """Of one test process; with pytest-xdist each worker has its own."""

    state: Path
    redis_url: str
    https_port: int
    http_port: int
    on_postgres: bool

    @property
    def authority(self) -> Path:
        return self.state / "ca" / "ca.pem"

    @property
    def bundle(self) -> Path:
        return self.state / "ca" / "bundle.pem"


# A developer's own values have no say: these are the same on every machine.
FIXED = {
    "CONN_MAX_AGE": "0",
    "SECRET_KEY": "only-for-the-tests",
    "DEBUG": "false",
    "PUBLIC_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "AUTH0_CLIENT_ID": demo.CLIENT_ID,
    "AUTH0_CLIENT_SECRET": demo.CLIENT_SECRET,
    "AUTH0_READ_ONLY": "false",
    "REASON_REQUIRED": "true",
    "TIME_ZONE": "UTC",
    "LOG_LEVEL": "INFO",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "NO_PROXY": "localhost,127.0.0.1,::1",
    "no_proxy": "localhost,127.0.0.1,::1",
}
# Each program's own name for the certificates that it trusts.
BUNDLE = ("CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
WITHOUT = ("SSL_CERT_DIR", "CURL_CA_BUNDLE")


def begin(stack: ExitStack) -> Environment:
    """Start what every test may need and set the environment; the stack ends it."""
    state = _state(stack)
    redis_url, database = stack.enter_context(valkey.running()), _database(stack, state)
    https_port = free_ports(2 * len(TENANTS))
    os.environ |= FIXED | dict.fromkeys(BUNDLE, str(state / "ca" / "bundle.pem"))
    os.environ |= {
        "STATE_DIR": str(state),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "AUTH0_DOMAIN": f"localhost:{https_port + TENANTS.index(demo.HOME_TENANT)}",
    }
    for name in WITHOUT:
        os.environ.pop(name, None)
    return Environment(state, redis_url, https_port, https_port + len(TENANTS), _on_postgres())


def _state(stack: ExitStack) -> Path:
    state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="castellan tests ")))
    (state / "static").mkdir()  # WhiteNoise warns where there is none
    (state / "ca").mkdir()
    (state / "ca" / "bundle.pem").write_text(certifi.contents())  # the sandbox's authority joins when it runs
    return state


def _database(stack: ExitStack, state: Path) -> str:
    if _on_postgres():
        return stack.enter_context(postgres.running())
    return f"sqlite:///{quote(str(state / 'db.sqlite3'))}"


def _on_postgres() -> bool:
    return os.environ.get("TEST_DATABASE") == "postgres"


def free_ports(count: int) -> int:
    """The first of `count` neighbouring free ports, at most ten, below those that the system hands out by itself.

    Some are used long after they were found: no two calls give the same, nor do two workers of one run.
    """
    lowest, highest = 20_000 + _WORKER * 3_000, 23_000 + _WORKER * 3_000
    while True:
        first = random.randrange(lowest, highest, 10)
        if first not in _given and not taken_ports(range(first, first + count)):
            _given.add(first)
            return first
