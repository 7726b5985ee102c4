"""One Node child for code that is not ours: started in its jail, spoken to in frames, killed with its group.

A frame is four bytes of length, big-endian, then JSON. Requests go to the child's standard input, answers come back
on a descriptor of their own, so that nothing which tenant code prints can be taken for an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from runtime.answers import Crashed, NetworkOpen, TimedOut, authentic
from runtime.node import NODE_MODULES, node_binary

CHILD_FOLDER = Path(__file__).parent / "child"
JAIL = Path(__file__).parent / "jail.py"
HEAP_MEGABYTES = 256
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
KEPT_STDERR_BYTES = 16 * 1024
EXIT_NETWORK_OPEN = 78


def open_network_allowed() -> bool:
    """The operator's own decision to run tenant code with the network open (CASTELLAN_ALLOW_OPEN_NETWORK=1)."""
    return os.environ.get("CASTELLAN_ALLOW_OPEN_NETWORK") == "1"


def command(answers: int, sockets: list[int]) -> list[str]:
    """The argument list: paths, limits and descriptor numbers; code and secrets travel in frames alone."""
    node = node_binary()
    readable = list(dict.fromkeys([str(CHILD_FOLDER), str(NODE_MODULES), os.path.realpath(NODE_MODULES)]))
    flags = ["--permission", f"--max-old-space-size={HEAP_MEGABYTES}", "--no-warnings", "--no-experimental-sqlite"]
    return [
        *(sys.executable, "-I", "-S", str(JAIL), "1" if open_network_allowed() else "0", node, *readable, "--", node),
        *flags,
        *(f"--allow-fs-read={path}" for path in readable),
        *(str(CHILD_FOLDER / "main.js"), str(answers), ",".join(map(str, sockets))),
    ]


class Child:
    """A started child. Use it from one thread at a time; `sockets` are relay ends that it inherits."""

    def __init__(self, sockets: list[int] | None = None) -> None:
        self.uses = 0
        self.idle_since = time.monotonic()
        self.stderr = b""
        self._buffer = bytearray()
        self.answers, child_answers = os.pipe()
        try:
            self.process = subprocess.Popen(
                command(child_answers, sockets or []),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[child_answers, *(sockets or [])],
                env={},
                cwd="/",
                start_new_session=True,
                bufsize=0,
            )
        except BaseException:
            os.close(self.answers)
            raise
        finally:
            os.close(child_answers)
        assert self.process.stdin and self.process.stderr  # noqa: S101 (for the type checker)
        self.requests, self.errors = self.process.stdin.fileno(), self.process.stderr.fileno()
        for descriptor in (self.requests, self.answers, self.errors):
            os.set_blocking(descriptor, False)
        self.outputs = [self.answers, self.errors]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, request: dict[str, Any], *, deadline: float) -> str:
        """Write one request; gives the nonce that its answers must carry. Raises TimedOut, Crashed."""
        nonce = secrets.token_hex(16)
        body = json.dumps({**request, "nonce": nonce}, ensure_ascii=False).encode("utf-8", "surrogatepass")
        rest = memoryview(struct.pack(">I", len(body)) + body)
        while rest:
            if not self._wait([], [self.requests], deadline):
                raise TimedOut
            try:
                rest = rest[os.write(self.requests, rest[:65536]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self.crash() from None
        return nonce

    def receive(self, nonce: str, *, deadline: float) -> dict[str, Any]:
        """The next answer. Raises TimedOut, Crashed (also for an answer that nobody asked for), NetworkOpen."""
        while (answer := self.pending_answer(nonce)) is None:
            readable = self._wait(self.outputs, [], deadline)
            if not readable:
                raise TimedOut
            for descriptor in readable:
                self.read(descriptor)
        return answer

    def read(self, descriptor: int) -> None:
        """Take what the child wrote on one of its descriptors. Raises Crashed or NetworkOpen at the end of answers."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        if descriptor == self.answers and not data:
            raise self.crash()
        if descriptor == self.answers:
            self._buffer += data
            return
        self.stderr = (self.stderr + data)[:KEPT_STDERR_BYTES]
        if not data:
            self.outputs.remove(descriptor)

    def pending_answer(self, nonce: str) -> dict[str, Any] | None:
        if len(self._buffer) < 4:
            return None
        (size,) = struct.unpack_from(">I", self._buffer)
        if size > LARGEST_ANSWER_BYTES:
            raise Crashed("The code gave back more than can be taken.")
        if len(self._buffer) < 4 + size:
            return None
        body = bytes(self._buffer[4 : 4 + size])
        del self._buffer[: 4 + size]
        return authentic(body, nonce)

    def crash(self) -> Exception:
        """Why the child is gone, in words for a person."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        with contextlib.suppress(OSError):
            self.stderr = (self.stderr + os.read(self.errors, KEPT_STDERR_BYTES))[:KEPT_STDERR_BYTES]
        code = self.process.poll()
        if code == EXIT_NETWORK_OPEN:
            return NetworkOpen(
                "This machine can't close the network for tenant code, so it is not run. On Linux allow seccomp or "
                "user namespaces; or decide to run it with the network open: CASTELLAN_ALLOW_OPEN_NETWORK=1."
            )
        if b"heap limit" in self.stderr or b"out of memory" in self.stderr:
            return Crashed(f"The code used more than {HEAP_MEGABYTES} MB of memory.")
        if code is not None and code < 0:
            return Crashed(f"The code's process was ended by {signal.Signals(-code).name}.")
        return Crashed(f"The code ended its process (exit code {code}).")

    def kill(self) -> None:
        """End the child and everything in its process group; leaves no zombie and no open descriptor."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.forget()

    def forget(self) -> None:
        """Close our ends only: for a forked process, whose parent still uses the child."""
        for stream in (self.process.stdin, self.process.stderr):
            if stream is not None:
                stream.close()
        with contextlib.suppress(OSError):
            os.close(self.answers)
        self.answers = -1

    def _wait(self, readers: list[int], writers: list[int], deadline: float) -> list[int]:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return []
        poll = select.poll()
        for descriptor in readers:
            poll.register(descriptor, select.POLLIN)
        for descriptor in writers:
            poll.register(descriptor, select.POLLOUT)
        return [descriptor for descriptor, _ in poll.poll(seconds * 1000)]
