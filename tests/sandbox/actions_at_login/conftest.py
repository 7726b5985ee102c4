"""A tenant whose policies ask nobody for a second factor: that is for the Actions of the tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.second_factors import offer
from tests.sandbox.web_login import new_client, new_user


@pytest.fixture
def tenant(sandbox: Any) -> Any:
    """The dev tenant, still with its own Actions."""
    found = sandbox.tenant("dev")
    found.api("PUT", "/guardian/policies", [])
    offer(found, "otp", "sms")
    return found


@pytest.fixture
def client(tenant: Any) -> dict[str, Any]:
    return new_client(tenant, client_metadata={"level": "gold"})


@pytest.fixture
def user(tenant: Any) -> dict[str, Any]:
    return new_user(tenant, app_metadata={"plan": "free"})
