"""How an application proves itself at the token endpoint: secrets, private keys, or not at all."""

from __future__ import annotations

import base64
import time

import pytest

from tests.sandbox.signing import ASSERTION_TYPE, assertion, credential, signs_in_by_key
from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import PASSWORD, new_client


@pytest.fixture
def machine(tenant, client):
    """An application with a grant for the orders API."""
    orders_api(tenant)
    tenant.api("POST", "/client-grants", {"client_id": client["client_id"], "audience": ORDERS, "scope": []})
    return client


def exchange(tenant, token, **body):
    wanted = {"grant_type": "client_credentials", "audience": ORDERS, "client_assertion": token}
    return tenant.http.post("/oauth/token", data={**wanted, "client_assertion_type": ASSERTION_TYPE, **body})


# Secrets


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_a_secret_is_taken_from_the_body_or_the_authorization_header(tenant, machine, method):
    tenant.api("PATCH", f"/clients/{machine['client_id']}", {"token_endpoint_auth_method": method})

    def basic(secret):
        pair = base64.b64encode(f"{machine['client_id']}:{secret}".encode()).decode()
        body = {"grant_type": "client_credentials", "audience": ORDERS}
        return tenant.http.post("/oauth/token", data=body, headers={"Authorization": f"Basic {pair}"})

    assert basic(machine["client_secret"]).status_code == 200
    assert refusal(basic("wrong")) == (401, "access_denied", "Unauthorized")
    assert ask(tenant, machine, grant_type="client_credentials", audience=ORDERS).status_code == 200


@pytest.mark.parametrize("header", ["Basic ###", "Basic bm9jb2xvbg==", "Basic /w=="])
def test_a_broken_authorization_header_is_a_401(tenant, header):
    answer = tenant.http.post("/oauth/token", data={"grant_type": "refresh_token"}, headers={"Authorization": header})
    assert refusal(answer) == (401, "access_denied", "Unauthorized")


def test_an_application_without_authentication_proves_nothing_by_its_secret(tenant, machine):
    tenant.api("PATCH", f"/clients/{machine['client_id']}", {"token_endpoint_auth_method": "none"})
    answer = ask(tenant, machine, grant_type="client_credentials", audience=ORDERS)
    assert refusal(answer) == (401, "access_denied", "Unauthorized")


def test_an_application_that_is_trusted_with_it_says_where_the_person_is(tenant, client, user):
    def address(value):
        body = {"client_id": client["client_id"], "client_secret": client["client_secret"], "password": PASSWORD}
        body |= {"grant_type": "password", "username": user["email"]}
        tenant.http.post("/oauth/token", json=body, headers={"auth0-forwarded-for": value})
        events = tenant.api("GET", f"/users/{user['user_id']}/logs")
        return next(event["ip"] for event in events if event["type"] == "sepft")

    here = address("198.51.100.7")
    assert here != "198.51.100.7"
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"is_token_endpoint_ip_header_trusted": True})
    assert address("198.51.100.7, 203.0.113.1") == "198.51.100.7"
    assert address("not an address") == here


# Private keys


@pytest.mark.parametrize("alg", ["RS256", "RS384", "PS256"])
def test_a_machine_signs_in_with_a_private_key_each_assertion_once(tenant, machine, alg):
    signs_in_by_key(tenant, machine, alg)
    good = assertion(tenant, machine, alg)
    assert exchange(tenant, good).status_code == 200
    assert refusal(exchange(tenant, good)) == (401, "invalid_client", "Client assertion was used before")
    other = "PS256" if alg != "PS256" else "RS256"
    assert exchange(tenant, assertion(tenant, machine, other)).status_code == 401
    # Its secret counts no more.
    assert ask(tenant, machine, grant_type="client_credentials", audience=ORDERS).status_code == 401


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exp": -60}, "Client assertion expired"),
        ({"exp": 4000}, "Client assertion lives too long"),
        ({"exp": "soon"}, "Client assertion expired"),
        ({"iat": 600}, "iat lies in the future"),
        ({"nbf": 600}, "nbf lies in the future"),
        ({"aud": "https://other.example/"}, "Invalid audience"),
        ({"sub": "other"}, "Issuer and subject must be the client_id"),
        ({"iss": "other"}, "Failed to verify client assertion"),
        ({"jti": ""}, "jti is missing or too long"),
        ({"jti": "x" * 65}, "jti is missing or too long"),
        ({"kid": "unknown"}, "Failed to verify client assertion"),
    ],
)
def test_an_assertion_that_breaks_a_rule_is_refused(tenant, machine, changes, problem):
    signs_in_by_key(tenant, machine)
    assert refusal(exchange(tenant, assertion(tenant, machine, **changes))) == (401, "invalid_client", problem)


def test_an_assertion_names_its_key_or_not(tenant, machine):
    made = signs_in_by_key(tenant, machine)
    assert exchange(tenant, assertion(tenant, machine, kid=made["kid"])).status_code == 200


def test_an_assertion_counts_for_its_own_application_and_a_living_key_alone(tenant, machine):
    made = signs_in_by_key(tenant, machine)
    other = new_client(tenant, name="Other")
    assert exchange(tenant, assertion(tenant, machine), client_id=other["client_id"]).status_code == 401
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 86_400))
    tenant.api("PATCH", f"/clients/{machine['client_id']}/credentials/{made['id']}", {"expires_at": tomorrow})
    assert exchange(tenant, assertion(tenant, machine)).status_code == 200
    tenant.advance_clock(90_000)
    assert exchange(tenant, assertion(tenant, machine, iat=90_000, exp=90_060)).status_code == 401


def test_a_key_that_is_registered_but_not_assigned_proves_nothing(tenant, machine):
    credential(tenant, machine)
    assert exchange(tenant, assertion(tenant, machine)).status_code == 401


@pytest.mark.parametrize(
    ("token", "status"), [("a.b.c", 401), ("x", 401), ("eyJhbGciOiJub25lIn0.W10.", 401), ("x" * 2049, 400)]
)
def test_what_is_no_assertion_is_refused(tenant, token, status):
    assert exchange(tenant, token).status_code == status
