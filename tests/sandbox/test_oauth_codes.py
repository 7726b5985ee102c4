"""Authorization codes and refresh tokens: who may exchange them, how often, how long."""

from __future__ import annotations

import pytest

from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import (
    PASSWORD,
    Person,
    log_types,
    new_client,
)

# authorization_code


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "wrong"}, (403, "invalid_grant", "Invalid authorization code")),
        ({"code_verifier": "x" * 50}, (403, "invalid_grant", "Failed to verify code verifier")),
        ({"code_verifier": ""}, (403, "invalid_grant", "Failed to verify code verifier")),
        ({"client_secret": "wrong"}, (401, "access_denied", "Unauthorized")),
    ],
)
def test_a_code_is_exchanged_only_by_who_began_the_login(person, user, changes, expected):
    person.sign_in(user["email"])
    assert refusal(person.exchange(**changes)) == expected


def test_a_code_needs_the_same_callback_and_works_once(tenant, person, user):
    person.sign_in(user["email"])
    assert person.exchange(redirect_uri="http://localhost:3999/other").json()["error"] == "invalid_grant"
    assert person.exchange().json()["error"] == "invalid_grant"
    person.authorize()
    assert person.exchange().status_code == 200
    assert person.exchange().json()["error_description"] == "Invalid authorization code"
    assert log_types(tenant)[:2] == ["feacft", "seacft"]


def test_a_code_belongs_to_its_application_and_expires(tenant, person, user):
    other = new_client(tenant, name="Other")
    person.sign_in(user["email"])
    stolen = person.exchange(client_id=other["client_id"], client_secret=other["client_secret"])
    assert stolen.json()["error_description"] == "Invalid authorization code"
    person.authorize()
    tenant.advance_clock(400)
    assert person.exchange().json()["error_description"] == "Invalid authorization code"


def test_a_public_application_proves_itself_by_pkce_alone(tenant, user):
    public = new_client(tenant, app_type="spa", token_endpoint_auth_method="none")
    public.pop("client_secret", None)
    person = Person(tenant, public)
    person.sign_in(user["email"])
    assert person.exchange().status_code == 200
    person.authorize(code_challenge="", code_challenge_method="")
    assert person.exchange(code_verifier="").status_code == 401


def test_plain_challenges_are_compared_as_they_are(person, user):
    person.sign_in(user["email"], code_challenge=person.verifier, code_challenge_method="plain")
    assert person.exchange().status_code == 200


# refresh_token


def offline(tenant, client, user, **rotation):
    if rotation:
        tenant.api("PATCH", f"/clients/{client['client_id']}", {"refresh_token": rotation})
    wanted = {"username": user["email"], "password": PASSWORD, "scope": "openid email offline_access read:orders"}
    answer = ask(tenant, client, grant_type="password", audience=ORDERS, **wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refreshed(tenant, client, token, **more):
    return ask(tenant, client, grant_type="refresh_token", refresh_token=token, **more)


def test_a_refresh_token_brings_new_tokens_with_the_same_or_fewer_scopes(tenant, client, user):
    orders_api(tenant)
    first = offline(tenant, client, user)
    again = refreshed(tenant, client, first["refresh_token"]).json()
    assert "refresh_token" not in again
    assert set(again["scope"].split()) == {"openid", "email", "offline_access", "read:orders"}
    fewer = refreshed(tenant, client, first["refresh_token"], scope="openid write:orders").json()
    assert fewer["scope"] == "openid"
    (listed,) = tenant.api("GET", f"/users/{user['user_id']}/refresh-tokens")["tokens"]
    assert listed["last_exchanged_at"]
    tenant.api("DELETE", f"/refresh-tokens/{listed['id']}")
    assert refusal(refreshed(tenant, client, first["refresh_token"])) == (
        403,
        "invalid_grant",
        "Unknown or invalid refresh token.",
    )


def test_a_rotating_refresh_token_that_is_used_twice_ends_its_family(tenant, client, user):
    orders_api(tenant)
    rules = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2592000}
    first = offline(tenant, client, user, **rules)["refresh_token"]
    second = refreshed(tenant, client, first).json()["refresh_token"]
    assert second != first
    tenant.advance_clock(2)
    assert refreshed(tenant, client, first).json()["error"] == "invalid_grant"
    assert refreshed(tenant, client, second).json()["error"] == "invalid_grant"
    assert log_types(tenant)[:2] == ["fertft", "ferrt"]
    assert "ferrt" in log_types(tenant, user["user_id"])


