"""/users: what may be created, read, changed together, and deleted; with the errors that Auth0 answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.password_grant import CUSTOMERS, signs_in

CONNECTION = "Username-Password-Authentication"
PASSWORD = "Larkspur-demo-2"


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


def call(tenant: Any, method: str, path: str, body: Any = None, **params: Any) -> Any:
    """The answer, whatever its status."""
    return tenant.http.request(method, f"/api/v2{path}", json=body, params=params, headers=tenant.authorization())


def one(user: dict[str, Any]) -> str:
    return f"/users/{quote(user['user_id'], safe='')}"


def new(tenant: Any, email: str = "new@postbox.example", **fields: Any) -> Any:
    return tenant.api("POST", "/users", {"connection": CUSTOMERS, "email": email, "password": PASSWORD, **fields})


# Create


def test_a_new_user_is_as_auth0_makes_it(dev: Any) -> None:
    user = new(dev, "Mixed.Case@Postbox.Example", user_metadata={"a": 1}, app_metadata={"b": None, "c": 2})
    assert user["email"] == "mixed.case@postbox.example"
    assert user["email_verified"] is False
    assert (user["name"], user["nickname"]) == ("mixed.case@postbox.example", "mixed.case")
    assert user["picture"].startswith("https://s.gravatar.com/avatar/")
    assert user["picture"].endswith("avatars%2Fmi.png")
    assert (user["user_metadata"], user["app_metadata"]) == ({"a": 1}, {"c": 2})
    id = user["user_id"].removeprefix("auth0|")
    assert len(id) == 24
    assert user["identities"] == [{"connection": CUSTOMERS, "user_id": id, "provider": "auth0", "isSocial": False}]
    assert not any(key.startswith("_") or "password" in key for key in user)
    assert dev.user_by_id(user["user_id"]) == user
    assert dev.user("mixed.case@postbox.example") == user


def test_a_chosen_id_is_kept_below_the_providers_prefix(dev: Any) -> None:
    assert new(dev, user_id="C-1")["user_id"] == "auth0|C-1"
    assert call(dev, "POST", "/users", {"connection": CUSTOMERS, "email": "x@y.example", "password": PASSWORD,
                                        "user_id": "C-1"}).status_code == 409  # fmt: skip


def test_a_duplicate_is_a_conflict_in_its_connection_alone(dev: Any) -> None:
    new(dev)
    body = {"connection": CUSTOMERS, "email": "NEW@postbox.example", "password": PASSWORD}
    answer = call(dev, "POST", "/users", body)
    assert answer.status_code == 409
    assert answer.json() == {
        "statusCode": 409,
        "error": "Conflict",
        "message": "The user already exists.",
        "errorCode": "auth0_idp_error",
    }
    assert call(dev, "POST", "/users", {**body, "connection": CONNECTION}).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "part"),
    [
        ({"connection": None}, 400, "connection"),
        ({"connection": "nowhere"}, 400, "connection"),
        ({"connection": "google-oauth2"}, 400, "google-oauth2"),
        ({"email": None}, 400, "email"),
        ({"email": "no address"}, 400, "email"),
        ({"password": None}, 400, "password"),
        ({"password": "short"}, 400, "PasswordStrengthError"),
        ({"password": "x" * 80}, 400, "Password"),
        ({"password": "alllowercaseletters"}, 400, "PasswordStrengthError"),
        ({"app_metadata": "text"}, 400, "app_metadata"),
        ({"blocked": "yes"}, 400, "blocked"),
        ({"nonsense": 1}, 400, "nonsense"),
        ({"phone_number": "12"}, 400, "phone_number"),
    ],
)
def test_a_user_that_can_not_be_is_refused(dev: Any, change: dict[str, Any], status: int, part: str) -> None:
    body = {"connection": CUSTOMERS, "email": "new@postbox.example", "password": PASSWORD, **change}
    answer = call(dev, "POST", "/users", {k: v for k, v in body.items() if v is not None})
    assert answer.status_code == status
    assert part in answer.json()["message"]
    assert dev.api("GET", "/users-by-email", email="new@postbox.example") == []


@pytest.mark.parametrize(("fields", "mails"), [({}, 1), ({"email_verified": True}, 0), ({"verify_email": False}, 0)])
def test_a_new_address_is_asked_to_verify_unless_told_otherwise(dev: Any, fields: Any, mails: int) -> None:
    new(dev, **fields)
    assert len(dev.mail(to="new@postbox.example")) == mails


def with_policy(tenant: Any, **policy: Any) -> None:
    """The customers' database with a policy in the older words, which the newer `password_options` excludes."""
    connection = tenant.named("connections", CUSTOMERS)
    kept = {name: value for name, value in connection["options"].items() if name != "password_options"}
    tenant.api("PATCH", f"/connections/{connection['id']}", {"options": {**kept, **policy}})


