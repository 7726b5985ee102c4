"""Tokens bound to a key that the application proves to hold (DPoP)."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.sandbox.second_factors import give_totp, offer
from tests.sandbox.signing import from_now
from tests.sandbox.token_endpoint import ORDERS, orders_api, refusal
from tests.sandbox.web_login import AUTH0_GRANT, PASSWORD, Person, claims, new_client

KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
NEEDED = (400, "invalid_request", "A DPoP proof is required for this client or API")


def proof(tenant, path="/oauth/token", method="POST", key=KEY, head=None, **changes):
    """A proof; a claim of None is left out."""
    body = {"jti": str(time.time_ns()), "htm": method, "htu": f"{tenant.url}{path}", "iat": 0}
    body = from_now({name: value for name, value in {**body, **changes}.items() if value is not None})
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(head or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, body, key, algorithms=["ES256", "RS256"])


def ask(tenant, client, made="", **body):
    secret = {"client_id": client["client_id"], "client_secret": client.get("client_secret", "")}
    headers = {"DPoP": made} if made else {}
    return tenant.http.post("/oauth/token", data={k: v for k, v in {**secret, **body}.items() if v}, headers=headers)


def password(user, scope="openid offline_access", **more):
    return {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": scope, **more}


@pytest.fixture
def machine(tenant, client):
    """An application that asks for tokens of the orders API, which takes proofs."""
    orders_api(tenant, proof_of_possession={"mechanism": "dpop", "required": False})
    tenant.api("POST", "/client-grants", {"client_id": client["client_id"], "audience": ORDERS, "scope": []})
    return client


def tokens_of_machine(tenant, machine, made=""):
    return ask(tenant, machine, made, grant_type="client_credentials", audience=ORDERS)


# Proofs


def test_a_machine_gets_a_token_that_is_bound_to_its_key(tenant, machine):
    answer = tokens_of_machine(tenant, machine, proof(tenant)).json()
    assert answer["token_type"] == "DPoP"
    assert claims(answer["access_token"])["cnf"] == {"jkt": KEY.thumbprint()}
    answer = tokens_of_machine(tenant, machine).json()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in claims(answer["access_token"])


def test_a_proof_counts_once(tenant, machine):
    made = proof(tenant)
    assert tokens_of_machine(tenant, machine, made).status_code == 200
    again = tokens_of_machine(tenant, machine, made)
    assert refusal(again) == (400, "invalid_dpop_proof", "The DPoP proof was used before")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"htm": "GET"}, "htm is not the method"),
        ({"htu": "https://elsewhere.example/oauth/token"}, "htu is not the address"),
        ({"jti": None}, "jti is missing"),
        ({"jti": "x" * 300}, "jti is missing or too long"),
        ({"iat": None}, "iat is missing"),
        ({"iat": -400}, "too old"),
        ({"iat": 600}, "in the future"),
        ({"head": {"typ": "JWT"}}, "typ must be dpop+jwt"),
        ({"head": {"jwk": None}}, "jwk must be a public key"),
        ({"head": {"jwk": KEY.as_dict(private=True)}}, "jwk must be a public key"),
        ({"head": {"jwk": {**KEY.as_dict(private=False), "x": "!"}}}, "jwk must be a public key"),
        ({"head": {"jwk": OTHER.as_dict(private=False)}}, "signature of the DPoP proof could not be verified"),
    ],
)
def test_a_proof_that_breaks_a_rule_is_refused(tenant, machine, changes, problem):
    status, error, description = refusal(tokens_of_machine(tenant, machine, proof(tenant, **changes)))
    assert (status, error) == (400, "invalid_dpop_proof")
    assert problem in description


def test_what_is_no_proof_is_refused(tenant, machine):
    rsa = RSAKey.generate_key(2048)
    by_rsa = proof(tenant, key=rsa, head={"alg": "RS256"})
    for made in ("x", "a.b.c", by_rsa, proof(tenant) + "x" * 5000):
        assert refusal(tokens_of_machine(tenant, machine, made))[:2] == (400, "invalid_dpop_proof")
    headers = [("DPoP", proof(tenant)), ("DPoP", proof(tenant))]
    body = {"grant_type": "client_credentials", "audience": ORDERS, "client_id": machine["client_id"]}
    body["client_secret"] = machine["client_secret"]
    assert tenant.http.post("/oauth/token", data=body, headers=headers).status_code == 400


def test_a_public_application_puts_the_tenants_nonce_into_its_proofs(tenant, user):
    public = new_client(tenant, token_endpoint_auth_method="none")
    public.pop("client_secret", None)
    refused = ask(tenant, public, proof(tenant), **password(user))
    assert refusal(refused) == (400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof")
    nonce = refused.headers["dpop-nonce"]
    assert ask(tenant, public, proof(tenant, nonce=nonce), **password(user)).json()["token_type"] == "DPoP"
    assert refusal(ask(tenant, public, proof(tenant, nonce="made up"), **password(user)))[1] == "use_dpop_nonce"


# Whose tokens are bound: docs, Configure Sender Constraining


@pytest.mark.parametrize(
    ("required_by_client", "proven", "expected"),
    [(False, False, "Bearer"), (False, True, "DPoP"), (True, False, ""), (True, True, "DPoP")],
)
def test_tokens_for_userinfo_alone(tenant, client, user, required_by_client, proven, expected):
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"require_proof_of_possession": required_by_client})
    answer = ask(tenant, client, proof(tenant) if proven else "", **password(user))
    assert answer.json()["token_type"] == expected if expected else refusal(answer) == NEEDED


@pytest.mark.parametrize(
    ("required_by_client", "proven", "policy", "expected"),
    [
        (False, False, "none", "Bearer"),
        (False, True, "none", "Bearer"),
        (True, False, "none", ""),
        (True, True, "none", ""),
        (False, False, "allowed", "Bearer"),
        (False, True, "allowed", "DPoP"),
        (True, False, "allowed", ""),
        (True, True, "allowed", "DPoP"),
        (False, False, "required", ""),
        (False, True, "required", "DPoP"),
        (True, False, "required", ""),
        (True, True, "required", "DPoP"),
        (False, False, "required of public ones", "Bearer"),
        (False, True, "mtls", ""),
    ],
)
def test_tokens_for_an_api(tenant, client, user, required_by_client, proven, policy, expected):
    policies = {
        "none": None,
        "allowed": {"mechanism": "dpop", "required": False},
        "required": {"mechanism": "dpop", "required": True},
        "required of public ones": {"mechanism": "dpop", "required": True, "required_for": "public_clients"},
        "mtls": {"mechanism": "mtls", "required": True},
    }
    orders_api(tenant, **({"proof_of_possession": policies[policy]} if policies[policy] else {}))
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"require_proof_of_possession": required_by_client})
    answer = ask(tenant, client, proof(tenant) if proven else "", **password(user, audience=ORDERS))
    assert answer.json()["token_type"] == expected if expected else refusal(answer) == NEEDED


def test_nobody_proves_a_key_in_a_browser(tenant, person, user):
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", {"require_proof_of_possession": True})
    person.authorize(response_type="token")
    assert person.answer["error"] == "invalid_request"


# The key goes along


def test_a_code_is_for_the_key_that_was_announced(tenant, client, user):
    def exchanged(key):
        person = Person(tenant, client)
        person.sign_in(user["email"], dpop_jkt=KEY.thumbprint())
        body = {"grant_type": "authorization_code", "code": person.answer["code"], "code_verifier": person.verifier}
        made = proof(tenant, key=key) if key else ""
        return ask(tenant, client, made, **body, redirect_uri="http://localhost:3999/callback")

    assert exchanged(KEY).json()["token_type"] == "DPoP"
    assert refusal(exchanged(OTHER))[:2] == (400, "invalid_dpop_proof")
    assert refusal(exchanged(None))[:2] == (400, "invalid_dpop_proof")


def test_a_proof_that_is_pushed_announces_the_key(tenant, client):
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": True})

    def push(**body):
        secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
        headers = {"DPoP": proof(tenant, "/oauth/par")}
        return tenant.http.post("/oauth/par", data={**secret, "response_type": "code", **body}, headers=headers)

    assert push().status_code == 201
    assert push(dpop_jkt=KEY.thumbprint()).status_code == 201
    assert refusal(push(dpop_jkt=OTHER.thumbprint()))[:2] == (400, "invalid_dpop_proof")


def test_a_refresh_token_stays_with_its_key(tenant, client, user):
    token = ask(tenant, client, proof(tenant), **password(user)).json()["refresh_token"]
    grant = {"grant_type": "refresh_token", "refresh_token": token}
    assert ask(tenant, client, proof(tenant), **grant).json()["token_type"] == "DPoP"
    assert refusal(ask(tenant, client, proof(tenant, key=OTHER), **grant))[1] == "invalid_dpop_proof"
    assert refusal(ask(tenant, client, **grant))[1] == "invalid_dpop_proof"
    free = ask(tenant, client, **password(user)).json()["refresh_token"]
    assert ask(tenant, client, **{**grant, "refresh_token": free}).json()["token_type"] == "Bearer"


def test_the_key_counts_after_a_second_factor_too(tenant, client, user):
    offer(tenant, "otp")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    give_totp(tenant, user)
    waiting = ask(tenant, client, proof(tenant), **password(user)).json()
    code = next(phone["code"] for phone in tenant.phones(email=user["email"]) if phone["type"] == "totp")
    grant = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": waiting["mfa_token"], "otp": code}
    assert ask(tenant, client, proof(tenant), **grant).json()["token_type"] == "DPoP"


# /userinfo


def test_userinfo_takes_a_bound_token_with_a_proof_of_its_key(tenant, client, user):
    token = ask(tenant, client, proof(tenant), **password(user)).json()["access_token"]
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")

    def userinfo(scheme="DPoP", access_token=token, **changes):
        made = proof(tenant, **{"path": "/userinfo", "method": "GET", "ath": ath, **changes})
        headers = {"Authorization": f"{scheme} {access_token}", "DPoP": made}
        return tenant.http.get("/userinfo", headers=headers)

    assert userinfo().json()["sub"] == user["user_id"]
    free = ask(tenant, client, **password(user)).json()["access_token"]
    free_hash = base64.urlsafe_b64encode(hashlib.sha256(free.encode()).digest()).decode().rstrip("=")
    for answer, error in [
        (userinfo(scheme="Bearer"), "invalid_token"),
        (userinfo(key=OTHER), "invalid_token"),
        (userinfo(access_token=free, ath=free_hash), "invalid_token"),
        (userinfo(ath=None), "invalid_dpop_proof"),
        (userinfo(ath="x"), "invalid_dpop_proof"),
        (userinfo(path="/oauth/token"), "invalid_dpop_proof"),
        (tenant.http.get("/userinfo", headers={"Authorization": f"DPoP {token}"}), "invalid_token"),
    ]:
        assert (answer.status_code, answer.json()["error"]) == (401, error)
        assert answer.headers["www-authenticate"].startswith("DPoP ")
        assert 'algs="ES256"' in answer.headers["www-authenticate"]
