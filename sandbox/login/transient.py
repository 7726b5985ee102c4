"""What lives for minutes and dies with the process or a reset: codes, running logins, MFA tokens, counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sandbox.errors import TooManyRequests
from sandbox.plans import PER_USER
from sandbox.store import Document
from sandbox.tenant import Tenant

T = TypeVar("T")
MOST_KEPT = 20_000


class Expiring(Generic[T]):
    """key -> value until its time is over, by the tenant's clock. The oldest go first when there are too many."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_KEPT) -> None:
        self._clock = clock
        self._most = most
        self._entries: dict[str, tuple[float, T]] = {}

    def put(self, key: str, value: T, seconds: float) -> None:
        if len(self._entries) >= self._most:
            self._entries.pop(next(iter(self._entries)))
        self._entries[key] = (self._clock() + seconds, value)

    def get(self, key: str) -> T | None:
        until, value = self._entries.get(key, (0.0, None))
        return value if until > self._clock() else None

    def pop(self, key: str) -> T | None:
        value = self.get(key)
        self._entries.pop(key, None)
        return value

    def names(self) -> list[str]:
        return list(self._entries)

    def values(self) -> list[T]:
        now = self._clock()
        return [value for until, value in self._entries.values() if until > now]


def transient(tenant: Tenant, name: str) -> Expiring[Any]:
    """The named collection of a tenant; emptied by a reset."""
    collections: dict[str, Expiring[Any]] = tenant.memory.setdefault("transient", {})
    if name not in collections:
        collections[name] = Expiring(tenant.now)
    return collections[name]


def forget_on_reset(tenant: Tenant) -> None:
    def watch(kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            tenant.memory.pop("transient", None)
            tenant.memory.pop("action_caches", None)

    tenant.store.watchers.append(watch)


def limited(tenant: Tenant, name: str, key: str, *, burst: int, per_second: float) -> dict[str, str]:
    """`allow` for an endpoint: the headers of its answer. Raises TooManyRequests."""
    allowed, headers = allow(tenant, name, key, burst=burst, per_second=per_second)
    if not allowed:
        raise TooManyRequests(headers)
    return headers


def allow_user(tenant: Tenant, name: str, key: str) -> tuple[bool, dict[str, str]]:
    """As `allow`, by the published limit of that name; where the conditions name no plan, all is allowed."""
    if tenant.conditions.plan is None:
        return True, {}
    burst, per_second = PER_USER[name]
    return allow(tenant, f"user {name}", key, burst=int(burst), per_second=per_second)


def allow(tenant: Tenant, name: str, key: str, *, burst: int, per_second: float) -> tuple[bool, dict[str, str]]:
    """Take one from a token bucket: whether it was allowed, and the three X-RateLimit headers."""
    buckets = transient(tenant, f"bucket:{name}")
    now = tenant.now()
    tokens, since = buckets.get(key) or (float(burst), now)
    tokens = min(float(burst), tokens + max(0.0, now - since) * per_second)
    allowed = tokens >= 1
    left = tokens - 1 if allowed else tokens
    refill_seconds = (burst - left) / per_second
    buckets.put(key, (left, now), refill_seconds + 1)
    reset = int(now + (0 if allowed else (1 - left) / per_second)) + 1
    headers = {
        "X-RateLimit-Limit": str(burst),
        "X-RateLimit-Remaining": str(int(left)),
        "X-RateLimit-Reset": str(reset),
    }
    return allowed, headers
