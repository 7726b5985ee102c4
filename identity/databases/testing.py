"""Contract tests as a run: against a database of our own, or one that the person names for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from identity.databases import addresses
from identity.databases.contracts import database_for
from identity.databases.contracts import run as contracts
from identity.databases.contracts.database import CannotConnect, Database
from identity.databases.contracts.run import Verdict
from identity.databases.form import BadForm, Form, check
from identity.databases.models import DatabaseTest, named
from identity.databases.scripts import Content
from portal import audit, runs
from portal.errors import Invalid, Refused
from portal.models import Run, RunEvent, Tenant
from portal.runs import Progress

RUN_KIND = "identity.test_database_scripts"
OWN_DATABASES = {
    "postgresql": "an embedded PostgreSQL",
    "mysql": "a stand-in for MySQL",
    "sqlserver": "a stand-in for SQL Server",
    "mongodb": "a stand-in for MongoDB",
    "https_api": "an API of our own",
}


def request(
    tenant: Tenant,
    tested: dict[str, Any],
    content: Content,
    form: Form,
    *,
    actor: User,
    dsn: str = "",
    thorough: bool = False,
) -> DatabaseTest:
    """Ask for a run over every script of `content`. `tested`: {"id", "name"} of the connection.

    Raises Invalid for a form or a connection string that can't be used, or where there is nothing to run.
    """
    if "login" not in content.scripts:
        raise Invalid("Write the login script first: nearly every case looks at its answer.")
    try:
        check(form)
    except BadForm as problem:
        raise Invalid(" ".join(problem.errors.values())) from None
    database = addresses.check(dsn, form.store) if dsn else OWN_DATABASES[form.store]
    where = {"tenant": tenant, "target": tested["id"], "target_label": tested["name"]}
    with audit.recorded(actor, "databases.test", **where) as entry, transaction.atomic():
        test = DatabaseTest(
            **named(tenant, tested["id"]), connection_name=tested["name"], content=content.to_json(),
            sha256=content.sha256, store_form=asdict(form), thorough=thorough, dsn=dsn, database=database,
        )  # fmt: skip
        test.save(force_insert=True)
        title = f"Contract tests of {tested['name']} against {database}"[:200]
        test.run = runs.request(RUN_KIND, actor=actor, title=title, tenant=tenant, test=test.pk)
        test.save(update_fields=["run"])
        entry.after = {"sha256": content.sha256, "database": database}
    return test


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler."""
    test = DatabaseTest.objects.select_related("tenant").get(run=run)
    try:
        verdicts = _verdicts(test, progress)
    finally:
        forget(run)
    passed = contracts.passed(verdicts)
    DatabaseTest.objects.filter(pk=test.pk).update(passed=passed, verdicts=[asdict(one) for one in verdicts])
    failed = sum(one.passed is False for one in verdicts)
    level = RunEvent.Level.INFO if passed else RunEvent.Level.ERROR
    progress.say(f"{len(verdicts)} cases, {failed} failed.", level=level)
    return {"test": test.pk, "cases": len(verdicts), "failed": failed}


def forget(run: Run) -> None:
    """The connection string has done its work, or never will."""
    DatabaseTest.objects.filter(run=run).update(dsn="")


def _verdicts(test: DatabaseTest, progress: Progress) -> list[Verdict]:
    form, content = Form(**test.store_form), Content.from_json(test.content)
    progress.say(f"{'Connecting to' if test.dsn else 'Starting'} {test.database}.")
    with _database(form.store, test.dsn) as database:
        if database.notice:
            DatabaseTest.objects.filter(pk=test.pk).update(notice=database.notice)
            progress.say(database.notice, level=RunEvent.Level.WARNING)
        report = _Report(progress).say
        try:
            return contracts.run(content.scripts, form, database, thorough=test.thorough, progress=report)
        except CannotConnect as problem:
            raise Refused(str(problem)) from None


class _Report:
    """One line a script, and one a case that failed; a request to stop is heard between cases."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.script = progress, ""

    def say(self, verdict: Verdict) -> None:
        if verdict.script != self.script:
            self.script = verdict.script
            self.progress.say(f"Running the cases of {verdict.script}.")
        if verdict.passed is False:
            text = f"{verdict.case}, {verdict.title}: {verdict.reason}"
            self.progress.say(text, level=RunEvent.Level.ERROR)
        self.progress.check()


@contextmanager
def _database(store: str, dsn: str) -> Iterator[Database]:
    try:
        database = database_for(store, dsn or None)
    except CannotConnect as problem:
        raise Refused(str(problem)) from None
    try:
        yield database
    finally:
        database.close()
