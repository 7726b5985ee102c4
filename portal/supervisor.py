"""Run several programs as one: start them, wait until each answers, report the one that dies, stop all in order.

Each child leads a process group of its own, so a Ctrl-C at the terminal reaches the supervisor alone, and nothing that
a child started outlives it. When the supervisor itself is killed, Linux tells the children to end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

LAST_LINES = 15
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ChildFailedError(Exception):
    """A program ended, or did not answer in time. The text names it and holds its last lines."""


class Stopped(BaseException):  # noqa: N818  not an error: the person, or the machine, asked for the end
    """A signal asked for the end; passes through `except Exception` as KeyboardInterrupt does."""


@dataclass
class Child:
    """A program to run. What it says goes to `log`; `stdin` carries what no command line may show."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    stdin: str = field(default="", repr=False)
    answers: Callable[[], bool] = lambda: True
    # Does its work and ends, instead of staying: it "answers" when it has ended well.
    finite: bool = False
    stop_seconds: float = 10
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        os.write(writing, self.stdin.encode())  # far less than a pipe holds
        os.close(writing)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=reading,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.user,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        os.close(reading)

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before it was started; -15 after the signal 15."""
        return self.process.poll() if self.process else None

    @property
    def finished(self) -> bool:
        return self.finite and self.exit_code == 0

    @property
    def ready(self) -> bool:
        return self.finished if self.finite else self.answers()

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (it said nothing)"

    def stop(self, *, patience_seconds: float) -> None:
        """Ask the program to end; what is left of its process group after the patience is killed."""
        if self.process is None:
            return
        if self.exit_code is None:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """The programs that run together, in the order of their start.

    with Supervisor() as programs:
        programs.start(database, cache)
        programs.start(web)              # each call returns when all of its programs answer
        programs.watch()                 # raises ChildFailedError when one ends, Stopped on a signal
    """

    def __init__(self, *, signals: bool = True) -> None:
        """Without `signals` the caller's own handling of Ctrl-C stays in force."""
        self.children: list[Child] = []
        self._numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signals else ()
        self._handlers: dict[int, Any] = {}
        self._patient = True

    def __enter__(self) -> Supervisor:
        for number in self._numbers:
            self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._handlers:
            signal.signal(number, self._on_impatient_signal)
        for child in reversed(self.children):
            child.stop(patience_seconds=child.stop_seconds if self._patient else 0)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, *children: Child, timeout_seconds: float = 60) -> None:
        """Start the programs at once and wait until each answers. Raises ChildFailedError."""
        for child in children:
            self.children.append(child)
            child.start()
        wait(children, self.check, timeout_seconds=timeout_seconds)

    def check(self) -> None:
        for child in self.children:
            if child.exit_code is not None and not child.finished:
                raise ChildFailedError(_report(child, f"ended ({_exit(child.exit_code)})"))

    def watch(self) -> None:
        while True:
            self.check()
            time.sleep(0.25)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        raise Stopped(signal.Signals(number).name)

    def _on_impatient_signal(self, number: int, frame: FrameType | None) -> None:
        """A second Ctrl-C: no more waiting."""
        self._patient = False
        for child in self.children:
            if child.process and child.exit_code is None:
                os.killpg(child.process.pid, signal.SIGKILL)


def wait(children: Iterable[Child], check: Callable[[], None], *, timeout_seconds: float) -> None:
    """Return when each of the programs answers. Raises ChildFailedError, as `check` does, which is called meanwhile."""
    deadline = time.monotonic() + timeout_seconds
    waiting = list(children)
    while waiting:
        check()
        waiting = [child for child in waiting if not child.ready]
        if waiting and time.monotonic() > deadline:
            raise ChildFailedError(_report(waiting[0], f"did not answer within {timeout_seconds:.0f} seconds"))
        time.sleep(0.02)


def die_with_parent() -> None:
    """In a new child, before its program runs: end it when the parent is killed (Linux; elsewhere nothing)."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def taken_ports(ports: Iterable[int]) -> list[int]:
    """Those of the loopback ports that another program listens on."""
    return [port for port in ports if not _can_listen(port)]


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that is only cooling down is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _report(child: Child, what: str) -> str:
    return f"{child.name} {what}. Its last lines ({child.log}):\n{child.last_lines()}"


def _exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
