"""Groups of a directory: how they come, the roles they give, and how a user effectively holds a role."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management
from tests.sandbox.web_login import new_user


@pytest.fixture
def group(management: Management) -> dict[str, Any]:
    """A group that a directory brought."""
    options = {"name": "workspace", "strategy": "google-apps", "options": {"client_id": "x"}}
    path = f"/connections/{management.post('/connections', options)['id']}/directory-provisioning"
    management.post(path, {"synchronize_groups": "selected"})
    select(management, path, {"id": "staff", "name": "Staff"})
    (found,) = management.get("/groups", name="Staff")
    return {**found, "path": path}


def select(management: Management, path: str, *groups: dict[str, str]) -> None:
    management.put(f"{path}/synchronized-groups", {"groups": [{"id": group["id"]} for group in groups]})
    management.post(f"{path}/synchronized-groups", {"groups": list(groups)})
    management.post(f"{path}/synchronizations")


def member_of(management: Management, group: dict[str, Any]) -> str:
    """A user whom the directory knows in that group: no call of the API makes one."""
    user = new_user(management.tenant)
    state = management.tenant.control("GET", "state")
    row = {"group_id": group["id"], "user_id": user["user_id"], "created_at": "2026-01-01T00:00:00.000Z"}
    key = f"{group['id']} {user['user_id']}"
    state["documents"].setdefault("group_members", {})[key] = {"_key": key, **row}
    management.tenant.control("PUT", "state", state)
    return str(user["user_id"])


def test_a_synchronisation_brings_the_selected_groups_and_takes_the_others_away(
    management: Management, group: dict[str, Any]
) -> None:
    assert group["external_id"] == "staff"
    select(management, group["path"], {"id": "guests", "name": "Guests"})
    assert [one["name"] for one in management.get("/groups", take=5)["groups"]] == ["Guests"]
    management.refused("GET", f"/groups/{group['id']}", status=404)


def test_a_deleted_group_takes_its_roles_along(management: Management, group: dict[str, Any]) -> None:
    role = management.post("/roles", {"name": "Florist"})
    management.post(f"/groups/{group['id']}/roles", {"roles": [role["id"]]})
    assert [one["id"] for one in management.get(f"/roles/{role['id']}/groups")["groups"]] == [group["id"]]
    management.delete(f"/groups/{group['id']}")
    assert management.get(f"/roles/{role['id']}/groups") == {"groups": []}


def test_a_group_can_be_given_only_a_role_that_there_is(management: Management, group: dict[str, Any]) -> None:
    management.refused("POST", f"/groups/{group['id']}/roles", {"roles": ["rol_xxxxxxxxxxxxxxxx"]}, status=404)
    management.refused("POST", f"/groups/{group['id']}/roles", {"roles": []}, status=400)


def test_a_user_holds_the_roles_of_the_groups(management: Management, group: dict[str, Any]) -> None:
    user_id = member_of(management, group)
    direct, by_group = (management.post("/roles", {"name": name})["id"] for name in ("Florist", "Courier"))
    management.post(f"/users/{user_id}/roles", {"roles": [direct]})
    management.post(f"/roles/{by_group}/groups", {"groups": [group["id"]]})
    effective = {role["id"]: role["sources"] for role in management.get(f"/users/{user_id}/effective-roles")["roles"]}
    assert effective == {direct: ["direct"], by_group: ["groups"]}
    path = f"/users/{user_id}/effective-roles/sources/groups"
    assert [one["id"] for one in management.get(path, role_id=by_group)["groups"]] == [group["id"]]
    assert management.get(path, role_id=direct) == {"groups": []}
    management.refused("GET", path, status=400)
    (member,) = management.get(f"/groups/{group['id']}/members")["members"]
    assert member["id"] == user_id


def test_within_an_organization_a_group_has_roles_of_its_own(management: Management, group: dict[str, Any]) -> None:
    user_id = member_of(management, group)
    organization, role = management.post("/organizations", {"name": "acme"}), management.post("/roles", {"name": "R"})
    place = f"/organizations/{organization['id']}"
    management.post(f"{place}/members", {"members": [user_id]})
    management.post(f"{place}/groups/{group['id']}/roles", {"roles": [role["id"]]})
    assert [one["id"] for one in management.get(f"{place}/groups")["groups"]] == [group["id"]]
    assert [one["id"] for one in management.get(f"{place}/roles/{role['id']}/groups")["groups"]] == [group["id"]]
    (held,) = management.get(f"{place}/members/{user_id}/effective-roles")["roles"]
    assert (held["id"], held["sources"]) == (role["id"], ["groups"])
    assert management.get(f"/users/{user_id}/effective-roles") == {"roles": []}
    sources = management.get(f"{place}/members/{user_id}/effective-roles/sources/groups", role_id=role["id"])
    assert [one["id"] for one in sources["groups"]] == [group["id"]]
    management.delete(f"{place}/groups/{group['id']}/roles", {"roles": [role["id"]]})
    assert management.get(f"{place}/groups") == {"groups": []}
