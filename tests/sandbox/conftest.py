"""Fixtures of the sandbox's own tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management


@pytest.fixture
def management(sandbox: Any) -> Management:
    """The Management API of a factory-new tenant."""
    tenant = sandbox.tenant("dev")
    tenant.reset("factory")
    return Management(tenant)
