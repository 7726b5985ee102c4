"""What the tests of the release line share: readings of tenants, two release managers, the change they promote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Imports of ours stand in the fixtures: this file is read before Django is ready.


@pytest.fixture
def release(person: Callable[..., Any]) -> Any:
    return person("release-manager")


@pytest.fixture
def second(person: Callable[..., Any]) -> Any:
    return person("release-manager", "release2")


@pytest.fixture
def changed_dev(sandbox: Any) -> Any:
    """In dev: a new Action, deployed and bound last, and another description of an application."""
    from tests.deployments.line import CODE, bind

    dev = sandbox.tenant("dev")
    trigger = [{"id": "post-login", "version": "v3"}]
    action = dev.api(
        "POST",
        "/actions/actions",
        {"name": "Partner MFA", "supported_triggers": trigger, "code": CODE, "runtime": "node22"},
    )
    dev.api("POST", f"/actions/actions/{action['id']}/deploy")
    bind(dev, "Partner MFA")
    shop = dev.named("clients", "Larkspur Storefront")
    staging = sandbox.tenant("staging").named("clients", "Larkspur Storefront")
    same = {key: staging[key] for key in ("callbacks", "allowed_logout_urls", "web_origins", "allowed_origins")}
    dev.api("PATCH", f"/clients/{shop['client_id']}", same | {"description": "The shop, with partner sign-in"})
    return dev


@pytest.fixture(scope="session")
def readings() -> dict[str, Any]:
    """The two readings that `approved` plans from: the same in every test, so the tenants are read once."""
    return {}


@pytest.fixture
def pair(request: pytest.FixtureRequest, readings: dict[str, Any], tenants: dict[str, Any]) -> Any:
    """Snapshots of dev, with the change, and of staging."""
    from deployments import snapshots
    from deployments.models import Snapshot
    from tests.deployments.line import reading_of

    def snapshot(slug: str) -> Any:
        if slug not in readings:
            request.getfixturevalue("changed_dev")
            readings[slug] = reading_of(tenants[slug])
        return snapshots.store(tenants[slug], readings[slug], source=Snapshot.Source.EXPORT, taken_by=None)

    return snapshot("dev"), snapshot("staging")


@pytest.fixture
def approved(pair: Any, release: Any, second: Any) -> Callable[..., Any]:
    """approved(*picks) -> an approved promotion of the change from dev to staging."""
    from deployments import promotions
    from deployments.plan import Pick
    from tests.deployments.line import PICKED, agreed

    def promotion(*picks: str) -> Any:
        planned = promotions.draft(*pair, [Pick(key) for key in picks or PICKED], actor=release.user)
        return agreed(planned, release, second)

    return promotion
