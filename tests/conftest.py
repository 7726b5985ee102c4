"""Fixtures for all tests. Parts are real: local tenants over HTTPS, Valkey, Celery workers, a browser.

sandbox            three local tenants with the demo's people; what a test changes in them is undone after it
tenants            the same three as Tenant rows of the portal: tenants["dev"]
caller             a user of the dev tenant, made for the test
person("security") a signed-in Django client with that role (person(None): signed in without a role)
eager              runs are carried out at once, in the test's own process
worker             a real Celery worker
valkey             a Redis client; what is in it is gone after the test
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest

from tests import environment as _environment

_stack = ExitStack()
ENVIRONMENT = _environment.begin(_stack)  # before Django reads its settings

pytest_plugins = ["tests.browser.fixtures"]
# The same examples in each run, and no verdict on how fast a busy machine makes them.
hypothesis.settings.register_profile(
    "same", deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    assert ENVIRONMENT.state == settings.STATE_DIR  # read now: pytest-django sets Django up where they have been read
    os.environ.pop("DJANGO_SETTINGS_MODULE")  # a worker of pytest-xdist would read them before it has its own


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()


@pytest.fixture(scope="session")
def environment() -> _environment.Environment:
    """Ports, state folder and REDIS_URL of this test process."""
    return ENVIRONMENT


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """SQLite in a file, not in memory: workers and the web server are processes of their own and must see it."""
    from django.conf import settings

    if not ENVIRONMENT.on_postgres:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(ENVIRONMENT.state / "test.sqlite3")


@pytest.fixture
def _guarded_trail(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    yield
    from tests import trail

    with django_db_blocker.unblock():
        trail.guard_again()


@pytest.fixture
def _django_db_helper(_guarded_trail: None, _django_db_helper: None) -> Iterator[None]:
    """After a test with real transactions all tables are emptied; the audit trail's triggers would refuse that."""
    from django.db import connection

    from tests import trail

    yield
    if not connection.in_atomic_block:
        trail.unguard()


# Local tenants


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Any]:
    from tests import local_tenants

    with local_tenants.running(ENVIRONMENT) as tenants:
        yield tenants


@pytest.fixture
def sandbox(running_sandbox: Any) -> Iterator[Any]:
    """tests.local_tenants.LocalTenants, as the demo seed says at the beginning of each test."""
    yield running_sandbox
    for tenant in running_sandbox:
        tenant.restore()


@pytest.fixture
def tenants(sandbox: Any, db: None, valkey: Any) -> dict[str, Any]:
    """name -> portal.models.Tenant, for the three local tenants. `prod` is protected."""
    from portal import demo, models

    authority = sandbox.authority.read_text()
    stages = zip(demo.TENANTS, models.Stage.values, strict=True)
    return {
        slug: models.Tenant.objects.create(
            slug=slug,
            name=slug.capitalize(),
            domain=sandbox.tenant(slug).domain,
            stage=stage,
            position=position,
            protected=slug == demo.HOME_TENANT,
            client_id=sandbox.tenant(slug).client_id,
            client_secret=sandbox.tenant(slug).client_secret,
            ca_bundle=authority,
        )
        for position, (slug, stage) in enumerate(stages)
    }


@pytest.fixture
def caller(sandbox: Any) -> dict[str, Any]:
    """A user of the dev tenant's own database, made for this test."""
    body = {
        "connection": "Username-Password-Authentication",
        "email": "caller@larkspur.example",
        "password": "Long-enough-1",
        "email_verified": True,
    }
    return dict(sandbox.tenant("dev").api("POST", "/users", body))


@pytest.fixture
def person(db: None) -> Callable[..., Any]:
    """person(role, account=None, subject="") -> tests.people.Person; other accounts are other people."""
    from tests import people

    def signed_in(role: str | None, account: str | None = None, *, subject: str = "") -> people.Person:
        return people.Person(people.account(account or people.ACCOUNTS[role], [role] if role else [], subject=subject))

    return signed_in


# Background work


@pytest.fixture
def valkey() -> Iterator[Any]:
    import redis

    with redis.Redis.from_url(ENVIRONMENT.redis_url) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def eager(transactional_db: None) -> Iterator[None]:
    """Tasks run where they are sent, at the commit."""
    from portal.celery import app

    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)


@pytest.fixture
def start_worker(transactional_db: None, valkey: Any) -> Iterator[Callable[[], Any]]:
    """start_worker() -> portal.supervisor.Child of a Celery worker that takes tasks; call it again for another one."""
    from django.db import connection

    from portal import demo
    from portal.supervisor import Child, Supervisor

    database = os.environ["DATABASE_URL"]
    name = str(connection.settings_dict["NAME"])
    database = database.replace("/postgres?", f"/{name}?") if ENVIRONMENT.on_postgres else f"sqlite:///{name}"
    with Supervisor(signals=False) as programs:

        def start() -> Child:
            number = len(programs.children)
            command = [sys.executable, "-m", "celery", "--app", "portal", "worker", "--concurrency", "2"]
            command += ["--hostname", f"worker{number}@localhost"]
            child = Child(
                "the worker",
                command,
                ENVIRONMENT.state / f"worker{number}.log",
                environment={**os.environ, "DATABASE_URL": database},
                answers=demo.worker_answers(ENVIRONMENT.redis_url, f"worker{number}@localhost"),
                stop_seconds=0,
            )
            programs.start(child)
            return child

        yield start


@pytest.fixture
def worker(start_worker: Callable[[], Any]) -> Any:
    return start_worker()
