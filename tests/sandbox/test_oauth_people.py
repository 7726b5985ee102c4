"""Passwords, codes and devices at the token endpoint; userinfo, sign-up, change_password."""

from __future__ import annotations

import pytest

from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import (
    AUTH0_GRANT,
    CALLBACK,
    CONNECTION,
    PASSWORD,
    claims,
    enable,
    log_types,
)

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


# passwords


def test_wrong_credentials_over_the_password_grants(tenant, client, user):
    body = {"grant_type": "password", "username": user["email"], "password": "wrong"}
    assert refusal(ask(tenant, client, **body)) == (403, "invalid_grant", "Wrong email or password.")
    realm = {**body, "grant_type": AUTH0_GRANT + "password-realm", "realm": CONNECTION, "password": PASSWORD}
    assert ask(tenant, client, **realm, scope="openid").status_code == 200
    assert ask(tenant, client, **{**realm, "realm": "nowhere"}).json()["error"] == "invalid_request"
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    assert refusal(ask(tenant, client, **{**body, "password": PASSWORD})) == (403, "unauthorized", "user is blocked")


def test_too_many_wrong_passwords_are_a_429(tenant, client, user):
    body = {"grant_type": "password", "username": user["email"]}
    for _ in range(10):
        ask(tenant, client, **body, password="wrong")
    answer = ask(tenant, client, **body, password=PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_attempts")


def test_permissions_come_from_roles_where_the_api_enforces_them(tenant, client, user):
    orders_api(tenant, enforce_policies=True, token_dialect="access_token_authz")
    role = tenant.api("POST", "/roles", {"name": "orders-reader"})
    permission = {"resource_server_identifier": ORDERS, "permission_name": "read:orders"}
    tenant.api("POST", f"/roles/{role['id']}/permissions", {"permissions": [permission]})
    wanted = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "audience": ORDERS}
    before = claims(ask(tenant, client, **wanted).json()["access_token"])
    assert (before["scope"], before["permissions"], before["gty"]) == ("", [], "password")
    tenant.api("POST", f"/users/{user['user_id']}/roles", {"roles": [role["id"]]})
    after = claims(ask(tenant, client, **wanted).json()["access_token"])
    assert (after["scope"], after["permissions"]) == ("read:orders", ["read:orders"])


# passwordless and device


def test_a_code_by_email_signs_in_without_a_password(tenant, client):
    tenant.api("POST", "/connections", {"name": "email", "strategy": "email", "options": {"disable_signup": False}})
    enable(tenant, client, "email")
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    body = {**secret, "connection": "email", "email": "Kim@fernhill.example", "send": "code"}
    assert tenant.http.post("/passwordless/start", json=body).status_code == 200
    text = tenant.mail("kim@fernhill.example")[0]["text"]
    code = "".join(c for c in text if c.isdigit())[:6]
    assert log_types(tenant)[0] == "cls"
    grant = {"grant_type": AUTH0_GRANT + "passwordless/otp", "realm": "email", "username": "kim@fernhill.example"}
    assert ask(tenant, client, **grant, otp="000000", scope="openid").json()["error"] == "invalid_grant"
    answer = ask(tenant, client, **grant, otp=code, scope="openid")
    assert claims(answer.json()["id_token"])["sub"].startswith("email|")
    assert ask(tenant, client, **grant, otp=code).json()["error"] == "invalid_grant"


def test_starting_without_a_password_needs_the_applications_proof_where_the_tenant_says_so(tenant, client):
    tenant.api("POST", "/connections", {"name": "sms", "strategy": "sms", "options": {"totp": {"length": 4}}})
    enable(tenant, client, "sms")

    def start(**body):
        wanted = {"client_id": client["client_id"], "connection": "sms", "phone_number": "+15550100123"}
        return tenant.http.post("/passwordless/start", json={**wanted, **body})

    assert refusal(start()) == (401, "access_denied", "Unauthorized")
    assert refusal(start(connection="email", client_secret=client["client_secret"]))[1] == "bad.connection"
    assert refusal(start(phone_number="5", client_secret=client["client_secret"]))[1] == "bad.phone_number"
    tenant.api("PATCH", "/tenants/settings", {"flags": {"enforce_client_authentication_on_passwordless_start": False}})
    assert start().status_code == 200
    assert log_types(tenant)[0] == "cs"
    assert len(tenant.mail("+15550100123")[0]["code"]) == 4


