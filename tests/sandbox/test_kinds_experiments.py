"""Feature flags, segments and experiments: what may be changed when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management

FLAGS, EXPERIMENTS = "/experimentation/feature-flags", "/experimentation/experiments"
FLAG = {"name": "checkout", "parameters": {"colour": {"type": "string", "value": "red"}}}
BLUE = {"name": "blue", "overrides": {"colour": {"value": "blue"}}}


@pytest.fixture
def flag(management: Management) -> dict[str, Any]:
    """An active flag with two variations."""
    flag: dict[str, Any] = management.post(FLAGS, FLAG)
    names = ({"name": "red", "overrides": {}}, BLUE)
    variations = [management.post(f"{FLAGS}/{flag['id']}/variations", body)["id"] for body in names]
    management.patch(f"{FLAGS}/{flag['id']}", {"status": "active"})
    return {**flag, "variations": variations}


def trial(flag: dict[str, Any], **more: Any) -> dict[str, Any]:
    red, blue = flag["variations"]
    shares = [
        {"variation_id": red, "weight": 50, "is_control": True},
        {"variation_id": blue, "weight": 50, "is_control": False},
    ]
    body = {"name": "which colour", "feature_flag_id": flag["id"], "authentication_flow": "authentication"}
    return {**body, "allocations": shares, **more}


def test_a_flag_needs_two_variations_to_be_active(management: Management) -> None:
    path = f"{FLAGS}/{management.post(FLAGS, FLAG)['id']}"
    management.refused("PATCH", path, {"status": "active", "name": "renamed"}, status=400)
    assert management.get(path)["name"] == "checkout", "nothing of a refused change is kept"
    management.refused("POST", f"{path}/variations", {"name": "x y z", "overrides": {"size": {"value": 1}}}, status=400)
    management.post(f"{path}/variations", BLUE)
    management.refused("POST", f"{path}/variations", BLUE, status=409)


def test_an_experiment_runs_only_when_nothing_stands_against_it(management: Management, flag: dict[str, Any]) -> None:
    unallocated = {key: value for key, value in trial(flag).items() if key != "allocations"}
    path = f"{EXPERIMENTS}/{management.post(EXPERIMENTS, unallocated)['id']}"
    assert management.get(path)["is_valid"] is False
    problems = management.post(f"{path}/validate")
    assert [problem["code"] for problem in problems["errors"]] == [
        "no_allocations",
        "control_required",
        "invalid_weights",
    ]
    management.refused("POST", f"{path}/status", {"status": "active"}, status=400)
    management.patch(path, {"allocations": trial(flag)["allocations"]})
    running = management.post(f"{path}/status", {"status": "active"})
    assert running["is_valid"] is True
    assert running["started_at"]
    assert [share["variation_name"] for share in running["allocations"]] == ["red", "blue"]


def test_what_runs_can_hardly_be_changed(management: Management, flag: dict[str, Any]) -> None:
    path = f"{EXPERIMENTS}/{management.post(EXPERIMENTS, trial(flag))['id']}"
    management.patch(path, {"status": "active"})
    management.refused("PATCH", path, {"allocations": []}, status=400)
    management.refused("DELETE", path, status=400)
    management.refused("DELETE", f"{FLAGS}/{flag['id']}", status=409)
    management.refused("DELETE", f"{FLAGS}/{flag['id']}/variations/{flag['variations'][0]}", status=409)
    assert management.patch(path, {"description": "still running"})["editable_fields"] == ["name", "description"]
    assert management.post(f"{path}/status", {"status": "completed"})["ended_at"]
    management.refused("PATCH", path, {"status": "active"}, status=400)
    management.delete(path)
    assert management.ask("DELETE", path).status_code == 204


def test_a_ramp_goes_up_by_one_level(management: Management, flag: dict[str, Any]) -> None:
    management.refused("POST", EXPERIMENTS, trial(flag, levels=[50, 10]), status=400)
    path = f"{EXPERIMENTS}/{management.post(EXPERIMENTS, trial(flag, levels=[10, 50, 100]))['id']}"
    management.refused("POST", f"{path}/advance-ramp", {"target_level": 10}, status=400)
    assert management.patch(path, {"status": "active"})["current_level"] == 10
    management.refused("POST", f"{path}/advance-ramp", {"target_level": 100}, status=400)
    advanced = management.post(f"{path}/advance-ramp", {"target_level": 50})
    assert (advanced["from_level"], advanced["to_level"]) == (10, 50)
    assert management.post(f"{path}/advance-ramp", {"target_level": 50})["from_level"] == 50
    assert management.get(path)["current_level"] == 50


def test_an_experiment_on_all_flows_runs_alone(management: Management, flag: dict[str, Any]) -> None:
    first = management.post(EXPERIMENTS, trial(flag))["id"]
    management.patch(f"{EXPERIMENTS}/{first}", {"status": "active"})
    everywhere = management.post(EXPERIMENTS, trial(flag, name="everywhere", authentication_flow="all"))["id"]
    management.refused("PATCH", f"{EXPERIMENTS}/{everywhere}", {"status": "active"}, status=400)
    management.patch(f"{EXPERIMENTS}/{first}", {"status": "paused"})
    assert management.patch(f"{EXPERIMENTS}/{everywhere}", {"status": "active"})["status"] == "active"
    assert [one["id"] for one in management.get(EXPERIMENTS, status="paused")["experiments"]] == [first]


def test_an_archived_segment_stays_archived(management: Management) -> None:
    body = {"name": "Germans", "rules": [{"match": {"country": ["DE"]}}]}
    path = f"/experimentation/segments/{management.post('/experimentation/segments', body)['id']}"
    assert management.patch(path, {"status": "archived"})["status"] == "archived"
    management.refused("PATCH", path, {"status": "active"}, status=400)
