"""Anybody signed in changes the own password, or is told where it lives."""

import pytest

from portal.models import AuditEvent


@pytest.fixture
def home(tenants, settings):
    settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN = tenants["prod"].domain
    return tenants["prod"]


@pytest.fixture
def ada(home, sandbox, person):
    """Somebody without a role, signed in."""
    user = sandbox.tenant("prod").user("ada.norole@larkspur.example")
    return person(None, subject=user["user_id"])


def test_somebody_without_a_role_sees_the_own_account_instead_of_the_home_page(ada):
    assert ada.get("/").url == "/account/"


def test_the_own_account_offers_to_change_the_password(ada):
    html = ada.get("/account/").content.decode()
    assert "ada.norole@larkspur.example" in html
    assert "/account/password/" in html


def test_a_mail_with_a_link_is_sent_to_the_own_address_and_recorded(ada, sandbox):
    answer = ada.post("/account/password/", follow=True)
    assert "on its way to ada.norole@larkspur.example" in answer.content.decode()
    (mail,) = sandbox.tenant("prod").mail(to="ada.norole@larkspur.example")
    assert "http" in mail["text"]
    event = AuditEvent.objects.get(verb="account.change_password")
    assert (event.outcome, event.actor) == ("succeeded", "ada.norole@larkspur.example")


def test_a_user_of_a_social_connection_is_told_where_the_password_lives(home, sandbox, person):
    (user, *_) = sandbox.tenant("prod").api(
        "GET", "/users", q='identities.connection:"google-oauth2"', search_engine="v3"
    )
    somebody = person(None, subject=user["user_id"])
    assert "google-oauth2" in somebody.get("/account/").content.decode()
    assert somebody.post("/account/password/").status_code == 403
    assert not AuditEvent.objects.filter(verb="account.change_password").exists()


def test_a_user_without_an_email_address_is_sent_to_the_helpdesk(home, sandbox, person):
    body = {"connection": "Username-Password-Authentication", "username": "nomail", "password": "Long-enough-1"}
    user = sandbox.tenant("prod").api("POST", "/users", body)
    assert "helpdesk" in person(None, subject=user["user_id"]).get("/account/").content.decode().lower()


def test_a_tenant_in_trouble_is_said_to_be_and_the_page_stands(ada, sandbox):
    sandbox.tenant("prod").conditions(faults=[{"method": "GET", "path": "/api/v2/users/*", "status": 500, "times": 9}])
    answer = ada.get("/account/")
    assert answer.status_code == 200
    assert "has a problem" in answer.content.decode()


def test_too_many_requests_for_one_address_are_answered_with_the_advice_to_wait(ada):
    answers = [ada.post("/account/password/").status_code for _ in range(12)]
    assert answers[:10] == [302] * 10
    assert 503 in answers[10:]
