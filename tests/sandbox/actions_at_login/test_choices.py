"""Which factor post-login Actions ask for: challengeWith, enrollWith and their like."""

from __future__ import annotations

import pytest

from tests.sandbox.second_factors import claim_of, give_phone, give_totp, offer, secret_on, seen, totp
from tests.sandbox.web_login import action, bind, log_types

METHODS = "event.authentication.methods.map(m => m.name + (m.type ? ':' + m.type : ''))"


def events(tenant, user, kind):
    found = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=30, sort="date:-1")
    return [event["description"] for event in found if event["type"] == kind]


# Commands


def test_actions_choose_factors_only_where_the_tenant_lets_them(tenant, person, user):
    secret = give_totp(tenant, user)
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'});"))
    tenant.api("PATCH", "/tenants/settings", {"customize_mfa_in_postlogin_action": False})
    person.sign_in(user["email"])
    assert "customize_mfa_in_postlogin_action" in person.answer["error_description"]
    assert log_types(tenant, user["user_id"])[1] == "mfar"
    bind(tenant, action("api.multifactor.enable('any');"))
    person.sign_in(user["email"])
    person.submit(code=totp(secret))
    assert "code" in person.answer


def test_a_factor_that_can_not_be_used_is_ignored_and_warned_of_once(tenant, person, user):
    secret = give_totp(tenant, user)
    wanted = "[{type: 'phone'}, {type: 'otp'}, {type: 'carrier-pigeon'}]"
    bind(tenant, action(f"api.authentication.challengeWithAny({wanted});"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    person.open(str(person.page.url))
    person.submit(code=totp(secret))
    assert "code" in person.answer
    warnings = events(tenant, user, "w")
    assert len(warnings) == 2
    assert "the requested factor phone is not properly set up" in " ".join(warnings)
    assert "carrier-pigeon" in " ".join(warnings)


def test_what_the_log_says_when_no_factor_can_be_used(tenant, person, user):
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"])
    (reason,) = events(tenant, user, "mfar")
    assert reason == (
        "An MFA challenge is used in a PostLogin action but the requested factors are not properly set up. To perform "
        "MFA, enable the requested factors and ensure the user is enrolled with them."
    )


def test_a_challenge_that_was_passed_in_this_login_is_not_repeated(tenant, person, user):
    secret = give_totp(tenant, user)
    twice = "api.authentication.challengeWith({type: 'otp'});"
    bind(tenant, action(twice + twice), action(twice), claim_of(METHODS))
    person.sign_in(user["email"])
    person.submit(code=totp(secret))
    assert seen(person) == ["pwd", "mfa:otp"]


def test_factors_are_asked_for_in_sequence_and_seen_by_the_next_action(tenant, person, user):
    secret, number = give_totp(tenant, user), give_phone(tenant, user)
    first = "api.authentication.challengeWithAny([{type: 'otp'}, {type: 'phone'}]);"
    second = (
        "if (event.authentication.methods.some(m => m.type === 'otp'))"
        " api.authentication.challengeWith({type: 'phone'});"
    )
    bind(tenant, action(first + f"if ({METHODS}.length > 1) throw new Error('too early');"), action(second))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-login-options"
    person.submit(action="otp")
    person.submit(code=totp(secret))
    assert person.at == "/u/mfa-sms-challenge"
    person.submit(code=tenant.mail(number)[0]["code"])
    assert "code" in person.answer


def test_the_default_factor_is_shown_first_with_a_way_to_the_others(tenant, person, user):
    give_totp(tenant, user)
    number = give_phone(tenant, user)
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'}, {additionalFactors: [{type: 'phone'}]});"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    assert "Try another method" in person.text
    person.open([link for link in person.links if "login-options" in link][0])
    person.submit(action="phone")
    person.submit(code=tenant.mail(number)[0]["code"])
    assert "code" in person.answer
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"], prompt="login")
    assert "Try another method" not in person.text


def test_no_choice_is_shown_where_one_factor_is_left(tenant, person, user):
    give_totp(tenant, user)
    bind(tenant, action("api.authentication.challengeWithAny([{type: 'otp'}, {type: 'email'}, {type: 'phone'}]);"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"


def test_two_factors_are_enrolled_one_by_one_and_the_event_follows(tenant, person, user):
    any_of = "api.authentication.enrollWithAny([{type: 'otp'}, {type: 'phone'}]);"
    bind(tenant, action(any_of + any_of), claim_of("event.user.enrolledFactors.map(f => f.type)"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-begin-enroll-options"
    person.submit(action="otp")
    person.submit(code=totp(secret_on(person)))
    assert person.at == "/u/mfa-sms-enrollment"
    person.submit(phone="+49301234567")
    person.submit(code=tenant.mail("+49301234567")[0]["code"])
    assert seen(person) == ["otp", "phone", "email"]


def test_a_challenge_opens_the_way_to_another_enrollment(tenant, person, user):
    secret = give_totp(tenant, user)
    both = "api.authentication.challengeWith({type: 'otp'}); api.authentication.enrollWith({type: 'phone'});"
    bind(tenant, action(both))
    person.sign_in(user["email"])
    person.submit(code=totp(secret))
    assert person.at == "/u/mfa-sms-enrollment"


def test_a_recovery_code_is_enrolled_by_command(tenant, person, user):
    offer(tenant, "otp", "recovery-code")
    bind(tenant, action("api.authentication.enrollWith({type: 'recovery-code'});"), claim_of(METHODS))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-recovery-code-enrollment"
    code = person.page.text.split('id="recovery-code">')[1].split("<")[0]
    person.open(str(person.page.url))
    assert code in person.page.text
    person.submit(saved="true")
    assert seen(person) == ["pwd", "mfa:recovery-code"]


@pytest.mark.parametrize(("method", "channels"), [("sms", ["sms"]), ("voice", ["voice"]), ("both", ["sms", "voice"])])
def test_an_action_says_how_a_phone_is_reached(tenant, person, user, method, channels):
    number = give_phone(tenant, user)
    bind(
        tenant,
        action(f"api.authentication.challengeWith({{type: 'phone', options: {{preferredMethod: '{method}'}}}});"),
    )
    person.sign_in(user["email"])
    assert tenant.mail(number)[0]["type"] == channels[0]
    assert ("Get a call instead" in person.text) == (method == "both")
    if method == "both":
        person.submit(form=2, action="switch-to-voice")
        assert tenant.mail(number)[0]["type"] == "voice"
        assert "We've called" in person.text
    person.submit(code=tenant.mail(number)[0]["code"])
    assert "code" in person.answer


def test_a_push_may_be_answered_by_a_code_unless_the_action_says_no(tenant, person, user):
    offer(tenant, "push-notification")
    bind(tenant, action("api.authentication.enrollWith({type: 'push-notification'});"))
    person.sign_in(user["email"])
    person.submit()
    bind(
        tenant, action("api.authentication.challengeWith({type: 'push-notification', options: {otpFallback: false}});")
    )
    person.sign_in(user["email"], prompt="login")
    assert "Enter a code" not in person.text
    bind(tenant, action("api.authentication.challengeWith({type: 'push-notification'});"))
    person.sign_in(user["email"], prompt="login")
    person.submit(form=1, code="000000")
    assert "Invalid code" in person.text
    (phone,) = tenant.phones(user_id=user["user_id"])
    person.submit(form=1, code=phone["code"])
    assert "code" in person.answer
