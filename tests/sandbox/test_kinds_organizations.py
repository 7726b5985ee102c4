"""Organizations and roles, and who and what belongs to them."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management

API = {"identifier": "https://orders.example", "scopes": [{"value": "read:orders", "description": "Read orders"}]}
PERMISSION = {"resource_server_identifier": "https://orders.example", "permission_name": "read:orders"}


@pytest.fixture
def organization(management: Management) -> str:
    return f"/organizations/{management.post('/organizations', {'name': 'harbourline'})['id']}"


@pytest.fixture
def user_id(management: Management) -> str:
    body = {"email": "ada@larkspur.example", "password": "Correct-Horse-9-battery"}
    return str(management.post("/users", {**body, "connection": "Username-Password-Authentication"})["user_id"])


def test_an_organization_is_found_by_name(management: Management, organization: str) -> None:
    assert management.get("/organizations/name/harbourline")["id"] in organization
    management.refused("GET", "/organizations/name/nobody", status=404)


def test_metadata_that_hold_nothing_are_none(management: Management, organization: str) -> None:
    assert management.patch(organization, {"metadata": {"a": "b"}})["metadata"] == {"a": "b"}
    assert "metadata" not in management.patch(organization, {"metadata": {}})


def test_connections_are_linked_with_their_settings(management: Management, organization: str) -> None:
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    linked = management.post(f"{organization}/connections", {"connection_id": id, "show_as_button": False})
    assert linked["connection"] == {"name": "staff", "strategy": "auth0"}
    assert (linked["show_as_button"], linked["assign_membership_on_login"]) == (False, False)
    management.refused("POST", f"{organization}/enabled_connections", {"connection_id": id}, status=409)
    changed = management.patch(f"{organization}/connections/{id}", {"assign_membership_on_login": True})
    assert (changed["show_as_button"], changed["assign_membership_on_login"]) == (False, True)
    management.delete(f"{organization}/connections/{id}")
    management.refused("GET", f"{organization}/connections/{id}", status=404)


def test_connections_are_listed_in_their_own_order_whenever_they_were_linked(
    management: Management, organization: str
) -> None:
    ids = [management.post("/connections", {"name": name, "strategy": "auth0"})["id"] for name in ("staff", "guests")]
    for id in reversed(ids):
        management.post(f"{organization}/connections", {"connection_id": id})
    assert [linked["connection_id"] for linked in management.get(f"{organization}/connections")] == ids


def test_connections_can_come_with_a_new_organization(management: Management) -> None:
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    body = {"name": "fernhill", "enabled_connections": [{"connection_id": id, "assign_membership_on_login": True}]}
    organization = management.post("/organizations", body)
    (shown,) = organization["enabled_connections"]
    assert (shown["assign_membership_on_login"], shown["connection"]["name"]) == (True, "staff")
    (linked,) = management.get(f"/organizations/{organization['id']}/enabled_connections")
    assert linked["connection_id"] == id
    assert "enabled_connections" not in management.get(f"/organizations/{organization['id']}")


def test_a_grant_is_linked_only_if_it_allows_organizations(management: Management, organization: str) -> None:
    management.post("/resource-servers", API)
    client_id = management.post("/clients", {"name": "Sync"})["client_id"]
    grant = {"client_id": client_id, "audience": API["identifier"], "scope": ["read:orders"]}
    id = management.post("/client-grants", grant)["id"]
    management.refused("POST", f"{organization}/client-grants", {"grant_id": id}, status=400)
    management.patch(f"/client-grants/{id}", {"organization_usage": "allow"})
    management.post(f"{organization}/client-grants", {"grant_id": id})
    assert [g["id"] for g in management.get(f"{organization}/client-grants")] == [id]
    assert [o["name"] for o in management.get(f"/client-grants/{id}/organizations")] == ["harbourline"]
    management.delete(f"{organization}/client-grants/{id}")
    assert management.get(f"{organization}/client-grants") == []


def test_members_hold_roles_within_the_organization(management: Management, organization: str, user_id: str) -> None:
    role = management.post("/roles", {"name": "florist"})["id"]
    roles = f"{organization}/members/{user_id}/roles"
    management.refused("POST", roles, {"roles": [role]}, status=404)
    management.post(f"{organization}/members", {"members": [user_id]})
    management.post(roles, {"roles": [role]})
    assert [r["name"] for r in management.get(roles)] == ["florist"]
    assert [m["user_id"] for m in management.get(f"{organization}/roles/{role}/members")["members"]] == [user_id]
    management.delete(f"{organization}/members", {"members": [user_id]})
    assert management.get(f"{organization}/members") == []
    management.refused("GET", roles, status=404)


def test_an_unknown_member_changes_nothing(management: Management, organization: str, user_id: str) -> None:
    body = {"members": [user_id, "auth0|nobody"]}
    management.refused("POST", f"{organization}/members", body, status=404)
    assert management.get(f"{organization}/members") == []


def test_an_invitation_leads_to_the_application(management: Management, organization: str) -> None:
    client = {"name": "Portal", "initiate_login_uri": "https://portal.larkspur.example/login"}
    client_id = management.post("/clients", client)["client_id"]
    body = {"inviter": {"name": "Ada"}, "invitee": {"email": "bo@harbourline.example"}, "client_id": client_id}
    invitation = management.post(f"{organization}/invitations", body)
    assert invitation["invitation_url"].startswith("https://portal.larkspur.example/login?invitation=")
    path = f"{organization}/invitations/{invitation['id']}"
    assert management.get(path)["invitee"] == {"email": "bo@harbourline.example"}
    management.delete(path)
    management.refused("GET", path, status=404)


def test_a_discovery_domain_says_how_it_is_verified(management: Management, organization: str) -> None:
    path = f"{organization}/discovery-domains"
    domain = management.post(path, {"domain": "harbourline.example"})
    assert domain["status"] == "pending"
    assert domain["verification_host"].endswith(".harbourline.example")
    assert management.get(f"{path}/name/harbourline.example")["id"] == domain["id"]
    assert management.patch(f"{path}/{domain['id']}", {"status": "verified"})["status"] == "verified"
    management.refused("POST", path, {"domain": "harbourline.example"}, status=409)


def test_a_deleted_organization_leaves_nothing_behind(management: Management, organization: str, user_id: str) -> None:
    management.post(f"{organization}/members", {"members": [user_id]})
    management.delete(organization)
    assert management.get(f"/users/{user_id}/organizations") == []


def test_permissions_of_a_role_are_described(management: Management) -> None:
    role = f"/roles/{management.post('/roles', {'name': 'florist'})['id']}"
    management.refused("POST", f"{role}/permissions", {"permissions": [PERMISSION]}, status=404)
    management.post("/resource-servers", {**API, "name": "Orders"})
    wrong = {**PERMISSION, "permission_name": "burn:orders"}
    management.refused("POST", f"{role}/permissions", {"permissions": [wrong]}, status=400)
    management.post(f"{role}/permissions", {"permissions": [PERMISSION]})
    shown = {**PERMISSION, "resource_server_name": "Orders", "description": "Read orders"}
    assert management.get(f"{role}/permissions") == [shown]
    management.delete(f"{role}/permissions", {"permissions": [PERMISSION]})
    assert management.get(f"{role}/permissions") == []


def test_a_role_lists_its_holders(management: Management, user_id: str) -> None:
    role = f"/roles/{management.post('/roles', {'name': 'florist'})['id']}"
    management.post(f"{role}/users", {"users": [user_id]})
    (holder,) = management.get(f"{role}/users")
    assert holder["user_id"] == user_id
    assert [r["name"] for r in management.get(f"/users/{user_id}/roles")] == ["florist"]
    management.delete(role)
    assert management.get(f"/users/{user_id}/roles") == []


def test_roles_are_found_by_a_part_of_their_name(management: Management) -> None:
    for name in ("florist", "head florist", "driver"):
        management.post("/roles", {"name": name})
    assert [r["name"] for r in management.get("/roles", name_filter="FLORIST")] == ["florist", "head florist"]
