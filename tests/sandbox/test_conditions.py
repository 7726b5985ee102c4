"""The weather of a tenant: latency, rate limits by plan, faults, and what the limits leave in the log."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from sandbox import seed, users
from sandbox.login import mfa
from sandbox.tenant import Tenant
from tests.sandbox.web_login import PASSWORD, new_client, new_user


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


def test_latency_delays_each_answer(dev: Any) -> None:
    dev.conditions(latency_ms=120)
    started = time.monotonic()
    dev.api("GET", "/roles")
    assert time.monotonic() - started >= 0.12


def test_a_rate_limit_shows_three_headers_and_then_answers_429(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(rate_limit={"burst": 2, "per_second": 0.001})
    before = time.time()
    answers = [dev.http.get("/api/v2/roles", headers=headers) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
    assert {a.headers["x-ratelimit-limit"] for a in answers} == {"2"}
    assert before + 1000 <= int(answers[2].headers["x-ratelimit-reset"]) <= time.time() + 1001
    assert answers[2].json() == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "Global limit has been reached",
        "errorCode": "too_many_requests",
    }
    dev.conditions(rate_limit={"burst": 1, "per_second": 20})
    assert dev.http.get("/api/v2/roles", headers=headers).status_code == 200
    time.sleep(0.05)
    assert dev.http.get("/api/v2/roles", headers=headers).status_code == 200


def test_a_free_plan_limits_the_management_api_to_two_a_second(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(plan="free")
    answers = [dev.http.get("/api/v2/roles", headers=headers).status_code for _ in range(20)]
    assert answers[:2] == [200, 200]
    assert 429 in answers[2:]
    token = dev.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert token.headers["x-ratelimit-limit"] == "30"
    assert "x-ratelimit-limit" not in dev.http.get("/.well-known/jwks.json").headers


@pytest.mark.parametrize(
    ("plan", "limits"),
    [
        ("free", {"GET users": 2, "POST clients": 2, "GET logs": 2, "GET prompts/login/partials": 5}),
        (
            "professional",
            {
                "GET users": 40,
                "GET users-by-email?email=x": 40,
                "POST users": 20,
                "GET clients": 5,
                "POST clients": 10,
                "GET connections": 5,
                "GET logs": 10,
                "GET organizations": 5,
                "POST organizations": 5,
                "GET roles": 10,
                "GET prompts/login/partials": 5,
            },
        ),
        ("enterprise", {"GET users": 50, "POST clients": 50, "GET roles": 50, "POST keys/signing/rotate": 5}),
        ("enterprise-non-production", {"GET users": 10, "POST organizations": 10}),
    ],
)
def test_a_plan_has_a_limit_for_each_group_of_endpoints(dev: Any, plan: str, limits: dict[str, int]) -> None:
    headers = dev.authorization()
    dev.conditions(plan=plan)
    for endpoint, limit in limits.items():
        method, path = endpoint.split(" ")
        answer = dev.http.request(method, f"/api/v2/{path}", headers=headers)
        told = (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"])
        assert told[0] == str(limit), endpoint
    for path, limit in {"/oauth/token": {"free": 30, "professional": 25}.get(plan, 100)}.items():
        assert dev.http.post(path, json={}).headers["x-ratelimit-limit"] == str(limit)


def test_signing_keys_are_rotated_five_times_a_day(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(plan="enterprise")
    answers = [dev.http.post("/api/v2/keys/signing/rotate", headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert int(answers[5].headers["retry-after"]) > 4 * 3600


def test_the_log_tells_of_a_limit_when_it_is_near_and_when_it_is_passed_once_a_minute(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(rate_limit={"burst": 5, "per_second": 0})
    for _ in range(8):
        dev.http.get("/api/v2/roles", headers=headers)
    dev.http.post("/oauth/token", json={})
    dev.conditions(rate_limit=None)
    # The demo's people run into limits of other kinds, at some hours a moment ago.
    latest = dev.api("GET", "/logs", per_page=20, sort="date:-1")
    events = [event for event in latest if event["type"].startswith("api_limit")]
    assert [event["type"] for event in events[:2]] == ["api_limit", "api_limit_warning"]
    assert not [event for event in events[2:] if event["details"].get("burst") == 5]
    assert events[0]["details"] == {"limit": "management", "burst": 5, "method": "GET", "path": "/api/v2/roles"}


# Limits of one user


def test_a_users_profile_is_asked_for_ten_times_and_then_five_times_a_minute(dev: Any) -> None:
    client, people = new_client(dev), [new_user(dev), new_user(dev, "omar.test@fernhill.example")]
    bearers = [{"Authorization": f"Bearer {signed_in(dev, client, user).json()['access_token']}"} for user in people]
    assert {dev.http.get("/userinfo", headers=bearers[0]).status_code for _ in range(12)} == {200}
    dev.conditions(plan="enterprise")
    answers = [dev.http.get("/userinfo", headers=bearers[0]) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert [answer.headers.get_list("x-ratelimit-remaining") for answer in answers[:2]] == [["9"], ["8"]]
    assert answers[10].json()["error"] == "too_many_requests"
    assert dev.http.get("/userinfo", headers=bearers[1]).status_code == 200
    dev.advance_clock(12)
    assert [dev.http.get("/userinfo", headers=bearers[0]).status_code for _ in range(2)] == [200, 429]


def test_a_user_logs_in_from_one_address_twenty_times_and_then_ten_times_a_minute(dev: Any) -> None:
    client, user, other = new_client(dev), new_user(dev), new_user(dev, "omar.test@fernhill.example")
    dev.conditions(plan="enterprise")
    statuses = [signed_in(dev, client, user).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert signed_in(dev, client, other).status_code == 200
    elsewhere = {"auth0-forwarded-for": "203.0.113.9", "X-Sandbox-IP": "203.0.113.9"}
    assert signed_in(dev, client, user, headers=elsewhere).status_code == 200
    dev.advance_clock(6)
    assert [signed_in(dev, client, user).status_code for _ in range(2)] == [200, 429]


def signed_in(tenant: Any, client: dict[str, Any], user: dict[str, Any], **options: Any) -> Any:
    """The answer to the password grant."""
    names = ("client_id", "client_secret")
    wanted = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": "openid"}
    return tenant.http.post("/oauth/token", json={**{name: client[name] for name in names}, **wanted}, **options)


@pytest.fixture
def local() -> Tenant:
    """A tenant in this process with one user."""
    tenant = Tenant("dev", 9443, 9483, "machine", "secret")
    users.prepare(tenant)
    seed.apply(tenant, "factory")
    tenant.store.put("users", "auth0|ada", {"user_id": "auth0|ada", "email": "ada@larkspur.example", "identities": []})
    return tenant


@pytest.mark.parametrize(
    ("factor", "burst", "seconds"), [("phone", 10, 3600), ("email", 20, 60), ("push-notification", 5, 12)]
)
def test_messages_with_codes_are_sent_to_a_user_so_often_and_then_slowly(
    local: Tenant, factor: str, burst: int, seconds: int
) -> None:
    user = local.store.get("users", "auth0|ada") or {}
    for _ in range(burst):
        mfa.start(local, user, factor)
    with pytest.raises(mfa.TooManyAttempts):
        mfa.start(local, user, factor)
    local.set_clock(seconds)
    mfa.start(local, user, factor)
    with pytest.raises(mfa.TooManyAttempts):
        mfa.start(local, user, factor)


@pytest.mark.parametrize("kind", ["otp", "recovery"])
def test_codes_are_guessed_ten_times_an_hour(local: Tenant, kind: str) -> None:
    guess = {"otp": mfa.totp_fits, "recovery": mfa.recovery_fits}[kind]
    for _ in range(10):
        assert not guess(local, "auth0|ada", "000000")
    with pytest.raises(mfa.TooManyAttempts):
        guess(local, "auth0|ada", "000000")
    newest = list(local.store.all("logs"))[-1]
    assert newest["type"] == f"gd_{kind}_rate_limit_exceed"
    local.set_clock(3601)
    assert not guess(local, "auth0|ada", "000000")


# What all share


def test_the_authentication_api_has_a_429_of_its_own_form(dev: Any) -> None:
    dev.conditions(rate_limit={"burst": 1, "per_second": 0})
    body = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    assert dev.http.post("/oauth/token", json=body).status_code != 429
    limited = dev.http.post("/oauth/token", json=body)
    assert limited.status_code == 429
    assert limited.json()["error"] == "too_many_requests"
    assert "X-RateLimit-Limit" in limited.json()["error_description"]


def test_a_fault_answers_as_often_as_it_says(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(faults=[{"method": "GET", "path": "/api/v2/users/*", "status": 503, "times": 2}])
    answers = [dev.http.get("/api/v2/users/auth0%7Cx", headers=headers) for _ in range(3)]
    assert [a.status_code for a in answers] == [503, 503, 404]
    assert answers[0].json()["statusCode"] == 503
    assert dev.control("GET", "conditions")["faults"] == []


def test_a_fault_after_the_act_loses_the_answer_but_not_the_act(dev: Any) -> None:
    dev.conditions(faults=[{"method": "POST", "path": "/api/v2/roles", "status": 502, "after": True}])
    answer = dev.http.post("/api/v2/roles", json={"name": "made-anyway"}, headers=dev.authorization())
    assert answer.status_code == 502
    assert "made-anyway" in [role["name"] for role in dev.api("GET", "/roles")]


def test_a_lost_answer_without_a_status_is_a_gateways(dev: Any) -> None:
    dev.conditions(faults=[{"method": "POST", "path": "/api/v2/roles", "hang_seconds": 0.05, "after": True}])
    answer = dev.http.post("/api/v2/roles", json={"name": "made-anyway"}, headers=dev.authorization())
    assert answer.status_code == 504
    assert "made-anyway" in [role["name"] for role in dev.api("GET", "/roles")]


def test_a_limit_that_hardly_ever_refills_is_told_as_a_day(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(rate_limit={"burst": 1, "per_second": 1e-310})
    answers = [dev.http.get("/api/v2/roles", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "86400"


def test_a_hanging_request_runs_into_the_clients_time_out_and_others_are_served(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(faults=[{"path": "/api/v2/roles", "hang_seconds": 5}])
    results: list[Any] = []

    def hang() -> None:
        try:
            results.append(dev.http.get("/api/v2/roles", headers=headers, timeout=0.3))
        except httpx.TimeoutException as problem:
            results.append(problem)

    thread = threading.Thread(target=hang)
    thread.start()
    time.sleep(0.1)
    assert dev.http.get("/api/v2/clients", headers=headers).status_code == 200
    thread.join()
    assert isinstance(results[0], httpx.TimeoutException)


@pytest.mark.parametrize(
    "body",
    [
        5,
        [],
        {"latency": 5},
        {"latency_ms": "5"},
        {"latency_ms": -1},
        {"latency_ms": True},
        {"rate_limit": 5},
        {"rate_limit": {"burst": 1}},
        {"rate_limit": {"burst": 1, "per_second": "x"}},
        {"plan": "platinum"},
        {"plan": "free", "rate_limit": {"burst": 1, "per_second": 1}},
        {"faults": {}},
        {"faults": [{}]},
        {"faults": [{"status": 200}]},
        {"faults": [{"status": 500, "times": 0}]},
        {"faults": [{"status": 500, "often": 3}]},
        {"faults": [{"status": 500, "path": 3}]},
    ],
)
def test_bad_conditions_are_refused_whole_with_what_to_send_instead(dev: Any, body: Any) -> None:
    dev.conditions(latency_ms=1)
    answer = dev.http.post("/_sandbox/conditions", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert dev.control("GET", "conditions")["latency_ms"] == 1


def test_conditions_not_named_stay_and_null_clears(dev: Any) -> None:
    dev.conditions(latency_ms=1, plan="enterprise")
    dev.conditions(search_lag_seconds=2)
    assert dev.control("GET", "conditions")["plan"] == "enterprise"
    dev.conditions(plan=None, latency_ms=None)
    cleared = dev.control("GET", "conditions")
    assert (cleared["plan"], cleared["latency_ms"], cleared["search_lag_seconds"]) == (None, 0, 2)
