"""Back-channel login (CIBA): an application asks, and a person answers the push on the phone."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.second_factors import offer
from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import AUTH0_GRANT, GRANTS, PASSWORD, action, bind, claims, log_types, new_client, new_user

GRANT = "urn:openid:params:grant-type:ciba"


@pytest.fixture
def client(tenant):
    return new_client(tenant, grant_types=[*GRANTS, GRANT])


@pytest.fixture
def user(tenant, client):
    """Somebody with a phone that takes pushes."""
    offer(tenant, "push-notification")
    made = new_user(tenant)
    password = {"grant_type": "password", "username": made["email"], "password": PASSWORD}
    token = ask(tenant, client, **password, audience=f"{tenant.url}/mfa/", scope="enroll").json()["access_token"]
    wanted = {"authenticator_types": ["oob"], "oob_channels": ["auth0"]}
    bearer = {"Authorization": f"Bearer {token}"}
    asked = tenant.http.post("/mfa/associate", json=wanted, headers=bearer).json()
    answer_push(tenant, made, "accepted")
    grant = {"grant_type": AUTH0_GRANT + "mfa-oob", "mfa_token": token, "oob_code": asked["oob_code"]}
    assert ask(tenant, client, **grant).status_code == 200
    return made


def answer_push(tenant, user, state):
    """On the phone; the text that it shows."""
    push = next(message for message in tenant.mail(user["user_id"]) if message["type"] == "push")
    tenant.control("POST", "phones", {"id": push["id"], "state": state})
    return push["text"]


def start(tenant, client, user, **body):
    hint = {"format": "iss_sub", "iss": f"{tenant.url}/", "sub": user["user_id"]}
    wanted = {
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "login_hint": json.dumps(hint),
        "binding_message": "Table 4: 25.00",
        "scope": "openid email",
        **body,
    }
    return tenant.http.post("/bc-authorize", data={name: value for name, value in wanted.items() if value is not None})


def poll(tenant, client, asked):
    return ask(tenant, client, grant_type=GRANT, auth_req_id=asked["auth_req_id"])


def test_the_person_accepts_and_the_application_gets_tokens_once(tenant, client, user):
    orders_api(tenant)
    bind(tenant, action("api.idToken.setCustomClaim('https://x.example/mfa', event.authentication.methods[0].name)"))
    tenant.api("PUT", "/guardian/policies", ["all-applications"])  # the push is a second factor
    scope = "openid email offline_access read:orders"
    asked = start(tenant, client, user, audience=ORDERS, scope=scope).json()
    assert (asked["expires_in"], asked["interval"]) == (300, 5)
    assert log_types(tenant)[0] == "ciba_start_succeeded"
    waiting = poll(tenant, client, asked)
    assert refusal(waiting) == (400, "authorization_pending", "The end-user authorization is pending")
    assert "Table 4: 25.00" in answer_push(tenant, user, "accepted")
    answer = poll(tenant, client, asked).json()
    assert (answer["scope"], answer["token_type"]) == (scope, "Bearer")
    body = claims(answer["id_token"])
    assert (body["sub"], body["email"], body["https://x.example/mfa"]) == (user["user_id"], user["email"], "mfa")
    assert claims(answer["access_token"])["aud"] == [ORDERS, f"{tenant.url}/userinfo"]
    assert answer["refresh_token"]
    assert log_types(tenant, user["user_id"])[0] == "ciba_exchange_succeeded"
    assert refusal(poll(tenant, client, asked))[1] == "access_denied"


def test_the_person_rejects_or_does_not_answer_in_time(tenant, client, user):
    asked = start(tenant, client, user).json()
    answer_push(tenant, user, "rejected")
    denied = (400, "access_denied", "The end-user denied the authorization request or it has been expired")
    assert refusal(poll(tenant, client, asked)) == denied
    assert log_types(tenant)[0] == "ciba_exchange_failed"
    asked = start(tenant, client, user, requested_expiry="60").json()
    assert asked["expires_in"] == 60
    tenant.advance_clock(61)
    answer_push(tenant, user, "accepted")
    assert refusal(poll(tenant, client, asked)) == denied


def test_who_asks_too_often_waits_longer_each_time(tenant, client, user):
    asked = start(tenant, client, user).json()
    assert refusal(poll(tenant, client, asked))[1] == "authorization_pending"
    hasty = poll(tenant, client, asked)
    assert refusal(hasty) == (400, "slow_down", "You are polling faster than allowed. Try again in 10 seconds.")
    assert (hasty.json()["interval"], hasty.headers["retry-after"]) == (10, "10")
    tenant.advance_clock(6)
    assert poll(tenant, client, asked).json()["interval"] == 15
    tenant.advance_clock(16)
    assert refusal(poll(tenant, client, asked))[1] == "authorization_pending"


def test_a_request_belongs_to_its_application(tenant, client, user):
    asked = start(tenant, client, user).json()
    other = new_client(tenant, name="Other", grant_types=[GRANT])
    assert refusal(poll(tenant, other, asked))[1] == "invalid_grant"
    assert refusal(poll(tenant, client, asked))[1] == "authorization_pending"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "access_denied")),
        ({"binding_message": None}, (400, "invalid_request")),
        ({"binding_message": "x" * 65}, (400, "invalid_binding_message")),
        ({"binding_message": "<b>"}, (400, "invalid_binding_message")),
        ({"scope": "email"}, (400, "invalid_scope")),
        ({"scope": None}, (400, "invalid_request")),
        ({"requested_expiry": "301"}, (400, "invalid_request")),
        ({"requested_expiry": "soon"}, (400, "invalid_request")),
        ({"login_hint": None}, (400, "invalid_request")),
        ({"login_hint": "mira"}, (400, "invalid_request")),
        (
            {"login_hint": '{"format": "iss_sub", "iss": "https://x.example/", "sub": "x"}'},
            (400, "invalid_request"),
        ),
        ({"audience": "https://nobody.example/"}, (403, "access_denied")),
    ],
)
def test_a_wrong_request_is_refused(tenant, client, user, changes, expected):
    assert refusal(start(tenant, client, user, **changes))[:2] == expected
    assert log_types(tenant)[0] == "ciba_start_failed"


def test_only_people_with_a_phone_are_asked_five_times_a_minute(tenant, client, user):
    other = new_user(tenant, "other@fernhill.example")
    assert refusal(start(tenant, client, other))[:2] == (400, "invalid_request")
    assert refusal(start(tenant, client, {"user_id": "auth0|nobody"}))[:2] == (400, "unknown_user_id")
    for _ in range(5):
        assert start(tenant, client, user).status_code == 200
    assert refusal(start(tenant, client, user))[:2] == (429, "too_many_requests")
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    assert refusal(start(tenant, client, user))[:2] == (400, "unknown_user_id")


@pytest.mark.parametrize(
    "settings",
    [
        {"grant_types": GRANTS},
        {"is_first_party": False},
        {"oidc_conformant": False},
        {"token_endpoint_auth_method": "none"},
        {"async_approval_notification_channels": ["email"]},
    ],
)
def test_an_application_that_may_not_ask_is_told_so(tenant, client, user, settings):
    tenant.api("PATCH", f"/clients/{client['client_id']}", settings)
    assert refusal(start(tenant, client, user))[:2] == (403, "unauthorized_client")
