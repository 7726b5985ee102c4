"""What people meet when something goes wrong: error pages, and the same errors as parts of a page."""

import pytest
from django.template.loader import get_template
from django.urls import path

from portal.errors import Conflict, Denied, Missing, MissingScope, NotConnected, ReadOnly, Unavailable, Unknown
from portal.urls import urlpatterns as portal_urls

ERRORS = {
    "denied": Denied("audit.view"),
    "scope": MissingScope(["read:users"], "Larkspur dev", request_id="auth0-request-1"),
    "connection": NotConnected("Auth0 refused the client secret."),
    "read-only": ReadOnly("Larkspur prod is read only."),
    "missing": Missing("There is no such user."),
    "conflict": Conflict("Somebody changed this policy at 10:02."),
    "slow": Unavailable("Auth0 did not answer within 10 seconds.", retry_after_seconds=7),
    "lost": Unknown("The answer to the reset was lost."),
}


def fail(request, kind):
    raise ERRORS[kind]


fail.public = True
urlpatterns = [path("fail/<str:kind>/", fail), *portal_urls]


@pytest.fixture
def failing(settings, client):
    settings.ROOT_URLCONF = __name__
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("denied", 403, "Auditor or Administrator"),
        ("scope", 403, "auth0-request-1"),
        ("connection", 502, "Auth0 refused the client secret."),
        ("read-only", 409, "read only"),
        ("missing", 404, "There is no such user."),
        ("conflict", 409, "Somebody changed this policy at 10:02."),
        ("slow", 503, "wait 7 seconds"),
        ("lost", 503, "not known"),
    ],
)
def test_each_error_says_what_happened_as_page_and_as_part_of_a_page(failing, kind, status, text):
    page = failing.get(f"/fail/{kind}/")
    part = failing.get(f"/fail/{kind}/", headers={"HX-Request": "true"})
    assert page.status_code == part.status_code == status
    assert text in page.content.decode() and text in part.content.decode()
    assert b"<html" in page.content and b"<html" not in part.content
    assert b"data-error-fragment" in part.content


@pytest.mark.django_db
def test_try_again_sends_the_same_form(failing):
    html = failing.post("/fail/slow/?tab=2", {"reason": 'left "us"', "ids": ["1", "2"]}).content.decode()
    assert '<form method="post" action="/fail/slow/?tab=2"' in html
    assert 'name="reason" value="left &quot;us&quot;"' in html and html.count('name="ids"') == 2


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["password", "client_secret", "private_key"])
def test_a_secret_that_was_typed_is_not_written_into_the_error_page(failing, field):
    html = failing.post("/fail/slow/", {"reason": "rotate", field: "s3cret"}).content.decode()
    assert "s3cret" not in html and "Try again" not in html
    assert "your browser still holds what you typed" in html


@pytest.mark.django_db
def test_a_write_whose_answer_was_lost_offers_no_blind_retry(failing):
    assert b"Try again" not in failing.post("/fail/lost/", {"reason": "x"}).content


def test_the_page_for_our_own_faults_needs_no_context():
    html = get_template("errors/500.html").render({})
    assert "Something broke here" in html and "<script" not in html


@pytest.mark.django_db
def test_a_stale_form_is_explained(client):
    from django.test import Client

    answer = Client(enforce_csrf_checks=True).post("/sign-out/")
    assert answer.status_code == 403 and "This form is too old" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_that_is_sent_after_the_session_has_ended_leads_back_to_its_page_and_says_that_it_was_not_done(client):
    answer = client.post("/account/password/", headers={"referer": "http://testserver/account/?from=mail"})
    assert answer.url == "/sign-in/?next=/account/%3Ffrom%3Dmail"
    assert "so it was not done" in client.get(answer.url).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page", ["", "https://elsewhere.example/account/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_a_form_from_another_site_leads_home(client, page):
    answer = client.post("/account/password/", headers={"referer": page} if page else {})
    assert answer.url == "/sign-in/?next=/"


@pytest.mark.django_db
def test_the_address_of_a_form_that_is_opened_as_a_page_is_explained(person):
    answer = person(None).get("/account/password/")
    assert answer.status_code == 400 and "it only takes a form" in answer.content.decode()


@pytest.mark.django_db
def test_a_cache_that_is_away_is_named_and_no_fault_of_ours(person, tenants, settings):
    helpdesk = person("helpdesk")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    page = helpdesk.get("/t/dev/users/?q=ada")
    assert page.status_code == 503
    assert "Redis or Valkey" in page.content.decode() and "Nothing was changed" in page.content.decode()
    sent = {"reason": "Locked out", "once": "5a6f9a3c-7d0c-4d3c-9a37-6b0d3a1c2b11"}
    act = helpdesk.post("/t/dev/users/act/clear-blocks/auth0%7Cada/", sent)
    assert act.status_code == 503
    assert "not known whether this was done" in act.content.decode() and "Try again" not in act.content.decode()
