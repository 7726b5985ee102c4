"""Applications, their credentials and grants, and the APIs that they call."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.kinds import routes
from tests.sandbox.certificates import certificate_pem
from tests.sandbox.management import Management

API = {"identifier": "https://orders.larkspur.example", "scopes": [{"value": "read:orders", "description": "Read"}]}


def public_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_grants_and_lifetimes_follow_from_the_type(management: Management) -> None:
    browser = management.post("/clients", {"name": "Shop", "app_type": "spa", "token_endpoint_auth_method": "none"})
    assert browser["grant_types"] == ["authorization_code", "implicit", "refresh_token"]
    assert browser["refresh_token"]["token_lifetime"] == 2592000
    machine = management.post("/clients", {"name": "Sync", "app_type": "non_interactive"})
    assert "client_credentials" in machine["grant_types"]
    assert machine["refresh_token"]["token_lifetime"] == 31557600


def test_refresh_tokens_that_expire_have_an_end(management: Management) -> None:
    tokens = {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 5}
    made = management.post("/clients", {"name": "Shop", "refresh_token": tokens})["refresh_token"]
    assert made.items() >= tokens.items()
    assert (made["infinite_token_lifetime"], made["infinite_idle_token_lifetime"]) == (False, False)
    assert made["token_lifetime"] > made["idle_token_lifetime"] > 0


def test_a_third_party_application_is_held_strictly(management: Management) -> None:
    first, third = (management.post("/clients", {"name": "a", "is_first_party": own}) for own in (True, False))
    assert (third["third_party_security_mode"], third["redirection_policy"]) == ("strict", "open_redirect_protection")
    assert "redirection_policy" not in first


def test_what_signs_tokens_is_completed_or_taken_as_it_is(management: Management) -> None:
    own, usual = ({"name": "a", "jwt_configuration": {"alg": "RS256"}}, {"name": "b"})
    assert management.post("/clients", own)["jwt_configuration"] == {"alg": "RS256", "secret_encoded": False}
    assert management.post("/clients", usual)["jwt_configuration"]["lifetime_in_seconds"] == 36000


def test_the_global_client_is_only_shown_when_asked_for(management: Management) -> None:
    names = {client["name"] for client in management.get("/clients", is_global="false")}
    assert names == {"Default App", "Sandbox M2M"}
    (only,) = management.get("/clients", is_global="true")
    assert (only["name"], only["global"]) == ("All Applications", True)
    management.refused("DELETE", f"/clients/{only['client_id']}", status=400)


def test_metadata_is_merged_and_null_removes_a_key(management: Management) -> None:
    client = management.post("/clients", {"name": "Till", "client_metadata": {"a": "1", "b": "2"}})
    changed = management.patch(f"/clients/{client['client_id']}", {"client_metadata": {"a": None, "c": "3"}})
    assert changed["client_metadata"] == {"b": "2", "c": "3"}


def test_null_removes_a_property(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Till", "description": "At the door"})["client_id"]
    assert "description" not in management.patch(f"/clients/{client_id}", {"description": None})


def test_the_older_name_of_cross_origin_authentication_tells_the_same(management: Management) -> None:
    client = management.post("/clients", {"name": "Till", "cross_origin_authentication": True})
    assert client["cross_origin_auth"] is True
    path = f"/clients/{client['client_id']}"
    assert management.patch(path, {"cross_origin_authentication": False})["cross_origin_auth"] is False


def test_an_api_that_signs_with_a_secret_gets_one(management: Management) -> None:
    api = management.post("/resource-servers", {**API, "signing_alg": "HS256"})
    assert len(api["signing_secret"]) >= 16
    changed = management.patch(f"/resource-servers/{api['id']}", {"name": "Orders"})
    assert changed["signing_secret"] == api["signing_secret"]


def test_a_rotated_secret_is_another_one(management: Management) -> None:
    client = management.post("/clients", {"name": "Till"})
    rotated = management.post(f"/clients/{client['client_id']}/rotate-secret")
    assert rotated["client_secret"] != client["client_secret"]
    assert management.get(f"/clients/{client['client_id']}")["client_secret"] == rotated["client_secret"]


def test_an_application_that_signs_in_by_key_shows_no_secret(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Sync", "jwt_configuration": {"alg": "RS256"}})["client_id"]
    path = f"/clients/{client_id}/credentials"
    credential = management.post(path, {"credential_type": "public_key", "name": "key", "pem": public_pem()})
    assert credential["alg"] == "RS256"
    assert credential["kid"]
    assert "pem" not in credential
    methods = {"private_key_jwt": {"credentials": [{"id": credential["id"]}]}}
    body = {"client_authentication_methods": methods, "token_endpoint_auth_method": None}
    assert "client_secret" not in management.patch(f"/clients/{client_id}", body)
    management.refused("DELETE", f"{path}/{credential['id']}", status=409)
    back = {"client_authentication_methods": None, "token_endpoint_auth_method": "client_secret_post"}
    assert management.patch(f"/clients/{client_id}", back)["client_secret"]
    management.delete(f"{path}/{credential['id']}")
    assert management.get(path) == []


def test_a_credential_expires_with_its_certificate(management: Management) -> None:
    path = f"/clients/{management.post('/clients', {'name': 'Sync'})['client_id']}/credentials"
    pem = certificate_pem(datetime(2040, 1, 1, tzinfo=UTC))
    public = {"credential_type": "public_key", "name": "key", "pem": pem}
    assert "expires_at" not in management.post(path, public)
    assert management.post(path, {**public, "parse_expiry_from_cert": True})["expires_at"] == "2040-01-01T00:00:00.000Z"
    certificate = management.post(path, {"credential_type": "x509_cert", "name": "certificate", "pem": pem})
    assert certificate["expires_at"] == "2040-01-01T00:00:00.000Z"
    subject = management.post(path, {"credential_type": "cert_subject_dn", "name": "subject", "pem": pem})
    assert (subject["subject_dn"], "expires_at" in subject) == ("CN=sync.example", False)


def test_a_key_that_is_none_is_refused(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    body = {
        "credential_type": "public_key",
        "name": "key",
        "pem": "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
    }
    assert (
        management.refused("POST", f"/clients/{client_id}/credentials", body, status=400)["errorCode"] == "invalid_body"
    )


def test_an_api_is_found_by_its_identifier_too(management: Management) -> None:
    api = management.post("/resource-servers", API)
    encoded = "https%3A%2F%2Forders.larkspur.example"
    assert management.get(f"/resource-servers/{encoded}")["id"] == api["id"]
    assert management.patch(f"/resource-servers/{encoded}", {"token_lifetime": 60})["token_lifetime"] == 60


def test_apis_are_chosen_by_their_identifiers(management: Management) -> None:
    for name in ("orders", "stock", "bills"):
        management.post("/resource-servers", {"identifier": f"https://{name}.larkspur.example"})
    wanted = ["https://orders.larkspur.example", "https://bills.larkspur.example"]
    assert [api["identifier"] for api in management.get("/resource-servers", identifiers=wanted)] == wanted


def test_a_grant_needs_its_application_and_its_api(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    grant = {"client_id": client_id, "audience": API["identifier"], "scope": ["read:orders"]}
    management.refused("POST", "/client-grants", grant, status=404)
    management.post("/resource-servers", API)
    management.refused("POST", "/client-grants", {**grant, "client_id": "nobody"}, status=404)
    created = management.post("/client-grants", grant)
    management.refused("POST", "/client-grants", grant, status=409)
    assert management.get("/client-grants", client_id=client_id) == [created]


def test_a_deleted_application_takes_its_grants_along(management: Management) -> None:
    management.post("/resource-servers", API)
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    grant = management.post("/client-grants", {"client_id": client_id, "audience": API["identifier"], "scope": []})
    management.delete(f"/clients/{client_id}")
    management.refused("GET", f"/client-grants/{grant['id']}", status=404)
    management.delete(f"/client-grants/{grant['id']}")  # deleting it again is no error


def test_the_management_api_itself_is_not_renamed(management: Management) -> None:
    (api,) = [api for api in management.get("/resource-servers") if api["name"] == "Auth0 Management API"]
    management.refused("PATCH", f"/resource-servers/{api['id']}", {"name": "Mine"}, status=400)
    assert management.patch(f"/resource-servers/{api['id']}", {"token_lifetime": 3600})["token_lifetime"] == 3600


def test_the_management_api_describes_every_scope_that_an_endpoint_asks_for(management: Management) -> None:
    (api,) = [api for api in management.get("/resource-servers") if api["name"] == "Auth0 Management API"]
    described = {scope["value"]: scope["description"] for scope in api["scopes"]}
    assert {scope for endpoint in routes.endpoints() for scope in endpoint.scopes} <= described.keys()
    assert list(described)[:2] == ["read:client_grants", "create:client_grants"]
    assert described["read:users"] == "Read Users"
    assert described["read:grants"] == "Read User Grants"
    assert described["create:custom_domains"] == "Configure new custom domains"


def test_the_machine_application_holds_every_scope(management: Management) -> None:
    (grant,) = management.get("/client-grants", client_id=management.tenant.client_id)
    assert {"read:users", "update:tenant_settings", "read:connections_options"} <= set(grant["scope"])


def test_keys_may_come_together_with_the_application(management: Management) -> None:
    key = {"credential_type": "public_key", "name": "key", "pem": public_pem()}
    methods = {"private_key_jwt": {"credentials": [key]}}
    client = management.post("/clients", {"name": "Sync", "client_authentication_methods": methods})
    (held,) = client["client_authentication_methods"]["private_key_jwt"]["credentials"]
    (credential,) = management.get(f"/clients/{client['client_id']}/credentials")
    assert held == {"id": credential["id"]}
    unknown = {"client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_nobody"}]}}}
    management.refused("PATCH", f"/clients/{client['client_id']}", unknown, status=400)


def test_a_deleted_api_takes_grants_and_permissions_along(management: Management) -> None:
    api = management.post("/resource-servers", API)
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    grant = management.post("/client-grants", {"client_id": client_id, "audience": API["identifier"], "scope": []})
    role = f"/roles/{management.post('/roles', {'name': 'clerk'})['id']}"
    permission = {"resource_server_identifier": API["identifier"], "permission_name": "read:orders"}
    management.post(f"{role}/permissions", {"permissions": [permission]})
    management.patch(f"/resource-servers/{api['id']}", {"scopes": [{"value": "write:orders"}]})
    assert management.get(f"{role}/permissions") == []
    management.delete(f"/resource-servers/{api['id']}")
    management.refused("GET", f"/client-grants/{grant['id']}", status=404)
