"""Sessions of browsers: how long they last, and whom they belong to."""

from __future__ import annotations

import time

from tests.sandbox.web_login import (
    PASSWORD,
    Person,
    log_types,
)

# Sessions


def test_a_session_spares_the_second_sign_in_and_prompt_login_asks_again(tenant, person, user):
    person.sign_in(user["email"])
    first = person.id_claims()["sid"]
    assert person.authorize()
    assert person.id_claims()["sid"] == first
    assert person.authorize(prompt="none")
    assert "ssa" in log_types(tenant, user["user_id"])
    assert not person.authorize(prompt="login")
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    assert person.id_claims()["auth_time"] >= time.time() - 60


def test_max_age_asks_again_once_the_sign_in_is_older(tenant, person, user):
    person.sign_in(user["email"])
    assert person.authorize(max_age="300")
    assert "auth_time" in person.id_claims()
    tenant.advance_clock(301)
    assert not person.authorize(max_age="300")


def test_a_session_that_an_administrator_revokes_is_over(tenant, person, user):
    person.sign_in(user["email"])
    (session,) = tenant.api("GET", f"/users/{user['user_id']}/sessions")["sessions"]
    assert session["id"] == person.id_claims()["sid"]
    assert session["clients"] == [{"client_id": person.client["client_id"]}]
    tenant.api("DELETE", f"/sessions/{session['id']}")
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_a_session_ends_by_age_and_by_idleness(tenant, person, user):
    tenant.api("PATCH", "/tenants/settings", {"session_lifetime": 168, "idle_session_lifetime": 72})
    person.sign_in(user["email"])
    tenant.advance_clock(71 * 3600)
    assert person.authorize(prompt="none")
    assert "code" in person.answer
    tenant.advance_clock(73 * 3600)
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_a_login_belongs_to_the_browser_that_began_it(tenant, client, person, user):
    person.authorize()
    stranger = Person(tenant, client)
    stranger.open(str(person.page.url))
    assert stranger.page.status_code == 400
    assert "begun in another browser" in stranger.text


def test_a_login_that_waited_too_long_says_so(tenant, person):
    person.authorize()
    tenant.advance_clock(3601)
    person.open(str(person.page.url))
    assert "expired" in person.text
