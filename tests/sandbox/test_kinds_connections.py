"""Connections: what each strategy holds, who may use them, how they are provisioned."""

from __future__ import annotations

from typing import Any

from tests.sandbox.management import Management

SCRIPT = "function login(email, password, callback) { callback(null, {}); }"
OPENID = {"client_id": "c", "issuer": "https://idp.example", "type": "back_channel"}
PLACES = ("current", "previous", "next")


def new_openid(management: Management) -> dict[str, Any]:
    connection: dict[str, Any] = management.post("/connections", {"name": "idp", "strategy": "oidc", "options": OPENID})
    return connection


def test_a_new_database_has_a_policy_and_methods(management: Management) -> None:
    options = management.post("/connections", {"name": "staff", "strategy": "auth0"})["options"]
    assert options["brute_force_protection"] is True
    assert options["password_options"]["complexity"]["min_length"] == 15
    assert options["authentication_methods"]["password"]["enabled"] is True


def test_a_new_database_shows_its_password_policy_in_the_newer_way_too(management: Management) -> None:
    newer = {"password_options": {"history": {"active": True, "size": 5}}}
    shown = {}
    for name, options in {"neither": {}, "older": {"passwordPolicy": "low"}, "newer": newer}.items():
        made = management.post("/connections", {"name": name, "strategy": "auth0", "options": options})["options"]
        shown[name] = (made.get("passwordPolicy"), made["password_options"]["history"]["size"])
    assert shown == {"neither": ("good", 3), "older": ("low", 3), "newer": (None, 5)}


def test_options_are_replaced_whole(management: Management) -> None:
    body = {"name": "staff", "strategy": "auth0", "options": {"import_mode": True, "disable_signup": True}}
    id = management.post("/connections", body)["id"]
    options = management.patch(f"/connections/{id}", {"options": {"disable_signup": True}})["options"]
    assert "import_mode" not in options
    assert options["disable_signup"] is True
    assert options["authentication_methods"]["password"]["enabled"] is True


def test_secrets_of_scripts_are_shown_encrypted_and_may_be_sent_back(management: Management) -> None:
    options = {
        "enabledDatabaseCustomization": True,
        "customScripts": {"login": SCRIPT},
        "configuration": {"KEY": "hush"},
    }
    connection = management.post("/connections", {"name": "old", "strategy": "auth0", "options": options})
    del connection["options"]["passwordPolicy"]
    shown = connection["options"]["configuration"]["KEY"]
    assert "hush" not in shown
    again = management.patch(f"/connections/{connection['id']}", {"options": connection["options"]})
    assert again["options"]["configuration"]["KEY"] == shown


def test_attributes_exclude_the_older_settings(management: Management) -> None:
    for other in ({"requires_username": True}, {"validation": {"username": {"min": 1, "max": 9}}}):
        options = {"attributes": {"email": {"signup": {"status": "required"}}}, **other}
        body = {"name": "staff", "strategy": "auth0", "options": options}
        answer = management.refused("POST", "/connections", body, status=400)
        assert answer["message"] == f"Cannot set both options.attributes and options.{next(iter(other))}"


def test_flags_become_the_scopes_that_a_provider_is_asked_for(management: Management) -> None:
    options = {"client_id": "c", "client_secret": "s", "email": True, "read_user": True, "repo": False}
    connection = management.post("/connections", {"name": "github", "strategy": "github", "options": options})
    assert connection["options"]["scope"] == ["user:email", "read:user"]


def test_names_are_unique_in_any_case(management: Management) -> None:
    management.post("/connections", {"name": "staff", "strategy": "auth0"})
    management.refused("POST", "/connections", {"name": "STAFF", "strategy": "auth0"}, status=409)


def test_connections_are_chosen_by_strategy_and_name(management: Management) -> None:
    for name, strategy in (("staff", "auth0"), ("github", "github"), ("line", "line")):
        management.post("/connections", {"name": name, "strategy": strategy})
    for query in ({"strategy": ["github", "line"]}, {"strategy[]": ["github", "line"]}, {"strategy": "github,line"}):
        assert [c["name"] for c in management.get("/connections", **query)] == ["github", "line"]
    assert [c["name"] for c in management.get("/connections", name="staff", strategy="auth0")] == ["staff"]


