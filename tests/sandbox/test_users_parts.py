"""What hangs on a user: roles, organizations, factors, sessions, tokens, grants, blocks, tickets, events."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox import password_grant
from tests.sandbox.password_grant import CUSTOMERS

PASSWORD = "Larkspur-demo-2"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
API = "https://orders.larkspur.example"


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


@pytest.fixture
def user(dev: Any) -> Any:
    body = {"connection": CUSTOMERS, "email": "new@postbox.example", "password": PASSWORD, "email_verified": True}
    return dev.api("POST", "/users", body)


def call(tenant: Any, method: str, path: str, body: Any = None, **params: Any) -> Any:
    return tenant.http.request(method, f"/api/v2{path}", json=body, params=params, headers=tenant.authorization())


def one(user: dict[str, Any]) -> str:
    return f"/users/{quote(user['user_id'], safe='')}"


def signed_in(dev: Any, user: Any, scope: str = "openid offline_access") -> Any:
    """Tokens of a sign-in by password."""
    password_grant.allow(dev)
    client = dev.api("GET", f"/clients/{dev.client_id}")
    dev.api("PATCH", f"/clients/{dev.client_id}", {"grant_types": [*client["grant_types"], "refresh_token"]})
    answer = password_grant.ask(dev, user["email"], PASSWORD, scope=scope, audience=API)
    assert answer.is_success, answer.text
    return answer.json()


# Roles, permissions, organizations


def test_roles_are_assigned_listed_and_removed(dev: Any, user: Any) -> None:
    role = dev.named("roles", "store-manager")
    assert call(dev, "POST", f"{one(user)}/roles", {"roles": [role["id"]]}).status_code == 204
    assert dev.api("POST", f"{one(user)}/roles", {"roles": [role["id"]]}) is None
    listed = dev.api("GET", f"{one(user)}/roles", include_totals="true")
    assert [r["name"] for r in listed["roles"]] == ["store-manager"]
    assert listed["total"] == 1
    assert user["user_id"] in [u["user_id"] for u in dev.api("GET", f"/roles/{role['id']}/users", per_page=100)]
    effective = dev.api("GET", f"{one(user)}/effective-roles")["roles"]
    assert [(r["name"], r["sources"]) for r in effective] == [("store-manager", ["direct"])]
    dev.api("DELETE", f"{one(user)}/roles", {"roles": [role["id"]]})
    assert dev.api("GET", f"{one(user)}/roles") == []


def test_several_roles_are_assigned_all_or_none(dev: Any, user: Any) -> None:
    role = dev.named("roles", "store-manager")
    answer = call(dev, "POST", f"{one(user)}/roles", {"roles": [role["id"], "rol_nothing000000000"]})
    assert answer.status_code == 404
    assert dev.api("GET", f"{one(user)}/roles") == []
    for body in ({}, {"roles": []}, {"roles": "x"}):
        assert call(dev, "POST", f"{one(user)}/roles", body).status_code == 400


def test_permissions_come_directly_and_through_roles(dev: Any, user: Any) -> None:
    row = {"resource_server_identifier": API, "permission_name": "write:orders"}
    assert call(dev, "POST", f"{one(user)}/permissions", {"permissions": [row]}).status_code == 201
    role = dev.named("roles", "store-manager")
    dev.api("POST", f"{one(user)}/roles", {"roles": [role["id"]]})
    (direct,) = dev.api("GET", f"{one(user)}/permissions")
    assert direct["permission_name"] == "write:orders"
    assert direct["resource_server_name"] == "Orders API"
    assert direct["sources"] == [{"source_id": "", "source_name": "", "source_type": "DIRECT"}]
    path = f"{one(user)}/effective-permissions"
    found = dev.api("GET", path, resource_server_identifier=API)["permissions"]
    assert {p["permission_name"]: p["sources"] for p in found} == {
        "read:orders": ["roles"],
        "refund:orders": ["roles"],
        "write:orders": ["direct"],
    }
    source = {"resource_server_identifier": API, "permission_name": "read:orders"}
    roles = dev.api("GET", f"{path}/sources/effective-roles", **source)["roles"]
    assert [r["name"] for r in roles] == ["store-manager"]
    dev.api("DELETE", f"{one(user)}/permissions", {"permissions": [row]})
    assert dev.api("GET", f"{one(user)}/permissions") == []


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"resource_server_identifier": "https://nowhere.example", "permission_name": "read:orders"}, 404),
        ({"resource_server_identifier": API, "permission_name": "no:such"}, 400),
        ({"resource_server_identifier": API}, 400),
        ("text", 400),
    ],
)
def test_a_permission_that_no_api_defines_is_refused(dev: Any, user: Any, row: Any, status: int) -> None:
    assert call(dev, "POST", f"{one(user)}/permissions", {"permissions": [row]}).status_code == status


def test_memberships_show_on_both_sides(dev: Any, user: Any) -> None:
    organization = dev.named("organizations", "harbourline")
    dev.api("POST", f"/organizations/{organization['id']}/members", {"members": [user["user_id"]]})
    assert [o["name"] for o in dev.api("GET", f"{one(user)}/organizations")] == ["harbourline"]
    found = dev.api("GET", "/users", q=f"organization_id:{organization['id']} AND email:new@postbox.example")
    assert [u["user_id"] for u in found] == [user["user_id"]]
    dev.api("DELETE", f"/organizations/{organization['id']}/members", {"members": [user["user_id"]]})
    assert dev.api("GET", f"{one(user)}/organizations") == []


# Factors


def test_an_authenticator_is_enrolled_used_renamed_and_removed(dev: Any, user: Any) -> None:
    path = f"{one(user)}/authentication-methods"
    made = dev.api("POST", path, {"type": "totp", "totp_secret": SECRET, "name": "App"})
    assert made["id"].startswith("totp|dev_")
    assert made["confirmed"] is True
    (listed,) = dev.api("GET", path)
    assert SECRET not in str(listed)
    assert "user_id" not in listed
    (phone,) = dev.phones(email=user["email"])
    assert len(phone["code"]) == 6
    assert dev.api("PATCH", f"{path}/{quote(made['id'], safe='')}", {"name": "New"})["name"] == "New"
    assert [e["auth_method"] for e in dev.api("GET", f"{one(user)}/enrollments")] == ["authenticator"]
    assert call(dev, "POST", path, {"type": "totp", "totp_secret": SECRET}).status_code == 409
    assert call(dev, "DELETE", f"{path}/{quote(made['id'], safe='')}").status_code == 204
    assert dev.api("GET", path) == []
    assert call(dev, "GET", f"{path}/{quote(made['id'], safe='')}").status_code == 404


def test_removing_all_factors_leaves_a_passkey(dev: Any, user: Any) -> None:
    path = f"{one(user)}/authentication-methods"
    dev.api("POST", path, {"type": "passkey", "public_key": "pk", "key_id": "k1"})
    dev.api("POST", path, {"type": "phone", "phone_number": "+15551234567"})
    dev.api("POST", path, {"type": "totp", "totp_secret": SECRET})
    assert call(dev, "DELETE", path).status_code == 204
    (left,) = dev.api("GET", path)
    assert left["type"] == "passkey"
    dev.api("DELETE", f"{path}/{quote(left['id'], safe='')}")
    assert dev.api("GET", path) == []


def test_replacing_methods_replaces_phones_mails_and_apps(dev: Any, user: Any) -> None:
    path = f"{one(user)}/authentication-methods"
    dev.api("POST", path, {"type": "phone", "phone_number": "+15551234567"})
    replaced = dev.api("PUT", path, [{"type": "phone", "phone_number": "+15557654321"}])
    assert [m["phone_number"] for m in replaced] == ["+15557654321"]
    assert [m["phone_number"] for m in dev.api("GET", path)] == ["+15557654321"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "nonsense"},
        {"type": "phone"},
        {"type": "phone", "phone_number": "12345"},
        {"type": "totp"},
        {"type": "totp", "totp_secret": "not base 32!"},
        {"type": "email"},
    ],
)
def test_a_factor_that_can_not_work_is_refused(dev: Any, user: Any, body: dict[str, Any]) -> None:
    assert call(dev, "POST", f"{one(user)}/authentication-methods", body).status_code == 400
    assert dev.api("GET", f"{one(user)}/authentication-methods") == []


def test_a_recovery_code_is_new_each_time_and_needs_an_enrollment(dev: Any, user: Any) -> None:
    path = f"{one(user)}/recovery-code-regeneration"
    assert call(dev, "POST", path).status_code == 404
    dev.api("POST", f"{one(user)}/authentication-methods", {"type": "totp", "totp_secret": SECRET})
    first, second = dev.api("POST", path)["recovery_code"], dev.api("POST", path)["recovery_code"]
    assert len(first) == 24
    assert first != second
    codes = [p["code"] for p in dev.phones(email=user["email"]) if p["type"] == "recovery-code"]
    assert codes == [second]


def test_the_older_ways_to_remove_factors_work(dev: Any, user: Any) -> None:
    path = f"{one(user)}/authentication-methods"
    dev.api("POST", path, {"type": "totp", "totp_secret": SECRET})
    dev.api("DELETE", f"{one(user)}/multifactor/google-authenticator")
    assert dev.api("GET", path) == []
    assert call(dev, "DELETE", f"{one(user)}/multifactor/nonsense").status_code == 400
    made = dev.api("POST", path, {"type": "totp", "totp_secret": SECRET})
    enrollment = f"/guardian/enrollments/{made['id'].partition('|')[2]}"
    assert dev.api("GET", enrollment)["status"] == "confirmed"
    dev.api("DELETE", enrollment)
    assert call(dev, "GET", enrollment).status_code == 404
    dev.api("POST", path, {"type": "totp", "totp_secret": SECRET})
    dev.api("DELETE", f"{one(user)}/authenticators")
    assert dev.api("GET", path) == []
    assert call(dev, "POST", f"{one(user)}/multifactor/actions/invalidate-remember-browser").status_code == 204


def test_an_enrollment_ticket_is_a_link_that_may_be_mailed(dev: Any, user: Any) -> None:
    ticket = dev.api("POST", "/guardian/enrollments/ticket", {"user_id": user["user_id"], "send_mail": True})
    assert ticket["ticket_url"].startswith(dev.browser_url)
    assert [m["link"] for m in dev.mail(to=user["email"])] == [ticket["ticket_url"]]
    assert call(dev, "POST", "/guardian/enrollments/ticket", {"user_id": "auth0|nobody"}).status_code == 404


# Access


def test_refresh_tokens_are_listed_and_revoked(dev: Any, user: Any) -> None:
    tokens = signed_in(dev, user)
    (listed,) = dev.api("GET", f"{one(user)}/refresh-tokens")["tokens"]
    assert listed["client_id"] == dev.client_id
    assert tokens["refresh_token"] not in str(listed)
    assert dev.api("GET", "/refresh-tokens", user_id=user["user_id"])["refresh_tokens"] == [listed]
    devices = dev.api("GET", "/device-credentials", user_id=user["user_id"])
    assert [d["user_id"] for d in devices] == [user["user_id"]]
    assert call(dev, "POST", "/refresh-tokens/revoke", {"ids": [listed["id"]]}).status_code == 202
    assert dev.api("GET", f"{one(user)}/refresh-tokens")["tokens"] == []
    exchange = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    keys = {"client_id": dev.client_id, "client_secret": dev.client_secret}
    assert dev.http.post("/oauth/token", json={**exchange, **keys}).status_code == 403


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["a"], "user_id": "auth0|x"}, {"ids": ["x"] * 101}])
def test_a_revocation_must_say_what(dev: Any, body: dict[str, Any]) -> None:
    assert call(dev, "POST", "/refresh-tokens/revoke", body).status_code == 400


def test_access_is_cut_everywhere_at_once(dev: Any, user: Any) -> None:
    signed_in(dev, user)
    assert call(dev, "POST", f"{one(user)}/revoke-access", {"session_id": "sess_nothing"}).status_code == 404
    assert call(dev, "POST", f"{one(user)}/revoke-access", {"preserve_refresh_tokens": True}).status_code == 202
    assert len(dev.api("GET", f"{one(user)}/refresh-tokens")["tokens"]) == 1
    assert call(dev, "POST", f"{one(user)}/revoke-access").status_code == 202
    assert dev.api("GET", f"{one(user)}/refresh-tokens")["tokens"] == []
    assert dev.api("GET", f"{one(user)}/sessions")["sessions"] == []


def someone_with_a_session(dev: Any) -> Any:
    """A user of the demo who has one, and that session."""
    state = dev.control("GET", "state")["documents"]
    session = next(s for s in state["sessions"].values())
    return dev.user_by_id(session["user_id"]), session["id"]


def test_a_session_is_read_noted_on_and_ended(dev: Any) -> None:
    user, id = someone_with_a_session(dev)
    listed = dev.api("GET", f"{one(user)}/sessions")["sessions"]
    assert id in [session["id"] for session in listed]
    assert dev.api("GET", f"/sessions/{id}")["user_id"] == user["user_id"]
    changed = dev.api("PATCH", f"/sessions/{id}", {"session_metadata": {"desk": "4"}})
    assert changed["session_metadata"] == {"desk": "4"}
    assert call(dev, "DELETE", f"/sessions/{id}").status_code == 202
    assert call(dev, "GET", f"/sessions/{id}").status_code == 404
    assert call(dev, "POST", f"/sessions/{id}/revoke").status_code == 404


def test_all_sessions_of_a_user_are_ended(dev: Any) -> None:
    user, _ = someone_with_a_session(dev)
    assert call(dev, "DELETE", f"{one(user)}/sessions").status_code == 202
    assert dev.api("GET", f"{one(user)}/sessions")["sessions"] == []


def test_a_plan_without_session_management_says_so(dev: Any, user: Any) -> None:
    dev.conditions(plan="professional")
    for method, path in (("GET", "sessions"), ("GET", "refresh-tokens"), ("POST", "revoke-access")):
        answer = call(dev, method, f"{one(user)}/{path}")
        assert (answer.status_code, answer.json()["errorCode"]) == (403, "insufficient_entitlement")
    dev.conditions(plan="enterprise")
    assert call(dev, "GET", f"{one(user)}/sessions").status_code == 200


def test_grants_are_listed_and_withdrawn(dev: Any) -> None:
    grant = dev.api("GET", "/grants", per_page=1)[0]
    assert dev.api("GET", "/grants", user_id=grant["user_id"])
    dev.api("DELETE", f"/grants/{grant['id']}")
    dev.api("DELETE", "/grants", user_id=grant["user_id"])
    assert dev.api("GET", "/grants", user_id=grant["user_id"]) == []
    assert call(dev, "DELETE", "/grants").status_code == 400


# Protection


def lock(dev: Any, user: Any) -> None:
    signed_in(dev, user)
    for _ in range(11):
        password_grant.ask(dev, user["email"], "wrong")


def test_a_locked_account_shows_where_from_and_is_released(dev: Any, user: Any) -> None:
    lock(dev, user)
    (block,) = dev.api("GET", f"/user-blocks/{quote(user['user_id'], safe='')}")["blocked_for"]
    assert block["identifier"] == user["email"]
    assert block["connection"] == CUSTOMERS
    assert block["ip"]
    assert dev.api("GET", "/user-blocks", identifier=user["email"])["blocked_for"] == [block]
    assert dev.user_by_id(user["user_id"]).get("blocked") is not True
    assert call(dev, "DELETE", f"/user-blocks/{quote(user['user_id'], safe='')}").status_code == 204
    assert dev.api("GET", f"/user-blocks/{quote(user['user_id'], safe='')}") == {"blocked_for": []}
    signed_in(dev, user)


def test_a_block_that_is_not_enforced_is_left_out_on_request(dev: Any, user: Any) -> None:
    lock(dev, user)
    dev.api("PATCH", "/attack-protection/brute-force-protection", {"enabled": False})
    path = f"/user-blocks/{quote(user['user_id'], safe='')}"
    assert dev.api("GET", path)["blocked_for"]
    assert dev.api("GET", path, consider_brute_force_enablement="true") == {"blocked_for": []}
    dev.api("DELETE", "/user-blocks", identifier=user["email"])
    assert dev.api("GET", path) == {"blocked_for": []}
    assert call(dev, "GET", "/user-blocks").status_code == 400


def test_an_address_that_is_not_blocked_is_a_404_and_nonsense_a_400(dev: Any) -> None:
    assert call(dev, "GET", "/anomaly/blocks/ips/192.0.2.9").status_code == 404
    assert call(dev, "GET", "/anomaly/blocks/ips/2001:db8::9").status_code == 404
    assert call(dev, "DELETE", "/anomaly/blocks/ips/192.0.2.9").status_code == 204
    assert call(dev, "GET", "/anomaly/blocks/ips/nonsense").status_code == 400


def test_risk_assessors_are_cleared(dev: Any, user: Any) -> None:
    body = {"connection": CUSTOMERS, "assessors": ["new-device"]}
    assert call(dev, "POST", f"{one(user)}/risk-assessments/clear", body).status_code == 204


# Tickets


def test_a_password_ticket_is_a_link_and_no_mail(dev: Any, user: Any) -> None:
    ticket = dev.api("POST", "/tickets/password-change", {"user_id": user["user_id"], "ttl_sec": 900})["ticket"]
    assert ticket.startswith(dev.browser_url)
    assert dev.mail() == []
    page = dev.http.get(ticket, follow_redirects=True)
    assert page.status_code == 200
    assert "password" in page.text.lower()
    dev.advance_clock(901)
    assert 'type="password"' not in dev.http.get(ticket, follow_redirects=True).text


def test_a_ticket_by_address_needs_the_connection(dev: Any, user: Any) -> None:
    connection = dev.named("connections", CUSTOMERS)
    body = {"email": user["email"], "connection_id": connection["id"]}
    assert dev.api("POST", "/tickets/password-change", body)["ticket"]
    assert call(dev, "POST", "/tickets/password-change", {"email": user["email"]}).status_code == 400
    assert call(dev, "POST", "/tickets/password-change", {**body, "email": "no@x.example"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"user_id": "auth0|nobody"}, 404),
        ({"ttl_sec": -1}, 400),
        ({"ttl_sec": "soon"}, 400),
        ({"client_id": "nothing"}, 404),
        ({"result_url": "https://a.example/", "client_id": "x"}, 400),
        ({"organization_id": "org_0000000000000000"}, 404),
    ],
)
def test_a_ticket_that_can_not_work_is_refused(dev: Any, user: Any, body: dict[str, Any], status: int) -> None:
    whole = body if "user_id" in body or not body else {"user_id": user["user_id"], **body}
    assert call(dev, "POST", "/tickets/password-change", whole).status_code == status


def test_a_social_user_gets_no_password_ticket(dev: Any) -> None:
    (social,) = dev.api("GET", "/users", q="identities.provider:google-oauth2", per_page=1)
    assert call(dev, "POST", "/tickets/password-change", {"user_id": social["user_id"]}).status_code == 400


def test_a_verification_ticket_verifies(dev: Any) -> None:
    body = {"connection": CUSTOMERS, "email": "unsure@postbox.example", "password": PASSWORD, "verify_email": False}
    user = dev.api("POST", "/users", body)
    ticket = dev.api("POST", "/tickets/email-verification", {"user_id": user["user_id"]})["ticket"]
    assert dev.mail() == []
    page = dev.http.get(ticket, follow_redirects=True)
    assert page.status_code == 200
    assert dev.user_by_id(user["user_id"])["email_verified"] is True


# Events


def test_events_are_newest_first_searched_and_followed_by_checkpoint(dev: Any, user: Any) -> None:
    newest = dev.api("GET", "/logs", per_page=5)
    assert [e["date"] for e in newest] == sorted((e["date"] for e in newest), reverse=True)
    failed = dev.api("GET", "/logs", q="type:fp OR type:fu", per_page=10, include_totals="true")
    assert {e["type"] for e in failed["logs"]} <= {"fp", "fu"}
    assert failed["total"] > 100
    assert all(e["type"] != "sapi" for e in dev.api("GET", "/logs", search="NOT type:sapi", per_page=20))
    first = dev.api("GET", "/logs", take=3)
    after = dev.api("GET", "/logs", **{"from": first[-1]["log_id"], "take": 3})
    assert [e["log_id"] for e in first + after] == sorted({e["log_id"] for e in first + after})
    assert dev.api("GET", f"/logs/{first[0]['log_id']}") == first[0]
    assert dev.api("GET", "/logs", **{"from": newest[0]["log_id"]}) == []
    dev.api("POST", "/roles", {"name": "an event"})
    (event,) = dev.api("GET", "/logs", **{"from": newest[0]["log_id"]})
    assert event["description"] == "Create a role"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from": "nonsense"}, "invalid_query_string"),
        ({"take": 0}, "invalid_query_string"),
        ({"take": 101}, "invalid_query_string"),
        ({"page": 10, "per_page": 100}, "invalid_paging"),
        ({"q": "type:("}, "invalid_query_string"),
        ({"sort": "date"}, "invalid_query_string"),
    ],
)
def test_a_bad_look_at_events_is_a_400(dev: Any, params: dict[str, Any], code: str) -> None:
    answer = call(dev, "GET", "/logs", **params)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_events_of_one_user_hold_only_theirs(dev: Any, user: Any) -> None:
    signed_in(dev, user)
    events = dev.api("GET", f"{one(user)}/logs")
    assert events
    assert {event["user_id"] for event in events} == {user["user_id"]}
    assert call(dev, "GET", "/users/auth0%7Cnobody/logs").status_code == 404
    assert call(dev, "GET", "/logs/90020200101").status_code == 404


def test_daily_numbers_and_active_users_come_from_what_happened(dev: Any) -> None:
    days = dev.api("GET", "/stats/daily")
    assert 28 <= len(days) <= 32
    assert sum(day["logins"] for day in days) > 3000
    assert [day["date"] for day in days] == sorted(day["date"] for day in days)
    one_day = days[10]["date"][:10].replace("-", "")
    assert dev.api("GET", "/stats/daily", **{"from": one_day, "to": one_day}) == [days[10]]
    assert 500 < dev.api("GET", "/stats/active-users") < 5000
    assert call(dev, "GET", "/stats/daily", **{"from": "yesterday"}).status_code == 400
