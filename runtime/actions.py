"""Runs the code of post-login Actions and gives back, as data, what they asked for.

`run` is for threads and Celery workers, `arun` for an event loop, `run_batch` for many events through one Action.
Tenant code that misbehaves is a result with an outcome, never an exception.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from runtime.answers import Crashed, Forged, NetworkOpen, TimedOut, check_shape, judged
from runtime.node import NodeMissing
from runtime.pool import container_key, registered
from runtime.process import Child

Outcome = Literal["completed", "error", "timeout", "crashed", "refused"]
LARGEST_CODE_BYTES = 100_000
TIMEOUT_SECONDS = 20.0
BATCH_SECONDS = 120.0
CHUNK = 200

pool = registered(Child)
threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="action")


@dataclass(frozen=True)
class ActionResult:
    """What one execution asked for.

    commands: in the order of the calls, e.g. {"name": "access.deny", "arguments": ["Blocked"]}; they are there also
        when the code failed later on.
    console: at most 256 characters per message, at most 200 messages.
    error: {"name", "message", "stack"}, or None when the outcome is "completed".
    outcome: "error": the code threw; "timeout": it did not end in time; "crashed": it ended or broke its process;
        "refused": it was not run (too large, or the network can't be closed here).
    """

    commands: list[dict[str, Any]] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    outcome: Outcome = "completed"
    duration_ms: float = 0.0


def run(
    code: str,
    *,
    event: dict[str, Any],
    secrets: dict[str, str] | None = None,
    handler: str = "onExecutePostLogin",
    cache: MutableMapping[str, dict[str, Any]] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    now: float | None = None,
) -> ActionResult:
    """Run one Action on one event.

    event: as Auth0's post-login trigger gives it, without `secrets`; it is not changed.
    cache: what `api.cache` holds, {key: {"value": str, "expires_at": milliseconds}}; brought up to date in place.
    now: seconds since the epoch for tokens and cache lifetimes; this machine's time by default.
    """
    budget = Budget(per_event=timeout_seconds, total=timeout_seconds)
    return list(_results(code, [event], secrets or {}, handler, cache, budget, now))[0]


async def arun(code: str, **arguments: Any) -> ActionResult:
    """`run` for an event loop: the same arguments, the same result."""
    return await asyncio.get_running_loop().run_in_executor(threads, lambda: run(code, **arguments))


def run_batch(
    code: str,
    *,
    events: Sequence[dict[str, Any]],
    secrets: dict[str, str] | None = None,
    handler: str = "onExecutePostLogin",
    timeout_seconds: float = TIMEOUT_SECONDS,
    total_seconds: float = BATCH_SECONDS,
) -> list[ActionResult]:
    """Run one Action on many events, one after the other; one result per event, in order.

    An event that hangs or crashes the code costs that event alone. After `total_seconds` the rest is refused. Each
    event starts with an empty `api.cache`.
    """
    budget = Budget(per_event=timeout_seconds, total=total_seconds)
    return list(_results(code, events, secrets or {}, handler, None, budget, None))


async def arun_batch(code: str, **arguments: Any) -> list[ActionResult]:
    """`run_batch` for an event loop."""
    return await asyncio.get_running_loop().run_in_executor(threads, lambda: run_batch(code, **arguments))


def prepare() -> None:
    """Start a Node ahead of the first run; a server calls this once when it starts."""
    pool.prepare()


@dataclass
class Budget:
    per_event: float
    total: float
    started: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        return min(time.monotonic() + self.per_event, self.started + self.total)

    @property
    def used_up(self) -> bool:
        return time.monotonic() >= self.started + self.total


def _results(
    code: str,
    events: Sequence[dict[str, Any]],
    secrets: dict[str, str],
    handler: str,
    cache: MutableMapping[str, dict[str, Any]] | None,
    budget: Budget,
    now: float | None,
) -> Iterator[ActionResult]:
    if len(code.encode("utf-8", "surrogatepass")) > LARGEST_CODE_BYTES:
        yield from [
            refused(f"The code is larger than {LARGEST_CODE_BYTES // 1000} kB, which Auth0 does not take.")
        ] * len(events)
        return
    request = {"kind": "action", "code": code, "secrets": secrets, "handler": handler, "now": now and now * 1000}
    key, position = container_key("action", code, secrets), 0
    while position < len(events):
        if budget.used_up:
            yield refused("The time for the whole batch is used up; this event was not run.")
            position += 1
            continue
        for result in _chunk(request, key, events[position : position + CHUNK], cache, budget):
            position += 1
            yield result


def _chunk(
    request: dict[str, Any],
    key: str,
    events: Sequence[dict[str, Any]],
    cache: MutableMapping[str, dict[str, Any]] | None,
    budget: Budget,
) -> Iterator[ActionResult]:
    """Results until the chunk is done or the child had to be killed; the caller goes on from there."""
    try:
        child = pool.take(key)
    except (NodeMissing, OSError) as problem:
        yield refused(str(problem))
        return
    started, answer = time.monotonic(), {}
    try:
        runs = [{"event": event, "cache": dict(cache or {})} for event in events]
        nonce = child.send({**request, "runs": runs}, deadline=budget.deadline)
        for _ in events:
            started = time.monotonic()
            answer = child.receive(nonce, deadline=budget.deadline)
            result = completed(answer)
            if cache is not None:
                _keep(cache, answer.get("cache"))
            yield result
    except (TimedOut, Crashed, NetworkOpen) as problem:
        child.kill()
        yield failed(problem, time.monotonic() - started)
        return
    except BaseException:
        child.kill()
        raise
    _give_back(key, child, answer)


def _keep(cache: MutableMapping[str, dict[str, Any]], entries: Any) -> None:
    given = entries.items() if isinstance(entries, dict) else ()
    cache.clear()
    cache.update({key: entry for key, entry in given if isinstance(entry, dict) and "value" in entry})


def _give_back(key: str, child: Child, answer: dict[str, Any]) -> None:
    if answer.get("tainted"):
        child.kill()
    else:
        pool.release(key, child, cpu_ms=answer.get("cpu_ms", 0.0))


def completed(answer: dict[str, Any]) -> ActionResult:
    """Raises Forged for an answer of another shape: code can change how its own process writes JSON."""
    check_shape(answer, {"completed", "error", "timeout"})
    commands = answer["result"]
    if not isinstance(commands, list) or not all(_is_command(one) for one in commands):
        raise Forged
    return ActionResult(
        commands=commands,
        console=answer["console"],
        error=answer["error"],
        outcome=answer["outcome"],
        duration_ms=round(answer.get("duration_ms", 0.0), 3),
    )


def _is_command(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("arguments"), list)


def refused(message: str) -> ActionResult:
    return ActionResult(outcome="refused", error={"name": "Refused", "message": message, "stack": ""})


def failed(problem: Exception, seconds: float) -> ActionResult:
    """A verdict on code that gave no answer."""
    outcome, error = judged(problem)
    return ActionResult(outcome=outcome, error=error, duration_ms=round(seconds * 1000, 3))
