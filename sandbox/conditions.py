"""Weather for one tenant: latency, rate limits, faults, a search index that lags. POST /_sandbox/conditions sets it."""

from __future__ import annotations

import fnmatch
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.plans import PLANS, group_of

_WARNED_FROM = 0.8
_LOGGED_AGAIN_SECONDS = 60
_LONGEST_WAIT_SECONDS = 86_400.0


@dataclass
class Bucket:
    """A token bucket, in real time (the tenant's clock may stand still)."""

    burst: float
    per_second: float
    name: str = ""
    tokens: float = -1.0
    filled_at: float = 0.0
    logged_at: dict[str, float] = field(default_factory=dict)

    def take(self) -> bool:
        now = time.time()
        if self.tokens < 0:
            self.tokens, self.filled_at = self.burst, now
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def headers(self) -> list[tuple[bytes, bytes]]:
        """x-ratelimit-limit, -remaining and -reset: the epoch second when a request is allowed again."""
        missing = 1 - self.tokens if self.tokens < 1 else self.burst - self.tokens
        reset = math.ceil(self.filled_at + self._seconds_for(missing))
        values = (int(self.burst), int(max(self.tokens, 0)), reset)
        names = (b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset")
        return [(name, b"%d" % value) for name, value in zip(names, values, strict=True)]

    def log_event(self, *, allowed: bool) -> str | None:
        """The event that the last request leaves in the log: at 80 % of the burst, and above it; once a minute each."""
        kind = "api_limit_warning" if allowed else "api_limit"
        if allowed and self.tokens > self.burst * (1 - _WARNED_FROM):
            return None
        if self.filled_at - self.logged_at.get(kind, 0.0) < _LOGGED_AGAIN_SECONDS:
            return None
        self.logged_at[kind] = self.filled_at
        return kind

    def retry_after_seconds(self) -> int:
        return max(1, math.ceil(self._seconds_for(1 - self.tokens)))

    def _seconds_for(self, tokens: float) -> float:
        return min(tokens / self.per_second, _LONGEST_WAIT_SECONDS) if self.per_second else _LONGEST_WAIT_SECONDS


@dataclass
class Fault:
    """Answer `status` (or nothing for `hang_seconds`) to the next `times` requests that match."""

    method: str = "*"
    path: str = "*"
    status: int | None = None
    times: int = 1
    hang_seconds: float = 0.0
    after: bool = False

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)


@dataclass
class Conditions:
    latency_ms: float = 0.0
    rate_limit: dict[str, float] | None = None
    plan: str | None = None
    search_lag_seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    @property
    def calm(self) -> bool:
        """Whether requests just pass."""
        return not (self.latency_ms or self.faults or self.plan or self.rate_limit)

    def bucket(self, method: str, path: str) -> Bucket | None:
        """The bucket that a request draws from; None where nothing limits it (hosted pages, discovery)."""
        if self.rate_limit is None and self.plan is None:
            return None
        group = group_of(self.plan, method, path)
        if group is None:
            return None
        if group not in self._buckets:
            self._buckets[group] = Bucket(*self._figures(group), group)
        return self._buckets[group]

    def _figures(self, group: str) -> tuple[float, float]:
        if self.rate_limit is not None:
            return self.rate_limit["burst"], self.rate_limit["per_second"]
        return PLANS[str(self.plan)][group]

    def fault(self, method: str, path: str) -> Fault | None:
        """The first matching fault, used up by one."""
        for fault in self.faults:
            if fault.matches(method, path):
                fault.times -= 1
                return fault
        return None

    def as_json(self) -> dict[str, Any]:
        fields = ("method", "path", "status", "times", "hang_seconds", "after")
        return {
            "latency_ms": self.latency_ms,
            "rate_limit": self.rate_limit,
            "plan": self.plan,
            "search_lag_seconds": self.search_lag_seconds,
            "faults": [{name: getattr(fault, name) for name in fields} for fault in self.faults if fault.times > 0],
        }


def parse(body: Any, current: Conditions) -> Conditions:
    """Conditions from the body of POST /_sandbox/conditions; what it doesn't name stays as it is, null resets.

    Raises ValueError, whose text says what to change.
    """
    if not isinstance(body, Mapping):
        raise ValueError("Send a JSON object.")
    unknown = set(body) - set(_PARSERS)
    if unknown:
        raise ValueError(f"Unknown conditions: {', '.join(sorted(unknown))}. Known: {', '.join(_PARSERS)}.")
    values = {name: getattr(current, name) for name in _PARSERS}
    values |= {name: _PARSERS[name](name, value) for name, value in body.items()}
    if "plan" in body and "rate_limit" not in body:
        values["rate_limit"] = None
    if body.get("rate_limit") and body.get("plan"):
        raise ValueError("rate_limit and plan exclude each other: send one of them.")
    if body.get("rate_limit"):
        values["plan"] = None
    return Conditions(**values)


def _number(name: str, value: Any, most: float = 3_600_000) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:g}.")
    return float(value)


def _rate_limit(name: str, value: Any) -> dict[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"burst", "per_second"}:
        raise ValueError('rate_limit must be {"burst": number, "per_second": number} or null.')
    return {key: _number(f"rate_limit.{key}", value[key], 1_000_000) for key in ("burst", "per_second")}


def _plan(name: str, value: Any) -> str | None:
    if value is not None and value not in PLANS:
        raise ValueError(f"plan must be one of {', '.join(PLANS)}, or null.")
    return value


def _faults(name: str, value: Any) -> list[Fault]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("faults must be a list.")
    return [_fault(f"faults[{index}]", item) for index, item in enumerate(value)]


def _fault(where: str, item: Any) -> Fault:
    known = {"method", "path", "status", "times", "hang_seconds", "after"}
    if not isinstance(item, Mapping) or set(item) - known:
        raise ValueError(f"{where} must be an object with {', '.join(sorted(known))}.")
    if "status" not in item and "hang_seconds" not in item:
        raise ValueError(f"{where} needs a status (400 to 599) or hang_seconds.")
    status, times = item.get("status"), item.get("times", 1)
    if status is not None and (not isinstance(status, int) or not 400 <= status <= 599):
        raise ValueError(f"{where}.status must be from 400 to 599.")
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise ValueError(f"{where}.times must be a whole number from 1.")
    method, path = item.get("method", "*"), item.get("path", "*")
    if not isinstance(method, str) or not isinstance(path, str):
        raise ValueError(f"{where}.method and path must be text; path may hold *.")
    hang = _number(f"{where}.hang_seconds", item.get("hang_seconds"), 3600)
    return Fault(method.upper(), path, status, times, hang, item.get("after") is True)


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "latency_ms": _number,
    "rate_limit": _rate_limit,
    "plan": _plan,
    "search_lag_seconds": _number,
    "faults": _faults,
}
