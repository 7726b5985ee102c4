"""The linter for custom database scripts: what can be said about them without running them.

Rules about one script are an ESLint plugin (plugin/), run in one short-lived Node that only reads. Rules about the
connection as a whole are in `connection`. Both are listed in rules.json, and by that in docs/custom-databases.md.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from identity.databases.lint import connection as connection_rules
from identity.databases.lint.findings import LEVELS, RULES, Connection, Finding, Fix, Rule, counted, grouped
from runtime.node import NODE_MODULES, node_binary

__all__ = [
    "LEVELS",
    "RULES",
    "Connection",
    "Finding",
    "Fix",
    "LintFailed",
    "Rule",
    "apply_fixes",
    "check",
    "counted",
    "edition",
    "grouped",
    "passes",
]

PLUGIN = Path(__file__).parent / "plugin"
TIMEOUT_SECONDS = 20.0


@cache
def edition() -> str:
    """SHA-256 of the linter itself: findings that are kept are worth nothing after a change of a rule."""
    files = sorted([*PLUGIN.rglob("*.js"), *PLUGIN.parent.glob("*.py"), PLUGIN.parent / "rules.json"])
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


class LintFailed(RuntimeError):
    """The linter itself did not finish; the text says why."""


def check(scripts: Mapping[str, str], connection: Connection | None = None) -> list[Finding]:
    """Every finding in `scripts` ({"login": code, ...}), the gravest first, then in the order of the scripts.

    Raises LintFailed when Node can't be run or a script takes too long to read.
    """
    connection = connection or Connection()
    written = {name: code for name, code in scripts.items() if code.strip()}
    small = {name: code for name, code in written.items() if not connection_rules.too_large(code)}
    seen = eslint(list(small.items()), import_mode=connection.import_mode, context=connection.script_context)
    findings = [Finding.from_eslint(found) for one in seen for found in one["findings"]]
    facts = {name: one["facts"] for name, one in zip(small, seen, strict=True)}
    findings += connection_rules.check(written, connection, facts)
    order: dict[str | None, int] = {name: number for number, name in enumerate(scripts)}
    return sorted(
        findings,
        key=lambda one: (LEVELS.index(one.level), order.get(one.script, -1), one.line, one.column, one.rule),
    )


def passes(findings: Iterable[Finding]) -> bool:
    """May these scripts be published? Hints (level "info") do not stand in the way."""
    return all(finding.level == "info" for finding in findings)


def apply_fixes(code: str, findings: Iterable[Finding]) -> str:
    """`code` with the safe fixes of its own findings; where two overlap, the first wins and the other waits."""
    units, end = code.encode("utf-16-le", "surrogatepass"), len(code.encode("utf-16-le", "surrogatepass")) // 2
    result, position = b"", 0
    for fix in sorted({finding.fix for finding in findings if finding.fix}, key=lambda one: (one.start, one.end)):
        if position <= fix.start <= fix.end <= end:
            result += units[position * 2 : fix.start * 2] + fix.text.encode("utf-16-le", "surrogatepass")
            position = fix.end
    return (result + units[position * 2 :]).decode("utf-16-le", "surrogatepass")


def eslint(scripts: Sequence[tuple[str, str]], **settings: bool) -> list[dict[str, Any]]:
    """What the plugin sees in each (name, code): {"findings": [...], "facts": as `connection.check` takes them}."""
    root = NODE_MODULES.parent
    command = [
        *(node_binary(), "--permission", f"--allow-fs-read={NODE_MODULES}", f"--allow-fs-read={PLUGIN}"),
        *(f"--allow-fs-read={root / 'package.json'}", "--max-old-space-size=512", "--no-warnings"),
        *(str(PLUGIN / "main.js"), str(root)),
    ]
    request = json.dumps({"scripts": list(scripts), "settings": settings}).encode()
    try:
        answer = subprocess.run(command, input=request, capture_output=True, timeout=TIMEOUT_SECONDS, env={}, cwd="/")
    except subprocess.TimeoutExpired:
        raise LintFailed(f"The scripts could not be checked within {TIMEOUT_SECONDS:.0f} seconds.") from None
    if answer.returncode < 0:  # a signal: V8 aborts where memory is at its end
        raise LintFailed(
            "The linter needs more memory for these scripts than it may have; make them shorter or simpler."
        )
    if answer.returncode:
        last = answer.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise LintFailed(f"The linter ended with code {answer.returncode}: {last[0][:200]}")
    return json.loads(answer.stdout)
