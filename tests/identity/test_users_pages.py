"""The helpdesk's pages, as the browser gets them."""

import re

import pytest

from portal import auth0
from portal.models import AuditEvent

DATABASE = "Username-Password-Authentication"


@pytest.fixture
def helpdesk(person, tenants):
    return person("helpdesk")


def once(html: str) -> str:
    return re.search(r'name="once" value="([^"]+)"', html).group(1)


def url(user: dict, act: str = "id") -> str:
    return f"/t/dev/users/{act}/{user['user_id']}/"


def test_one_exact_hit_opens_the_user(helpdesk, caller):
    answer = helpdesk.get("/t/dev/users/", {"q": caller["email"]})
    assert answer.status_code == 302
    assert answer.url == url(caller).replace("|", "%7C")


def test_the_user_page_needs_one_call_before_its_first_paint(helpdesk, sandbox, caller):
    helpdesk.get(url(caller))  # a token is at hand now
    before = reads(sandbox, caller)
    assert helpdesk.get(url(caller)).status_code == 200
    assert reads(sandbox, caller) == before + 1


def reads(sandbox, caller) -> int:
    """How many calls about this user the tenant has seen."""
    rows = sandbox.tenant("dev").control("GET", "requests")
    return sum(caller["user_id"] in r["path"] and r["method"] == "GET" for r in rows)


@pytest.mark.parametrize("panel", ["blocks", "methods", "events", "history", "sessions", "memberships"])
def test_each_panel_loads(helpdesk, caller, panel):
    answer = helpdesk.get(f"/t/dev/users/panel/{panel}/{caller['user_id']}/")
    assert answer.status_code == 200
    assert "could not be loaded" not in answer.content.decode()


def test_a_panel_that_fails_says_so_and_offers_to_try_again(helpdesk, sandbox, caller):
    fault = {"method": "GET", "path": "/api/v2/users/*/sessions", "status": 500, "times": 9}
    sandbox.tenant("dev").conditions(faults=[fault])
    answer = helpdesk.get(f"/t/dev/users/panel/sessions/{caller['user_id']}/")
    assert answer.status_code == 200
    assert "Try again" in answer.content.decode()


def test_a_user_who_is_blocked_is_said_to_be_with_the_act_that_helps(helpdesk, sandbox, caller):
    sandbox.tenant("dev").api("PATCH", f"/users/{caller['user_id']}", {"blocked": True})
    html = helpdesk.get(url(caller)).content.decode()
    assert "Cannot sign in: blocked by an administrator." in html
    assert 'data-dialog="act-unblock"' in html
    assert 'data-dialog="act-block"' not in html


def post(person, caller, act, html=None, **fields):
    html = html or person.get(url(caller)).content.decode()
    return person.post(
        f"/t/dev/users/act/{act}/{caller['user_id']}/", {"reason": "asked", "once": once(html), **fields}
    )


def test_an_act_ends_in_a_visible_result_with_what_happens_next_and_its_entry(helpdesk, caller):
    answer = post(helpdesk, caller, "block")
    html = helpdesk.get(answer.url).content.decode()
    assert "caller@larkspur.example is blocked." in html
    assert "What happens next:" in html
    assert f"Audit entry {AuditEvent.objects.get().pk}" in html


def test_a_second_press_of_the_button_does_not_act_twice(helpdesk, caller):
    html = helpdesk.get(url(caller)).content.decode()
    first = post(helpdesk, caller, "block", html)
    second = post(helpdesk, caller, "block", html)
    assert first.url == second.url
    page = helpdesk.get(second.url).content.decode()
    assert "nothing was done twice" in page
    assert f"Audit entry {AuditEvent.objects.get().pk}" in page


def test_an_act_whose_answer_was_lost_is_not_sent_again_by_the_same_form(helpdesk, sandbox, tenants, caller, settings):
    html = helpdesk.get(url(caller)).content.decode()
    settings.AUTH0_TIMEOUT_SECONDS = 0.5
    auth0.forget(tenants["dev"])
    lost = {"method": "PATCH", "path": "/api/v2/users/*", "hang_seconds": 2, "times": 1}
    sandbox.tenant("dev").conditions(faults=[lost])
    assert post(helpdesk, caller, "block", html).status_code == 503
    again = post(helpdesk, caller, "block", html)
    assert again.status_code == 409
    assert "already sent with this form" in again.content.decode()


def test_an_act_that_was_not_done_can_be_sent_again_with_the_same_form(helpdesk, sandbox, caller):
    html = helpdesk.get(url(caller)).content.decode()
    fault = {"method": "PATCH", "path": "/api/v2/users/*", "status": 500, "times": 1}
    sandbox.tenant("dev").conditions(faults=[fault])
    refused = post(helpdesk, caller, "block", html, ticket="HD-7")
    assert refused.status_code == 503
    assert 'value="HD-7"' in refused.content.decode()
    assert post(helpdesk, caller, "block", html, ticket="HD-7").status_code == 302


def test_a_missing_reason_brings_the_form_back_with_what_was_typed(helpdesk, caller):
    answer = post(helpdesk, caller, "block", reason="", ticket="HD-9")
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'value="HD-9"' in html
    assert "required" in html
    assert not AuditEvent.objects.exists()


def test_a_reset_link_is_in_one_answer_alone_and_not_kept_by_caches(helpdesk, caller):
    answer = post(helpdesk, caller, "create-reset-link")
    html = answer.content.decode()
    link = re.search(r'id="result-secret" readonly value="([^"]+)"', html).group(1)
    assert "ticket=" in link
    assert "no-store" in answer.headers["Cache-Control"]
    assert link not in helpdesk.get(url(caller)).content.decode()


def test_an_unknown_user_gets_a_page_that_helps(helpdesk):
    answer = helpdesk.get("/t/dev/users/id/auth0|000000000000000000000000/")
    assert answer.status_code == 404
    assert "may have been deleted" in answer.content.decode()


def test_somebody_who_may_only_look_is_offered_no_act(person, tenants, caller):
    html = person("security").get(url(caller)).content.decode()
    assert 'data-dialog="act-send-password-reset"' not in html
    assert person("security").post(f"/t/dev/users/act/send-password-reset/{caller['user_id']}/").status_code == 403


def test_what_is_typed_into_the_search_box_comes_back_as_text(helpdesk):
    html = helpdesk.get("/t/dev/users/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html


def test_a_user_id_with_a_slash_and_unicode_reaches_auth0_as_one_segment(helpdesk, sandbox):
    answer = helpdesk.get("/t/dev/users/id/samlp|acme|CN=J%C3%BCrgen/OU=a/")
    assert answer.status_code in (400, 404)
    assert "Traceback" not in answer.content.decode()


def test_where_nobody_is_found_the_same_search_in_the_other_tenants_is_offered(helpdesk):
    html = helpdesk.get("/t/dev/users/", {"q": "nobody-at-all", "filter": "blocked", "page": "2"}).content.decode()
    assert "You looked in <strong>Dev</strong>" in html
    assert 'href="/t/prod/users/?q=nobody-at-all&amp;filter=blocked"' in html


def test_the_helpdesk_begins_where_its_callers_are_and_others_at_the_first_tenant(person, tenants):
    assert 'action="/t/prod/users/"' in person("helpdesk").get("/").content.decode()
    assert 'action="/t/dev/users/"' in person("security").get("/").content.decode()
