from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

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


@pytest.fixture
def owner(tenants: Any) -> Any:
    """Who publishes scripts."""
    from tests import people

    return people.account("databases", ["database-owner"])


@pytest.fixture
def other(tenants: Any) -> Any:
    """The second person."""
    from tests import people

    return people.account("release2", ["database-owner"])


@pytest.fixture
def dev(tenants: Any, sandbox: Any, owner: Any) -> Any:
    """The demo's custom database, with a working copy that may be published."""
    from tests.identity import database_line as line

    return line.ready(line.live(tenants["dev"], sandbox.tenant("dev")), owner)


@pytest.fixture
def prod(tenants: Any, sandbox: Any, owner: Any) -> Any:
    """The same in the protected tenant."""
    from tests.identity import database_line as line

    return line.ready(line.live(tenants["prod"], sandbox.tenant("prod")), owner)


@pytest.fixture
def writer(tenants: Any, person: Any) -> Any:
    """A database owner at the pages: a Django client."""
    return person("database-owner")


@pytest.fixture
def found(tenants: Any, sandbox: Any) -> Any:
    """The demo's custom database as it is live."""
    from tests.identity import database_line as line

    return line.live(tenants["dev"], sandbox.tenant("dev"))


@pytest.fixture
def local(sandbox: Any) -> Any:
    """A small tenant, which is quickly read."""
    tenant = sandbox.tenant("dev")
    tenant.reset("factory")
    return tenant


@pytest.fixture
def with_script(tenants: Any, local: Any) -> Any:
    """with_script(import_mode=True) -> Live: a connection with the shop's scripts, in the small tenant."""
    from tests.identity import rehearsing

    return partial(rehearsing.published, tenants["dev"], local)
