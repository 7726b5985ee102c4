"""How many of a thing a tenant may hold, and what it may use: by its plan, and on every plan."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management

CODE = "exports.onExecutePostLogin = async () => {};"
ACTION = {"name": "a", "code": CODE, "supported_triggers": [{"id": "post-login", "version": "v3"}]}


def test_a_free_plan_holds_few_applications(management: Management) -> None:
    for n in range(10):
        management.post("/clients", {"name": f"Shop {n}"})
    management.tenant.conditions(plan="free")
    answer = management.refused("POST", "/clients", {"name": "One more"}, status=403)
    assert answer["errorCode"] == "too_many_entities"
    management.tenant.conditions(plan="enterprise")
    management.post("/clients", {"name": "One more"})


def test_an_organization_has_at_most_ten_connections(management: Management) -> None:
    organization = management.post("/organizations", {"name": "harbourline"})["id"]
    for n in range(11):
        id = management.post("/connections", {"name": f"waxwing-{n}", "strategy": "auth0"})["id"]
        body = {"connection_id": id}
        answer = management.ask("POST", f"/organizations/{organization}/enabled_connections", body)
        assert answer.status_code == (201 if n < 10 else 403), answer.text


def test_an_action_has_few_secrets_and_small_code(management: Management) -> None:
    secrets = [{"name": f"s{n}", "value": "x"} for n in range(31)]
    management.refused("POST", "/actions/actions", {**ACTION, "secrets": secrets}, status=400)
    management.refused("POST", "/actions/actions", {**ACTION, "code": CODE + "/" * 100_000}, status=400)
    management.post("/actions/actions", {**ACTION, "secrets": secrets[:30]})


def test_an_action_keeps_its_newest_fifty_versions(management: Management) -> None:
    id = management.post("/actions/actions", ACTION)["id"]
    management.get(f"/actions/actions/{id}")
    for _ in range(52):
        management.post(f"/actions/actions/{id}/deploy")
    versions = management.get(f"/actions/actions/{id}/versions", per_page=100)["versions"]
    assert {version["number"] for version in versions} == set(range(3, 53))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/attack-protection/bot-detection", "Please upgrade your subscription to use bot detection"),
        ("/attack-protection/captcha", "Please upgrade your subscription to use bot detection"),
        ("/supplemental-signals", "Please upgrade your subscription to enable Akamai Signals."),
    ],
)
def test_what_a_plan_does_not_include_is_neither_shown_nor_changed(
    management: Management, path: str, message: str
) -> None:
    shown = management.get(path)
    management.tenant.conditions(plan="professional")
    assert management.refused("GET", path, status=403)["message"] == message
    management.refused("PATCH", path, {"akamai_enabled": True} if "signals" in path else {}, status=403)
    management.tenant.conditions(plan="enterprise")
    assert management.get(path) == shown