def test_a_code_is_tried_three_times_and_for_three_minutes(tenant, client):
    tenant.api("POST", "/connections", {"name": "email", "strategy": "email", "options": {"disable_signup": False}})
    enable(tenant, client, "email")
    address = "kim@fernhill.example"
    body = {"client_id": client["client_id"], "client_secret": client["client_secret"], "connection": "email"}
    grant = {"grant_type": AUTH0_GRANT + "passwordless/otp", "realm": "email", "username": address}

    def code():
        tenant.http.post("/passwordless/start", json={**body, "email": address, "send": "code"})
        return "".join(c for c in tenant.mail(address)[0]["text"] if c.isdigit())[:6]

    right = code()
    for _ in range(3):
        assert ask(tenant, client, **grant, otp="x").status_code == 403
    assert refusal(ask(tenant, client, **grant, otp=right))[1] == "invalid_grant"
    right = code()
    tenant.advance_clock(181)
    assert refusal(ask(tenant, client, **grant, otp=right))[1] == "invalid_grant"
    assert log_types(tenant)[0] == "fepotpft"
    assert refusal(ask(tenant, client, **{**grant, "realm": "sms"}, otp="1"))[0] == 400


def test_a_link_by_email_signs_in_the_browser_that_follows_it(tenant, client, person):
    tenant.api("POST", "/connections", {"name": "email", "strategy": "email", "options": {"disable_signup": False}})
    enable(tenant, client, "email")
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    params = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    body = {**secret, "connection": "email", "email": "kim@fernhill.example", "send": "link", "authParams": params}
    tenant.http.post("/passwordless/start", json=body)
    person.open(tenant.mail("kim@fernhill.example")[0]["link"])
    assert "code" in person.answer


def test_a_device_gets_its_tokens_after_a_person_typed_its_code(tenant, client, person, user):
    body = {"client_id": client["client_id"], "scope": "openid profile"}
    code = tenant.http.post("/oauth/device/code", json=body).json()
    poll = {"grant_type": DEVICE, "device_code": code["device_code"]}
    assert ask(tenant, client, **poll).json()["error"] == "authorization_pending"
    assert ask(tenant, client, **poll).json()["error"] == "slow_down"
    person.open("/activate")
    person.submit(user_code="WRONG")
    assert "not valid" in person.text
    assert log_types(tenant)[0] == "fdeac"
    person.open(code["verification_uri_complete"])
    person.submit()
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    assert "all set" in person.text
    tenant.advance_clock(5)
    assert claims(ask(tenant, client, **poll).json()["id_token"])["sub"] == user["user_id"]
    assert ask(tenant, client, **poll).json()["error"] == "expired_token"


def test_a_device_hears_when_the_person_refuses_or_its_code_is_too_old(tenant, client, person, user):
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"is_first_party": False})
    tenant.api("PATCH", f"/connections/{tenant.named('connections', CONNECTION)['id']}", {"is_domain_connection": True})
    start = {"client_id": client["client_id"], "scope": "openid profile"}
    code = tenant.http.post("/oauth/device/code", json=start).json()
    poll = {"grant_type": DEVICE, "device_code": code["device_code"]}
    person.open(code["verification_uri_complete"])
    person.submit()
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    person.submit(action="deny")
    assert "fdecc" in log_types(tenant)
    assert refusal(ask(tenant, client, **poll))[:2] == (403, "access_denied")
    code = tenant.http.post("/oauth/device/code", json=start).json()
    tenant.advance_clock(code["expires_in"] + 1)
    assert refusal(ask(tenant, client, **{**poll, "device_code": code["device_code"]}))[:2] == (403, "expired_token")
    assert log_types(tenant)[0] == "fede"


def test_a_device_shows_codes_as_the_tenant_wants_them(tenant, client, person):
    tenant.api("PATCH", "/tenants/settings", {"device_flow": {"charset": "digits", "mask": "***-***-***"}})
    code = tenant.http.post("/oauth/device/code", json={"client_id": client["client_id"]}).json()["user_code"]
    assert [len(part) for part in code.split("-") if part.isdigit()] == [3, 3, 3]
    person.open("/activate")
    person.submit(user_code=code.replace("-", " "))
    assert person.at == "/u/login/identifier"


def test_a_device_that_may_not_ask_is_told_so(tenant, client):
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"grant_types": ["authorization_code"]})
    answer = tenant.http.post("/oauth/device/code", json={"client_id": client["client_id"]})
    assert refusal(answer)[:2] == (403, "unauthorized_client")
    assert log_types(tenant)[0] == "fdeaz"


# /userinfo, sign-up, change_password