def test_a_common_password_is_refused_where_the_policy_says_so(dev: Any) -> None:
    with_policy(dev, password_dictionary={"enable": True, "dictionary": ["larkspur-demo-9"]})
    body = {"connection": CUSTOMERS, "email": "new@postbox.example", "password": "Larkspur-Demo-9"}
    answer = call(dev, "POST", "/users", body)
    assert answer.status_code == 400
    assert "PasswordDictionaryError" in answer.json()["message"]


# Read


def test_an_unknown_user_is_a_404(dev: Any) -> None:
    for id in ("auth0|nobody", "auth0|%", "x|ü🌱", "a/b|c", "%7C"):
        answer = call(dev, "GET", f"/users/{quote(id, safe='')}")
        assert answer.status_code == 404, id
        assert answer.json()["errorCode"] == "inexistent_user"


def test_users_by_email_is_exact_and_minds_case(dev: Any) -> None:
    user = new(dev)
    assert dev.api("GET", "/users-by-email", email="new@postbox.example") == [user]
    assert dev.api("GET", "/users-by-email", email="New@postbox.example") == []
    (reduced,) = dev.api("GET", "/users-by-email", email="new@postbox.example", fields="email")
    assert reduced == {"email": "new@postbox.example"}
    assert call(dev, "GET", "/users-by-email").status_code == 400


# Change


@pytest.mark.parametrize(
    "body",
    [
        {"username": "u", "password": PASSWORD},
        {"username": "u", "email_verified": True},
        {"password": PASSWORD, "email_verified": True},
    ],
)
def test_attributes_that_exclude_each_other_are_refused_together(dev: Any, body: dict[str, Any]) -> None:
    user = new(dev)
    answer = call(dev, "PATCH", one(user), {**body, "connection": CUSTOMERS})
    assert answer.status_code == 400
    assert "simultaneously" in answer.json()["message"]
    assert dev.user_by_id(user["user_id"]) == user


def test_metadata_merges_on_the_first_level_only(dev: Any) -> None:
    user = new(dev, user_metadata={"a": {"x": 1, "y": 2}, "b": 1}, app_metadata={"a": 1})
    changed = dev.api("PATCH", one(user), {"user_metadata": {"a": {"x": 9}, "b": None, "c": [1]}})
    assert changed["user_metadata"] == {"a": {"x": 9}, "c": [1]}
    assert changed["app_metadata"] == {"a": 1}
    emptied = dev.api("PATCH", one(user), {"user_metadata": {}, "app_metadata": {}})
    assert emptied["user_metadata"] == {}
    assert "app_metadata" not in emptied


def test_null_removes_a_plain_attribute(dev: Any) -> None:
    user = new(dev, given_name="Ada", family_name="Norton")
    changed = dev.api("PATCH", one(user), {"given_name": None, "blocked": True})
    assert "given_name" not in changed
    assert changed["family_name"] == "Norton"
    assert changed["blocked"] is True
    assert dev.api("PATCH", one(user), {"blocked": False})["blocked"] is False


def test_a_changed_address_is_unverified_and_asked_only_if_wanted(dev: Any) -> None:
    user = new(dev, email_verified=True)
    changed = dev.api("PATCH", one(user), {"email": "Other@postbox.example", "connection": CUSTOMERS})
    assert (changed["email"], changed["email_verified"]) == ("other@postbox.example", False)
    assert dev.mail(to="other@postbox.example") == []
    dev.api("PATCH", one(user), {"email": "third@postbox.example", "verify_email": True})
    assert [m["template"] for m in dev.mail(to="third@postbox.example")] == ["verify_email"]
    both = dev.api("PATCH", one(user), {"email": "fourth@postbox.example", "email_verified": True})
    assert both["email_verified"] is True
    types = [event["type"] for event in dev.api("GET", f"{one(user)}/logs", sort="date:1")]
    assert types.count("sce") == 3


