"""Signing in through Universal Login: what the pages and /authorize take, and what they refuse."""

from __future__ import annotations

import pytest

from tests.sandbox.web_login import (
    CALLBACK,
    PASSWORD,
    Person,
    claims,
    log_types,
    new_client,
)


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
