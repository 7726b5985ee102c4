"""Applications that register themselves, and what a strict tenant lets them do."""

from __future__ import annotations

import pytest

from tests.sandbox.token_endpoint import ORDERS, orders_api, refusal
from tests.sandbox.web_login import CALLBACK, CONNECTION, PASSWORD, Person

FIELDS = {"client_name": "Self-made", "redirect_uris": [CALLBACK]}


def register(tenant, **body):
    return tenant.http.post("/oidc/register", json={**FIELDS, **body})


def strict(tenant):
    tenant.api("PATCH", "/tenants/settings", {"dynamic_client_registration_security_mode": "strict"})


def for_everybody(tenant):
    """Applications of others sign people in through connections of the domain level alone."""
    connection = tenant.named("connections", CONNECTION)
    tenant.api("PATCH", f"/connections/{connection['id']}", {"is_domain_connection": True})


def test_an_application_registers_and_signs_people_in_with_their_consent(tenant, user):
    for_everybody(tenant)
    answer = register(tenant)
    assert answer.status_code == 201
    made = answer.json()
    assert made["client_name"] == "Self-made"
    assert made["redirect_uris"] == [CALLBACK]
    assert (made["token_endpoint_auth_method"], made["client_secret_expires_at"]) == ("client_secret_post", 0)
    kept = tenant.api("GET", f"/clients/{made['client_id']}")
    assert (kept["is_first_party"], kept["third_party_security_mode"]) == (False, "permissive")
    person = Person(tenant, made)
    person.authorize()
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    assert person.at == "/u/consent"
    person.submit(action="accept")
    assert person.tokens()["id_token"]


def test_an_application_without_authentication_is_given_no_secret(tenant):
    made = register(tenant, token_endpoint_auth_method="none", grant_types=["authorization_code", "password"]).json()
    assert "client_secret" not in made
    assert made["grant_types"] == ["authorization_code"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["no address"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://[::1"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [CALLBACK + "#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://app.example/"}, "invalid_client_metadata"),
        ({"redirect_uris": [5]}, "invalid_client_metadata"),
        ({"grant_types": "implicit"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"client_name": ["x"]}, "invalid_request"),
    ],
)
def test_a_wrong_registration_is_refused(tenant, changes, error):
    assert refusal(register(tenant, **changes))[:2] == (400, error)


def test_a_tenant_allows_it_or_not_and_five_times_a_second(tenant):
    assert {register(tenant).status_code for _ in range(5)} == {201}
    assert refusal(register(tenant))[:2] == (429, "too_many_requests")
    tenant.api("PATCH", "/tenants/settings", {"flags": {"enable_dynamic_client_registration": False}})
    assert refusal(register(tenant))[:2] == (403, "access_denied")


def test_a_strict_tenant_gives_little_to_applications_of_others(tenant):
    for_everybody(tenant)
    orders_api(tenant)
    strict(tenant)
    made = register(tenant, grant_types=["authorization_code", "client_credentials"]).json()
    assert made["client_id"].startswith("tpc_")
    assert made["grant_types"] == ["authorization_code"]
    person = Person(tenant, made)
    person.authorize(code_challenge="", code_challenge_method="")
    assert "PKCE is required" in person.answer["error_description"]
    person.authorize(screen_hint="signup")
    assert "Unsupported parameter: screen_hint" in person.answer["error_description"]
    person.authorize(audience=ORDERS)
    assert person.answer["error"] == "access_denied"
    grant = {"client_id": made["client_id"], "audience": ORDERS, "scope": ["read:orders"], "subject_type": "user"}
    tenant.api("POST", "/client-grants", grant)
    assert not person.authorize(audience=ORDERS)
    assert person.at == "/u/login/identifier"
