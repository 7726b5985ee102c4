"""Post-login Actions that ask for second factors and redirects."""

from __future__ import annotations

import pyotp
import pytest

from tests.sandbox.second_factors import CLAIM, claim_of, give_totp, secret_on, seen
from tests.sandbox.web_login import (
    Person,
    action,
    bind,
    claims,
    log_types,
)

# Second factors


def test_multifactor_enable_waits_for_the_end_of_the_flow(tenant, person, user):
    bind(tenant, action("api.multifactor.enable('any');"), claim_of("event.authentication.methods.map(m => m.name)"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-begin-enroll-options"
    person.submit(action="otp")
    secret = secret_on(person)
    person.submit(code=pyotp.TOTP(secret).now())
    assert seen(person) == ["pwd"]
    person.authorize()
    assert person.at == "/u/mfa-otp-challenge"


def test_a_browser_is_remembered_only_where_the_action_allows_it(tenant, person, user):
    secret = give_totp(tenant, user)
    bind(tenant, action("api.multifactor.enable('any', {allowRememberBrowser: true});"))
    person.sign_in(user["email"])
    person.submit(code=pyotp.TOTP(secret).now(), remember="true")
    assert "code" in (person.sign_in(user["email"], prompt="login") and person.answer)
    bind(tenant, action("api.multifactor.enable('any');"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"
    assert "Remember this device" not in person.text


def test_none_turns_the_tenants_policy_off_and_factor_commands_outrank_it(tenant, person, user):
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    bind(tenant, action("api.multifactor.enable('none');"))
    assert person.sign_in(user["email"])
    bind(tenant, action("api.authentication.enrollWith({type: 'phone'});"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-sms-enrollment"


def test_challenge_with_pauses_and_the_next_action_sees_the_result(tenant, person, user):
    secret = give_totp(tenant, user)
    code = "api.authentication.challengeWith({type: 'otp'});"
    bind(tenant, action(code), claim_of("event.authentication.methods.map(m => m.name + ':' + (m.type ?? ''))"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    person.submit(code=pyotp.TOTP(secret).now())
    assert seen(person) == ["pwd:", "mfa:otp"]


def test_enroll_with_shows_the_new_factor_to_the_next_action(tenant, person, user):
    bind(
        tenant,
        action("api.authentication.enrollWith({type: 'otp'}, {additionalFactors: [{type: 'phone'}]});"),
        claim_of("event.user.enrolledFactors.map(f => f.type)"),
    )
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-enrollment"
    person.submit(code=pyotp.TOTP(secret_on(person)).now())
    assert seen(person) == ["otp", "email"]


@pytest.mark.parametrize(
    "code",
    [
        "api.authentication.challengeWith({type: 'otp'});",
        "api.authentication.challengeWithAny([{type: 'webauthn-roaming'}, {type: 'email'}]);",
        "api.authentication.enrollWithAny([{type: 'email'}]);",
    ],
)
def test_a_login_fails_where_no_factor_can_be_used(tenant, person, user, code):
    bind(tenant, action(code))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"
    assert "mfar" in log_types(tenant, user["user_id"])


def test_who_has_a_factor_must_pass_it_before_enrolling_another(tenant, person, user):
    give_totp(tenant, user)
    bind(tenant, action("api.authentication.enrollWith({type: 'phone'});"))
    person.sign_in(user["email"])
    assert "Challenge with at least one existing factor" in person.answer["error_description"]


def test_the_fifth_factor_command_of_a_login_is_an_error(tenant, person, user):
    give_totp(tenant, user)
    bind(tenant, action("for (let i = 0; i < 5; i++) api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"


def test_a_step_up_by_acr_values(tenant, person, user):
    secret = give_totp(tenant, user)
    acr = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    bind(tenant, action(f"if (event.transaction?.acr_values?.includes('{acr}')) api.multifactor.enable('any');"))
    assert person.sign_in(user["email"])
    assert not person.authorize(acr_values=acr)
    person.submit(code=pyotp.TOTP(secret).now())
    assert person.id_claims()["acr"] == acr


def test_rules_about_country_and_network_can_be_tried(tenant, client, user):
    bind(tenant, claim_of("[event.request.geoip.countryCode, event.request.ip]"))
    person = Person(tenant, client, **{"X-Sandbox-Country": "de", "X-Sandbox-IP": "203.0.113.9"})
    person.sign_in(user["email"])
    assert seen(person) == ["DE", "203.0.113.9"]


# Redirects


def test_an_action_sends_the_person_away_and_goes_on_when_they_are_back(tenant, person, user):
    away = (
        "const token = api.redirect.encodeToken({secret: event.secrets.KEY, payload: {wants: 'terms'}});"
        "api.redirect.sendUserTo('http://localhost:3999/terms', {query: {session_token: token}});"
    )
    back = f"api.idToken.setCustomClaim('{CLAIM}agreed', event.request.query.agreed);"
    bind(tenant, action(away, back), action(f"api.idToken.setCustomClaim('{CLAIM}last', true);"), secrets={"KEY": "k"})
    person.sign_in(user["email"])
    assert person.landed.startswith("http://localhost:3999/terms?session_token=")
    assert claims(person.answer["session_token"])["wants"] == "terms"
    state = person.answer["state"]
    person.open(f"/continue?state={state}&agreed=yes")
    body = person.id_claims()
    assert (body[f"{CLAIM}agreed"], body[f"{CLAIM}last"]) == ("yes", True)
    person.open(f"/continue?state={state}")
    assert person.page.status_code == 400


def test_the_continue_handler_may_deny(tenant, person, user):
    bind(tenant, action("api.redirect.sendUserTo('http://localhost:3999/terms');", "api.access.deny('Terms refused');"))
    person.sign_in(user["email"])
    person.open(f"/continue?state={person.answer['state']}")
    assert person.answer["error_description"] == "Terms refused"
