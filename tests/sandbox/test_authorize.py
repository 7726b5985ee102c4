"""What a tenant's settings change at /authorize and in the tokens that follow."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from joserfc.jws import extract_compact

from tests.sandbox.second_factors import claim_of, seen
from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import CALLBACK, LOGGED_OUT, PASSWORD, Person, bind, claims, log_types, new_client

# Which API


@pytest.mark.parametrize(("profile", "audience"), [("audience", ""), ("compatibility", ORDERS)])
def test_resource_names_the_api_where_the_tenant_says_so(tenant, person, user, profile, audience):
    orders_api(tenant)
    tenant.api("PATCH", "/tenants/settings", {"resource_parameter_profile": profile})
    person.sign_in(user["email"], resource=ORDERS)
    token = person.tokens()["access_token"]
    assert (claims(token)["aud"][0] if token.count(".") == 2 else "") == audience
    grant = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "resource": ORDERS}
    token = ask(tenant, person.client, **grant).json()["access_token"]
    assert (token.count(".") == 2) is bool(audience)


def test_audience_is_heard_before_resource_and_the_default_last(tenant, person, user):
    orders_api(tenant)
    default = {"resource_parameter_profile": "compatibility", "default_audience": ORDERS}
    tenant.api("PATCH", "/tenants/settings", default)
    person.sign_in(user["email"])
    assert claims(person.tokens()["access_token"])["aud"][0] == ORDERS
    person.authorize(audience=f"{tenant.url}/userinfo", resource="https://nobody.example/")
    assert person.tokens()["access_token"].count(".") == 4
    person.authorize(resource="https://nobody.example/")
    assert person.answer["error_description"] == "Service not found: https://nobody.example/"


@pytest.mark.parametrize("policy", ["require_client_grant", "deny_all"])
def test_an_api_chooses_the_applications_that_may_call_it_for_people(tenant, client, person, user, policy):
    orders_api(tenant, subject_type_authorization={"user": {"policy": policy}, "client": {"policy": "deny_all"}})
    password = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "audience": ORDERS}
    refused = f'Client "{client["client_id"]}" is not authorized to access resource server "{ORDERS}".'
    person.authorize(audience=ORDERS)
    assert (person.answer["error"], person.answer["error_description"]) == ("access_denied", refused)
    assert refusal(ask(tenant, client, **password)) == (403, "access_denied", refused)
    for subject in ("user", "client"):
        grant = {"client_id": client["client_id"], "audience": ORDERS, "scope": ["read:orders"]}
        tenant.api("POST", "/client-grants", {**grant, "subject_type": subject})
    machine = ask(tenant, client, grant_type="client_credentials", audience=ORDERS)
    assert refusal(machine)[:2] == (403, "access_denied")
    answer = ask(tenant, client, **password)
    if policy == "deny_all":
        assert refusal(answer)[:2] == (403, "access_denied")
    else:
        assert answer.json()["scope"] == "read:orders"  # no more than the grant


# How tokens are signed


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "HS256"])
def test_access_tokens_are_signed_as_their_api_wants(tenant, client, user, algorithm):
    api = orders_api(tenant, signing_alg=algorithm)
    grant = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "audience": ORDERS}
    token = ask(tenant, client, **grant).json()["access_token"]
    # The tenant's keys sign in more than one way: whoever checks the algorithm takes it out of the key set.
    tenant.api("PATCH", "/tenants/settings", {"flags": {"remove_alg_from_jwks": True}})
    keys = KeySet.import_key_set(tenant.http.get("/.well-known/jwks.json").json())
    key = OctKey.import_key(api["signing_secret"]) if algorithm == "HS256" else keys
    assert jwt.decode(token, key, algorithms=[algorithm]).claims["sub"] == user["user_id"]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "HS256"])
def test_id_tokens_are_signed_as_their_application_wants(tenant, person, user, algorithm):
    body = {"jwt_configuration": {"alg": algorithm, "lifetime_in_seconds": 60}}
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", body)
    person.sign_in(user["email"])
    token = person.tokens()["id_token"]
    assert extract_compact(token.encode()).headers()["alg"] == algorithm
    assert claims(token)["exp"] == claims(token)["iat"] + 60
    if algorithm == "HS256":
        jwt.decode(token, OctKey.import_key(person.client["client_secret"]), algorithms=["HS256"])
    else:  # the tenant itself takes it as a hint
        person.open(f"/oidc/logout?id_token_hint={token}&post_logout_redirect_uri={LOGGED_OUT}")
        assert person.landed == LOGGED_OUT


# What the application and the Actions hear


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post", "web_message"])
def test_the_issuer_is_named_in_answers_where_the_tenant_says_so(tenant, person, user, mode):
    person.sign_in(user["email"])
    assert "iss" not in person.answer
    tenant.api("PATCH", "/tenants/settings", {"authorization_response_iss_parameter_supported": True})
    person.authorize(prompt="none", response_mode=mode)
    issuer = f"https://localhost:{tenant.https_port}/"
    if mode in ("query", "fragment"):
        assert ("#" in person.landed) is (mode == "fragment")
        assert person.answer["iss"] == issuer
    else:
        assert issuer in person.page.text
        assert CALLBACK.rpartition("/")[0] in person.page.text


def test_actions_hear_the_languages_and_the_screen_that_were_asked_for(tenant, person, user):
    bind(tenant, claim_of("[event.transaction.ui_locales, event.transaction.locale, event.request.query.screen_hint]"))
    person.sign_in(user["email"], ui_locales="fr-FR en", screen_hint="login")
    assert seen(person) == [["fr-FR", "en"], "fr-FR", "login"]


def test_the_login_page_knows_the_hint_and_forgotten_passwords_have_their_own(person):
    person.authorize(login_hint="mira.test@fernhill.example")
    assert 'value="mira.test@fernhill.example"' in person.page.text
    person.authorize(screen_hint="reset_password")
    assert person.at == "/u/reset-password/request"


def test_a_first_callback_stands_in_for_one_that_is_left_out(tenant, person, user):
    person.sign_in(user["email"], redirect_uri="")
    assert person.landed.startswith(CALLBACK)
    assert person.exchange(redirect_uri="").status_code == 200
    lonely = Person(tenant, new_client(tenant, callbacks=[]))
    lonely.authorize(redirect_uri="")
    assert "Missing required parameter: redirect_uri" in lonely.text
    lonely.authorize(client_id="")
    assert "Missing required parameter: client_id" in lonely.text


def test_a_refused_silent_login_is_in_the_log(tenant, person):
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"
    assert log_types(tenant)[0] == "fsa"
