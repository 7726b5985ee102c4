"""Logging out: /v2/logout, /oidc/logout, and the applications that hear of it by back-channel."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode

import pytest
import trustme

from tests.sandbox.web_login import LOGGED_OUT, PASSWORD, claims, log_types
from tests.waiting import until


def signed_in(person):
    """Whether the browser still has a session."""
    person.authorize(prompt="none")
    return "code" in person.answer


def log_out(person, **parameters):
    person.open(f"/oidc/logout?{urlencode(parameters)}")


# /v2/logout


def test_logout_ends_the_session_and_returns_to_a_registered_address_only(tenant, person, user):
    person.sign_in(user["email"])
    id = person.client["client_id"]
    person.open(f"/v2/logout?client_id={id}&returnTo=https://evil.example/")
    assert not person.landed
    assert person.page.status_code == 400
    assert log_types(tenant)[0] == "flo"
    person.open(f"/v2/logout?client_id={id}&returnTo={LOGGED_OUT}")
    assert person.landed == LOGGED_OUT
    assert "slo" in log_types(tenant, user["user_id"])
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_logout_returns_to_the_first_address_or_to_one_of_the_tenant(tenant, person):
    person.open(f"/v2/logout?client_id={person.client['client_id']}")
    assert person.landed == LOGGED_OUT
    tenant.api("PATCH", "/tenants/settings", {"allowed_logout_urls": ["http://localhost:3999/tenant"]})
    person.open("/v2/logout?returnTo=http://localhost:3999/tenant")
    assert person.landed == "http://localhost:3999/tenant"
    person.open(f"/v2/logout?returnTo={LOGGED_OUT}")
    assert person.page.status_code == 400
    person.open("/v2/logout")
    assert person.page.text == "OK"


# /oidc/logout


def test_oidc_logout_needs_the_id_token_or_the_persons_yes(person, user):
    person.sign_in(user["email"])
    token = person.tokens()["id_token"]
    log_out(person, post_logout_redirect_uri=LOGGED_OUT, client_id=person.client["client_id"], state="s")
    assert "Are you sure" in person.text
    person.submit()  # the button that says yes was not pressed
    assert "Are you sure" in person.text
    log_out(person, id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT, state="s")
    assert person.landed == f"{LOGGED_OUT}?state=s"


def test_the_person_says_yes_on_the_confirmation_page(person, user):
    person.sign_in(user["email"])
    log_out(person, client_id=person.client["client_id"], state="s")
    token = person.page.text.split('name="confirmed" value="')[1].split('"')[0]
    person.submit(confirmed=token)
    assert person.landed == f"{LOGGED_OUT}?state=s"
    assert not signed_in(person)


def test_a_hint_of_the_session_or_the_tenants_setting_spares_the_question(tenant, person, user):
    person.sign_in(user["email"])
    sid = person.id_claims()["sid"]
    log_out(person, logout_hint="another", client_id=person.client["client_id"])
    assert "Are you sure" in person.text
    log_out(person, logout_hint=sid, client_id=person.client["client_id"])
    assert person.landed == LOGGED_OUT
    person.sign_in(user["email"])
    tenant.api("PATCH", "/tenants/settings", {"sessions": {"oidc_logout_prompt_enabled": False}})
    log_out(person)
    assert "You have been logged out" in person.text
    assert not signed_in(person)


def test_an_id_token_of_another_session_is_asked_about(person, user):
    person.sign_in(user["email"])
    old = person.tokens()["id_token"]
    person.open(f"/v2/logout?client_id={person.client['client_id']}")
    person.sign_in(user["email"])
    log_out(person, id_token_hint=old)
    assert "Are you sure" in person.text
    assert signed_in(person)


def test_an_id_token_signed_with_the_applications_secret_is_a_hint_too(tenant, person, user):
    id = person.client["client_id"]
    tenant.api("PATCH", f"/clients/{id}", {"jwt_configuration": {"alg": "HS256"}})
    person.sign_in(user["email"])
    token = person.tokens()["id_token"]
    log_out(person, id_token_hint=f"{token[:-2]}xx")
    assert person.page.status_code == 400
    log_out(person, id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT)
    assert person.landed == LOGGED_OUT


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"id_token_hint": "a.b.c"}, "Invalid id_token_hint"),
        ({"client_id": "nobody"}, "Unknown client"),
        ({"post_logout_redirect_uri": "https://evil.example/"}, "is not in the list of allowed logout URLs"),
        ({"id_token_hint": "its own", "client_id": "other"}, "client_id and id_token_hint do not match"),
        ({"id_token_hint": "its own", "logout_hint": "other"}, "logout_hint and id_token_hint do not match"),
    ],
)
def test_a_wrong_logout_is_a_400_and_ends_nothing(tenant, person, user, parameters, problem):
    person.sign_in(user["email"])
    hint = {"id_token_hint": person.tokens()["id_token"]} if "its own" in parameters.values() else {}
    log_out(person, **{**parameters, **hint})
    assert person.page.status_code == 400
    assert problem in person.text
    assert log_types(tenant)[0] == "flo"
    assert signed_in(person)


# Back-channel


@contextmanager
def application(tenant, client, *statuses, **settings):
    """An application that answers logout tokens with these statuses (the last one from then on): what it has heard."""
    heard, answers = [], list(statuses)

    class Application(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 - the name that http.server calls
            body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            heard.append(body["logout_token"][0])
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Application) as server:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(own)
        server.socket = own.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        logout = {"backchannel_logout_urls": [f"https://localhost:{server.server_port}/bye"], **settings}
        tenant.api("PATCH", f"/clients/{client['client_id']}", {"oidc_logout": logout})
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def results(tenant, count=1):
    """The log events of that many deliveries, once they are there."""

    def noted():
        found = [e for e in tenant.api("GET", "/logs", per_page=50) if e["type"].startswith("oidc_backchannel")]
        return found if len(found) >= count else None

    return until(noted, what="the note of a delivery")


def test_an_application_hears_of_a_logout_by_back_channel(tenant, person, user):
    with application(tenant, person.client, 200) as heard:
        person.sign_in(user["email"])
        id, sid = person.client["client_id"], person.id_claims()["sid"]
        person.open(f"/v2/logout?client_id={id}&returnTo={LOGGED_OUT}")
        (event,) = results(tenant)
    assert event["type"] == "oidc_backchannel_logout_succeeded"
    body = claims(heard[0])
    assert (body["sid"], body["sub"], body["aud"]) == (sid, user["user_id"], id)
    assert body["exp"] == body["iat"] + 120
    assert body["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in body


@pytest.mark.parametrize(("statuses", "tries", "outcome"), [((503, 200), 2, "succeeded"), ((400, 200), 1, "failed")])
def test_a_logout_token_is_sent_again_unless_the_application_refused_it(tenant, person, user, statuses, tries, outcome):
    with application(tenant, person.client, *statuses) as heard:
        person.sign_in(user["email"])
        person.open(f"/v2/logout?client_id={person.client['client_id']}")
        (event,) = results(tenant)
    assert (event["type"], len(heard)) == (f"oidc_backchannel_logout_{outcome}", tries)


def test_an_application_hears_of_the_ends_that_it_has_selected(tenant, person, user):
    ends = {"mode": "custom", "selected_initiators": ["rp-logout", "idp-logout", "password-changed", "session-expired"]}
    tenant.api("PATCH", "/tenants/settings", {"session_lifetime": 1, "idle_session_lifetime": 1})
    with application(tenant, person.client, 200, backchannel_logout_initiators=ends) as heard:
        person.sign_in(user["email"])
        tenant.api("DELETE", f"/users/{user['user_id']}/sessions")  # not selected
        person.sign_in(user["email"])
        tenant.api("PATCH", f"/users/{user['user_id']}", {"password": "Another-demo-2"})
        person.sign_in(user["email"], "Another-demo-2")
        tenant.advance_clock(3601)
        assert not signed_in(person)
        results(tenant, 2)
    assert len(heard) == 2


def test_an_application_may_hear_of_every_end(tenant, person, user):
    with application(tenant, person.client, 200, backchannel_logout_initiators={"mode": "all"}) as heard:
        person.sign_in(user["email"], PASSWORD)
        tenant.api("DELETE", f"/users/{user['user_id']}/sessions")
        person.sign_in(user["email"], PASSWORD)
        tenant.api("DELETE", f"/users/{user['user_id']}")
        results(tenant, 2)
    assert len(heard) == 2
