"""Machine-to-machine tokens: grants, keys of the tenant, and requests that are none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.token_endpoint import ORDERS, ask, orders_api, refusal
from tests.sandbox.web_login import (
    GRANTS,
    claims,
    log_types,
)

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
