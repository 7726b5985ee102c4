"""Custom database scripts: how long somebody waits for the verdict on a script that has just been changed."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench import servers
from bench.table import Row, most
from identity.databases import generate, lint
from identity.databases.contracts import database_for
from identity.databases.contracts import run as contracts
from identity.databases.contracts.cases import CASES
from identity.databases.form import Form
from runtime import scripts as runtime_scripts

LIMIT_SECONDS = 1.0
TIMES = 5
FORM = Form(store="postgresql", connection="shop")


def measure(seconds: float) -> Iterator[Row]:
    scripts = generate.scripts(FORM)
    lint.check(scripts)
    taken = median(servers.once_ms(lambda: lint.check(scripts)) for _ in range(TIMES)) / 1000
    yield most(f"lint of {len(scripts)} scripts", taken, LIMIT_SECONDS, "s")
    database = database_for(FORM.store)
    try:
        for name in scripts:

            def verdict(script: str = name) -> None:
                if not contracts.passed(contracts.run(scripts, FORM, database, only=(script,))):
                    raise RuntimeError(f"Contract tests of {script} failed")

            verdict()
            taken = median(servers.once_ms(verdict) for _ in range(TIMES)) / 1000
            yield most(f"contract tests of {name}, {len(CASES[name])} cases", taken, LIMIT_SECONDS, "s")
    finally:
        database.close()
        runtime_scripts.pool.close()
