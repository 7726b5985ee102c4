"""Runs the contract tests: scripts of one connection against one database, a verdict for each case."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from identity.databases.contracts.cases import CASES, SILENT, Case, Lacking, silence
from identity.databases.contracts.database import Database
from identity.databases.contracts.settings import given, without_value
from identity.databases.contracts.trial import MASK, Trial, described, invariants, is_module_missing, silent
from identity.databases.form import Form
from runtime import scripts as runtime_scripts
from runtime.relay import Fault
from runtime.scripts import ScriptResult

TIMEOUT_SECONDS = 20.0
# Goodbyes pass three processes; on a busy machine that takes a while.
LINGER_SECONDS = 0.03
MOST_STOPPED = 2


@dataclass(frozen=True)
class Verdict:
    """What one case showed. `passed` is None where it could not be tried; `reason` then says why.

    sent, came: the call and the answer in words, passwords masked. duration_ms: the execution alone.
    """

    case: str
    script: str
    title: str
    passed: bool | None
    sent: str
    came: str
    reason: str
    duration_ms: float


@cache
def cheap_hashes() -> dict[str, str]:
    """Doubles of the modules that hash passwords, with small costs; each stands on the module of its name."""
    folder = Path(__file__).parent / "doubles"
    names = {"bcrypt": ("bcrypt", "bcryptjs"), "crypto": ("crypto", "node:crypto"), "argon2": ("argon2",)}
    sources = {name: (folder / f"{name}.js").read_text(encoding="utf-8") for name in names}
    return {
        alias: sources[name].replace(f'require("{name}")', f'require("{alias}")')
        for name, aliases in names.items()
        for alias in aliases
    }


def run(
    scripts: Mapping[str, str],
    form: Form,
    database: Database,
    *,
    only: Iterable[str] = (),
    thorough: bool = False,
    progress: Callable[[Verdict], None] | None = None,
) -> list[Verdict]:
    """Every case of every script that is there, in order.

    form tells the table, its columns and its hash, so that test users can be stored. only: names of scripts or cases.
    thorough: also a database that never answers, which takes the scripts' own time-outs. Raises CannotConnect.
    """
    database.prepare(form)
    bench = Bench(dict(scripts), form, database)
    verdicts = []
    for case in wanted(scripts, set(only), thorough):
        verdicts.append(bench.verdict(case))
        if progress:
            progress(verdicts[-1])
    database.clear()
    return verdicts


def wanted(scripts: Iterable[str], only: set[str], thorough: bool) -> list[Case]:
    """The cases of these scripts, in order; `only` names scripts or cases."""
    names = [name for name in CASES if name in scripts]
    cases = [case for name in names for case in (*CASES[name], *([silence(name)] if thorough else []))]
    return [case for case in cases if not only or {case.script, case.id} & only]


@dataclass
class Bench:
    scripts: dict[str, str]
    form: Form
    database: Database
    container: str = field(default_factory=lambda: secrets.token_hex(8))
    # script -> how often it used up all of its time although nothing was wrong with the database
    stopped: Counter[str] = field(default_factory=Counter)
    # Scripts that need a module which is not here: one failed case says it, the others are left out.
    untried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.configuration = given(self.scripts.values(), self.database.configuration)

    def verdict(self, case: Case) -> Verdict:
        if reason := self._reason_to_leave_out(case):
            return self._left_out(case, reason)
        with self._trouble(case) as (possible, fault):
            if not possible:
                return self._left_out(case, "This can't be played with this database.")
            self.database.said()
            trial = self._try(case, fault)
        if is_module_missing(trial.result):
            self.untried.add(case.script)
        return self._judged(case, trial)

    def _judged(self, case: Case, trial: Trial) -> Verdict:
        problems = self._problems(case, trial)
        return Verdict(
            case.id,
            case.script,
            case.title,
            not problems,
            self._words(trial, trial.arguments),
            masked(described(trial.result), trial),
            masked(" ".join(dict.fromkeys(problems)), trial),
            trial.result.duration_ms,
        )

    def _problems(self, case: Case, trial: Trial) -> list[str]:
        """What came of it is looked at when the trouble is over; without an answer there is nothing to look at."""
        problems = silent(trial.result) or case.expect(trial)
        problems = [*invariants(trial, silence=case.fault == SILENT), *problems]
        if not problems:
            return []
        # Scripts keep to themselves what their database refused, and rightly; who mends them needs to know.
        refused = self.database.said()[:1]
        hints = [f"The database said: {text[:200].rstrip('.')}." for text in refused]
        return [*problems, *hints, *without_value(self.scripts[case.script], self.configuration)]

    def _reason_to_leave_out(self, case: Case) -> str:
        if case.script in self.untried:
            return "The script needs a module that is not here."
        if case.needs == "hash" and self.form.store == "https_api":
            return "The API itself checks passwords."
        columns = self.form.columns
        if case.needs not in (None, "hash") and columns.get(case.needs) in (None, "", columns["email"]):
            return f"The form names no column of its own for {case.needs}."
        # Cases of other scripts use these two to look at what happened.
        gone = self.untried | ({"login", "get_user"} - set(self.scripts))
        missing = next((name for name in ("login", "get_user") if name in gone), None)
        return f"The script {missing} is needed to look at the result." if missing else ""

    @contextlib.contextmanager
    def _trouble(self, case: Case) -> Iterator[tuple[bool, Fault | None]]:
        self.database.clear()
        if case.fault is None or isinstance(case.fault, Fault):
            yield True, case.fault
            return
        for user in case.users:
            self.database.add(user)
        lacking = isinstance(case.fault, Lacking) and self.database.lacking(case.fault.field)
        with lacking or self.database.exhausted() as possible:
            yield possible, None

    def _try(self, case: Case, fault: Fault | None) -> Trial:
        there = not (case.fault is None or isinstance(case.fault, Fault))
        stored = {} if there else {user.email: self.database.add(user) for user in case.users}
        ids = {email: f"{self.form.connection}|{key}" for email, key in stored.items()}
        ids = ids or {user.email: f"{self.form.connection}|1" for user in case.users}
        arguments = case.arguments(ids)
        result = self.execute(case.script, *arguments, fault=fault)
        trial = Trial(self.form, self.database, arguments, case.users, stored, result, self.execute)
        trial.call = partial(self._again, trial)
        return trial

    def _again(self, trial: Trial, script: str, *arguments: Any) -> ScriptResult:
        result = self.execute(script, *arguments)
        trial.others.append(result)
        return result

    def execute(self, script: str, *arguments: Any, fault: Fault | None = None) -> ScriptResult:
        """A script that never ends is not run a third time: a hundred cases would take half an hour."""
        if self.stopped[script] >= MOST_STOPPED:
            return runtime_scripts.refused(f"{script} was stopped {MOST_STOPPED} times already, and is not run again.")
        result = self._execute(script, arguments, fault)
        if fault is None and result.duration_ms >= TIMEOUT_SECONDS * 1000:
            self.stopped[script] += 1
        return result

    def _execute(self, script: str, arguments: Sequence[Any], fault: Fault | None) -> ScriptResult:
        """A second callback or a late error is waited for; no longer than anything can still happen."""
        return runtime_scripts.run(
            self.scripts[script],
            script=script,
            arguments=arguments,
            configuration=self.configuration,
            allow_hosts=self.database.hosts,
            timeout_seconds=TIMEOUT_SECONDS,
            linger_seconds=LINGER_SECONDS,
            fault=fault,
            doubles={**cheap_hashes(), **self.database.doubles},
            container=self.container,
        )

    def _left_out(self, case: Case, reason: str) -> Verdict:
        return Verdict(case.id, case.script, case.title, None, "", "", reason, 0.0)

    def _words(self, trial: Trial, arguments: list[Any]) -> str:
        return masked(", ".join(json.dumps(one, ensure_ascii=False) for one in arguments), trial)


def masked(text: str, trial: Trial) -> str:
    """`text` without any password of the trial, also as JSON writes it."""
    for password in sorted(trial.passwords, key=len, reverse=True):
        for shown in {password, json.dumps(password, ensure_ascii=False)[1:-1]} - {""}:
            text = text.replace(shown, MASK)
    return text


def passed(verdicts: Iterable[Verdict]) -> bool:
    """May these scripts be published? Cases that could not be tried do not count."""
    return all(verdict.passed is not False for verdict in verdicts)
