"""The token endpoint and its neighbours: every grant, every refusal."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.sandbox.web_login import (
    AUTH0_GRANT,
    CALLBACK,
    CONNECTION,
    GRANTS,
    LOGGED_OUT,
    PASSWORD,
    Person,
    claims,
    enable,
    log_types,
    new_client,
    new_user,
    without_actions,
)

ORDERS = "https://orders.example/"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    return found


@pytest.fixture
def client(tenant):
    return new_client(tenant)


@pytest.fixture
def user(tenant):
    return new_user(tenant)


@pytest.fixture
def person(tenant, client):
    return Person(tenant, client)


def orders_api(tenant, **fields):
    body = {
        "identifier": ORDERS,
        "name": "Orders",
        "scopes": [{"value": "read:orders"}, {"value": "write:orders"}],
        "allow_offline_access": True,
        "skip_consent_for_verifiable_first_party_clients": True,
        **fields,
    }
    return tenant.api("POST", "/resource-servers", body)


def ask(tenant, client, **body):
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    wanted = {name: value for name, value in {**secret, **body}.items() if value is not None}
    return tenant.http.post("/oauth/token", data=wanted)


def refusal(answer):
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


# client_credentials


def test_a_machine_gets_the_scopes_of_its_grant(tenant, client):
    orders_api(tenant, token_lifetime=600)
    missing = ask(tenant, client, grant_type="client_credentials", audience=ORDERS)
    status, error, description = refusal(missing)
    assert (status, error) == (403, "access_denied")
    assert description.startswith(f'Client is not authorized to access "{ORDERS}". You need to create a "client-grant"')
    grant = {"client_id": client["client_id"], "audience": ORDERS, "scope": ["read:orders"]}
    tenant.api("POST", "/client-grants", grant)
    answer = ask(tenant, client, grant_type="client_credentials", audience=ORDERS).json()
    assert (answer["scope"], answer["expires_in"], answer["token_type"]) == ("read:orders", 600, "Bearer")
    body = claims(answer["access_token"])
    id = client["client_id"]
    assert (body["sub"], body["azp"], body["gty"]) == (f"{id}@clients", id, "client-credentials")
    assert log_types(tenant)[:2] == ["seccft", "sapi"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "access_denied", "Unauthorized")),
        ({"client_secret": None}, (401, "access_denied", "Unauthorized")),
        ({"client_id": "nobody"}, (401, "access_denied", "Unauthorized")),
        ({"client_id": None}, (400, "invalid_request", "Missing required parameter: client_id")),
        ({"grant_type": None}, (400, "invalid_request", "Missing required parameter: grant_type")),
        ({"grant_type": "magic"}, (403, "unsupported_grant_type", "Unsupported grant type: magic")),
        ({"audience": "https://nobody.example/"}, (403, "access_denied", "Service not found: https://nobody.example/")),
        (
            {"audience": None},
            (403, "access_denied", "No audience parameter was provided, and no default audience has been configured"),
        ),
    ],
)
def test_a_machine_with_a_wrong_request_is_told_what_is_wrong(tenant, client, changes, expected):
    body = {"grant_type": "client_credentials", "audience": f"{tenant.url}/api/v2/", **changes}
    assert refusal(ask(tenant, client, **body)) == expected


@pytest.mark.parametrize("grant_type", GRANTS)
def test_a_grant_that_the_application_may_not_use_is_refused(tenant, client, grant_type):
    tenant.api("PATCH", f"/clients/{client['client_id']}", {"grant_types": [g for g in GRANTS if g != grant_type]})
    if grant_type == "implicit":
        return
    answer = ask(tenant, client, grant_type=grant_type, audience=f"{tenant.url}/api/v2/")
    assert refusal(answer) == (403, "unauthorized_client", f"Grant type '{grant_type}' not allowed for the client.")
    assert answer.json()["error_uri"] == "https://auth0.com/docs/clients/client-grant-types"


def test_secrets_are_taken_from_the_authorization_header(tenant, client):
    def basic(secret):
        pair = base64.b64encode(f"{client['client_id']}:{secret}".encode()).decode()
        body = {"grant_type": "client_credentials", "audience": "https://nobody.example/"}
        return tenant.http.post("/oauth/token", data=body, headers={"Authorization": f"Basic {pair}"})

    assert "Service not found" in basic(client["client_secret"]).text
    assert basic("wrong").status_code == 401
    broken = tenant.http.post("/oauth/token", data={"grant_type": "x"}, headers={"Authorization": "Basic ###"})
    assert broken.status_code in (401, 403)


def test_the_public_keys_verify_the_tokens_and_rotation_keeps_old_ones_valid(tenant):
    def verified(token):
        keys = KeySet.import_key_set(tenant.http.get("/.well-known/jwks.json").json())
        return jwt.decode(token, keys).header["kid"]

    old = tenant.token()
    first = verified(old)
    tenant.api("POST", "/keys/signing/rotate")
    new = tenant.token()
    assert verified(new) != first
    assert verified(old) == first
    assert tenant.http.get("/api/v2/roles", headers={"Authorization": f"Bearer {old}"}).status_code == 200
    tenant.api("PUT", f"/keys/signing/{first}/revoke")
    assert tenant.http.get("/api/v2/roles", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    tenant._token = ""  # it was signed with the revoked key


def test_a_machine_signs_in_with_a_private_key_each_assertion_once(tenant, client):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    id = client["client_id"]
    credential = {"credential_type": "public_key", "name": "key", "pem": pem.decode(), "alg": "RS256"}
    made = tenant.api("POST", f"/clients/{id}/credentials", credential)
    methods = {"private_key_jwt": {"credentials": [{"id": made["id"]}]}}
    body = {"token_endpoint_auth_method": None, "client_authentication_methods": methods}
    tenant.api("PATCH", f"/clients/{id}", body)
    orders_api(tenant)
    tenant.api("POST", "/client-grants", {"client_id": id, "audience": ORDERS, "scope": []})

    def assertion(**changes):
        now = int(time.time())
        body = {"iss": id, "sub": id, "aud": f"{tenant.url}/", "iat": now, "exp": now + 60, "jti": str(time.time_ns())}
        key = RSAKey.import_key(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return jwt.encode({"alg": "RS256"}, {**body, **changes}, key)

    def exchange(token):
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        body = {"grant_type": "client_credentials", "audience": ORDERS, "client_assertion": token}
        return tenant.http.post("/oauth/token", data={**body, "client_assertion_type": kind})

    good = assertion()
    assert exchange(good).status_code == 200, exchange(good).text
    assert exchange(good).status_code == 401
    wrong = [{"exp": int(time.time()) - 60}, {"aud": "https://other.example/"}, {"sub": "other"}, {"jti": ""}]
    for changes in [*wrong, {"exp": int(time.time()) + 4000}]:
        assert exchange(assertion(**changes)).status_code == 401
    assert exchange("a.b.c").status_code == 401
    body = {"grant_type": "client_credentials", "audience": ORDERS}
    assert ask(tenant, client, **body).status_code == 401  # its secret counts no more


# authorization_code


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "wrong"}, (403, "invalid_grant", "Invalid authorization code")),
        ({"code_verifier": "x" * 50}, (403, "invalid_grant", "Failed to verify code verifier")),
        ({"code_verifier": ""}, (403, "invalid_grant", "Failed to verify code verifier")),
        ({"client_secret": "wrong"}, (401, "access_denied", "Unauthorized")),
    ],
)
def test_a_code_is_exchanged_only_by_who_began_the_login(person, user, changes, expected):
    person.sign_in(user["email"])
    assert refusal(person.exchange(**changes)) == expected


def test_a_code_needs_the_same_callback_and_works_once(tenant, person, user):
    person.sign_in(user["email"])
    assert person.exchange(redirect_uri="http://localhost:3999/other").json()["error"] == "invalid_grant"
    assert person.exchange().json()["error"] == "invalid_grant"
    person.authorize()
    assert person.exchange().status_code == 200
    assert person.exchange().json()["error_description"] == "Invalid authorization code"
    assert log_types(tenant)[:2] == ["feacft", "seacft"]


def test_a_code_belongs_to_its_application_and_expires(tenant, person, user):
    other = new_client(tenant, name="Other")
    person.sign_in(user["email"])
    stolen = person.exchange(client_id=other["client_id"], client_secret=other["client_secret"])
    assert stolen.json()["error_description"] == "Invalid authorization code"
    person.authorize()
    tenant.advance_clock(400)
    assert person.exchange().json()["error_description"] == "Invalid authorization code"


def test_a_public_application_proves_itself_by_pkce_alone(tenant, user):
    public = new_client(tenant, app_type="spa", token_endpoint_auth_method="none")
    public.pop("client_secret", None)
    person = Person(tenant, public)
    person.sign_in(user["email"])
    assert person.exchange().status_code == 200
    person.authorize(code_challenge="", code_challenge_method="")
    assert person.exchange(code_verifier="").status_code == 401


def test_plain_challenges_are_compared_as_they_are(person, user):
    person.sign_in(user["email"], code_challenge=person.verifier, code_challenge_method="plain")
    assert person.exchange().status_code == 200


# refresh_token


def offline(tenant, client, user, **rotation):
    if rotation:
        tenant.api("PATCH", f"/clients/{client['client_id']}", {"refresh_token": rotation})
    wanted = {"username": user["email"], "password": PASSWORD, "scope": "openid email offline_access read:orders"}
    answer = ask(tenant, client, grant_type="password", audience=ORDERS, **wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refreshed(tenant, client, token, **more):
    return ask(tenant, client, grant_type="refresh_token", refresh_token=token, **more)


def test_a_refresh_token_brings_new_tokens_with_the_same_or_fewer_scopes(tenant, client, user):
    orders_api(tenant)
    first = offline(tenant, client, user)
    again = refreshed(tenant, client, first["refresh_token"]).json()
    assert "refresh_token" not in again
    assert set(again["scope"].split()) == {"openid", "email", "offline_access", "read:orders"}
    fewer = refreshed(tenant, client, first["refresh_token"], scope="openid write:orders").json()
    assert fewer["scope"] == "openid"
    (listed,) = tenant.api("GET", f"/users/{user['user_id']}/refresh-tokens")["tokens"]
    assert listed["last_exchanged_at"]
    tenant.api("DELETE", f"/refresh-tokens/{listed['id']}")
    assert refusal(refreshed(tenant, client, first["refresh_token"])) == (
        403,
        "invalid_grant",
        "Unknown or invalid refresh token.",
    )


def test_a_rotating_refresh_token_that_is_used_twice_ends_its_family(tenant, client, user):
    orders_api(tenant)
    rules = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2592000}
    first = offline(tenant, client, user, **rules)["refresh_token"]
    second = refreshed(tenant, client, first).json()["refresh_token"]
    assert second != first
    tenant.advance_clock(2)
    assert refreshed(tenant, client, first).json()["error"] == "invalid_grant"
    assert refreshed(tenant, client, second).json()["error"] == "invalid_grant"
    assert "ferrt" in log_types(tenant, user["user_id"])


def test_the_leeway_forgives_a_repeated_refresh(tenant, client, user):
    orders_api(tenant)
    rules = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 60, "token_lifetime": 2592000}
    first = offline(tenant, client, user, **rules)["refresh_token"]
    refreshed(tenant, client, first)
    assert refreshed(tenant, client, first).status_code == 200


def test_a_refresh_token_expires_by_age_and_by_idleness(tenant, client, user):
    orders_api(tenant)
    rules = {
        "rotation_type": "non-rotating",
        "expiration_type": "expiring",
        "token_lifetime": 7200,
        "infinite_token_lifetime": False,
        "idle_token_lifetime": 3600,
        "infinite_idle_token_lifetime": False,
        "leeway": 0,
    }
    token = offline(tenant, client, user, **rules)["refresh_token"]
    tenant.advance_clock(3500)
    assert refreshed(tenant, client, token).status_code == 200
    tenant.advance_clock(3500)
    assert refreshed(tenant, client, token).status_code == 200
    tenant.advance_clock(300)
    assert refreshed(tenant, client, token).status_code == 403


def test_a_revoked_or_foreign_refresh_token_is_refused(tenant, client, user):
    orders_api(tenant)
    token = offline(tenant, client, user)["refresh_token"]
    other = new_client(tenant, name="Other")
    assert refreshed(tenant, other, token).json()["error"] == "invalid_grant"
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert tenant.http.post("/oauth/revoke", json={**secret, "token": "unknown"}).status_code == 200
    assert tenant.http.post("/oauth/revoke", json={**secret, "client_secret": "x", "token": token}).status_code == 401
    assert tenant.http.post("/oauth/revoke", json={**secret, "token": token}).status_code == 200
    assert refreshed(tenant, client, token).json()["error"] == "invalid_grant"


def test_a_blocked_user_gets_no_more_tokens(tenant, client, user):
    orders_api(tenant)
    token = offline(tenant, client, user)["refresh_token"]
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    assert refusal(refreshed(tenant, client, token)) == (403, "unauthorized", "user is blocked")


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
    assert (before["scope"], before["permissions"]) == ("", [])
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
    grant = {"grant_type": AUTH0_GRANT + "passwordless/otp", "realm": "email", "username": "kim@fernhill.example"}
    assert ask(tenant, client, **grant, otp="000000", scope="openid").json()["error"] == "invalid_grant"
    answer = ask(tenant, client, **grant, otp=code, scope="openid")
    assert claims(answer.json()["id_token"])["sub"].startswith("email|")
    assert ask(tenant, client, **grant, otp=code).json()["error"] == "invalid_grant"


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
    person.open(code["verification_uri_complete"])
    person.submit()
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    assert "all set" in person.text
    tenant.advance_clock(5)
    assert claims(ask(tenant, client, **poll).json()["id_token"])["sub"] == user["user_id"]
    assert ask(tenant, client, **poll).json()["error"] == "expired_token"


# /userinfo, sign-up, change_password


@pytest.mark.parametrize("token", ["x", "a.b.c", "a.b.c.d.e", "\u00e4"])
def test_userinfo_refuses_what_is_no_token_of_this_tenant(tenant, token):
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = tenant.http.get("/userinfo", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_userinfo_refuses_a_token_for_another_api(tenant):
    assert tenant.http.get("/userinfo", headers=tenant.authorization()).status_code == 401


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
        {"user_metadata": "text"},
    ],
)
def test_a_wrong_sign_up_is_a_400(tenant, client, body):
    assert sign_up(tenant, client, **body).status_code == 400


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


# Back-channel logout


def test_an_application_hears_of_a_logout_by_back_channel(tenant, person, user):
    heard = []

    class Application(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 - the name that http.server calls
            heard.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Application) as server:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(own)
        server.socket = own.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        urls = {"backchannel_logout_urls": [f"https://localhost:{server.server_port}/bye"]}
        id = person.client["client_id"]
        tenant.api("PATCH", f"/clients/{id}", {"oidc_logout": urls})
        person.sign_in(user["email"])
        sid = person.id_claims()["sid"]
        person.open(f"/v2/logout?client_id={id}&returnTo={LOGGED_OUT}")
        thread.join(timeout=10)
    body = claims(parse_qs(heard[0])["logout_token"][0])
    assert (body["sid"], body["sub"], body["aud"]) == (sid, user["user_id"], id)
    assert body["exp"] == body["iat"] + 120
    assert body["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in body


# Bad input


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{[", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"grant_type": ["a"]}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"a=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"x", "text/plain", 400),
        (b"{" * 100_000, "application/json", 400),
        (b" " * 2_000_000, "application/json", 413),
    ],
)
def test_a_body_that_is_no_request_is_a_clear_error(tenant, content, kind, status):
    answer = tenant.http.post("/oauth/token", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["error"] == "invalid_request"


def test_scripts_of_registered_origins_alone_may_read_the_answers(tenant, client):
    for origin, allowed in (("http://localhost:3999", True), ("https://evil.example", False)):
        answer = tenant.http.options("/oauth/token", headers={"Origin": origin})
        assert ("access-control-allow-origin" in answer.headers) is allowed


def test_many_machines_at_once_all_get_their_token(tenant):
    with ThreadPoolExecutor(20) as pool:
        assert len({token for token in pool.map(lambda _: tenant.token(), range(100))}) >= 1