@pytest.mark.parametrize("token", ["x", "a.b.c", "a.b.c.d.e", "\u00e4"])
def test_userinfo_refuses_what_is_no_token_of_this_tenant(tenant, token):
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = tenant.http.get("/userinfo", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_userinfo_refuses_a_token_for_another_api(tenant):
    assert tenant.http.get("/userinfo", headers=tenant.authorization()).status_code == 401
    assert tenant.http.get("/userinfo").status_code == 401


@pytest.mark.parametrize("audience", ["", ORDERS])
def test_userinfo_shows_what_the_scopes_name(tenant, client, user, audience):
    orders_api(tenant)
    wanted = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": "openid email"}
    token = ask(tenant, client, **wanted, **({"audience": audience} if audience else {})).json()["access_token"]
    assert token.count(".") == (2 if audience else 4)

    def userinfo(method="GET", **how):
        return tenant.http.request(method, "/userinfo", **how)

    bearer = {"Authorization": f"Bearer {token}"}
    first = userinfo(headers=bearer)
    assert first.json() == {"sub": user["user_id"], "email": user["email"], "email_verified": True}
    assert userinfo("POST", data={"access_token": token}).json() == first.json()
    assert userinfo("POST", headers=bearer).json() == first.json()
    tenant.api("DELETE", f"/users/{user['user_id']}")
    assert userinfo(headers=bearer).status_code == 401


def sign_up(tenant, client, **body):
    wanted = {"client_id": client["client_id"], "connection": CONNECTION, "email": "a@fernhill.example"}
    return tenant.http.post("/dbconnections/signup", json={**wanted, "password": PASSWORD, **body})


def test_signing_up_over_the_api(tenant, client):
    tenant.api("PATCH", "/tenants/settings", {"flags": {"enable_public_signup_user_exists_error": False}})
    answer = sign_up(tenant, client, user_metadata={"colour": "blue"})
    assert answer.status_code == 200
    assert answer.json()["email_verified"] is False
    assert "|" not in answer.json()["_id"]
    again = sign_up(tenant, client)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_signup")
    flags = {"flags": {"enable_public_signup_user_exists_error": True}}
    tenant.api("PATCH", "/tenants/settings", flags)
    assert sign_up(tenant, client).json()["code"] == "user_exists"
    weak = sign_up(tenant, client, email="b@fernhill.example", password="weak").json()
    assert (weak["name"], weak["code"]) == ("PasswordStrengthError", "invalid_password")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "no address"},
        {"email": 5},
        {"password": None},
        {"connection": "nowhere"},
        {"client_id": "nobody"},
        {"user_metadata": {str(n): n for n in range(11)}},
        {"user_metadata": {"n" * 101: 1}},
        {"user_metadata": {"colour": "b" * 501}},
        {"user_metadata": "text"},
    ],
)
def test_a_wrong_sign_up_is_a_400(tenant, client, body):
    assert sign_up(tenant, client, **body).status_code == 400


def test_nobody_signs_up_where_it_is_turned_off(tenant, client):
    (connection,) = tenant.api("GET", "/connections", name=CONNECTION)
    tenant.api("PATCH", f"/connections/{connection['id']}", {"options": {"disable_signup": True}})
    answer = sign_up(tenant, client)
    assert (answer.status_code, answer.json()["description"]) == (400, "public signup is disabled")
    assert "fs" in log_types(tenant)[:2]


def test_change_password_never_tells_who_exists_and_is_limited(tenant, client, user):
    def request(email):
        body = {"client_id": client["client_id"], "email": email, "connection": CONNECTION}
        return tenant.http.post("/dbconnections/change_password", json=body)

    known, unknown = request(user["email"]), request("nobody@fernhill.example")
    assert known.text == unknown.text == "We've just sent you an email to reset your password."
    assert known.headers["content-type"].startswith("text/plain")
    assert {"scpr", "fcpr"} <= set(log_types(tenant))
    for _ in range(9):
        request(user["email"])
    limited = request(user["email"])
    assert limited.status_code == 429
    assert limited.headers["x-ratelimit-limit"] == "10"
    assert request("nobody@fernhill.example").status_code == 200
    tenant.advance_clock(61)
    assert request(user["email"]).status_code == 200


def test_change_password_of_another_kind_of_connection_is_a_400(tenant, client):
    body = {"client_id": client["client_id"], "email": "a@fernhill.example", "connection": "google-oauth2"}
    assert tenant.http.post("/dbconnections/change_password", json=body).status_code == 400
