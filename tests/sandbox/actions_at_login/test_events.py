"""Post-login Actions: really executed, in bound order, with Auth0's event and api objects."""

from __future__ import annotations

from tests.sandbox.second_factors import CLAIM, claim_of, give_totp, seen
from tests.sandbox.web_login import (
    CALLBACK,
    action,
    bind,
    claims,
    log_types,
)

# What they see and set


def test_an_action_sees_the_event_as_auth0_builds_it(tenant, client, person, user):
    role = tenant.named("roles", "castellan-auditor")
    tenant.api("POST", f"/users/{user['user_id']}/roles", {"roles": [role["id"]]})
    give_totp(tenant, user)
    bind(
        tenant,
        claim_of("JSON.parse(JSON.stringify({...event, secrets: Object.keys(event.secrets)}))"),
        secrets={"KEY": "v"},
    )
    person.sign_in(user["email"], login_hint="me", acr_values="a b", scope="openid read:x", campaign="spring")
    event = seen(person)
    assert event["authorization"] == {"roles": ["castellan-auditor"]}
    assert event["client"] == {"client_id": client["client_id"], "name": "Login tests", "metadata": {"level": "gold"}}
    assert event["connection"]["strategy"] == "auth0"
    assert event["tenant"] == {"id": "dev"}
    assert event["secrets"] == ["KEY"]
    assert event["stats"] == {"logins_count": 1}
    assert event["authentication"]["methods"][0]["name"] == "pwd"
    transaction = event["transaction"]
    assert transaction["protocol"] == "oidc-basic-profile"
    assert transaction["acr_values"] == ["a", "b"]
    assert transaction["requested_scopes"] == ["openid", "read:x"]
    assert transaction["redirect_uri"] == CALLBACK
    assert transaction["login_hint"] == "me"
    assert event["request"]["ip"] == "127.0.0.1"
    assert event["request"]["query"]["campaign"] == "spring"
    assert "password" not in event["request"]["body"]
    assert event["user"]["app_metadata"] == {"plan": "free"}
    assert event["user"]["enrolledFactors"] == [{"type": "otp"}, {"type": "email"}]
    assert event["user"]["multifactor"] == ["guardian"]
    assert "_password" not in str(event)
    assert event["session"]["id"]


def test_actions_run_in_bound_order_and_a_later_claim_wins(tenant, person, user):
    first = action(f"api.idToken.setCustomClaim('{CLAIM}a', 1); api.idToken.setCustomClaim('{CLAIM}b', 1);")
    second = action(f"api.idToken.setCustomClaim('{CLAIM}b', 2); api.idToken.setCustomClaim('sub', 'evil');")
    bind(tenant, first, second)
    person.sign_in(user["email"])
    body = person.id_claims()
    assert (body[f"{CLAIM}a"], body[f"{CLAIM}b"]) == (1, 2)
    assert body["sub"] == user["user_id"]


def test_an_action_adds_claims_and_scopes_to_the_access_token(tenant, client, person, user):
    api = {
        "identifier": "https://orders.example/",
        "name": "Orders",
        "scopes": [{"value": "read:orders"}, {"value": "x"}],
        "skip_consent_for_verifiable_first_party_clients": True,
    }
    tenant.api("POST", "/resource-servers", api)
    code = f"api.accessToken.setCustomClaim('{CLAIM}t', [1]);"
    bind(tenant, action(code + "api.accessToken.addScope('x'); api.accessToken.removeScope('email');"))
    person.sign_in(user["email"], audience="https://orders.example/", scope="openid email read:orders other")
    body = claims(person.tokens()["access_token"])
    assert body["scope"] == "openid read:orders x"
    assert body[f"{CLAIM}t"] == [1]
    assert body["aud"] == ["https://orders.example/", f"{tenant.url}/userinfo"]


def test_metadata_is_written_once_at_the_end_and_null_removes(tenant, person, user):
    first = action("api.user.setAppMetadata('plan', null); api.user.setUserMetadata('colour', 'blue');")
    bind(tenant, first, claim_of("event.user.user_metadata.colour ?? 'not yet'"))
    person.sign_in(user["email"])
    assert seen(person) == "not yet"
    stored = tenant.user(user["email"])
    assert stored.get("app_metadata", {}) == {}
    assert stored["user_metadata"] == {"colour": "blue"}


def test_more_metadata_than_auth0_takes_fails_the_login(tenant, person, user):
    bind(tenant, action("api.user.setUserMetadata('big', 'x'.repeat(33000));"))
    person.sign_in(user["email"])
    assert person.answer["error_description"] == "user_metadata is larger than 32 kB"
    assert "user_metadata" not in tenant.user(user["email"])


def test_a_denied_login_ends_there_and_keeps_the_metadata(tenant, person, user):
    bind(
        tenant,
        action("api.user.setUserMetadata('tried', true); api.access.deny('Not today');"),
        action("throw new Error('never')"),
    )
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"
    assert person.answer["error_description"] == "Not today"
    assert tenant.user(user["email"])["user_metadata"] == {"tried": True}
    assert log_types(tenant, user["user_id"])[0] == "f"
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_a_validation_error_carries_the_actions_own_code(tenant, person, user):
    bind(tenant, action("api.validation.error('terms_not_accepted', 'Accept the terms first');"))
    person.sign_in(user["email"])
    assert person.answer["error"] == "terms_not_accepted"
    assert person.answer["error_description"] == "Accept the terms first"


def test_an_api_cache_lives_from_login_to_login(tenant, person, user):
    code = "const n = Number(api.cache.get('n')?.value ?? 0) + 1; api.cache.set('n', String(n));"
    bind(tenant, action(code + f"api.idToken.setCustomClaim('{CLAIM}seen', n);"))
    person.sign_in(user["email"])
    person.sign_in(user["email"], prompt="login")
    assert seen(person) == 2


def test_an_execution_is_kept_with_its_console_output(tenant, person, user):
    bind(tenant, action("console.log('hello', event.user.email);"))
    person.sign_in(user["email"])
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=5, sort="date:-1")[0]
    (id,) = event["details"]["actions"]["executions"]
    (result,) = tenant.api("GET", f"/actions/executions/{id}")["results"]
    assert "hello mira.test@fernhill.example" in result["response"]["logs"]


def test_only_the_deployed_version_runs(tenant, person, user):
    (id,) = bind(tenant, claim_of("'old'"))
    tenant.api("PATCH", f"/actions/actions/{id}", {"code": claim_of("'new'")})
    person.sign_in(user["email"])
    assert seen(person) == "old"
    tenant.api("GET", f"/actions/actions/{id}")
    tenant.api("POST", f"/actions/actions/{id}/deploy")
    person.sign_in(user["email"], prompt="login")
    assert seen(person) == "new"
