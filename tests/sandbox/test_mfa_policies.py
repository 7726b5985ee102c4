"""When MFA is asked for: multifactor.enable beside policies, remembered browsers, logins without pages."""

from __future__ import annotations

import pytest

from tests.sandbox.second_factors import claim_of, give_totp, offer, secret_on, seen, totp
from tests.sandbox.web_login import AUTH0_GRANT, PASSWORD, action, bind, without_actions

DAY_SECONDS = 86_400


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    found.api("PUT", "/guardian/policies", [])
    offer(found, "otp", "sms")
    return found


# multifactor.enable


def test_the_last_call_counts_and_commands_outrank_it(tenant, person, user):
    secret = give_totp(tenant, user)
    bind(tenant, action("api.multifactor.enable('any');"), action("api.multifactor.enable('none');"))
    person.sign_in(user["email"])
    assert "code" in person.answer
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'}); api.multifactor.enable('duo');"))
    person.sign_in(user["email"], prompt="login")
    person.submit(code=totp(secret))
    assert "code" in person.answer


@pytest.mark.parametrize(
    ("provider", "asked", "box"),
    [("any", True, True), ("guardian", True, True), ("google-authenticator", False, False)],
)
def test_who_may_be_remembered_ticks_a_box_or_is_remembered_anyway(tenant, person, user, provider, asked, box):
    secret = give_totp(tenant, user)
    bind(tenant, action(f"api.multifactor.enable('{provider}', {{allowRememberBrowser: true}});"))
    person.sign_in(user["email"])
    assert ("Remember this device" in person.text) == box
    person.submit(code=totp(secret))
    person.sign_in(user["email"], prompt="login")
    assert (person.at == "/u/mfa-otp-challenge") == asked
    acr = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    person.sign_in(user["email"], prompt="login", acr_values=acr)
    assert person.at == "/u/mfa-otp-challenge"


def test_the_older_provider_brings_no_recovery_code(tenant, person, user):
    offer(tenant, "otp", "recovery-code")
    bind(tenant, action("api.multifactor.enable('google-authenticator');"))
    person.sign_in(user["email"])
    person.submit(code=totp(secret_on(person)))
    assert "code" in person.answer


# Remembered browsers


def test_a_browser_is_remembered_for_thirty_days_and_seven_without_a_visit(tenant, person, user):
    give_totp(tenant, user)
    tenant.api("PUT", "/guardian/policies", ["all-applications"])

    def asked():
        person.sign_in(user["email"], prompt="login")
        return person.at == "/u/mfa-otp-challenge"

    def remembered():
        assert asked()
        person.submit(code=tenant_totp(tenant, user), remember="true")

    remembered()
    for _ in range(4):
        tenant.advance_clock(6 * DAY_SECONDS)
        assert not asked()
    tenant.advance_clock(6 * DAY_SECONDS + 60)
    assert asked()
    remembered()
    tenant.advance_clock(7 * DAY_SECONDS + 60)
    assert asked()


def tenant_totp(tenant, user):
    """The code of the person's app at the tenant's time."""
    return next(entry["code"] for entry in tenant.phones(user_id=user["user_id"]) if entry["type"] == "totp")


def test_the_tenant_sets_how_long_and_whether_the_box_is_shown(tenant, person, user):
    give_totp(tenant, user)
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    wanted = {
        "mfa_session_overall_timeout": 2 * DAY_SECONDS,
        "mfa_session_inactivity_timeout": DAY_SECONDS,
        "remember_me_default_value": True,
        "display_remember_me_checkbox": True,
    }
    tenant.api("PUT", "/guardian/settings", wanted)
    person.sign_in(user["email"])
    assert "Remember this device for 2 days" in person.text
    assert 'name="remember" value="true" checked' in person.page.text
    person.submit(code=tenant_totp(tenant, user), remember="true")
    tenant.advance_clock(DAY_SECONDS + 60)
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"
    tenant.api("PUT", "/guardian/settings", {**wanted, "display_remember_me_checkbox": False})
    person.sign_in(user["email"], prompt="login")
    assert "Remember this device" not in person.text


# Policies


def test_an_action_without_a_word_on_mfa_leaves_the_policy_and_a_denial_beats_it(tenant, person, user):
    give_totp(tenant, user)
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    bind(tenant, action(""))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    bind(tenant, action("api.access.deny('No'); api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"], prompt="login")
    assert person.answer["error_description"] == "No"


def test_adaptive_mfa_forgets_devices_in_time_and_remembers_no_browser(tenant, client, person, user):
    give_totp(tenant, user)
    tenant.api("PATCH", "/risk-assessments/settings/new-device", {"remember_for": 2})
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.sign_in(user["email"])
    person.submit(code=tenant_totp(tenant, user), remember="true")
    tenant.api("PUT", "/guardian/policies", ["confidence-score"])
    person.sign_in(user["email"], prompt="login")
    assert "code" in person.answer
    tenant.advance_clock(2 * DAY_SECONDS + 60)
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"
    assert "Remember this device" not in person.text


def test_the_risk_is_told_as_auth0_tells_it(tenant, person, user):
    bind(tenant, claim_of("event.authentication.riskAssessment ?? 'not assessed'"))
    person.sign_in(user["email"])
    assert seen(person) == "not assessed"
    tenant.api("PATCH", "/risk-assessments/settings", {"enabled": True})
    person.sign_in(user["email"], prompt="login")
    risk = seen(person)
    assert (risk["version"], risk["confidence"]) == ("1", "high")
    assert risk["assessments"]["NewDevice"] == {
        "confidence": "high",
        "code": "match",
        "details": {"device": "known", "useragent": "known"},
    }
    assert risk["assessments"]["UntrustedIP"] == {"confidence": "high", "code": "not_found_on_deny_list"}
    assert risk["assessments"]["ImpossibleTravel"] == {"confidence": "neutral", "code": "missing_geoip"}


# Without pages


@pytest.mark.parametrize("code", ["api.multifactor.enable('any');", "api.authentication.challengeWith({type: 'otp'});"])
def test_where_no_page_can_be_shown_the_answer_says_so(tenant, client, person, user, code):
    person.sign_in(user["email"])
    give_totp(tenant, user)
    bind(tenant, action(code))
    person.authorize(prompt="none")
    assert person.answer["error"] == "interaction_required"
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    body = {"grant_type": "password", "username": user["email"], "password": PASSWORD, **credentials}
    answer = tenant.http.post("/oauth/token", json=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "mfa_required")
    body = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": answer.json()["mfa_token"], **credentials}
    answer = tenant.http.post("/oauth/token", json={**body, "otp": tenant_totp(tenant, user)})
    assert answer.status_code == 200


def test_the_usual_guards_keep_mfa_out_of_refreshes_and_repeats(tenant, client, person, user):
    secret = give_totp(tenant, user)
    guards = (
        "if (event.transaction?.protocol === 'oauth2-refresh-token') return;"
        "if (event.authentication.methods.some(m => m.name === 'mfa')) return;"
    )
    bind(tenant, action(guards + "api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"], scope="openid offline_access")
    person.submit(code=totp(secret))
    refresh = person.tokens()["refresh_token"]
    person.authorize()
    assert "code" in person.answer
    body = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": client["client_id"]}
    answer = tenant.http.post("/oauth/token", json={**body, "client_secret": client["client_secret"]})
    assert answer.status_code == 200
