"""Waiting for what another process or thread does: as long as a busy machine may take, and no longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(found: Callable[[], T], *, what: str, seconds: float = 60) -> T:
    """The first answer that counts as true; the test fails where there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} seconds"
        time.sleep(0.02)
    return answer
