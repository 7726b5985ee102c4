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


def test_a_free_plan_has_two_social_connections(management: Management) -> None:
    for strategy, status in (("github", 201), ("google-oauth2", 201), ("linkedin", 403), ("auth0", 201)):
        management.tenant.conditions(plan="free")  # each time with a full bucket of requests
        answer = management.ask("POST", "/connections", {"name": f"plover-{strategy}", "strategy": strategy})
        assert answer.status_code == status, answer.text


def test_a_user_and_a_member_hold_at_most_fifty_roles(management: Management) -> None:
    connection = "Username-Password-Authentication"
    body = {"connection": connection, "email": "ada@larkspur.example", "password": "Correct-Horse-9-battery"}
    user_id = management.post("/users", body)["user_id"]
    roles = [management.post("/roles", {"name": f"role {number}"})["id"] for number in range(52)]
    organization = management.post("/organizations", {"name": "store"})["id"]
    management.post(f"/organizations/{organization}/members", {"members": [user_id]})
    for path in (f"/users/{user_id}/roles", f"/organizations/{organization}/members/{user_id}/roles"):
        refused = management.refused("POST", path, {"roles": roles[:51]}, status=403)
        assert refused["errorCode"] == "too_many_entities"
        management.post(path, {"roles": roles[:50]})
        management.post(path, {"roles": roles[40:50]})
        management.refused("POST", path, {"roles": roles[50:51]}, status=403)
    management.refused("POST", f"/roles/{roles[50]}/users", {"users": [user_id]}, status=403)
    management.post(f"/roles/{roles[49]}/users", {"users": [user_id]})


def test_an_api_has_a_thousand_scopes_and_a_role_and_a_user_as_many_permissions(management: Management) -> None:
    identifiers = ("https://one.example", "https://two.example")
    scopes = [{"value": f"scope:{number}"} for number in range(1001)]
    management.refused("POST", "/resource-servers", {"identifier": "https://x.example", "scopes": scopes}, status=403)
    for identifier in identifiers:
        management.post("/resource-servers", {"identifier": identifier, "scopes": scopes[:1000]})
    one, two = (
        [{"resource_server_identifier": identifier, "permission_name": scope["value"]} for scope in scopes[:1000]]
        for identifier in identifiers
    )
    connection = "Username-Password-Authentication"
    body = {"connection": connection, "email": "ada@larkspur.example", "password": "Correct-Horse-9-battery"}
    holders = (
        f"/users/{management.post('/users', body)['user_id']}",
        f"/roles/{management.post('/roles', {'name': 'All'})['id']}",
    )
    for holder in holders:
        management.post(f"{holder}/permissions", {"permissions": one})
        management.refused("POST", f"{holder}/permissions", {"permissions": two[:1]}, status=403)
