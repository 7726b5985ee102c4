"""What post-login Actions keep and change beyond claims: cache, sessions, refresh tokens, forms, the primary user."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from sandbox.login.pipeline import BUDGET_SECONDS, Pipeline
from sandbox.login.steps import NeedsRedirect
from sandbox.login.subject import Login
from sandbox.login.visitor import Visitor
from sandbox.tenant import Tenant
from tests.sandbox.second_factors import CLAIM, claim_of, give_totp, seen, totp
from tests.sandbox.web_login import CONNECTION, Person, action, bind, claims, log_types, new_client, new_user

AWAY = "http://localhost:3999/terms"
HOUR_SECONDS = 3600


def exchange(tenant, client, refresh_token):
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client["client_id"]}
    return tenant.http.post("/oauth/token", json={**body, "client_secret": client["client_secret"]})


def milliseconds(tenant, seconds):
    return int((time.time() + tenant.control("GET", "clock")["offset_seconds"] + seconds) * 1000)


def at(tenant, seconds):
    return datetime.fromtimestamp(milliseconds(tenant, seconds) / 1000, UTC).isoformat()


# Cache and metadata


def test_the_actions_of_a_trigger_share_the_cache(tenant, person, user):
    bind(tenant, action("api.cache.set('from', 'the first', {ttl: 60000});"), claim_of("api.cache.get('from')?.value"))
    person.sign_in(user["email"])
    assert seen(person) == "the first"
    tenant.advance_clock(61)
    bind(tenant, claim_of("api.cache.get('from') ?? 'gone'"))
    person.sign_in(user["email"], prompt="login")
    assert seen(person) == "gone"


def test_transaction_metadata_goes_from_action_to_action_and_ends_with_the_login(tenant, person, user):
    first = action("api.transaction.setMetadata('step', 1); if (event.transaction.metadata.step !== 1) throw 'late';")
    bind(tenant, first, claim_of("event.transaction.metadata"))
    person.sign_in(user["email"])
    assert seen(person) == {"step": 1}
    bind(tenant, claim_of("event.transaction.metadata"))
    person.authorize()
    assert seen(person) == {}


@pytest.mark.parametrize(
    "call", ["setMetadata('k'.repeat(65), 1)", "setMetadata('k', 'v'.repeat(8001))", "setMetadata('k', {})"]
)
def test_transaction_metadata_has_its_limits(tenant, person, user, call):
    bind(tenant, action(f"api.transaction.{call};"))
    person.sign_in(user["email"])
    assert person.answer["error"] == "access_denied"


# Sessions


def test_an_action_shortens_a_session_and_the_earliest_call_counts(tenant, person, user):
    soon, later, never = (milliseconds(tenant, n * HOUR_SECONDS) for n in (1, 2, 9999))
    code = f"api.session.setExpiresAt({later}).session.setExpiresAt({soon}).session.setIdleExpiresAt({never});"
    bind(tenant, action(code))
    person.sign_in(user["email"])
    (session,) = tenant.api("GET", f"/users/{user['user_id']}/sessions")["sessions"]
    assert session["expires_at"] == session["idle_expires_at"]
    bind(tenant, action(""))
    tenant.advance_clock(HOUR_SECONDS + 60)
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"


def test_an_action_writes_on_the_session_and_reads_it_at_the_next_login(tenant, person, user):
    bind(tenant, action("api.session.setMetadata('shop', 'north'); api.session.setMetadata('till', '7');"))
    person.sign_in(user["email"])
    bind(tenant, claim_of("event.session.metadata"), action("api.session.deleteMetadata('till');"))
    person.authorize()
    assert seen(person) == {"shop": "north", "till": "7"}
    person.authorize()
    assert seen(person) == {"shop": "north"}
    bind(tenant, claim_of("event.session.metadata"), action("api.session.evictMetadata();"))
    person.authorize()
    person.authorize()
    assert seen(person) == {}


def test_the_cookie_of_a_session_may_end_with_the_browser(tenant, person, user):
    bind(tenant, action("api.session.setCookieMode('persistent'); api.session.setCookieMode('non-persistent');"))
    person.sign_in(user["email"])
    (cookie,) = [cookie for cookie in person.http.cookies.jar if cookie.name == "auth0-dev"]
    assert cookie.expires is None
    (session,) = tenant.api("GET", f"/users/{user['user_id']}/sessions")["sessions"]
    assert session["cookie"] == {"mode": "non-persistent"}


@pytest.mark.parametrize(("options", "survives"), [("", False), (", {preserveRefreshTokens: true}", True)])
def test_a_revoked_session_takes_its_refresh_tokens_along_unless_told_otherwise(
    tenant, client, person, user, options, survives
):
    person.sign_in(user["email"], scope="openid offline_access")
    refresh_token = person.tokens()["refresh_token"]
    bind(tenant, action(f"api.session.revoke('Too old'{options});"))
    person.authorize()
    assert person.answer["error_description"] == "Too old"
    assert tenant.api("GET", f"/users/{user['user_id']}/sessions")["sessions"] == []
    bind(tenant, action(""))
    assert exchange(tenant, client, refresh_token).is_success == survives


# Refresh tokens


def test_an_action_writes_on_the_refresh_token_and_reads_it_at_the_exchange(tenant, client, person, user):
    bind(tenant, action("api.refreshToken.setMetadata('device', 'till 7');"))
    person.sign_in(user["email"], scope="openid offline_access")
    refresh_token = person.tokens()["refresh_token"]
    bind(tenant, claim_of("event.refresh_token.metadata"), action("api.refreshToken.deleteMetadata('device');"))
    first = exchange(tenant, client, refresh_token).json()
    assert claims(first["id_token"])[f"{CLAIM}seen"] == {"device": "till 7"}
    second = exchange(tenant, client, refresh_token).json()
    assert claims(second["id_token"])[f"{CLAIM}seen"] == {}


def test_an_action_shortens_a_refresh_token_and_never_lengthens_it(tenant, client, person, user):
    expiring = {"rotation_type": "non-rotating", "expiration_type": "expiring", "leeway": 0}
    lifetimes = {"token_lifetime": HOUR_SECONDS, "idle_token_lifetime": HOUR_SECONDS // 2}
    ending = {"infinite_token_lifetime": False, "infinite_idle_token_lifetime": False}
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"refresh_token": {**expiring, **lifetimes, **ending}})
    bind(tenant, action(f"api.refreshToken.setExpiresAt({milliseconds(tenant, 9 * HOUR_SECONDS)});"))
    person.sign_in(user["email"], scope="openid offline_access")
    refresh_token = person.tokens()["refresh_token"]
    (kept,) = tenant.api("GET", f"/users/{user['user_id']}/refresh-tokens")["tokens"]
    assert kept["expires_at"] < at(tenant, 2 * HOUR_SECONDS)
    soon = milliseconds(tenant, 60)
    bind(tenant, action(f"api.refreshToken.setExpiresAt({soon}).refreshToken.setExpiresAt({soon + 60_000});"))
    assert exchange(tenant, client, refresh_token).is_success
    bind(tenant, action(""))
    tenant.advance_clock(90)
    assert exchange(tenant, client, refresh_token).json()["error"] == "invalid_grant"


def test_an_action_revokes_the_refresh_token_that_is_exchanged_and_no_other_login(tenant, client, person, user):
    person.sign_in(user["email"], scope="openid offline_access")
    refresh_token = person.tokens()["refresh_token"]
    bind(tenant, action("api.refreshToken.revoke('Device retired');"))
    person.authorize()
    assert "code" in person.answer
    answer = exchange(tenant, client, refresh_token)
    assert answer.json()["error_description"] == "Device retired"
    bind(tenant, action(""))
    assert exchange(tenant, client, refresh_token).json()["error"] == "invalid_grant"


def test_the_event_tells_of_organization_api_session_and_refresh_token(tenant, user):
    organization = tenant.api("POST", "/organizations", {"name": "harbour", "metadata": {"dock": "4"}})
    connection = {"connection_id": tenant.named("connections", CONNECTION)["id"]}
    tenant.api("POST", f"/organizations/{organization['id']}/enabled_connections", connection)
    tenant.api("POST", f"/organizations/{organization['id']}/members", {"members": [user["user_id"]]})
    api = {"identifier": "https://orders.example/", "name": "Orders", "allow_offline_access": True}
    tenant.api("POST", "/resource-servers", {**api, "skip_consent_for_verifiable_first_party_clients": True})
    client = new_client(tenant, organization_usage="allow")
    wanted = "({organization, resource_server, session, refresh_token, transaction: {protocol}})"
    shown = "({organization, resource_server, session, refresh_token, protocol})"
    bind(tenant, claim_of(f"({wanted} => {shown})(event)"))
    person = Person(tenant, client)
    asked = {"organization": organization["id"], "audience": api["identifier"], "scope": "openid offline_access"}
    person.sign_in(user["email"], **asked)
    tokens = person.tokens()
    first = claims(tokens["id_token"])[f"{CLAIM}seen"]
    assert first["organization"]["metadata"] == {"dock": "4"}
    assert first["resource_server"] == {"identifier": "https://orders.example/"}
    assert "refresh_token" not in first
    event = claims(exchange(tenant, client, tokens["refresh_token"]).json()["id_token"])[f"{CLAIM}seen"]
    assert event["protocol"] == "oauth2-refresh-token"
    assert event["session"]["id"] == first["session"]["id"] == event["refresh_token"]["session_id"]
    assert event["session"]["cookie"] == {"mode": "persistent"}
    assert event["refresh_token"]["resource_servers"][0]["audience"] == "https://orders.example/"
    assert event["refresh_token"]["device"]["initial_ip"] == "127.0.0.1"


# Leaving and coming back


def test_each_pause_brings_a_new_request_to_the_event(tenant, person, user):
    secret = give_totp(tenant, user)
    away = action(
        "api.redirect.sendUserTo('http://localhost:3999/terms');",
        f"api.idToken.setCustomClaim('{CLAIM}seen', [event.request.method, event.request.query.agreed]);",
    )
    request = "event.request.method + (event.request.query.campaign ?? '') + (event.request.body.code ?? '')"
    shown = f"api.idToken.setCustomClaim('{CLAIM}after', {request});"
    bind(tenant, action("api.authentication.challengeWith({type: 'otp'});"), action(shown), away)
    person.sign_in(user["email"], campaign="spring")
    person.submit(code=totp(secret))
    person.open(f"/continue?state={person.answer['state']}&agreed=yes")
    body = person.id_claims()
    assert body[f"{CLAIM}seen"] == ["GET", "yes"]
    assert body[f"{CLAIM}after"] == "POST"


def test_a_custom_method_is_recorded_for_the_session(tenant, person, user):
    record = "api.authentication.recordMethod('https://factors.example/face');"
    bind(tenant, action(f"api.redirect.sendUserTo('{AWAY}');", record), claim_of("event.authentication.methods"))
    person.sign_in(user["email"])
    person.open(f"/continue?state={person.answer['state']}")
    assert [method["name"] for method in seen(person)] == ["pwd", "https://factors.example/face"]
    bind(tenant, claim_of("event.authentication.methods.map(m => m.name)"))
    person.authorize()
    assert seen(person) == ["pwd", "https://factors.example/face"]
    bind(tenant, action(record))
    person.authorize()
    assert "recordMethod is not a function" in person.answer["error_description"]


def test_the_time_before_a_pause_and_after_it_are_counted_apart():
    """In this process: the budget of a login that waits."""
    tenant = Tenant("t", 9443, 9483, "m2m", "secret")
    tenant.store.put("users", "auth0|1", {"user_id": "auth0|1", "identities": [], "created_at": "", "updated_at": ""})
    connection = {"id": "con", "name": "db", "strategy": "auth0"}
    login = Login(tenant, {"client_id": "c"}, connection, "auth0|1", Visitor("127.0.0.1"), "oidc-basic-profile")
    code = action(f"await new Promise((done) => setTimeout(done, 30)); api.redirect.sendUserTo('{AWAY}');")
    running = Pipeline(login, [{"id": "a", "name": "away", "code": code, "secrets": {}}])
    assert isinstance(asyncio.run(running.advance()), NeedsRedirect)
    assert running.seconds_left < BUDGET_SECONDS - 0.02
    running.factor_passed()
    assert running.seconds_left == BUDGET_SECONDS


# Forms


def form(tenant, *steps):
    nodes = [
        {
            "id": f"step_{number}",
            "type": "STEP",
            "config": {"components": components, "next_node": f"step_{number + 1}" if steps[number:] else "$ending"},
        }
        for number, components in enumerate(steps, 1)
    ]
    start = {"next_node": "step_1", "hidden_fields": [{"key": "source", "value": "login"}]}
    body = {"name": "About you", "nodes": nodes, "start": start, "ending": {"resume_flow": True}}
    return tenant.api("POST", "/forms", body)


def test_a_form_is_filled_in_step_by_step_and_the_action_goes_on(tenant, person, user):
    made = form(
        tenant,
        [
            {"id": "words", "category": "BLOCK", "type": "RICH_TEXT", "config": {"content": "<p>Hi {{vars.name}}</p>"}},
            {"id": "city", "category": "FIELD", "type": "TEXT", "label": "City", "required": True},
            {"id": "next", "category": "BLOCK", "type": "NEXT_BUTTON", "config": {"text": "Go on"}},
        ],
        [
            {
                "id": "size",
                "category": "FIELD",
                "type": "DROPDOWN",
                "label": "Size",
                "config": {"options": [{"value": "s", "label": "Small"}, {"value": "l", "label": "Large"}]},
            },
            {"id": "news", "category": "FIELD", "type": "BOOLEAN", "label": "News by mail", "config": {}},
        ],
    )
    render = f"api.prompt.render('{made['id']}', {{fields: {{city: 'Kiel'}}, vars: {{name: 'Mira'}}}});"
    bind(tenant, action(render, f"api.idToken.setCustomClaim('{CLAIM}seen', event.prompt);"))
    person.sign_in(user["email"])
    assert person.at == "/u/form"
    assert "Hi Mira" in person.text
    person.submit(city="")
    assert "Please fill in: City" in person.text
    person.submit(city="Bern")
    person.submit(size="xxl")
    assert "Please choose one of the values" in person.text
    person.submit(size="l", news="true")
    assert seen(person) == {
        "id": made["id"],
        "fields": {"source": "login", "city": "Bern", "size": "l", "news": True},
        "vars": {"name": "Mira"},
    }


def test_a_form_that_is_not_there_or_can_not_be_shown_refuses_the_login(tenant, person, user):
    person.sign_in(user["email"])
    made = form(tenant, [{"id": "city", "category": "FIELD", "type": "TEXT"}])
    for code, reason in (
        ("api.prompt.render('ap_unknown');", "The form ap_unknown does not exist"),
        (f"api.prompt.render('{made['id']}'); api.redirect.sendUserTo('{AWAY}');", "can't both render a form and"),
        (f"api.prompt.render('{made['id']}'); api.prompt.render('{made['id']}');", "can render one form only"),
    ):
        bind(tenant, action(code))
        person.authorize()
        assert reason in person.answer["error_description"]
    bind(tenant, action(f"api.prompt.render('{made['id']}');"))
    person.authorize(prompt="none")
    assert person.answer["error"] == "interaction_required"


# The primary user


def test_a_linked_account_goes_on_as_the_primary_one(tenant, person, user):
    primary = new_user(tenant, "primary@fernhill.example")
    back = f"api.authentication.setPrimaryUser('{primary['user_id']}'); api.user.setUserMetadata('linked', true);"
    bind(tenant, action(f"api.redirect.sendUserTo('{AWAY}');", back))
    person.sign_in(user["email"])
    linking = {"provider": "auth0", "user_id": user["user_id"]}
    tenant.api("POST", f"/users/{primary['user_id']}/identities", linking)
    person.open(f"/continue?state={person.answer['state']}")
    assert person.id_claims()["sub"] == primary["user_id"]
    assert tenant.user_by_id(primary["user_id"])["user_metadata"] == {"linked": True}


def test_a_linked_account_without_a_primary_user_ends_the_login(tenant, person, user):
    primary = new_user(tenant, "primary@fernhill.example")
    bind(tenant, action(f"api.redirect.sendUserTo('{AWAY}');", "api.idToken.setCustomClaim('x', 1);"))
    person.sign_in(user["email"])
    linking = {"provider": "auth0", "user_id": user["user_id"]}
    tenant.api("POST", f"/users/{primary['user_id']}/identities", linking)
    person.open(f"/continue?state={person.answer['state']}")
    assert "setPrimaryUser" in person.answer["error_description"]


def test_nobody_becomes_somebody_they_are_not_linked_to(tenant, person, user):
    stranger = new_user(tenant, "stranger@fernhill.example")
    bind(tenant, action(f"api.authentication.setPrimaryUser('{stranger['user_id']}');"))
    person.sign_in(user["email"])
    assert "not among the secondary identities" in person.answer["error_description"]
    assert log_types(tenant, user["user_id"])[0] == "f"
    bind(tenant, action("api.authentication.setPrimaryUser('auth0|nobody');"))
    person.sign_in(user["email"])
    assert "does not exist" in person.answer["error_description"]


# Executions


def test_an_execution_is_kept_for_ten_days(tenant, person, user):
    bind(tenant, action(""))
    person.sign_in(user["email"])
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=5, sort="date:-1")[0]
    (id,) = event["details"]["actions"]["executions"]
    tenant.advance_clock(9 * 86_400)
    assert tenant.api("GET", f"/actions/executions/{id}")["trigger_id"] == "post-login"
    tenant.advance_clock(86_400 + 60)
    answer = tenant.http.get(f"/api/v2/actions/executions/{id}", headers=tenant.authorization())
    assert answer.status_code == 404
