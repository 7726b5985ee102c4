"""One local tenant: its name, addresses, documents, clock, keys and conditions."""

from __future__ import annotations

import itertools
import secrets
import string
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.conditions import Conditions
from sandbox.store import Document, Store

_ALPHABET = string.ascii_letters + string.digits


@dataclass
class Tenant:
    """What every part of the sandbox works on; one per pair of ports."""

    name: str
    https_port: int
    http_port: int
    client_id: str
    client_secret: str
    store: Store = field(default_factory=Store)
    seed: str = "factory"
    clock_offset_seconds: float = 0.0
    conditions: Conditions = field(default_factory=Conditions)
    requests: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=1000))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1000))
    # What lives as long as the process (signing keys, codes, caches): never exported, and not touched by a reset.
    memory: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def domain(self) -> str:
        return f"localhost:{self.https_port}"

    @property
    def issuer(self) -> str:
        return f"https://{self.domain}/"

    @property
    def browser_url(self) -> str:
        """Where a browser goes: plain HTTP, so that it shows no certificate warning."""
        return f"http://localhost:{self.http_port}/"

    @property
    def management_audience(self) -> str:
        return f"{self.issuer}api/v2/"

    def next_number(self) -> int:
        """A number higher than all before, across restarts too: orders events within a millisecond."""
        return next(self._numbers)

    def now(self) -> float:
        """Seconds since the epoch, by this tenant's own clock (POST /_sandbox/clock moves it)."""
        return time.time() + self.clock_offset_seconds

    def set_clock(self, offset_seconds: float) -> None:
        """Move the tenant's clock to the real time plus this; kept with the documents."""
        self.store.put("sandbox", "clock", {"offset_seconds": offset_seconds})
        self.clock_offset_seconds = offset_seconds

    def start_over(self) -> None:
        """After the documents were replaced: fair weather, no requests yet, the clock that the documents say."""
        self.conditions = Conditions()
        self.requests.clear()
        self.clock_offset_seconds = float((self.store.get("sandbox", "clock") or {}).get("offset_seconds", 0.0))

    def timestamp(self, seconds: float | None = None) -> str:
        """An instant as Auth0 writes it: 2026-06-25T08:15:30.123Z."""
        instant = datetime.fromtimestamp(self.now() if seconds is None else seconds, UTC)
        return written(instant)


def written(instant: datetime) -> str:
    """An instant of UTC in Auth0's form."""
    return instant.isoformat(timespec="milliseconds")[:23] + "Z"


def new_id(prefix: str = "", length: int = 16, alphabet: str = _ALPHABET) -> str:
    return prefix + "".join(secrets.choice(alphabet) for _ in range(length))


def public(document: Document) -> dict[str, Any]:
    """The document without its internal keys (those that begin with an underscore)."""
    return {key: value for key, value in document.items() if not key.startswith("_")}
