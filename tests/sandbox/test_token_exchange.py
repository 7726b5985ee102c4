"""Custom token exchange: the profile's Action says whose the subject token is, and the tenant answers with its own."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.second_factors import give_totp, offer
from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import AUTH0_GRANT, CONNECTION, action, bind, claims, enable, log_types

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
KIND = "urn:partner:token"
# The tests' subject tokens are JSON that says what to call.
CODE = """
exports.onExecuteCustomTokenExchange = async (event, api) => {
  const wanted = JSON.parse(event.transaction.subject_token);
  if (wanted.crash) throw new Error("no");
  if (wanted.deny) api.access.deny(...wanted.deny);
  if (wanted.reject) api.access.rejectInvalidSubjectToken(wanted.reject);
  if (wanted.id) api.authentication.setUserById(wanted.id);
  if (wanted.seen) api.authentication.setUserById(eval(wanted.seen));
  if (wanted.user) api.authentication.setUserByConnection(...wanted.user);
  if (wanted.organization) api.authentication.setOrganization(wanted.organization);
  if (wanted.metadata) api.user.setAppMetadata("from", wanted.metadata);
};
"""


def make_action(tenant, code=CODE):
    body = {"name": "exchange", "code": code, "supported_triggers": [{"id": "custom-token-exchange", "version": "v1"}]}
    made = tenant.api("POST", "/actions/actions", body)
    tenant.api("GET", f"/actions/actions/{made['id']}")
    tenant.api("POST", f"/actions/actions/{made['id']}/deploy")
    return made["id"]


@pytest.fixture
def partner(tenant, client):
    """An application that may exchange tokens of the kind KIND."""
    profile = {"name": "partner", "subject_token_type": KIND, "type": "custom_authentication"}
    tenant.api("POST", "/token-exchange-profiles", {**profile, "action_id": make_action(tenant)})
    allowed = {"token_exchange": {"allow_any_profile_of_type": ["custom_authentication"]}}
    tenant.api("PATCH", f"/clients/{client['client_id']}", allowed)
    return client


def exchange(tenant, client, subject, **body):
    wanted = {"grant_type": GRANT, "subject_token_type": KIND, "subject_token": json.dumps(subject)}
    return ask(tenant, client, **{**wanted, **body})


def test_the_user_whom_the_action_names_gets_tokens(tenant, partner, user):
    orders_api(tenant)
    scope = "openid email offline_access read:orders"
    subject = {"id": user["user_id"], "metadata": "partner"}
    answer = exchange(tenant, partner, subject, audience=ORDERS, scope=scope).json()
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert (answer["token_type"], answer["scope"]) == ("Bearer", scope)
    body = claims(answer["access_token"])
    assert (body["sub"], body["gty"], body["azp"]) == (user["user_id"], GRANT, partner["client_id"])
    assert claims(answer["id_token"])["email"] == user["email"]
    assert answer["refresh_token"]
    assert tenant.user(user["email"])["app_metadata"]["from"] == "partner"
    assert log_types(tenant, user["user_id"])[0] == "secte"


def test_post_login_actions_run_and_know_the_exchange(tenant, partner, user):
    bind(tenant, action("api.idToken.setCustomClaim('https://x.example/p', event.transaction.protocol)"))
    answer = exchange(tenant, partner, {"id": user["user_id"]}, scope="openid").json()
    assert claims(answer["id_token"])["https://x.example/p"] == "oauth2-token-exchange"


@pytest.mark.parametrize(
    ("expression", "sees"),
    [
        ("event.client.client_id", lambda client: client["client_id"]),
        ("event.transaction.subject_token_type", lambda client: KIND),
        ("event.transaction.requested_scopes.join()", lambda client: "openid,email"),
        ("event.resource_server.identifier", lambda client: ORDERS),
        ("event.request.body.campaign", lambda client: "spring"),
        ("event.tenant.id", lambda client: "dev"),
    ],
)
def test_the_action_sees_the_request(tenant, partner, expression, sees):
    orders_api(tenant)
    name = {"connection": CONNECTION, "email": "seen@fernhill.example", "password": "Larkspur-demo-1"}
    tenant.api("POST", "/users", {**name, "user_id": sees(partner)})
    subject = {"seen": f"'auth0|' + {expression}"}
    answer = exchange(tenant, partner, subject, audience=ORDERS, scope="openid email", campaign="spring")
    assert claims(answer.json()["id_token"])["sub"] == f"auth0|{sees(partner)}"


def test_a_user_of_a_connection_is_made_and_changed_as_the_action_says(tenant, partner):
    attributes = {"user_id": "p-1", "email": "pat@partner.example", "email_verified": True, "name": "Pat"}

    def asked(changes, creation="create_if_not_exists", update="none"):
        options = {"creationBehavior": creation, "updateBehavior": update}
        return exchange(tenant, partner, {"user": [CONNECTION, {**attributes, **changes}, options]}, scope="openid")

    assert refusal(asked({}, creation="none")) == (400, "invalid_request", "The user does not exist")
    assert claims(asked({}).json()["id_token"])["sub"] == "auth0|p-1"
    assert tenant.user("pat@partner.example")["name"] == "Pat"
    asked({"name": "Patricia"})
    assert tenant.user("pat@partner.example")["name"] == "Pat"
    asked({"name": "Patricia"}, update="replace")
    assert tenant.user("pat@partner.example")["name"] == "Patricia"
    assert refusal(asked({"email": "other@partner.example"}, update="replace"))[:2] == (400, "invalid_request")
    assert not tenant.mail("pat@partner.example")
    asked({"user_id": "p-2", "email": "kim@partner.example", "email_verified": False})
    assert tenant.mail("kim@partner.example")[0]["template"] == "verify_email"


def test_an_organization_is_asked_for_or_named_by_the_action(tenant, partner, user):
    tenant.api("PATCH", f"/clients/{partner['client_id']}", {"organization_usage": "allow"})
    made = tenant.api("POST", "/organizations", {"name": "fernhill", "display_name": "Fernhill"})
    subject = {"id": user["user_id"]}
    assert refusal(exchange(tenant, partner, subject, organization=made["id"]))[:2] == (403, "access_denied")
    tenant.api("POST", f"/organizations/{made['id']}/members", {"members": [user["user_id"]]})
    asked = exchange(tenant, partner, subject, organization=made["id"], scope="openid").json()
    named = exchange(tenant, partner, {**subject, "organization": made["id"]}, scope="openid").json()
    assert claims(asked["id_token"])["org_id"] == claims(named["id_token"])["org_id"] == made["id"]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({}, (400, "invalid_request", "The Action has to call setUserById or setUserByConnection once")),
        ({"id": "auth0|nobody"}, (400, "invalid_request", "The user does not exist")),
        ({"reject": "bad token"}, (400, "invalid_request", "bad token")),
        ({"deny": ["no_partner", "Not a partner"]}, (400, "no_partner", "Not a partner")),
        ({"crash": True}, (400, "access_denied", "no")),
        (
            {"user": ["nowhere", {"user_id": "1"}]},
            (400, "invalid_request", "The connection does not exist, or imports its users"),
        ),
        ({"user": [CONNECTION, {}]}, (400, "invalid_request", "setUserByConnection needs a user_id")),
        (
            {"organization": "fernhill", "id": "self"},
            (400, "invalid_request", "parameter organization is not allowed for this client"),
        ),
    ],
)
def test_what_the_action_does_wrong_or_refuses_is_said(tenant, partner, user, subject, expected):
    subject = {**subject, "id": user["user_id"]} if subject.get("id") == "self" else subject
    assert refusal(exchange(tenant, partner, subject)) == expected
    assert log_types(tenant)[0] == "fecte"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"subject_token_type": None}, (400, "invalid_request")),
        ({"subject_token_type": "urn:unknown:token"}, (400, "invalid_request")),
        ({"subject_token": None}, (400, "invalid_request")),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"}, (400, "invalid_request")),
        ({"actor_token": "x"}, (400, "invalid_request")),
        ({"audience": "https://nobody.example/"}, (403, "access_denied")),
        ({"client_secret": "wrong"}, (401, "access_denied")),
    ],
)
def test_a_request_that_is_wrong_is_refused(tenant, partner, user, changes, expected):
    assert refusal(exchange(tenant, partner, {"id": user["user_id"]}, **changes))[:2] == expected


def test_an_api_that_people_have_to_be_asked_about_is_out_of_reach(tenant, partner, user):
    orders_api(tenant, skip_consent_for_verifiable_first_party_clients=False)
    answer = exchange(tenant, partner, {"id": user["user_id"]}, audience=ORDERS)
    assert refusal(answer)[:2] == (403, "consent_required")


@pytest.mark.parametrize("settings", [{"token_exchange": None}, {"is_first_party": False}, {"oidc_conformant": False}])
def test_an_application_that_is_not_allowed_to_exchange_is_told_so(tenant, partner, user, settings):
    tenant.api("PATCH", f"/clients/{partner['client_id']}", settings)
    assert refusal(exchange(tenant, partner, {"id": user["user_id"]}))[:2] == (403, "unauthorized_client")


def test_blocked_users_and_foreign_connections_get_nothing(tenant, partner, user):
    made = {"connection": "larkspur-customers", "email": "c@fernhill.example", "password": "Larkspur-demo-1"}
    customer = tenant.api("POST", "/users", made)
    assert refusal(exchange(tenant, partner, {"id": customer["user_id"]}))[:2] == (400, "invalid_request")
    enable(tenant, partner, "larkspur-customers")
    assert exchange(tenant, partner, {"id": customer["user_id"]}).status_code == 200
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    assert refusal(exchange(tenant, partner, {"id": user["user_id"]}))[:2] == (403, "unauthorized")


def test_ten_bad_subject_tokens_stop_an_address_for_a_while(tenant, partner, user):
    for _ in range(10):
        assert exchange(tenant, partner, {"reject": "bad"}).status_code == 400
    good = {"id": user["user_id"]}
    assert refusal(exchange(tenant, partner, good))[:2] == (429, "too_many_attempts")
    tenant.advance_clock(601)
    assert exchange(tenant, partner, good).status_code == 200


def test_a_second_factor_is_asked_for_over_the_mfa_api(tenant, partner, user):
    offer(tenant, "otp")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    give_totp(tenant, user)
    waiting = exchange(tenant, partner, {"id": user["user_id"]}, scope="openid")
    assert refusal(waiting)[:2] == (403, "mfa_required")
    code = next(phone["code"] for phone in tenant.phones(email=user["email"]) if phone["type"] == "totp")
    grant = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": waiting.json()["mfa_token"], "otp": code}
    assert ask(tenant, partner, **grant).json()["id_token"]
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'})"))
    assert refusal(exchange(tenant, partner, {"id": user["user_id"]}))[:2] == (400, "invalid_request")
