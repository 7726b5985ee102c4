"""Load from autocannon, a program of its own, so that the measuring takes nothing from the measured process's loop."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runtime.node import node_binary

AUTOCANNON = Path(__file__).resolve().parent.parent / "node_modules" / "autocannon" / "autocannon.js"
CONNECTIONS = 10


@dataclass(frozen=True)
class Load:
    per_second: float
    median_ms: float


def run(
    url: str, seconds: float, *, method: str = "GET", headers: dict[str, str] | None = None, body: str = ""
) -> Load:
    """Ten connections, one request at a time on each. Raises RuntimeError when an answer is not of the 200s."""
    command = [node_binary(), str(AUTOCANNON), "--json", "--no-progress", "-c", str(CONNECTIONS), "-m", method]
    command += ["-d", str(max(1, round(seconds)))]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}={value}"]
    if body:
        command += ["-b", body]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["non2xx"] or found["errors"] or not found["2xx"]:
        raise RuntimeError(
            f"{method} {url}: {found['non2xx']} refused, {found['errors']} failed, {found['2xx']} answered"
        )
    return Load(found["requests"]["average"], found["latency"]["p50"])
