"""Second factors at login: who is asked, for what, how they enrol, and what wrong answers lead to."""

from __future__ import annotations

import pyotp
import pytest

from tests.sandbox.second_factors import asking_everybody, give_totp, methods, offer, secret_on
from tests.sandbox.web_login import Person, log_types


@pytest.fixture
def tenant(sandbox):
    return asking_everybody(sandbox, "otp")


def enroll(person, email):
    """Sign in with the password and enrol an authenticator app; its secret."""
    person.sign_in(email, prompt="login")
    assert person.at == "/u/mfa-otp-enrollment", person.text
    secret = secret_on(person)
    person.submit(code=pyotp.TOTP(secret).now())
    return secret


def test_a_person_enrols_at_the_first_login_and_is_challenged_at_the_next(tenant, person, user):
    secret = enroll(person, user["email"])
    body = person.id_claims()
    assert body["amr"] == ["mfa"]
    assert body["acr"] == "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    assert methods(tenant, user) == ["totp"]
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"
    person.submit(code="000000")
    assert "Invalid code" in person.text
    person.submit(code=pyotp.TOTP(secret).now())
    assert "code" in person.answer
    assert {"gd_enrollment_complete", "gd_auth_succeed", "gd_auth_failed"} <= set(log_types(tenant, user["user_id"]))


def test_the_qr_code_and_the_written_secret_are_the_same(person, user):
    person.sign_in(user["email"])
    assert "data:image/svg+xml" in person.page.text
    assert len(secret_on(person)) == 32


def test_a_session_that_passed_mfa_is_not_asked_again(person, user):
    enroll(person, user["email"])
    assert person.authorize(prompt="none")
    assert "code" in person.answer
    assert "amr" not in person.id_claims()


def test_nobody_gets_past_the_second_factor_by_address(person, user):
    person.sign_in(user["email"])
    state = person.page.url.params["state"]
    for path in (
        "/continue",
        "/authorize/resume",
        "/u/consent",
        "/u/mfa-otp-challenge",
        "/u/mfa-recovery-code-enrollment",
    ):
        person.open(f"{path}?state={state}")
        assert person.at == "/u/mfa-otp-enrollment"
    person.open(f"/u/mfa-recovery-code-challenge?state={state}")
    assert person.at == "/u/mfa-otp-enrollment"


def test_the_second_factor_has_five_minutes(tenant, person, user):
    secret = give_totp(tenant, user)
    person.sign_in(user["email"])
    tenant.advance_clock(301)
    person.submit(code=pyotp.TOTP(secret).now())
    assert not person.landed
    assert "too long" in person.text


def test_ten_wrong_codes_lock_the_factor_for_a_while(tenant, person, user):
    secret = give_totp(tenant, user)
    person.sign_in(user["email"])
    for _ in range(10):
        person.submit(code="000000")
    person.submit(code=pyotp.TOTP(secret).now())
    assert not person.landed
    assert person.page.status_code == 429
    assert "gd_otp_rate_limit_exceed" in log_types(tenant, user["user_id"])


def test_a_remembered_browser_is_not_asked_until_an_administrator_forgets_it(tenant, person, user):
    secret = give_totp(tenant, user)
    person.sign_in(user["email"])
    person.submit(code=pyotp.TOTP(secret).now(), remember="true")
    person.sign_in(user["email"], prompt="login")
    assert "code" in person.answer
    person.sign_in(
        user["email"], prompt="login", acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    )
    assert person.at == "/u/mfa-otp-challenge"
    tenant.api("POST", f"/users/{user['user_id']}/multifactor/actions/invalidate-remember-browser")
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"


def test_the_recovery_code_is_shown_once_and_works_once(tenant, person, user):
    offer(tenant, "otp", "recovery-code")
    enroll(person, user["email"])
    assert person.at == "/u/mfa-recovery-code-enrollment"
    code = person.page.text.split('id="recovery-code">')[1].split("<")[0]
    person.submit()
    assert not person.landed
    person.submit(saved="true")
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    person.open([link for link in person.links if "recovery" in link][0])
    person.submit(code="WRONGWRONGWRONGWRONGWRON")
    assert "Invalid recovery code" in person.text
    person.submit(code=code)
    assert person.at == "/u/mfa-recovery-code-enrollment"
    assert code not in person.page.text
    person.submit(saved="true")
    assert person.answer["code"]
    person.sign_in(user["email"], prompt="login")
    person.open([link for link in person.links if "recovery" in link][0])
    person.submit(code=code)
    assert "Invalid recovery code" in person.text


