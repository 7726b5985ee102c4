"""Runs custom database scripts by Auth0's contract: one function, a callback, `configuration`, error classes.

A script reaches only the hosts that the caller names. What misbehaves is a result with an outcome, never an exception.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from runtime.answers import Crashed, Forged, NetworkOpen, TimedOut, check_shape, is_error, judged
from runtime.node import NodeMissing
from runtime.pool import container_key, registered
from runtime.process import Child
from runtime.relay import Fault, Relay, targets

Outcome = Literal["success", "error", "timeout", "crashed", "refused"]
SCRIPTS = (
    *("login", "get_user", "create", "change_password", "verify", "delete", "change_email"),
    *("change_username", "change_phone_number"),
)
LARGEST_CODE_BYTES = 100_000
TIMEOUT_SECONDS = 20.0
FEWEST_FREE_SOCKETS = 8
# How long a goodbye that is under way may take to arrive; a machine with much else to do takes its time.
SETTLE_SECONDS = 0.25


class ScriptChild(Child):
    """A child with connections to its parent."""

    def __init__(self) -> None:
        self.relay = Relay()
        try:
            super().__init__(sockets=[end.fileno() for end in self.relay.child_ends])
        except BaseException:
            self.relay.close()
            raise
        self.relay.start()

    def kill(self) -> None:
        super().kill()
        self.relay.close()

    @property
    def alive(self) -> bool:
        return super().alive and self.relay.free >= FEWEST_FREE_SOCKETS


pool = registered(ScriptChild)
threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="script")


@dataclass(frozen=True)
class ScriptResult:
    """What one execution answered.

    outcome: "success": the callback's first argument was empty; "error": it was not, or the script threw before it
        called back; "timeout": no callback in time, or none possible any more; "crashed", "refused": as for Actions.
    value: the callback's second argument, as JSON data (None when there was none).
    error: {"name", "message", "stack"} and where given "code" and "identifier" (the first argument of
        WrongUsernameOrPasswordError: None means an unknown user, text a wrong password).
    callbacks: how many times the callback was called until the end of the run; Auth0 takes the first.
    late_error: what the script threw after its callback, or None.
    open_connections: connections that the script left open (with linger_seconds; else some may be closing just now).
    """

    outcome: Outcome = "success"
    value: Any = None
    error: dict[str, Any] | None = None
    console: list[str] = field(default_factory=list)
    callbacks: int = 0
    duration_ms: float = 0.0
    late_error: dict[str, Any] | None = None
    open_connections: int = 0


def run(
    code: str,
    *,
    script: str,
    arguments: Sequence[Any],
    configuration: Mapping[str, str] | None = None,
    context: dict[str, Any] | None = None,
    allow_hosts: Iterable[str] | Mapping[str, str] = (),
    timeout_seconds: float = TIMEOUT_SECONDS,
    reuse: bool = True,
    linger_seconds: float = 0.0,
    fault: Fault | None = None,
    doubles: Mapping[str, str] | None = None,
    container: str | None = None,
) -> ScriptResult:
    """Run one script once.

    script: a key of `customScripts`, e.g. "get_user". arguments: without the callback, e.g. [email, password].
    context: what `enable_script_context` puts before the callback; None leaves it out.
    allow_hosts: "host:port" names, or {name as the script writes it: "host:port" or socket path to open instead}.
    reuse: keep the process warm for the same code and configuration, so that `global` lives on as at Auth0.
    linger_seconds: how long to watch what the script does after its callback; without, its connections may still close.
    fault: trouble between script and database. doubles: {module: JavaScript} that stands in for a driver.
    container: scripts that belong together and name the same container share its process and its `global`.
    """
    if script not in SCRIPTS:
        raise ValueError(f"Unknown script {script!r}; one of {', '.join(SCRIPTS)}.")
    if len(code.encode("utf-8", "surrogatepass")) > LARGEST_CODE_BYTES:
        return refused(f"The script is larger than {LARGEST_CODE_BYTES // 1000} kB, which Auth0 does not take.")
    one_run = {"arguments": list(arguments), "context": context, "linger_ms": linger_seconds * 1000}
    shared = {"configuration": dict(configuration or {}), "doubles": dict(doubles or {})}
    request = {"kind": "script", "code": code, "script": script, **shared, "runs": [one_run]}
    hosts = targets(allow_hosts)
    key = container_key(container or [code, script], shared["configuration"], hosts, shared["doubles"])
    try:
        child = _child(key, hosts, fault)
    except (NodeMissing, OSError) as problem:
        return refused(str(problem))
    return _execute(key, child, request, timeout_seconds, reuse)


async def arun(code: str, **arguments: Any) -> ScriptResult:
    """`run` for an event loop: the same arguments, the same result."""
    return await asyncio.get_running_loop().run_in_executor(threads, lambda: run(code, **arguments))


def prepare() -> None:
    """Start a Node ahead of the first run; a server calls this once when it starts."""
    pool.prepare()


def _child(key: str, hosts: dict[str, str], fault: Fault | None) -> ScriptChild:
    """A child whose connections, if it kept any, know the same trouble."""
    child = pool.take(key)
    while child.relay.open_connections and child.relay.fault != fault:
        child.kill()
        child = pool.take(key)
    child.relay.targets, child.relay.fault = hosts, fault
    return child


def _execute(key: str, child: ScriptChild, request: dict[str, Any], seconds: float, reuse: bool) -> ScriptResult:
    watched = request["runs"][0]["linger_ms"] > 0
    started = time.monotonic()
    deadline = started + seconds
    try:
        answer = child.receive(child.send(request, deadline=deadline), deadline=deadline)
        result = completed(answer, child.relay.settled_connections(SETTLE_SECONDS if watched else 0.0))
    except (TimedOut, Crashed, NetworkOpen) as problem:
        child.kill()
        return failed(problem, time.monotonic() - started)
    except BaseException:
        child.kill()
        raise
    if answer.get("tainted") or not reuse:
        child.kill()
    else:
        pool.release(key, child, cpu_ms=answer.get("cpu_ms", 0.0))
    return result


def completed(answer: dict[str, Any], open_connections: int) -> ScriptResult:
    """The callback's answer counts, whatever came after it; without one, what ended the run counts.

    Raises Forged for an answer of another shape: code can change how its own process writes JSON.
    """
    check_shape(answer, {"completed", "error", "timeout"})
    # A list: nothing of the script's own answer was there to be sent.
    facts: Any = {} if answer.get("result") == [] else answer.get("result")
    if not _is_sound(facts):
        raise Forged
    told = facts.get("answer")
    late = facts.get("late") or (answer["error"] if told and answer["outcome"] == "error" else None)
    error = told["error"] if told else answer["error"]
    outcome: Outcome = ("error" if error else "success") if told else answer["outcome"]
    return ScriptResult(
        outcome=outcome,
        value=told["value"] if told else None,
        error=error,
        console=answer["console"],
        callbacks=facts.get("callbacks", 0),
        duration_ms=round(answer.get("duration_ms", 0.0), 3),
        late_error=late,
        open_connections=open_connections,
    )


def _is_sound(facts: Any) -> bool:
    if not isinstance(facts, dict) or not isinstance(facts.get("callbacks", 0), int):
        return False
    told, late = facts.get("answer"), facts.get("late")
    if told is not None and not (isinstance(told, dict) and "value" in told and _is_error_or_none(told.get("error"))):
        return False
    return _is_error_or_none(late)


def _is_error_or_none(value: Any) -> bool:
    return value is None or is_error(value)


def refused(message: str) -> ScriptResult:
    return ScriptResult(outcome="refused", error={"name": "Refused", "message": message, "stack": ""})


def failed(problem: Exception, seconds: float) -> ScriptResult:
    """A verdict on code that gave no answer."""
    outcome, error = judged(problem)
    return ScriptResult(outcome=outcome, error=error, duration_ms=round(seconds * 1000, 3))
