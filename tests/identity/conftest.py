from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity.databases.contracts.postgresql import PostgresqlDatabase


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlDatabase]:
    """An embedded PostgreSQL for contract tests."""
    from runtime import scripts as runtime_scripts

    database = PostgresqlDatabase()
    yield database
    database.close()
    runtime_scripts.pool.close()