def test_name_and_strategy_stay(management: Management) -> None:
    connection = management.post("/connections", {"name": "staff", "strategy": "auth0"})
    management.ask("PATCH", f"/connections/{connection['id']}", {"strategy": "github", "name": "other"})
    again = management.get(f"/connections/{connection['id']}")
    assert (again["name"], again["strategy"]) == ("staff", "auth0")


def test_applications_are_enabled_and_disabled_one_by_one(management: Management) -> None:
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    first, second = (management.post("/clients", {"name": name})["client_id"] for name in "ab")
    path = f"/connections/{id}/clients"
    management.patch(path, [{"client_id": first, "status": True}, {"client_id": second, "status": True}])
    assert [c["client_id"] for c in management.get(path)["clients"]] == [first, second]
    management.patch(path, [{"client_id": first, "status": False}])
    assert [c["client_id"] for c in management.get(path)["clients"]] == [second]
    assert [c["name"] for c in management.get(f"/clients/{second}/connections")["connections"]] == ["staff"]
    management.refused("PATCH", path, [{"client_id": "nobody", "status": True}], status=400)
    management.delete(f"/clients/{second}")
    assert management.get(path) == {"clients": []}


def test_a_deleted_connection_takes_its_users_along(management: Management) -> None:
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    body = {"connection": "staff", "email": "ada@larkspur.example", "password": "Correct-Horse-9-battery"}
    user_id = management.post("/users", body)["user_id"]
    answer = management.ask("DELETE", f"/connections/{id}")
    assert answer.status_code == 202
    assert "deleted_at" in answer.json()
    management.refused("GET", f"/users/{user_id}", status=404)


def test_scim_is_for_some_strategies_only(management: Management) -> None:
    database = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    answer = management.refused("POST", f"/connections/{database}/scim-configuration", {}, status=404)
    assert "does not support SCIM" in answer["message"]
    okta = management.post("/connections", {"name": "partner", "strategy": "okta", "options": {"client_id": "c"}})["id"]
    path = f"/connections/{okta}/scim-configuration"
    management.refused("GET", path, status=404)
    created = management.post(path, {})
    assert created["user_id_attribute"] == "externalId"
    assert created["mapping"] == management.get(f"{path}/default-mapping")["mapping"]
    token = management.post(f"{path}/tokens", {})
    assert token["token"]
    assert [set(item) & {"token"} for item in management.get(f"{path}/tokens")] == [set()]
    management.delete(path)
    management.refused("GET", path, status=404)


def test_groups_of_a_directory_are_added_replaced_and_removed(management: Management) -> None:
    options = {"client_id": "c", "client_secret": "s", "domain": "larkspur.example"}
    body = {"name": "workspace", "strategy": "google-apps", "options": options}
    path = f"/connections/{management.post('/connections', body)['id']}/directory-provisioning"
    management.post(path, {})
    groups = f"{path}/synchronized-groups"
    management.post(groups, {"groups": [{"id": "g1"}, {"id": "g2"}]})
    management.delete(groups, {"groups": [{"id": "g1"}]})
    assert [g["id"] for g in management.get(groups)["groups"]] == ["g2"]
    management.put(groups, {"groups": []})
    assert management.get(groups)["groups"] == []
    management.refused("POST", groups, {"groups": [{"id": "g1", "email": ""}]}, status=400)


def test_a_rotated_key_takes_the_place_of_the_current_one(management: Management) -> None:
    path = f"/connections/{new_openid(management)['id']}/keys"
    before = {place: key["kid"] for key in management.get(path) for place in PLACES if key.get(place)}
    fresh = management.post(f"{path}/rotate")
    after = {place: key["kid"] for key in management.get(path) for place in PLACES if key.get(place)}
    assert before.keys() == {"current", "next"}
    assert after == {"current": before["next"], "previous": before["current"], "next": fresh["kid"]}


def test_pkce_is_on_until_options_are_sent_that_do_not_mention_it(management: Management) -> None:
    connection = new_openid(management)
    path = f"/connections/{connection['id']}"
    assert connection["options"]["connection_settings"] == {"pkce": "auto"}
    assert management.patch(path, {"options": OPENID})["options"]["connection_settings"] == {"pkce": "disabled"}
    asked = {**OPENID, "connection_settings": {"pkce": "S256"}}
    assert management.patch(path, {"options": asked})["options"]["connection_settings"] == {"pkce": "S256"}
