"""Post-login Actions: really executed, in bound order, with Auth0's event and api objects."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from sandbox.login.pipeline import Pipeline, Refused
from sandbox.login.subject import Login
from sandbox.login.visitor import Visitor
from sandbox.tenant import Tenant
from tests.sandbox.web_login import (
    AUTH0_GRANT,
    CALLBACK,
    PASSWORD,
    Person,
    action,
    bind,
    claims,
    log_types,
    new_client,
    new_user,
)

CLAIM = "https://fernhill.example/"


def offer(tenant, *names):
    for name in ("otp", "sms", "email", "recovery-code"):
        tenant.api("PUT", f"/guardian/factors/{name}", {"enabled": name in names})


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    found.api("PUT", "/guardian/policies", [])
    offer(found, "otp", "sms")
    return found


@pytest.fixture
def client(tenant):
    return new_client(tenant, client_metadata={"level": "gold"})


@pytest.fixture
def user(tenant):
    return new_user(tenant, app_metadata={"plan": "free"})


@pytest.fixture
def person(tenant, client):
    return Person(tenant, client)


def give_totp(tenant, user):
    secret = pyotp.random_base32()
    tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", {"type": "totp", "totp_secret": secret})
    return secret


def secret_on(person):
    return person.page.text.split('id="secret">')[1].split("<")[0]


def claim_of(expression):
    """An Action that shows what it sees in a claim of the ID token."""
    return action(f"api.idToken.setCustomClaim('{CLAIM}seen', {expression});")


def seen(person):
    return person.id_claims()[f"{CLAIM}seen"]


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


# Second factors


def test_multifactor_enable_waits_for_the_end_of_the_flow(tenant, person, user):
    bind(tenant, action("api.multifactor.enable('any');"), claim_of("event.authentication.methods.map(m => m.name)"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-begin-enroll-options"
    person.submit(action="otp")
    secret = secret_on(person)
    person.submit(code=pyotp.TOTP(secret).now())
    assert seen(person) == ["pwd"]
    person.authorize()
    assert person.at == "/u/mfa-otp-challenge"


def test_a_browser_is_remembered_only_where_the_action_allows_it(tenant, person, user):
    secret = give_totp(tenant, user)
    bind(tenant, action("api.multifactor.enable('any', {allowRememberBrowser: true});"))
    person.sign_in(user["email"])
    person.submit(code=pyotp.TOTP(secret).now(), remember="true")
    assert "code" in (person.sign_in(user["email"], prompt="login") and person.answer)
    bind(tenant, action("api.multifactor.enable('any');"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-challenge"
    assert "Remember this device" not in person.text


def test_none_turns_the_tenants_policy_off_and_factor_commands_outrank_it(tenant, person, user):
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    bind(tenant, action("api.multifactor.enable('none');"))
    assert person.sign_in(user["email"])
    bind(tenant, action("api.authentication.enrollWith({type: 'phone'});"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-sms-enrollment"


def test_challenge_with_pauses_and_the_next_action_sees_the_result(tenant, person, user):
    secret = give_totp(tenant, user)
    code = "api.authentication.challengeWith({type: 'otp'});"
    bind(tenant, action(code), claim_of("event.authentication.methods.map(m => m.name + ':' + (m.type ?? ''))"))
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-challenge"
    person.submit(code=pyotp.TOTP(secret).now())
    assert seen(person) == ["pwd:", "mfa:otp"]


def test_enroll_with_shows_the_new_factor_to_the_next_action(tenant, person, user):
    bind(
        tenant,
        action("api.authentication.enrollWith({type: 'otp'}, {additionalFactors: [{type: 'phone'}]});"),
        claim_of("event.user.enrolledFactors.map(f => f.type)"),
    )
    person.sign_in(user["email"])
    assert person.at == "/u/mfa-otp-enrollment"
    person.submit(code=pyotp.TOTP(secret_on(person)).now())
    assert seen(person) == ["otp", "email"]


@pytest.mark.parametrize(
    "code",
    [
        "api.authentication.challengeWith({type: 'otp'});",
        "api.authentication.challengeWithAny([{type: 'webauthn-roaming'}, {type: 'email'}]);",
        "api.authentication.enrollWithAny([{type: 'email'}]);",
    ],
)
def test_a_login_fails_where_no_factor_can_be_used(tenant, person, user, code):
    bind(tenant, action(code))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"
    assert "mfar" in log_types(tenant, user["user_id"])


def test_who_has_a_factor_must_pass_it_before_enrolling_another(tenant, person, user):
    give_totp(tenant, user)
    bind(tenant, action("api.authentication.enrollWith({type: 'phone'});"))
    person.sign_in(user["email"])
    assert "Challenge with at least one existing factor" in person.answer["error_description"]


def test_the_fifth_factor_command_of_a_login_is_an_error(tenant, person, user):
    give_totp(tenant, user)
    bind(tenant, action("for (let i = 0; i < 5; i++) api.authentication.challengeWith({type: 'otp'});"))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"


def test_a_step_up_by_acr_values(tenant, person, user):
    secret = give_totp(tenant, user)
    acr = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    bind(tenant, action(f"if (event.transaction?.acr_values?.includes('{acr}')) api.multifactor.enable('any');"))
    assert person.sign_in(user["email"])
    assert not person.authorize(acr_values=acr)
    person.submit(code=pyotp.TOTP(secret).now())
    assert person.id_claims()["acr"] == acr


def test_rules_about_country_and_network_can_be_tried(tenant, client, user):
    bind(tenant, claim_of("[event.request.geoip.countryCode, event.request.ip]"))
    person = Person(tenant, client, **{"X-Sandbox-Country": "de", "X-Sandbox-IP": "203.0.113.9"})
    person.sign_in(user["email"])
    assert seen(person) == ["DE", "203.0.113.9"]


# Redirects


def test_an_action_sends_the_person_away_and_goes_on_when_they_are_back(tenant, person, user):
    away = (
        "const token = api.redirect.encodeToken({secret: event.secrets.KEY, payload: {wants: 'terms'}});"
        "api.redirect.sendUserTo('http://localhost:3999/terms', {query: {session_token: token}});"
    )
    back = f"api.idToken.setCustomClaim('{CLAIM}agreed', event.request.query.agreed);"
    bind(tenant, action(away, back), action(f"api.idToken.setCustomClaim('{CLAIM}last', true);"), secrets={"KEY": "k"})
    person.sign_in(user["email"])
    assert person.landed.startswith("http://localhost:3999/terms?session_token=")
    assert claims(person.answer["session_token"])["wants"] == "terms"
    state = person.answer["state"]
    person.open(f"/continue?state={state}&agreed=yes")
    body = person.id_claims()
    assert (body[f"{CLAIM}agreed"], body[f"{CLAIM}last"]) == ("yes", True)
    person.open(f"/continue?state={state}")
    assert person.page.status_code == 400


def test_the_continue_handler_may_deny(tenant, person, user):
    bind(tenant, action("api.redirect.sendUserTo('http://localhost:3999/terms');", "api.access.deny('Terms refused');"))
    person.sign_in(user["email"])
    person.open(f"/continue?state={person.answer['state']}")
    assert person.answer["error_description"] == "Terms refused"


# Without a browser


def password_login(tenant, client, user, **body):
    wanted = {
        "grant_type": "password",
        "username": user["email"],
        "password": PASSWORD,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "scope": "openid offline_access",
    }
    return tenant.http.post("/oauth/token", json={**wanted, **body})


def test_actions_run_for_password_and_refresh_grants_too(tenant, client, user):
    code = f"api.idToken.setCustomClaim('{CLAIM}p', event.transaction.protocol);"
    bind(tenant, action(code))
    first = password_login(tenant, client, user).json()
    assert claims(first["id_token"])[f"{CLAIM}p"] == "oauth2-password"
    body = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = tenant.http.post(
        "/oauth/token", json={**body, "client_id": client["client_id"], "client_secret": client["client_secret"]}
    )
    assert claims(second.json()["id_token"])[f"{CLAIM}p"] == "oauth2-refresh-token"


def test_a_refused_or_redirecting_action_refuses_the_password_grant(tenant, client, user):
    bind(tenant, action("api.access.deny('No robots');"))
    answer = password_login(tenant, client, user)
    assert answer.status_code == 403
    assert answer.json() == {"error": "access_denied", "error_description": "No robots"}
    bind(tenant, action("api.redirect.sendUserTo('http://localhost:3999/terms');"))
    assert password_login(tenant, client, user).json()["error"] == "interaction_required"


def test_a_refresh_that_an_action_wants_a_factor_for_is_paused(tenant, client, user):
    secret = give_totp(tenant, user)
    first = password_login(tenant, client, user).json()
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'});"))
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    body = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **credentials}
    answer = tenant.http.post("/oauth/token", json=body)
    assert answer.json()["error"] == "mfa_required"
    body = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": answer.json()["mfa_token"], **credentials}
    answer = tenant.http.post("/oauth/token", json={**body, "otp": pyotp.TOTP(secret).now()})
    assert answer.status_code == 200, answer.text


def test_a_silent_login_runs_the_actions_and_cannot_show_pages(tenant, person, user):
    person.sign_in(user["email"])
    bind(tenant, action("api.redirect.sendUserTo('http://localhost:3999/terms');"))
    person.authorize(prompt="none")
    assert person.answer["error"] == "interaction_required"


# Code that misbehaves: that login fails, the next one works


@pytest.mark.parametrize(
    "code",
    [
        "throw new Error('broken');",
        "throw 'a string';",
        "null.x;",
        "process.exit(0);",
        "const all = []; for (;;) all.push(new Array(1e6).fill('x'.repeat(10)));",
        "require('child_process').execSync('id');",
        "require('fs').readFileSync('/etc/passwd');",
        "process.kill(process.ppid, 'SIGKILL');",
    ],
    ids=["throws", "throws text", "null", "exit", "memory", "fork", "file", "kill"],
)
def test_an_action_that_misbehaves_fails_its_login_only(tenant, person, user, code):
    bind(tenant, action(code))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"
    assert person.answer["error_description"]
    assert log_types(tenant, user["user_id"])[0] == "f"
    bind(tenant, action(""))
    assert "code" in (person.sign_in(user["email"]) and person.answer)


def test_megabytes_of_log_are_cut_and_the_login_goes_on(tenant, person, user):
    bind(tenant, action("for (let i = 0; i < 3000; i++) console.log('x'.repeat(1000));"))
    person.sign_in(user["email"])
    assert "code" in person.answer
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=5, sort="date:-1")[0]
    (id,) = event["details"]["actions"]["executions"]
    (result,) = tenant.api("GET", f"/actions/executions/{id}")["results"]
    assert len(result["response"]["logs"]) < 100_000


@pytest.mark.parametrize(
    ("code", "reason"),
    [("for (;;);", "did not end in time"), ("await new Promise(() => {});", "can never finish")],
)
def test_an_action_that_never_ends_is_stopped_when_the_budget_is_used_up(code, reason):
    """In this process, with less than the 20 seconds that a login has."""
    tenant = Tenant("t", 9443, 9483, "m2m", "secret")
    user = {"user_id": "auth0|1", "identities": [], "created_at": "", "updated_at": ""}
    tenant.store.put("users", "auth0|1", user)
    at = Visitor("127.0.0.1")
    login = Login(
        tenant, {"client_id": "c"}, {"id": "con", "name": "db", "strategy": "auth0"}, "auth0|1", at, "oauth2-password"
    )
    bound = [
        {"id": "a", "name": "loop", "code": action(code), "secrets": {}},
        {"id": "b", "name": "never", "code": "x"},
    ]
    step = asyncio.run(Pipeline(login, bound, seconds_left=0.5).advance())
    assert isinstance(step, Refused)
    assert reason in step.description