def test_a_phone_is_enrolled_and_challenged_by_text_message(tenant, person, user):
    offer(tenant, "sms")
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-sms-enrollment"
    person.submit(phone="0301234567")
    assert "country code" in person.text
    person.submit(phone="+49 30 1234567")
    person.submit(code=tenant.mail("+49301234567")[0]["code"])
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    assert "+49XXXX4567" in person.text
    person.submit(form=1, action="resend")
    person.submit(code=tenant.mail("+49301234567")[0]["code"])
    assert "code" in person.answer


def test_email_is_a_factor_only_for_a_verified_address_and_beside_another(tenant, person, user):
    offer(tenant, "otp", "email")
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-enrollment"
    give_totp(tenant, user)
    person.sign_in(user["email"])
    person.open([link for link in person.links if "login-options" in link][0])
    person.submit(action="email")
    message = next(m for m in tenant.mail(user["email"]) if m["template"] == "mfa_oob_code")
    code = "".join(c for c in message["text"] if c.isdigit())[:6]
    person.submit(code=code)
    assert "code" in person.answer


def test_a_push_is_answered_on_the_sandboxs_phone(tenant, person, user):
    offer(tenant, "push-notification")
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-push-enrollment-qr"
    person.submit()
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    person.submit()
    assert person.at == "/u/mfa-push-challenge-push"
    push = next(m for m in tenant.mail(user["user_id"]) if m["type"] == "push")
    tenant.control("POST", "phones", {"id": push["id"], "state": "accepted"})
    person.submit()
    assert "code" in person.answer


def test_several_factors_are_a_choice(tenant, person, user):
    offer(tenant, "otp", "sms")
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-begin-enroll-options"
    person.submit(action="otp")
    assert person.at == "/u/mfa-otp-enrollment"


def test_adaptive_mfa_asks_on_a_new_device_alone(tenant, client, person, user):
    give_totp(tenant, user)
    tenant.api("PUT", "/guardian/policies", ["confidence-score"])
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    tenant.api("PUT", "/guardian/policies", [])
    person.sign_in(user["email"])
    tenant.api("PUT", "/guardian/policies", ["confidence-score"])
    person.sign_in(user["email"], prompt="login")
    assert "code" in person.answer
    stranger = Person(tenant, client, **{"User-Agent": "another"})
    stranger.sign_in(user["email"])
    assert stranger.at == "/u/mfa-otp-challenge"


def test_removing_the_methods_makes_the_person_enrol_again(tenant, person, user):
    enroll(person, user["email"])
    tenant.api("DELETE", f"/users/{user['user_id']}/authentication-methods")
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-enrollment"


def test_an_enrollment_ticket_leads_through_enrolling(tenant, person, user):
    made = tenant.api("POST", "/guardian/enrollments/ticket", {"user_id": user["user_id"], "send_mail": False})
    person.open(made["ticket_url"])
    person.submit(code=pyotp.TOTP(secret_on(person)).now())
    assert "You're all set" in person.text
    assert methods(tenant, user) == ["totp"]
    person.open(made["ticket_url"])
    assert person.page.status_code == 400


def test_a_ticket_enrolls_one_more_factor_only_where_it_allows_several(tenant, person, user):
    offer(tenant, "otp", "sms", "recovery-code")
    give_totp(tenant, user)
    ticket = {"user_id": user["user_id"], "send_mail": False}
    person.open(tenant.api("POST", "/guardian/enrollments/ticket", ticket)["ticket_url"])
    assert person.page.status_code == 400
    assert "enrolled in a factor already" in person.text
    several = {**ticket, "allow_multiple_enrollments": True}
    person.open(tenant.api("POST", "/guardian/enrollments/ticket", several)["ticket_url"])
    assert person.at == "/u/mfa-sms-enrollment"