def test_the_leeway_forgives_a_repeated_refresh_and_leaves_both_answers_usable(tenant, client, user):
    orders_api(tenant)
    rules = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 60, "token_lifetime": 2592000}
    first = offline(tenant, client, user, **rules)["refresh_token"]
    answers = [refreshed(tenant, client, first).json()["refresh_token"] for _ in range(2)]
    tenant.advance_clock(61)
    for token in answers:
        assert refreshed(tenant, client, token).status_code == 200
    assert refreshed(tenant, client, first).status_code == 403
    (ended,) = {refreshed(tenant, client, token).status_code for token in answers}
    assert ended == 403


def test_somebody_elses_application_can_not_end_a_family(tenant, client, user):
    orders_api(tenant)
    rules = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2592000}
    first = offline(tenant, client, user, **rules)["refresh_token"]
    second = refreshed(tenant, client, first).json()["refresh_token"]
    tenant.advance_clock(2)
    assert refreshed(tenant, new_client(tenant, name="Other"), first).status_code == 403
    assert refreshed(tenant, client, second).status_code == 200


def test_a_refresh_token_expires_by_age_and_by_idleness(tenant, client, user):
    orders_api(tenant)
    rules = {
        "rotation_type": "non-rotating",
        "expiration_type": "expiring",
        "token_lifetime": 7200,
        "infinite_token_lifetime": False,
        "idle_token_lifetime": 3600,
        "infinite_idle_token_lifetime": False,
        "leeway": 0,
    }
    token = offline(tenant, client, user, **rules)["refresh_token"]
    tenant.advance_clock(3500)
    assert refreshed(tenant, client, token).status_code == 200
    tenant.advance_clock(3500)
    assert refreshed(tenant, client, token).status_code == 200
    tenant.advance_clock(300)
    assert refreshed(tenant, client, token).status_code == 403


def test_a_revoked_or_foreign_refresh_token_is_refused(tenant, client, user):
    orders_api(tenant)
    token = offline(tenant, client, user)["refresh_token"]
    other = new_client(tenant, name="Other")
    assert refreshed(tenant, other, token).json()["error"] == "invalid_grant"
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert tenant.http.post("/oauth/revoke", json={**secret, "token": "unknown"}).status_code == 200
    assert tenant.http.post("/oauth/revoke", json={**secret, "client_secret": "x", "token": token}).status_code == 401
    assert tenant.http.post("/oauth/revoke", json=secret).status_code == 400
    assert tenant.http.post("/oauth/revoke", json={**secret, "token": token}).content == b""
    assert log_types(tenant)[0] == "srrt"
    assert refreshed(tenant, client, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("together", [False, True])
def test_revoking_one_token_ends_all_of_its_grant_where_the_tenant_says_so(tenant, client, user, together):
    tenant.api("PATCH", "/tenants/settings", {"flags": {"revoke_refresh_token_grant": together}})
    orders_api(tenant)
    one, another = (offline(tenant, client, user)["refresh_token"] for _ in range(2))
    body = {"client_id": client["client_id"], "client_secret": client["client_secret"], "token": one}
    tenant.http.post("/oauth/revoke", data={**body, "token_type_hint": "refresh_token"})
    assert refreshed(tenant, client, one).status_code == 403
    assert refreshed(tenant, client, another).status_code == (403 if together else 200)


def test_a_public_application_revokes_without_a_secret(tenant, user):
    orders_api(tenant)
    public = new_client(tenant, app_type="spa", token_endpoint_auth_method="none")
    token = offline(tenant, public, user)["refresh_token"]
    body = {"client_id": public["client_id"], "token": token}
    assert tenant.http.post("/oauth/revoke", data=body).status_code == 200
    assert refreshed(tenant, public, token).status_code == 403


def test_a_blocked_user_gets_no_more_tokens(tenant, client, user):
    orders_api(tenant)
    token = offline(tenant, client, user)["refresh_token"]
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    assert refusal(refreshed(tenant, client, token)) == (403, "unauthorized", "user is blocked")
