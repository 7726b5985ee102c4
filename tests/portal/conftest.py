"""What the tests of access and of the gateway share: a tenant, its application's grant, calls of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Imports of ours stand in the fixtures: this file is read before Django is ready.


@pytest.fixture
def dev(tenants: dict[str, Any]) -> Iterator[Any]:
    from portal import auth0

    yield tenants["dev"]
    auth0.forget(tenants["dev"])


@pytest.fixture
def grant(sandbox: Any, dev: Any) -> Callable[..., None]:
    """grant([...]) makes these the scopes of an application at the dev tenant; the portal's, where none is named."""
    from portal import auth0

    def only(wanted: list[str] | set[str], client_id: str = "") -> None:
        sandbox.tenant("dev").grant(wanted, client_id)
        auth0.forget(dev)

    return only


@pytest.fixture
def own_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that the portal never makes, and these tests do."""
    from portal.auth0 import endpoints

    monkeypatch.setattr(endpoints, "_by_shape", {shape: [*rows] for shape, rows in endpoints._by_shape.items()})
    endpoints.add({"GET /clients": (), "GET /roles": (), "POST /roles": (), "POST /users": ()})