def test_an_address_of_somebody_else_is_refused(dev: Any) -> None:
    new(dev, "taken@postbox.example")
    user = new(dev)
    answer = call(dev, "PATCH", one(user), {"email": "taken@postbox.example"})
    assert answer.status_code == 400
    assert answer.json()["message"] == "The specified new email already exists"


def test_a_set_password_obeys_the_policy_signs_in_and_ends_sessions(dev: Any) -> None:
    user = new(dev)
    assert signs_in(dev, "new@postbox.example", PASSWORD)
    weak = call(dev, "PATCH", one(user), {"password": "weak", "connection": CUSTOMERS})
    assert (weak.status_code, weak.json()["message"]) == (400, "PasswordStrengthError: Password is too weak")
    changed = dev.api("PATCH", one(user), {"password": "Another-demo-3", "connection": CUSTOMERS})
    assert changed["last_password_reset"]
    assert not signs_in(dev, "new@postbox.example", PASSWORD)
    assert signs_in(dev, "new@postbox.example", "Another-demo-3")
    assert dev.api("GET", f"{one(user)}/sessions")["sessions"] == []


def test_the_password_history_refuses_an_old_one(dev: Any) -> None:
    with_policy(dev, password_history={"enable": True, "size": 2})
    user = new(dev)
    dev.api("PATCH", one(user), {"password": "Second-demo-2"})
    for old in (PASSWORD, "Second-demo-2"):
        answer = call(dev, "PATCH", one(user), {"password": old})
        assert "PasswordHistoryError" in answer.json()["message"]


def test_what_a_social_provider_owns_is_not_changed_here(dev: Any) -> None:
    (user,) = dev.api("GET", "/users", q="identities.provider:google-oauth2", per_page=1)
    answer = call(dev, "PATCH", one(user), {"name": "Other", "email": "o@x.example"})
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "operation_not_supported"
    assert "email, name" in answer.json()["message"]
    assert dev.api("PATCH", one(user), {"app_metadata": {"vip": True}})["app_metadata"]["vip"] is True


def test_a_connection_that_the_user_does_not_have_is_refused(dev: Any) -> None:
    user = new(dev)
    for connection in (CONNECTION, "nowhere"):
        body = {"email": "x@postbox.example", "connection": connection}
        assert call(dev, "PATCH", one(user), body).status_code == 400


# Delete


def test_a_deleted_user_is_gone_with_all_that_hung_on_it(dev: Any) -> None:
    user = new(dev)
    role = dev.api("GET", "/roles", per_page=1)[0]
    dev.api("POST", f"{one(user)}/roles", {"roles": [role["id"]]})
    dev.api("POST", f"{one(user)}/authentication-methods", {"type": "totp", "totp_secret": "JBSWY3DPEHPK3PXP"})
    assert call(dev, "DELETE", one(user)).status_code == 204
    assert call(dev, "GET", one(user)).status_code == 404
    assert call(dev, "DELETE", one(user)).status_code == 204
    holders = dev.api("GET", f"/roles/{role['id']}/users", per_page=100)
    assert user["user_id"] not in [holder["user_id"] for holder in holders]
    assert dev.phones(user_id=user["user_id"]) == []


# Scopes


def test_a_token_without_the_scope_is_told_which_it_needs(dev: Any) -> None:
    client = dev.api("POST", "/clients", {"name": "narrow", "app_type": "non_interactive"})
    audience = f"{dev.url}/api/v2/"
    grant = {"client_id": client["client_id"], "audience": audience, "scope": ["update:users_app_metadata"]}
    dev.api("POST", "/client-grants", grant)
    body = {"grant_type": "client_credentials", "audience": audience}
    keys = {key: client[key] for key in ("client_id", "client_secret")}
    token = dev.http.post("/oauth/token", json={**body, **keys}).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    user = new(dev)
    path = f"/api/v2{one(user)}"
    refused = dev.http.patch(path, json={"blocked": True}, headers=headers)
    assert refused.status_code == 403
    assert refused.json()["errorCode"] == "insufficient_scope"
    assert dev.http.patch(path, json={"app_metadata": {"a": 1}}, headers=headers).status_code == 200
    assert "read:users" in dev.http.get(path, headers=headers).json()["message"]


