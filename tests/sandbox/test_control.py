"""The control surface below /_sandbox/: reset, state, conditions, requests, mail, phones, clock, and its page."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


def timed(act: Any) -> float:
    """Seconds of the fastest of three."""
    found = []
    for _ in range(3):
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return min(found)


def test_a_reset_undoes_everything(dev: Any) -> None:
    user_id = dev.user("helpdesk@larkspur.example")["user_id"]
    dev.api("DELETE", f"/users/{quote(user_id, safe='')}")
    dev.api("POST", "/roles", {"name": "short-lived"})
    dev.conditions(latency_ms=1)
    dev.advance_clock(3600)
    assert dev.http.post("/_sandbox/reset").status_code == 204
    assert dev.user("helpdesk@larkspur.example")["user_id"] == user_id
    assert "short-lived" not in [role["name"] for role in dev.api("GET", "/roles")]
    assert dev.control("GET", "conditions")["latency_ms"] == 0
    assert dev.control("GET", "clock")["offset_seconds"] == 0
    assert dev.mail() == []
    assert [r["path"] for r in dev.requests()] == ["/api/v2/users-by-email", "/api/v2/roles"]


def test_a_reset_to_another_seed_lasts_until_the_next_reset(dev: Any) -> None:
    dev.reset("factory")
    assert dev.api("GET", "/users") == []
    assert [c["name"] for c in dev.api("GET", "/connections")] == ["Username-Password-Authentication"]
    dev.reset()
    assert len(dev.api("GET", "/users")) == 50


@pytest.mark.parametrize("body", [b"{", b"[]", b'"demo"', b'{"seed": "nothing"}', b'{"seed": 5}', b'{"seeds": "demo"}'])
def test_a_bad_reset_changes_nothing(dev: Any, body: bytes) -> None:
    dev.api("POST", "/roles", {"name": "kept"})
    answer = dev.http.post("/_sandbox/reset", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert "kept" in [role["name"] for role in dev.api("GET", "/roles")]


def test_state_forks_a_tenant_into_another_and_back(sandbox: Any, dev: Any) -> None:
    staging = sandbox.tenant("staging")
    dev.api("POST", "/roles", {"name": "forked"})
    state = dev.control("GET", "state")
    staging.control("PUT", "state", state)
    assert "forked" in [role["name"] for role in staging.api("GET", "/roles")]
    assert staging.user("helpdesk@larkspur.example") == dev.user("helpdesk@larkspur.example")
    staging.api("POST", "/roles", {"name": "only-in-staging"})
    assert "only-in-staging" not in [role["name"] for role in dev.api("GET", "/roles")]
    dev.reset()
    dev.control("PUT", "state", state)
    assert "forked" in [role["name"] for role in dev.api("GET", "/roles")]


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        {},
        {"format": 2, "documents": {}},
        {"format": 1},
        {"format": 1, "documents": []},
        {"format": 1, "documents": {"users": []}},
        {"format": 1, "documents": {"users": {"a": 1}}},
    ],
)
def test_a_bad_state_is_refused_and_loses_nothing(dev: Any, state: Any) -> None:
    before = dev.user("helpdesk@larkspur.example")
    answer = dev.http.put("/_sandbox/state", json=state)
    assert answer.status_code == 400
    assert "documents" in answer.json()["error"]
    assert dev.user("helpdesk@larkspur.example") == before


def test_a_reset_of_the_demo_takes_less_than_a_tenth_of_a_second(dev: Any) -> None:
    assert timed(lambda: dev.http.post("/_sandbox/reset")) < 0.1


# Conditions


def test_latency_delays_each_answer(dev: Any) -> None:
    dev.conditions(latency_ms=120)
    started = time.monotonic()
    dev.api("GET", "/roles")
    assert time.monotonic() - started >= 0.12


def test_a_rate_limit_shows_three_headers_and_then_answers_429(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(rate_limit={"burst": 2, "per_second": 1})
    answers = [dev.http.get("/api/v2/roles", headers=headers) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
    assert {a.headers["x-ratelimit-limit"] for a in answers} == {"2"}
    assert abs(int(answers[2].headers["x-ratelimit-reset"]) - time.time()) < 3
    assert answers[2].json() == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "Global limit has been reached",
        "errorCode": "too_many_requests",
    }
    time.sleep(1.05)
    assert dev.http.get("/api/v2/roles", headers=headers).status_code == 200


def test_a_free_plan_limits_the_management_api_to_two_a_second(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(plan="free")
    answers = [dev.http.get("/api/v2/roles", headers=headers).status_code for _ in range(4)]
    assert answers[:2] == [200, 200]
    assert 429 in answers[2:]
    token = dev.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert token.headers["x-ratelimit-limit"] == "30"
    assert "x-ratelimit-limit" not in dev.http.get("/.well-known/jwks.json").headers


def test_a_professional_plan_has_a_limit_for_each_group_of_endpoints(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(plan="professional")
    limits = {
        path: dev.http.get(f"/api/v2/{path}", headers=headers).headers["x-ratelimit-limit"]
        for path in ("users", "clients", "connections", "logs", "roles")
    }
    assert limits == {"users": "40", "clients": "5", "connections": "5", "logs": "10", "roles": "10"}


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


# Requests, mail, phones, clock


def test_requests_are_listed_without_secrets(dev: Any) -> None:
    dev.forget_requests()
    dev.http.get("/v2/logout", params={"returnTo": "x", "id_token_hint": "secret-token"})
    dev.http.get("/api/v2/users/auth0%7Cnobody", headers=dev.authorization())
    *_, first, second = [r for r in dev.requests() if r["path"] != "/oauth/token"]
    assert first["path"] == "/v2/logout"
    assert first["query"] == {"returnTo": "x", "id_token_hint": "***"}
    assert (second["method"], second["path"], second["status"]) == ("GET", "/api/v2/users/auth0|nobody", 404)
    assert second["ms"] > 0
    dev.forget_requests()
    assert dev.requests() == []


def test_the_list_of_requests_is_bounded(dev: Any) -> None:
    for _ in range(1010):
        dev.http.get("/.well-known/jwks.json")
    assert len(dev.requests()) == 1000


def test_the_clock_moves_and_codes_move_with_it(dev: Any) -> None:
    method = {"type": "totp", "totp_secret": "JBSWY3DPEHPK3PXP"}
    user = dev.user("helpdesk@larkspur.example")
    dev.api("POST", f"/users/{quote(user['user_id'], safe='')}/authentication-methods", method)
    (before,) = dev.phones(email="helpdesk@larkspur.example")
    dev.advance_clock(86_400)
    (after,) = dev.phones(user_id=user["user_id"])
    assert before["type"] == "totp"
    assert len(before["code"]) == 6
    assert before["code"] != after["code"]
    assert dev.control("GET", "clock")["offset_seconds"] == 86_400


@pytest.mark.parametrize(
    "body", [{}, {"advance_seconds": "5"}, {"advance_seconds": True}, {"advance": 1}, {"advance_seconds": 1e12}, 5]
)
def test_a_bad_clock_is_refused(dev: Any, body: Any) -> None:
    assert dev.http.post("/_sandbox/clock", json=body).status_code == 400
    assert dev.control("GET", "clock")["offset_seconds"] == 0


def test_mail_is_in_the_box_with_a_working_link(dev: Any) -> None:
    user = dev.user("helpdesk@larkspur.example")
    dev.api("POST", "/jobs/verification-email", {"user_id": user["user_id"]})
    (mail,) = dev.mail(to="helpdesk@larkspur.example")
    assert mail["template"] == "verify_email"
    assert mail["link"].startswith(dev.browser_url)
    assert mail["link"] in mail["html"].replace("&amp;", "&")
    assert mail["link"] in mail["text"]
    assert dev.mail(to="nobody@larkspur.example") == []
    assert httpx.get(mail["link"], trust_env=False).status_code < 500


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"id": "x"}, 400), ({"id": "x", "state": "accepted"}, 404), ([], 400)]
)
def test_a_push_that_does_not_wait_can_not_be_answered(dev: Any, body: Any, status: int) -> None:
    assert dev.http.post("/_sandbox/phones", json=body).status_code == status


# The page


def test_the_page_shows_mail_codes_and_requests_and_loads_nothing_from_elsewhere(dev: Any) -> None:
    user = dev.user("helpdesk@larkspur.example")
    dev.api("POST", "/jobs/verification-email", {"user_id": user["user_id"]})
    answer = dev.http.get("/_sandbox/")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.text
    assert "Verify your email" in page
    assert "helpdesk@larkspur.example" in page
    assert "/api/v2/jobs/verification-email" in page
    assert 'src="http' not in page
    assert 'rel="stylesheet" href="http' not in page
    (mail,) = dev.mail(to="helpdesk@larkspur.example")
    message = dev.http.get(f"/_sandbox/mail/{mail['id']}").text
    assert mail["text"].split("\n")[0] in message
    framed = dev.http.get(f"/_sandbox/mail/{mail['id']}/html")
    assert "allow-scripts" not in framed.headers["content-security-policy"]
    assert dev.http.get("/_sandbox/mail/msg_nothing").status_code == 404
    assert dev.http.get("/_sandbox/files/console.css").headers["content-type"].startswith("text/css")
    assert dev.http.get("/_sandbox/files/__init__.py").status_code == 404


def test_html_in_what_people_write_stays_text_on_the_page(dev: Any) -> None:
    hostile = "<script>alert(1)</script>@x.example"
    page = dev.http.get("/_sandbox/", params={"email": hostile}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_pages_of_other_sites_may_link_to_the_surface_but_not_steer_it(dev: Any) -> None:
    cross = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert dev.http.post("/_sandbox/reset", headers=cross).status_code == 403
    assert dev.http.get("/_sandbox/state", headers=cross).status_code == 403
    linked = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
    assert dev.http.get("/_sandbox/", headers=linked).status_code == 200
    assert dev.http.get("/_sandbox/", headers={"host": "evil.example"}).status_code == 403


def test_unknown_places_and_methods_are_refused(dev: Any) -> None:
    assert dev.http.get("/_sandbox/nothing").status_code == 404
    assert dev.http.delete("/_sandbox/reset").status_code == 405
    assert dev.http.post("/_sandbox/clock", content=b"x" * 1_100_000).status_code == 413
