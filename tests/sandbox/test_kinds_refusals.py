"""What is well-formed and yet refused: properties that exclude each other, and what stays as it was made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management

API = "https://orders.larkspur.example"
METHODS = {"password": {"enabled": True, "api_behavior": "required", "signup_behavior": "block"}}
INACTIVE, ACTIVE = {"identifier": {"active": False}}, {"identifier": {"active": True}}
LOOSE = {"unique": False}
OPTIONS: dict[str, dict[str, Any]] = {
    "attributes and validation": {"attributes": {"email": ACTIVE}, "validation": {"username": {"min": 1, "max": 9}}},
    "attributes and requires_username": {"attributes": {"email": ACTIVE}, "requires_username": True},
    "two password policies": {"password_options": {"history": {"active": True, "size": 3}}, "passwordPolicy": "low"},
    "a signup that the API needs": {"authentication_methods": METHODS},
    "no identifier": {"attributes": {"email": INACTIVE, "username": INACTIVE}},
    "an identifier that is not unique": {"attributes": {"email": {**ACTIVE, **LOOSE}}},
}
GRANTS: dict[str, dict[str, Any]] = {
    "nobody": {"audience": API, "scope": []},
    "an application and every other one": {"client_id": "c", "default_for": "third_party_clients", "audience": API},
    "some scopes and all": {"client_id": "c", "audience": API, "scope": ["read:a"], "allow_all_scopes": True},
}
WEBHOOK = {
    "type": "webhook",
    "configuration": {
        "webhook_endpoint": "https://hooks.larkspur.example",
        "webhook_authorization": {"method": "bearer", "token": "hush"},
    },
}
EVENT_BRIDGE = {"type": "eventbridge", "configuration": {"aws_account_id": "123456789012", "aws_region": "eu-west-1"}}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_of_a_database_that_exclude_each_other_are_refused(
    management: Management, options: dict[str, Any]
) -> None:
    body = {"name": "staff", "strategy": "auth0", "options": options}
    assert management.refused("POST", "/connections", body, status=400)["errorCode"] == "invalid_body"
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    management.refused("PATCH", f"/connections/{id}", {"options": options}, status=400)


def test_a_database_that_shows_its_policy_in_two_ways_is_written_in_one(management: Management) -> None:
    body = {"name": "staff", "strategy": "auth0", "options": {"passwordPolicy": "low"}}
    made = management.post("/connections", body)
    shown = made["options"]
    assert shown["passwordPolicy"] == "low" and shown["password_options"]
    path = f"/connections/{made['id']}"
    management.refused("PATCH", path, {"options": shown}, status=400)
    for left_out in ("passwordPolicy", "password_options"):
        kept = {name: value for name, value in shown.items() if name != left_out}
        assert management.patch(path, {"options": kept})["options"] == kept


def test_an_email_that_is_not_unique_comes_with_the_connection_or_never(management: Management) -> None:
    attributes = {"email": {**INACTIVE, **LOOSE}, "username": ACTIVE}
    options = {"options": {"enabledDatabaseCustomization": True, "attributes": attributes}}
    first = management.post("/connections", {"name": "first", "strategy": "auth0", **options})
    assert management.patch(f"/connections/{first['id']}", options)["options"]["attributes"] == attributes
    second = management.post("/connections", {"name": "second", "strategy": "auth0"})
    management.refused("PATCH", f"/connections/{second['id']}", options, status=400)


@pytest.mark.parametrize("grant", GRANTS.values(), ids=GRANTS)
def test_a_grant_is_for_one_application_or_for_all_others(management: Management, grant: dict[str, Any]) -> None:
    client_id = management.post("/clients", {"name": "Till"})["client_id"]
    management.post("/resource-servers", {"identifier": API, "scopes": [{"value": "read:a"}]})
    body = {**grant, "client_id": client_id} if "client_id" in grant else grant
    assert management.refused("POST", "/client-grants", body, status=400)["errorCode"] == "invalid_body"


def test_a_grant_for_third_party_applications_lets_each_of_them_in(management: Management) -> None:
    management.post("/resource-servers", {"identifier": API, "scopes": [{"value": "read:a"}]})
    body = {"default_for": "third_party_clients", "audience": API, "scope": ["read:a"]}
    assert "client_id" not in management.post("/client-grants", body)
    management.refused("POST", "/client-grants", body, status=409)
    assert len(management.get("/client-grants", default_for="third_party_clients")) == 1
    scopes = [token_scope(management, first_party) for first_party in (True, False)]
    assert scopes == [None, "read:a"]


def token_scope(management: Management, first_party: bool) -> str | None:
    """Of a token for the API, or None where the application gets none."""
    client = management.post("/clients", {"name": "Till", "app_type": "non_interactive", "is_first_party": first_party})
    body = {"grant_type": "client_credentials", "audience": API, "client_id": client["client_id"]}
    answer = management.tenant.http.post("/oauth/token", json={**body, "client_secret": client["client_secret"]})
    return answer.json().get("scope")


@pytest.mark.parametrize("other", [EVENT_BRIDGE, {**WEBHOOK}])
def test_where_events_go_is_fixed_but_for_a_webhooks_address(management: Management, other: dict[str, Any]) -> None:
    subscriptions = [{"event_type": "user.created"}]
    bridge = management.post(
        "/event-streams", {"name": "b", "subscriptions": subscriptions, "destination": EVENT_BRIDGE}
    )
    management.refused("PATCH", f"/event-streams/{bridge['id']}", {"destination": other}, status=400)
    hook = management.post("/event-streams", {"name": "h", "subscriptions": subscriptions, "destination": WEBHOOK})
    status = management.ask("PATCH", f"/event-streams/{hook['id']}", {"destination": other}).status_code
    assert status == (200 if other == WEBHOOK else 400)


def test_how_strict_a_third_party_application_is_stays(management: Management) -> None:
    body = {"name": "Partner", "is_first_party": False, "third_party_security_mode": "strict"}
    path = f"/clients/{management.post('/clients', body)['client_id']}"
    management.refused("PATCH", path, {"third_party_security_mode": "permissive"}, status=400)
    assert management.patch(path, {"name": "Other", "third_party_security_mode": "strict"})["name"] == "Other"


def test_of_an_api_of_auth0_only_how_tokens_are_given_out_changes(management: Management) -> None:
    api = management.post("/resource-servers", {"name": "x", "identifier": f"{management.tenant.url}/me/"})
    assert (api["name"], api["is_system"]) == ("Auth0 My Account API", True)
    path = f"/resource-servers/{api['id']}"
    for change in ({"name": "Mine"}, {"scopes": []}, {"allow_offline_access": False}):
        management.refused("PATCH", path, change, status=400)
    assert management.patch(path, {"token_lifetime": 300, "name": api["name"]})["token_lifetime"] == 300


def test_a_subject_is_named_or_read_from_a_certificate(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    body = {"credential_type": "cert_subject_dn", "subject_dn": "CN=a", "pem": "-----BEGIN CERTIFICATE-----"}
    management.refused("POST", f"/clients/{client_id}/credentials", body, status=400)
