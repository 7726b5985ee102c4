"""Signing in through Universal Login: what /authorize takes, what the pages do, what sessions allow."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.web_login import (
    CALLBACK,
    CONNECTION,
    LOGGED_OUT,
    PASSWORD,
    Person,
    claims,
    log_types,
    new_client,
    new_user,
    without_actions,
)


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    return found


@pytest.fixture
def client(tenant):
    return new_client(tenant)


@pytest.fixture
def user(tenant):
    return new_user(tenant)


@pytest.fixture
def person(tenant, client):
    return Person(tenant, client)


def test_a_person_signs_in_and_the_application_gets_tokens(tenant, person, user):
    person.sign_in(user["email"], nonce="n-1")
    assert person.answer["state"] == "the-state"
    tokens = person.tokens()
    body = claims(tokens["id_token"])
    assert body["iss"] == f"https://localhost:{tenant.https_port}/"
    assert (body["sub"], body["nonce"], body["email"]) == (user["user_id"], "n-1", user["email"])
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 86400
    assert "amr" not in body
    info = tenant.http.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert info["sub"] == user["user_id"]
    assert log_types(tenant, user["user_id"])[:2] == ["seacft", "s"]
    assert tenant.user(user["email"])["logins_count"] == 1


def test_identifier_and_password_can_share_one_page(tenant, person, user):
    tenant.api("PATCH", "/prompts", {"identifier_first": False})
    person.authorize()
    assert person.at == "/u/login"
    person.submit(username=user["email"], password=PASSWORD)
    assert "code" in person.answer


@pytest.mark.parametrize("password", ["wrong", "", "x" * 2000, "\x00\ud7ff"])
def test_a_wrong_password_is_refused_with_the_same_words_as_an_unknown_user(tenant, person, user, password):
    person.sign_in(user["email"], password)
    known = person.text
    person.sign_in("nobody@fernhill.example", password)
    assert not person.landed
    assert "Wrong email or password." in known
    assert "Wrong email or password." in person.text


def test_a_blocked_user_cannot_sign_in(tenant, person, user):
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    person.sign_in(user["email"])
    assert "blocked" in person.text
    assert not person.landed
    assert log_types(tenant, user["user_id"])[0] == "f"


def test_a_user_who_is_blocked_meanwhile_loses_the_session(tenant, person, user):
    person.sign_in(user["email"])
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    person.authorize()
    assert person.answer["error"] == "unauthorized"


def test_ten_wrong_passwords_block_the_user_for_this_address_until_the_mail_is_followed(tenant, person, user):
    for _ in range(10):
        person.sign_in(user["email"], "wrong")
    person.sign_in(user["email"])
    assert not person.landed
    assert "blocked" in person.text
    blocks = tenant.api("GET", f"/user-blocks/{user['user_id']}")["blocked_for"]
    assert [block["identifier"] for block in blocks] == [user["email"]]
    assert "limit_wc" in log_types(tenant)
    mail = tenant.mail(user["email"])[0]
    assert mail["template"] == "blocked_account"
    person.open(mail["link"])
    assert "Account unblocked" in person.text
    assert person.sign_in(user["email"])


def test_the_management_api_lifts_a_brute_force_block(tenant, person, user):
    for _ in range(10):
        person.sign_in(user["email"], "wrong")
    tenant.api("DELETE", f"/user-blocks/{user['user_id']}")
    assert person.sign_in(user["email"])


# What /authorize refuses


def test_an_unknown_application_is_told_so_on_a_page(person):
    person.authorize(client_id="nobody")
    assert person.page.status_code == 400
    assert "Unknown client: nobody" in person.text


@pytest.mark.parametrize(
    "address",
    [
        CALLBACK + "/more",
        CALLBACK + "?x=1",
        "http://localhost:3999@evil.example/callback",
        "https://evil.example/callback",
        "javascript:alert(1)",
        "http://localhost:3999/callback\\@evil.example",
        "//evil.example",
        "%00",
    ],
)
def test_an_unregistered_callback_is_never_redirected_to(person, address):
    person.authorize(redirect_uri=address)
    assert not person.landed
    assert person.page.status_code == 403
    assert "Callback URL mismatch" in person.text


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "magic"}, "unsupported_response_type"),
        ({"response_mode": "pigeon"}, "invalid_request"),
        ({"response_type": "id_token"}, "invalid_request"),
        ({"response_type": "token", "response_mode": "query"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "", "code_challenge_method": "S256"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"connection": "nowhere"}, "invalid_request"),
        ({"organization": "org_unknown"}, "invalid_request"),
        ({"audience": "https://nobody.example/"}, "access_denied"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_a_request_that_is_wrong_goes_back_to_the_application_with_the_reason(person, parameters, error):
    person.authorize(**parameters)
    assert person.landed.startswith(CALLBACK)
    assert person.answer["error"] == error
    assert person.answer["state"] == "the-state"
    assert person.answer["error_description"]


def test_an_application_without_the_implicit_grant_gets_no_token_from_the_browser(tenant, user):
    client = new_client(tenant, grant_types=["authorization_code"])
    person = Person(tenant, client)
    person.authorize(response_type="token")
    assert person.answer["error"] == "unauthorized_client"


def test_an_application_without_connections_is_told_so(tenant):
    client = tenant.api(
        "POST", "/clients", {"name": "Lonely", "callbacks": [CALLBACK], "grant_types": ["authorization_code"]}
    )
    person = Person(tenant, client)
    person.authorize()
    assert person.answer["error_description"] == "no connections enabled for the client"


# Response types and modes


def test_the_hybrid_flow_binds_code_and_token_to_the_id_token(person, user):
    person.sign_in(user["email"], response_type="code id_token token", nonce="n")
    body = claims(person.answer["id_token"])
    assert body["c_hash"]
    assert body["at_hash"]
    assert person.answer["access_token"]
    assert "#" in person.landed


def test_form_post_hands_the_code_over_in_a_form(person, user):
    person.sign_in(user["email"], response_mode="form_post")
    assert f'action="{CALLBACK}"' in person.page.text
    assert 'name="code"' in person.page.text
    assert "<script>" not in person.page.text


def test_web_message_talks_to_the_applications_origin_alone(person, user):
    person.sign_in(user["email"])
    person.authorize(prompt="none", response_mode="web_message")
    assert 'data-origin="http://localhost:3999"' in person.page.text
    assert "frame-ancestors http://localhost:3999" in person.page.headers["content-security-policy"]


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


# Logout


def test_logout_ends_the_session_and_returns_to_a_registered_address_only(tenant, person, user):
    person.sign_in(user["email"])
    id = person.client["client_id"]
    person.open(f"/v2/logout?client_id={id}&returnTo=https://evil.example/")
    assert not person.landed
    assert person.page.status_code == 400
    person.open(f"/v2/logout?client_id={id}&returnTo={LOGGED_OUT}")
    assert person.landed == LOGGED_OUT
    assert "slo" in log_types(tenant, user["user_id"])
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_oidc_logout_needs_the_id_token_or_the_persons_yes(person, user):
    person.sign_in(user["email"])
    token = person.tokens()["id_token"]
    person.open(f"/oidc/logout?post_logout_redirect_uri={LOGGED_OUT}&client_id={person.client['client_id']}&state=s")
    assert "Are you sure" in person.text
    person.submit()  # the button that says yes was not pressed
    assert "Are you sure" in person.text
    person.open(f"/oidc/logout?id_token_hint={token}&post_logout_redirect_uri={LOGGED_OUT}&state=s")
    assert person.landed == f"{LOGGED_OUT}?state=s"
    person.open("/oidc/logout?id_token_hint=a.b.c")
    assert person.page.status_code == 400


# Sign-up, forgotten passwords, verification


def test_a_new_person_signs_up_and_verifies_the_address(tenant, person):
    person.authorize(screen_hint="signup")
    assert person.at == "/u/signup"
    person.submit(email="New.One@fernhill.example", password="short")
    assert "Password is too weak" in person.text
    person.submit(email="New.One@fernhill.example", password=PASSWORD)
    assert "code" in person.answer
    user = tenant.user("new.one@fernhill.example")
    assert user["email_verified"] is False
    mail = tenant.mail("new.one@fernhill.example")[0]
    assert mail["template"] == "verify_email"
    person.open(mail["link"])
    assert "successfully verified" in person.text
    assert tenant.user("new.one@fernhill.example")["email_verified"] is True
    person.open(mail["link"])
    assert person.page.status_code == 400
    assert {"ss", "sv", "s"} <= set(log_types(tenant, user["user_id"]))


def test_signing_up_twice_does_not_tell_that_the_account_exists(person, user):
    person.authorize(screen_hint="signup")
    person.submit(email=user["email"], password=PASSWORD)
    assert "Something went wrong" in person.text


def test_a_forgotten_password_is_reset_by_the_newest_mail_once_and_ends_the_sessions(tenant, client, person, user):
    person.sign_in(user["email"])
    other = Person(tenant, client)
    other.authorize()
    other.submit(username=user["email"])
    other.open([link for link in other.links if "/u/reset-password/request" in link][0])
    other.submit(email=user["email"])
    assert "on its way" in other.text
    old = tenant.mail(user["email"])[0]["link"]
    answer = tenant.http.post("/dbconnections/change_password", json={"email": user["email"], "connection": CONNECTION})
    assert answer.text == "We've just sent you an email to reset your password."
    other.open(old)
    assert other.page.status_code == 400
    link = tenant.mail(user["email"])[0]["link"]
    other.open(link)
    other.submit(password="Another-demo-2", password_again="Another-demo-3")
    assert "not the same" in other.text
    other.submit(password="weak", password_again="weak")
    assert "too weak" in other.text
    other.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert "Password Changed!" in other.text
    other.open(link)
    assert other.page.status_code == 400
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"
    assert person.sign_in(user["email"], "Another-demo-2")
    assert {"scpr", "scp"} <= set(log_types(tenant, user["user_id"]))


def test_a_ticket_of_the_management_api_sets_the_password_until_it_expires(tenant, person, user):
    made = tenant.api("POST", "/tickets/password-change", {"user_id": user["user_id"], "ttl_sec": 900})
    person.open(made["ticket"])
    assert "Change your password" in person.text
    tenant.advance_clock(901)
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert person.page.status_code == 400
    wanted = {"user_id": user["user_id"], "result_url": "http://localhost:3999/done", "includeEmailInRedirect": True}
    made = tenant.api("POST", "/tickets/password-change", wanted)
    person.open(made["ticket"])
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert person.landed.startswith("http://localhost:3999/done?")
    assert person.answer["success"] == "true"
    assert person.answer["email"] == user["email"]


# Organizations, consent, other connections


def test_only_members_sign_in_to_an_organization(tenant, person, user):
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", {"organization_usage": "allow"})
    made = tenant.api("POST", "/organizations", {"name": "fernhill", "display_name": "Fernhill"})
    person.sign_in(user["email"], organization=made["id"])
    assert person.answer["error"] == "access_denied"
    assert person.answer["error_description"] == f"user {user['user_id']} is not part of the {made['id']} organization"
    tenant.api("POST", f"/organizations/{made['id']}/members", {"members": [user["user_id"]]})
    person.sign_in(user["email"], organization="fernhill")
    assert person.id_claims()["org_id"] == made["id"]


def test_an_invitation_makes_a_member_with_roles(tenant, person, user):
    id = person.client["client_id"]
    tenant.api(
        "PATCH", f"/clients/{id}", {"organization_usage": "require", "initiate_login_uri": "https://app.example/login"}
    )
    made = tenant.api("POST", "/organizations", {"name": "fernhill", "display_name": "Fernhill"})
    role = tenant.named("roles", "castellan-helpdesk")
    wanted = {"inviter": {"name": "Ada"}, "invitee": {"email": user["email"]}, "client_id": id, "roles": [role["id"]]}
    invitation = tenant.api("POST", f"/organizations/{made['id']}/invitations", wanted)
    person.authorize(organization=made["id"], invitation=invitation["ticket_id"])
    assert person.at == "/u/signup"
    person.open(f"/u/login?state={person.page.url.params['state']}")
    person.submit(username=user["email"], password=PASSWORD)
    assert "code" in person.answer
    assert tenant.api("GET", f"/organizations/{made['id']}/members/{user['user_id']}/roles")[0]["id"] == role["id"]
    person.authorize(organization=made["id"], invitation=invitation["ticket_id"])
    assert person.answer["error"] == "invalid_request"


def test_an_application_of_others_asks_for_consent_once(tenant, user):
    client = new_client(tenant, is_first_party=False)
    person = Person(tenant, client)
    tenant.api("PATCH", f"/connections/{tenant.named('connections', CONNECTION)['id']}", {"is_domain_connection": True})
    person.sign_in(user["email"])
    assert person.at == "/u/consent"
    person.submit(action="deny")
    assert person.answer["error"] == "access_denied"
    person.sign_in(user["email"])
    person.submit(action="accept")
    assert "code" in person.answer
    assert "code" in (person.authorize(prompt="none") and person.answer)
    (grant,) = tenant.api("GET", "/grants", user_id=user["user_id"])
    assert "email" in grant["scope"]
    tenant.api("DELETE", f"/grants/{grant['id']}")
    person.authorize(prompt="none")
    assert person.answer["error"] == "consent_required"


def test_a_social_connection_signs_in_without_a_password(tenant, person):
    from tests.sandbox.web_login import enable

    enable(tenant, person.client, "google-oauth2")
    person.authorize(connection="google-oauth2")
    assert person.at == "/u/login/connection"
    person.submit(form=-1, email="pat@gmail.example", name="Pat")
    assert person.id_claims()["sub"].startswith("google-oauth2|")


def test_pages_are_safe_from_what_is_put_into_them(person):
    person.authorize(login_hint='"><script>alert(1)</script>')
    assert "<script>alert(1)" not in person.page.text
    policy = person.page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
