"""The control surface below /_sandbox/: reset, state, conditions, requests, mail, phones, clock, and its page."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import httpx
import pyotp
import pytest

from sandbox import app, mailbox, seed, users
from sandbox.tenant import Tenant

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


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
    with closing(HTTPConnection("localhost", dev.http_port)) as connection:
        for _ in range(1010):
            connection.request("GET", "/.well-known/openid-configuration")
            connection.getresponse().read()
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
    assert dev.mail(to="Helpdesk@larkspur.example") == [mail]
    assert dev.mail(to="nobody@larkspur.example") == []
    dev.api("PATCH", f"/users/{quote(user['user_id'], safe='')}", {"email_verified": False})
    assert dev.http.get(mail["link"], follow_redirects=True).status_code == 200
    assert dev.user("helpdesk@larkspur.example")["email_verified"] is True


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"id": "x"}, 400), ({"id": "x", "state": "accepted"}, 404), ([], 400)]
)
def test_a_push_that_does_not_wait_can_not_be_answered(dev: Any, body: Any, status: int) -> None:
    assert dev.http.post("/_sandbox/phones", json=body).status_code == status


def test_a_part_of_the_state_is_put_back_and_the_rest_stays(dev: Any, caller: dict[str, Any]) -> None:
    before = dev.control("GET", "state")["documents"]
    user = dev.user("helpdesk@larkspur.example")
    dev.api("PATCH", f"/users/{user['user_id']}", {"nickname": "Changed"})
    dev.api("POST", "/roles", {"name": "stays"})
    dev.control(
        "PATCH",
        "state",
        {"documents": {"users": {user["user_id"]: before["users"][user["user_id"]], caller["user_id"]: None}}},
    )
    del before["users"][caller["user_id"]]
    assert dev.control("GET", "state")["documents"]["users"] == before["users"]
    assert dev.user("helpdesk@larkspur.example")["nickname"] == user["nickname"]
    assert dev.named("roles", "stays")


@pytest.mark.parametrize(
    "body", [{}, [], {"documents": []}, {"documents": {"users": {"x": 1}}}, {"documents": {}, "x": 1}]
)
def test_an_odd_part_of_a_state_changes_nothing(dev: Any, body: Any) -> None:
    answer = dev.http.patch("/_sandbox/state", json=body)
    assert (answer.status_code, "documents" in answer.json()["error"]) == (400, True)


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


def test_the_page_of_a_person_shows_texts_pushes_and_codes_and_takes_the_answer_to_a_push() -> None:
    tenant = Tenant("dev", 9443, 9483, "machine", "secret")
    users.prepare(tenant)
    seed.apply(tenant, "factory")
    tenant.store.put("users", "auth0|ada", {"user_id": "auth0|ada", "email": "ada@larkspur.example", "identities": []})
    factors: list[dict[str, Any]] = [
        {"type": "totp", "_secret": SECRET},
        {"type": "phone", "phone_number": "+15550100123"},
        {"type": "push-notification"},
    ]
    for factor in factors:
        document = {"id": f"{factor['type']}|dev_1", "user_id": "auth0|ada", "confirmed": True, **factor}
        tenant.store.put("authentication_methods", document["id"], document)
    mailbox.send(tenant, "ada@larkspur.example", "mfa_oob_code", "Your code is 135790", "<p>135790</p>", "135790")
    mailbox.text(tenant, "+15550100123", "Your verification code is: 246801", "246801")
    mailbox.text(tenant, "+15550109999", "Your verification code is: 999999", "999999")
    push = mailbox.push(tenant, "auth0|ada", "Sign in to dev?", "push_1")

    async def visit() -> tuple[str, Any, httpx.Response, str, str]:
        transport = httpx.ASGITransport(app.create(tenant))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9483") as http:
            page = await http.get("/_sandbox/", params={"email": "ada@larkspur.example"})
            phones = await http.get("/_sandbox/phones", params={"email": "ada@larkspur.example"})
            answered = await http.post("/_sandbox/phones", data={"id": push["id"], "state": "accepted"})
            after = await http.get("/_sandbox/", params={"email": "ada@larkspur.example"})
            return page.text, phones.json(), answered, after.text, (await http.get("/_sandbox/")).text

    page, shown, answered, after, everyone = asyncio.run(visit())
    for part in ("Your code is 135790", "246801", "Sign in to dev?", ">Accept<"):
        assert part in page
    assert "999999" not in page
    assert "999999" in everyone
    by_type = {entry["type"]: entry for entry in shown}
    assert pyotp.TOTP(SECRET).verify(by_type["totp"]["code"], valid_window=1)
    assert any(pyotp.TOTP(SECRET).verify(code, valid_window=1) for code in re.findall(r">(\d{6})<", page))
    assert [message["code"] for message in by_type["phone"]["messages"]] == ["246801"]
    assert [message["id"] for message in by_type["push-notification"]["messages"]] == [push["id"]]
    assert answered.status_code == 303
    assert "accepted" in after
    assert ">Accept<" not in after


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


def test_each_tenant_signs_with_random_keys_of_its_own_and_refuses_anothers_tokens(sandbox: Any, dev: Any) -> None:
    staging = sandbox.tenant("staging")
    found = [tenant.http.get("/.well-known/jwks.json").json()["keys"] for tenant in (dev, staging)]
    numbers = {key["n"] for keys in found for key in keys}
    assert len(numbers) == len(found[0]) + len(found[1])
    assert staging.http.get("/api/v2/roles", headers=dev.authorization()).status_code == 401


def test_unknown_places_and_methods_are_refused(dev: Any) -> None:
    assert dev.http.get("/_sandbox/nothing").status_code == 404
    assert dev.http.delete("/_sandbox/reset").status_code == 405
    assert dev.http.post("/_sandbox/clock", content=b"x" * 1_100_000).status_code == 413
