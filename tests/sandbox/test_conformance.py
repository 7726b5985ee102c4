"""Traffic recorded from real tenants, replayed against a factory-new local one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.supervisor import Child, Supervisor

REPLAY = Path(__file__).resolve().parents[3] / "shared/conformance/replay.py"
FLOOR_PERCENT = 90.0
"""Exactly equal answers. What is missing to 100 are mostly random values (an AWS event source, the record of a custom
domain), names of the recorded tenants, and settings that these tenants had from before their recordings began."""
CLIENT_ID, CLIENT_SECRET = "conformanceMachineToMachine0001", "only-for-the-replay"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    https, http = free_port(), free_port()
    command = [sys.executable, "-m", "sandbox", "--tenants", "dev", "--seed", "factory", "--ca-dir", str(tmp_path)]
    command += ["--https-port", str(https), "--http-port", str(http)]
    child = Child(
        "the sandbox",
        command,
        tmp_path / "sandbox.log",
        environment={**os.environ, "SANDBOX_CLIENT_ID": CLIENT_ID, "SANDBOX_CLIENT_SECRET": CLIENT_SECRET},
        answers=lambda: _answers(http),
    )
    with Supervisor(signals=False) as programs:
        programs.start(child)
        yield f"http://127.0.0.1:{http}"


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_sandbox/clock", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.skipif(not REPLAY.exists(), reason="the recordings of real tenants are not beside this checkout")
def test_recorded_answers_are_given_again(address: str, tmp_path: Path) -> None:
    score = tmp_path / "score.json"
    command = [
        sys.executable,
        str(REPLAY),
        "--url",
        address,
        "--client-id",
        CLIENT_ID,
        "--client-secret",
        CLIENT_SECRET,
    ]
    done = subprocess.run(
        [*command, "--floor", str(FLOOR_PERCENT), "--json", str(score)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    totals = json.loads(score.read_text())
    assert totals["status"] / totals["count"] > 0.96
    assert totals["keys"] / totals["keys_all"] > 0.98
