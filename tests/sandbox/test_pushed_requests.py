"""Authorization requests that were pushed to /oauth/par, or come in a signed request object."""

from __future__ import annotations

import time

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.sandbox.signing import assertion, credential, from_now, private_key, signs_in_by_key
from tests.sandbox.token_endpoint import refusal
from tests.sandbox.web_login import CALLBACK, Person, claims, log_types, new_client

URN = "urn:ietf:params:oauth:request_uri:"


@pytest.fixture
def tenant(tenant):
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": True})
    return tenant


def push(tenant, client, **body):
    wanted = {
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        **body,
    }
    return tenant.http.post("/oauth/par", data={name: value for name, value in wanted.items() if value is not None})


def follow(person, uri, **more):
    """Begin a login with the reference alone."""
    query = {"client_id": person.client["client_id"], "request_uri": uri, **more}
    return person._follow(person.http.get("/authorize", params=query))


# Pushed


def test_a_pushed_request_is_followed_once(tenant, person, user):
    answer = push(tenant, person.client, state="pushed", nonce="n-1")
    assert answer.status_code == 201
    assert answer.json()["request_uri"].startswith(URN)
    assert answer.json()["expires_in"] == 30
    # Beside the reference nothing counts.
    follow(person, answer.json()["request_uri"], scope="openid", state="query", redirect_uri="https://evil.example/")
    person.submit(username=user["email"])
    person.submit(password="Larkspur-demo-1")
    assert person.answer["state"] == "pushed"
    body = claims(person.exchange(code_verifier="").json()["id_token"])
    assert (body["email"], body["nonce"]) == (user["email"], "n-1")
    follow(person, answer.json()["request_uri"])
    assert person.page.status_code == 400
    assert "invalid or has expired" in person.text


def test_a_pushed_request_belongs_to_its_application_for_thirty_seconds(tenant, person):
    uri = push(tenant, person.client).json()["request_uri"]
    stranger = Person(tenant, new_client(tenant, name="Other"))
    follow(stranger, uri)
    assert stranger.page.status_code == 400
    tenant.advance_clock(31)
    follow(person, uri)
    assert person.page.status_code == 400
    follow(person, "https://elsewhere.example/request")
    assert person.page.status_code == 400


def test_an_application_that_has_to_push_can_do_nothing_else(tenant, person):
    body = {"require_pushed_authorization_requests": True}
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", body)
    person.authorize()
    assert person.answer["error"] == "invalid_request"
    assert "Pushed Authorization Requests are required" in person.answer["error_description"]
    assert not follow(person, push(tenant, person.client).json()["request_uri"])
    assert person.at == "/u/login/identifier"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "access_denied")),
        ({"client_secret": None}, (401, "access_denied")),
        ({"client_id": "nobody"}, (401, "access_denied")),
        ({"redirect_uri": "https://evil.example/"}, (403, "unauthorized_client")),
        ({"response_type": None}, (400, "invalid_request")),
        ({"response_type": "magic"}, (400, "unsupported_response_type")),
        ({"audience": "https://nobody.example/"}, (403, "access_denied")),
        ({"request_uri": URN + "x"}, (400, "invalid_request")),
        ({"request": "a.b.c"}, (400, "request_not_supported")),
        ({"dpop_jkt": "short"}, (400, "invalid_request")),
        ({"ext-big": "x" * 10_000}, (413, "invalid_request")),
    ],
)
def test_a_wrong_request_is_refused_when_it_is_pushed(tenant, client, changes, expected):
    assert refusal(push(tenant, client, **changes))[:2] == expected
    assert log_types(tenant)[0] == "fpar"


def test_only_forms_are_pushed_and_only_where_the_tenant_allows_it(tenant, client):
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert refusal(tenant.http.post("/oauth/par", json={**secret, "response_type": "code"}))[:2] == (
        400,
        "invalid_request",
    )
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": False})
    assert refusal(push(tenant, client))[:2] == (403, "access_denied")


def test_a_public_application_can_not_push(tenant):
    public = new_client(tenant, token_endpoint_auth_method="none")
    assert push(tenant, public, client_secret=None).status_code == 401


def test_an_application_pushes_with_its_private_key(tenant, client):
    signs_in_by_key(tenant, client)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    body = {"client_assertion": assertion(tenant, client), "client_assertion_type": kind, "client_secret": None}
    assert push(tenant, client, **body).status_code == 201


# Signed


@pytest.fixture
def signed(tenant, client):
    """Make the application sign its requests: a function that signs one."""
    made = credential(tenant, client)
    settings = {"signed_request_object": {"credentials": [{"id": made["id"]}]}}
    tenant.api("PATCH", f"/clients/{client['client_id']}", settings)

    def sign(typ="oauth-authz-req+jwt", key=None, alg="RS256", **changes):
        id = client["client_id"]
        body = {"iss": id, "aud": f"{tenant.url}/", "client_id": id, "response_type": "code", "scope": "openid"}
        body = from_now({name: value for name, value in {**body, **changes}.items() if value is not None})
        return jwt.encode({"alg": alg, "typ": typ}, body, key or private_key(), algorithms=[alg])

    return sign


def test_what_is_signed_takes_precedence_over_the_query(person, user, signed):
    token = signed(scope="openid email", state="signed", max_age=300, redirect_uri=CALLBACK)
    person.sign_in(user["email"], request=token, scope="openid")
    assert person.answer["state"] == "signed"
    body = person.id_claims()
    assert body["email"] == user["email"]
    assert body["auth_time"] >= time.time() - 60


def test_a_request_object_can_be_pushed(tenant, person, user, signed):
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", {"require_pushed_authorization_requests": True})
    pushed = push(tenant, person.client, request=signed(redirect_uri=CALLBACK), response_type=None, scope=None)
    assert pushed.status_code == 201, pushed.text
    follow(person, pushed.json()["request_uri"])
    assert person.at == "/u/login/identifier"


def test_an_application_that_has_to_sign_can_not_ask_plainly(tenant, person, signed):
    known = tenant.api("GET", f"/clients/{person.client['client_id']}")["signed_request_object"]
    settings = {"signed_request_object": {**known, "required": True}}
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", settings)
    person.authorize()
    assert "Signed request objects are required" in person.answer["error_description"]
    assert push(tenant, person.client).status_code == 400
    assert not person.authorize(request=signed(redirect_uri=CALLBACK))
    uri = push(tenant, person.client, request=signed(redirect_uri=CALLBACK)).json()["request_uri"]
    follow(person, uri)
    assert person.at == "/u/login/identifier"


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "at+jwt"},
        {"alg": "PS256"},
        {"iss": "other"},
        {"client_id": "other"},
        {"aud": "https://other.example/"},
        {"response_type": None},
        {"exp": -600},
        {"exp": "soon"},
        {"nbf": 600},
        {"jti": "x" * 65},
        {"jti": 5},
    ],
)
def test_a_request_object_that_breaks_a_rule_is_refused(tenant, person, signed, changes):
    token = signed(redirect_uri=CALLBACK, **changes)
    person.authorize(request=token)
    assert not person.landed
    assert person.page.status_code == 400
    assert refusal(push(tenant, person.client, request=token))[:2] == (400, "invalid_request_object")


def test_a_request_object_without_a_registered_key_is_refused(person, signed):
    person.authorize(request=signed(redirect_uri=CALLBACK, key=RSAKey.generate_key(2048)))
    assert person.page.status_code == 400
    person.authorize(request="a.b.c")
    assert person.page.status_code == 400
