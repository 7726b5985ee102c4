"""The tenant's rate limit as its answers tell it (x-ratelimit-* headers), shared by all processes through the cache."""

from __future__ import annotations

import time
from collections.abc import Mapping

from django.core.cache import cache

from portal.errors import Unavailable
from portal.models import Tenant

# Background work stops when less than this share of the limit is left, so that people are not slowed by it.
SHARE_FOR_PEOPLE = 0.2
LONGEST_WAIT_SECONDS = 90
# For the tenant's page; the figure that calls are held against ends with its window.
REMEMBER_SECONDS = 24 * 3600


def learn(tenant: Tenant, headers: Mapping[str, str]) -> None:
    """Remember what an answer said: how many calls are left, until when."""
    try:
        limit, left = int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])
        reset = float(headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return
    now, seconds = time.time(), max(1.0, reset - time.time())
    said = {"limit": limit, "left": left, "reset": now + seconds, "at": now}
    cache.set(f"limit:{tenant.pk}", said, timeout=REMEMBER_SECONDS)
    cache.set(f"limit:{tenant.pk}:left", left, timeout=seconds)


def state(tenant: Tenant) -> dict[str, float] | None:
    """{"limit", "left", "reset", "at" (epoch seconds)} or None where nothing is known at this moment."""
    known, left = cache.get(f"limit:{tenant.pk}"), cache.get(f"limit:{tenant.pk}:left")
    return None if known is None or left is None else {**known, "left": left}


def last(tenant: Tenant) -> dict[str, float] | None:
    """What the latest answer said, {"limit", "left", "reset", "at"}, also when that is over; None after a day."""
    return cache.get(f"limit:{tenant.pk}")


def wait(tenant: Tenant, *, background: bool) -> None:
    """Take one call from what is left. Background work waits for the refill; a person is never held back here."""
    if not background:
        _take(tenant)
        return
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while (known := state(tenant)) and known["left"] <= known["limit"] * SHARE_FOR_PEOPLE and known["limit"] > 2:
        if time.monotonic() > deadline:
            raise Unavailable(f"{tenant.name} has been at its rate limit for {LONGEST_WAIT_SECONDS} seconds.")
        time.sleep(min(1.0, max(0.05, known["reset"] - time.time())))
    _take(tenant)


def _take(tenant: Tenant) -> None:
    try:
        cache.decr(f"limit:{tenant.pk}:left")
    except ValueError:
        return  # nothing known yet, or the window has just ended
