"""Fixtures of the sandbox's own tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management
from tests.sandbox.web_login import Person, new_client, new_user, without_actions


@pytest.fixture
def management(sandbox: Any) -> Management:
    """The Management API of a factory-new tenant."""
    tenant = sandbox.tenant("dev")
    tenant.reset("factory")
    return Management(tenant)


# Signing in to the dev tenant; a module that needs another tenant or application defines its own by the same name.


@pytest.fixture
def tenant(sandbox: Any) -> Any:
    """The dev tenant without its Actions."""
    found = sandbox.tenant("dev")
    without_actions(found)
    return found


@pytest.fixture
def client(tenant: Any) -> dict[str, Any]:
    return new_client(tenant)


@pytest.fixture
def user(tenant: Any) -> dict[str, Any]:
    return new_user(tenant)


@pytest.fixture
def person(tenant: Any, client: dict[str, Any]) -> Person:
    return Person(tenant, client)
