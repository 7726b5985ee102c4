"""Load from autocannon, a program of its own, so that the measuring takes nothing from the measured process's loop."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from runtime.node import node_binary

AUTOCANNON = Path(__file__).resolve().parent.parent / "node_modules" / "autocannon" / "autocannon.js"
CONNECTIONS = 10
ROUNDS = 3


@dataclass(frozen=True)
class Request:
    """What is asked again and again."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)


@dataclass(frozen=True)
class Load:
    per_second: float
    answered: int


def form(url: str, body: str) -> Request:
    return Request(url, "POST", {"content-type": "application/x-www-form-urlencoded"}, body)


def run(request: Request, seconds: float) -> Load:
    """Ten connections, one request at a time on each. Raises RuntimeError when an answer is not of the 200s."""
    command = [node_binary(), str(AUTOCANNON), "--json", "--no-progress", "-c", str(CONNECTIONS)]
    command += ["-m", request.method, "-d", str(max(1, round(seconds)))]
    for name, value in request.headers.items():
        command += ["-H", f"{name}={value}"]
    if request.body:
        command += ["-b", request.body]
    done = subprocess.run([*command, request.url], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["non2xx"] or found["errors"] or not found["2xx"]:
        what = f"{found['non2xx']} refused, {found['errors']} failed, {found['2xx']} answered"
        raise RuntimeError(f"{request.method} {request.url}: {what}")
    return Load(found["requests"]["average"], found["2xx"])


def rates(requests: Sequence[Request], seconds: float) -> list[float]:
    """Answers per second for each request: the medians of rounds in turn, so that a busy machine hits all alike.

    One second of warming comes first.
    """
    for request in requests:
        run(request, 1)
    turns = [[run(request, seconds / ROUNDS).per_second for request in requests] for _ in range(ROUNDS)]
    return [median(found) for found in zip(*turns, strict=True)]
