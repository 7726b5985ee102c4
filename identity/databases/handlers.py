"""Background runs of this part; identity.handlers imports this module."""

from __future__ import annotations

from typing import Any

from identity.databases import applying, migrating, publish, rehearse, testing
from identity.databases.models import DatabasePublication, DatabaseRehearsal, DatabaseTest
from portal import runs
from portal.models import Run
from portal.runs import Progress


@runs.handler(publish.RUN_KIND, interrupted=DatabasePublication.interrupted, page=runs.page_in(DatabasePublication))
def publish_database(run: Run, progress: Progress) -> dict[str, Any]:
    return applying.carry_out(run, progress)


@runs.handler(testing.RUN_KIND, interrupted=testing.forget, page=runs.page_in(DatabaseTest))
def test_database_scripts(run: Run, progress: Progress) -> dict[str, Any]:
    return testing.carry_out(run, progress)


@runs.handler(rehearse.RUN_KIND, interrupted=rehearse.interrupted, page=runs.page_in(DatabaseRehearsal))
def rehearse_database(run: Run, progress: Progress) -> dict[str, Any]:
    return migrating.carry_out(run, progress)


runs.WAITING.append(publish.FOUR_EYES.waiting_for)
