"""A tenant that asks everybody for a key, and somebody whose browser can use keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import authenticator
from tests.sandbox.authenticator import Authenticator
from tests.sandbox.second_factors import asking_everybody
from tests.sandbox.web_login import Person


@pytest.fixture
def tenant(sandbox: Any) -> Any:
    return asking_everybody(sandbox, "webauthn-roaming")


@pytest.fixture
def person(tenant: Any, client: dict[str, Any]) -> Person:
    return authenticator.person(tenant, client)


@pytest.fixture
def enrolled(person: Person, user: dict[str, Any]) -> Authenticator:
    """The authenticator with the person's key, and the person is asked for it."""
    return authenticator.enroll(person, user["email"])
