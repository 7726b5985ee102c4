"""Which child runs what. A child serves one container key (code, secrets, hosts) in its whole life, one run at a time.

That is how Auth0 uses its containers: module state and `global` may live on between runs of the same code, and never
meet other code. New keys take a blank child that was started ahead, so that the first run doesn't wait for Node.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from runtime.process import Child

Kind = TypeVar("Kind", bound=Child)

MOST_IDLE = 6
IDLE_SECONDS = 120.0
MOST_USES = 5000
MOST_CPU_MS = 60_000.0


def container_key(*parts: Any) -> str:
    """A digest, so that neither code nor secrets stay in memory as keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class Pool(Generic[Kind]):
    """`start` makes a blank child."""

    start: Callable[[], Kind]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: list[tuple[str, Kind]] = field(default_factory=list)
    _blank: Kind | None = None
    _timer: threading.Timer | None = None

    def take(self, key: str) -> Kind:
        """A living child for `key`: its own warm one, else the blank, else a new one. Give it back with `release`."""
        with self._lock:
            child = self._warm(key) or self._take_blank()
        return child or self.start()

    def _warm(self, key: str) -> Kind | None:
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index][0] != key:
                continue
            child = self._idle.pop(index)[1]
            if child.alive:
                return child
            child.kill()
        return None

    def _take_blank(self) -> Kind | None:
        child, self._blank = self._blank, None
        if child is None or child.alive:
            return child
        child.kill()
        return None

    def release(self, key: str, child: Kind, *, cpu_ms: float = 0.0) -> None:
        """Keep the child warm for the next run of the same key, and have a blank one ready."""
        child.uses += 1
        child.idle_since = time.monotonic()
        if child.uses >= MOST_USES or cpu_ms >= MOST_CPU_MS or not child.alive:
            child.kill()
        else:
            with self._lock:
                self._idle.append((key, child))
        self._evict()
        self._look_later()
        self.prepare()

    def prepare(self) -> None:
        """Start the blank child now; call it before the first person waits."""
        with self._lock:
            if self._blank is None:
                self._blank = self.start()

    def _evict(self) -> None:
        oldest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            kept = [pair for pair in self._idle[-MOST_IDLE:] if pair[1].idle_since > oldest]
            gone = [pair[1] for pair in self._idle if pair not in kept]
            self._idle = kept
        for child in gone:
            child.kill()

    def _look_later(self) -> None:
        """Children that nobody asks for any more end, also where nothing runs after them."""
        with self._lock:
            if self._timer is not None or not self._idle:
                return
            self._timer = threading.Timer(IDLE_SECONDS + 1, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        self._timer = None
        self._evict()
        self._look_later()

    def close(self) -> None:
        """End every child that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with self._lock:
            children = [child for _, child in self._idle] + ([self._blank] if self._blank else [])
            self._idle, self._blank = [], None
        for child in children:
            child.kill()

    def forget(self) -> None:
        """In a forked process: the children belong to the parent."""
        self._lock, self._timer = threading.Lock(), None
        for child in [child for _, child in self._idle] + ([self._blank] if self._blank else []):
            child.forget()
        self._idle, self._blank = [], None


def registered(start: Callable[[], Kind]) -> Pool[Kind]:
    """A pool that ends its children at exit and forgets them after a fork (Celery's prefork workers)."""
    pool = Pool(start)
    atexit.register(pool.close)
    os.register_at_fork(after_in_child=pool.forget)
    return pool
