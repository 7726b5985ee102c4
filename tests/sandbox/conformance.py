"""Traffic recorded from real tenants, replayed against a factory-new local one, interaction by interaction."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.demo import page_answers
from portal.supervisor import Child, Supervisor
from tests.environment import free_ports

REPLAY = Path(__file__).resolve().parents[3] / "shared/conformance/replay.py"
RECORDINGS = REPLAY.parent / "recordings"
CLIENT_ID, CLIENT_SECRET = "conformanceMachineToMachine0001", "only-for-the-replay"
SHORTENED = {'if len(report["examples"][shape]) < 3:': "if True:", "problems[:4]": "problems"}
"""What the script leaves out where it prints examples, and what is put in its place to hear of every difference."""


@dataclass(frozen=True)
class Difference:
    """An interaction that is not answered as it was recorded."""

    rows: list[dict[str, Any]]
    """All of its recording."""
    number: int
    problems: list[str]
    """In the script's words: "primary is false, recorded true", "no logo_url", "status 404, recorded 200: ..."."""

    @property
    def row(self) -> dict[str, Any]:
        return self.rows[self.number]

    @property
    def path(self) -> str:
        return str(self.row["path"]).partition("?")[0].removeprefix("/api/v2")

    @property
    def before(self) -> list[dict[str, Any]]:
        return self.rows[: self.number]


@dataclass(frozen=True)
class Score:
    totals: dict[str, int]
    """count, exact, status, keys of keys_all, values of values_all."""
    differences: list[Difference]


def replayed(folder: Path) -> Score:
    """Start a tenant that keeps its files in `folder`, and replay every recording."""
    script = _script()
    with _tenant(folder) as url:
        tenant = script["Tenant"](url, str(folder / "ca.pem"), CLIENT_ID, CLIENT_SECRET)
        report, differences = script["fresh_report"](), []
        for recording in sorted(RECORDINGS.glob("*.json")):
            rows = json.loads(recording.read_text(encoding="utf-8"))
            report["examples"].clear()
            script["replay"](rows, tenant, tenant.reset(), report)
            found = sorted(example for examples in report["examples"].values() for example in examples)
            differences += [Difference(rows, number, problems) for number, _, problems in found]
        tenant.connection.close()
    return Score({name: value for name, value in report.items() if isinstance(value, int)}, differences)


def _script() -> dict[str, Any]:
    source = REPLAY.read_text(encoding="utf-8")
    for shortened, whole in SHORTENED.items():
        assert source.count(shortened) == 1, f"{REPLAY} no longer says {shortened}"
        source = source.replace(shortened, whole)
    names: dict[str, Any] = {"__name__": "replay", "__file__": str(REPLAY)}
    exec(compile(source, str(REPLAY), "exec"), names)  # noqa: S102 - the script is the judge, not to be written again
    return names


@contextmanager
def _tenant(folder: Path) -> Iterator[str]:
    https = free_ports(2)
    http = https + 1
    command = [sys.executable, "-m", "sandbox", "--tenants", "dev", "--seed", "factory", "--ca-dir", str(folder)]
    child = Child(
        "the sandbox",
        [*command, "--https-port", str(https), "--http-port", str(http)],
        folder / "sandbox.log",
        environment={**os.environ, "SANDBOX_CLIENT_ID": CLIENT_ID, "SANDBOX_CLIENT_SECRET": CLIENT_SECRET},
        answers=lambda: page_answers(http, "/_sandbox/clock"),
    )
    with Supervisor(signals=False) as programs:
        programs.start(child)
        yield f"https://localhost:{https}"