# Linked identities


def test_linking_merges_two_users_and_unlinking_parts_them(dev: Any) -> None:
    primary, secondary = new(dev, "first@postbox.example"), new(dev, "second@postbox.example")
    id = secondary["identities"][0]["user_id"]
    identities = dev.api("POST", f"{one(primary)}/identities", {"provider": "auth0", "user_id": id})
    assert [i["user_id"] for i in identities] == [primary["identities"][0]["user_id"], id]
    assert identities[1]["profileData"]["email"] == "second@postbox.example"
    assert call(dev, "GET", one(secondary)).status_code == 404
    assert dev.api("GET", "/users-by-email", email="second@postbox.example") == []
    assert signs_in(dev, "second@postbox.example", PASSWORD)
    assert call(dev, "POST", f"{one(primary)}/identities", {"provider": "auth0", "user_id": id}).status_code == 409
    left = dev.api("DELETE", f"{one(primary)}/identities/auth0/{id}")
    assert len(left) == 1
    assert dev.user("second@postbox.example")["user_id"] == secondary["user_id"]
    assert signs_in(dev, "second@postbox.example", PASSWORD)


def test_a_linked_identity_is_changed_by_naming_its_connection(dev: Any) -> None:
    primary = new(dev, "first@postbox.example")
    body = {"connection": CONNECTION, "email": "staff@larkspur.example", "password": PASSWORD}
    secondary = dev.api("POST", "/users", body)
    identity = {"provider": "auth0", "user_id": secondary["user_id"].removeprefix("auth0|")}
    dev.api("POST", f"{one(primary)}/identities", identity)
    dev.api("PATCH", one(primary), {"password": "Changed-demo-4", "connection": CONNECTION})
    changed = dev.api("PATCH", one(primary), {"email": "moved@larkspur.example", "connection": CONNECTION})
    assert changed["email"] == "first@postbox.example"
    assert changed["identities"][1]["profileData"]["email"] == "moved@larkspur.example"
    assert signs_in(dev, "moved@larkspur.example", "Changed-demo-4", CONNECTION)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"provider": "auth0"}, 400),
        ({"provider": "auth0", "user_id": "nobody"}, 404),
        ({"link_with": "no.token.here"}, 400),
    ],
)
def test_a_bad_link_is_refused(dev: Any, body: dict[str, Any], status: int) -> None:
    user = new(dev)
    assert call(dev, "POST", f"{one(user)}/identities", body).status_code == status


def test_the_main_identity_and_foreign_ones_can_not_be_unlinked(dev: Any) -> None:
    user = new(dev)
    id = user["user_id"].removeprefix("auth0|")
    for path in (f"auth0/{id}", "auth0/nobody", "google-oauth2/1"):
        assert call(dev, "DELETE", f"{one(user)}/identities/{path}").status_code == 400


# Custom database


def test_a_user_of_a_custom_database_goes_through_its_scripts(dev: Any) -> None:
    known = dev.api("GET", "/users", q='identities.connection:"legacy-store"', per_page=1)[0]
    body = {"connection": "legacy-store", "email": known["email"], "password": PASSWORD}
    assert call(dev, "POST", "/users", body).status_code == 409  # get_user knows the address
    assert call(dev, "POST", "/users", {**body, "email": "fresh@postbox.example"}).status_code == 201
    assert signs_in(dev, known["email"], "Larkspur-demo-1", "legacy-store")
    assert not signs_in(dev, known["email"], "wrong", "legacy-store")


def test_each_write_leaves_an_event_without_secrets(dev: Any) -> None:
    user = new(dev)
    dev.api("PATCH", one(user), {"password": "Another-demo-3"})
    call(dev, "PATCH", one(user), {"password": "weak"})
    events = dev.api("GET", f"{one(user)}/logs", sort="date:1")
    by_type = {event["type"]: event for event in events}
    assert by_type["sapi"]["description"] == "Update a User"
    assert by_type["sapi"]["client_id"] == dev.client_id
    assert by_type["fapi"]["details"]["response"]["statusCode"] == 400
    assert "Another-demo-3" not in str(events)
    assert "weak" not in str(
        [event["details"].get("request", {}).get("body") for event in events if "details" in event]
    )
