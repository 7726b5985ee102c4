"""Cisco Duo, for which the sandbox shows a page of its own."""

from __future__ import annotations

import pytest

from tests.sandbox.second_factors import claim_of, methods, offer, seen
from tests.sandbox.web_login import PASSWORD, action, bind, log_types, without_actions

DUO = "/u/mfa-duo"
ACCOUNT = {"host": "api-1.duo.example", "ikey": "DI0001", "skey": "the-secret"}


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    offer(found, "duo")
    found.api("PUT", "/guardian/factors/duo/settings", ACCOUNT)
    return found


def test_as_the_one_factor_it_is_asked_for_and_the_push_accepted_or_rejected(tenant, person, user):
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.sign_in(user["email"])
    assert person.at == DUO
    assert "api-1.duo.example" in person.text
    person.submit(action="reject")
    assert person.at == DUO
    assert log_types(tenant, user["user_id"])[0] == "gd_auth_rejected"
    person.submit(action="accept")
    assert person.id_claims()["amr"] == ["mfa"]
    assert methods(tenant, user) == []
    assert tenant.user(user["email"])["multifactor"] == ["duo"]
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=20, sort="date:-1")
    prompts = next(e for e in event if e["type"] == "s")["details"]["prompts"]
    assert [p.get("provider") for p in prompts] == [None, "duo"]


def test_beside_other_factors_it_is_not_offered(tenant, person, user):
    offer(tenant, "duo", "otp")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-enrollment"


def test_an_action_asks_for_it_whatever_is_enabled_and_for_an_account_of_its_own(tenant, person, user):
    offer(tenant, "otp", "recovery-code")
    own = "{host: 'api-2.duo.example', ikey: 'DI0002', skey: 's'}"
    bind(tenant, action(f"api.multifactor.enable('duo', {{providerOptions: {own}}});"))
    person.sign_in(user["email"])
    assert person.at == DUO
    assert "api-2.duo.example" in person.text
    person.open(f"/u/mfa-recovery-code-challenge?state={person.page.url.params['state']}")
    assert person.at == DUO
    person.submit(action="accept")
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    assert person.at == DUO
    bind(tenant, claim_of("[event.user.multifactor, event.user.enrolledFactors]"))
    person.sign_in(user["email"], prompt="login")
    assert seen(person) == [["duo"], [{"type": "email"}]]


def test_a_browser_is_remembered_for_30_days_without_being_asked(tenant, person, user):
    bind(tenant, action("api.multifactor.enable('duo', {allowRememberBrowser: true});"))
    person.sign_in(user["email"])
    assert "Remember this device" not in person.text
    person.submit(action="accept")
    person.sign_in(user["email"], prompt="login")
    assert "code" in person.answer


def test_an_account_that_is_not_set_is_said(tenant, person, user):
    tenant.api("PUT", "/guardian/factors/duo/settings", {"host": "", "ikey": "", "skey": "x"})
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.sign_in(user["email"])
    assert "No Duo account is set" in person.text


def test_the_account_is_kept_and_an_enrollment_removed(tenant, person, user):
    assert tenant.api("GET", "/guardian/factors/duo/settings") == ACCOUNT
    tenant.api("PATCH", "/guardian/factors/duo/settings", {"host": "api-3.duo.example"})
    assert tenant.api("GET", "/guardian/factors/duo/settings")["host"] == "api-3.duo.example"
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.sign_in(user["email"])
    person.submit(action="accept")
    tenant.api("DELETE", f"/users/{user['user_id']}/multifactor/duo")
    assert "multifactor" not in tenant.user(user["email"])


def test_without_a_browser_the_login_stops_at_the_factor(tenant, client, user):
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    body = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": "openid"}
    body |= {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    answer = tenant.http.post("/oauth/token", json=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "mfa_required")
    assert answer.json()["mfa_requirements"] == {"challenge": [{"type": "duo"}]}
