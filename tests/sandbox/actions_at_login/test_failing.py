"""Post-login Actions without a browser, and those that misbehave."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from sandbox.login.pipeline import Pipeline, Refused
from sandbox.login.subject import Login
from sandbox.login.visitor import Visitor
from sandbox.tenant import Tenant
from tests.sandbox.second_factors import CLAIM, give_totp
from tests.sandbox.web_login import (
    AUTH0_GRANT,
    PASSWORD,
    action,
    bind,
    claims,
    log_types,
)

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
    ("code", "seconds", "reason"),
    [("for (;;);", 0.5, "did not end in time"), ("await new Promise(() => {});", 20.0, "can never finish")],
)
def test_an_action_that_never_ends_is_stopped_when_the_budget_is_used_up(code, seconds, reason):
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
    step = asyncio.run(Pipeline(login, bound, seconds_left=seconds).advance())
    assert isinstance(step, Refused)
    assert reason in step.description
