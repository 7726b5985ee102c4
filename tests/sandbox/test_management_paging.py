"""Lists: by page with totals, by checkpoint, by fields, and their limits."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management


@pytest.fixture
def organizations(management: Management) -> list[str]:
    return [management.post("/organizations", {"name": f"store-{n}"})["name"] for n in range(7)]


def test_without_being_asked_a_list_is_bare(management: Management, organizations: list[str]) -> None:
    answer = management.get("/organizations")
    assert sorted(item["name"] for item in answer) == sorted(organizations)


def test_pages_with_totals(management: Management, organizations: list[str]) -> None:
    answer = management.get("/organizations", page=1, per_page=3, include_totals="true")
    assert len(answer.pop("organizations")) == 3
    assert answer == {"start": 3, "limit": 3, "total": 7}
    beyond = management.get("/organizations", page=5, per_page=3, include_totals="true")
    assert (beyond["organizations"], beyond["total"]) == ([], 7)


def test_a_page_is_fifty_long_and_at_most_a_hundred(management: Management) -> None:
    for number in range(52):
        management.post("/roles", {"name": f"role {number}"})
    assert len(management.get("/roles")) == 50
    assert len(management.get("/roles", per_page=100)) == 52
    management.refused("GET", "/roles", status=400, per_page=101)


def test_pages_end_at_a_thousand(management: Management) -> None:
    answer = management.refused("GET", "/organizations", status=400, page=10, per_page=100)
    assert answer["errorCode"] == "invalid_paging"
    assert answer["message"] == (
        "Requesting page 10 exceeds the allowed maximum of 1000 records. To fetch results beyond 1000, use the "
        "checkpoint pagination method."
    )
    assert management.get("/organizations", page=9, per_page=100) == []


def test_checkpoints_walk_through_all_and_end(management: Management, organizations: list[str]) -> None:
    names: list[str] = []
    query: dict[str, object] = {"take": 3}
    while True:
        answer = management.get("/organizations", **query)
        names += [item["name"] for item in answer["organizations"]]
        if "next" not in answer:
            break
        query["from"] = answer["next"]
    assert sorted(names) == sorted(organizations)
    assert len(names) == 7


def test_fields_are_chosen_or_left_out(management: Management, organizations: list[str]) -> None:
    (first, *_) = management.get("/organizations", fields="name")
    assert set(first) == {"name"}
    (first, *_) = management.get("/organizations", fields="name", include_fields="false")
    assert "name" not in first
    assert "id" in first


def test_lists_are_filtered_by_repeated_and_by_comma_separated_values(management: Management) -> None:
    for name, strategy in (("a", "auth0"), ("b", "github"), ("c", "google-oauth2")):
        management.post("/connections", {"name": name, "strategy": strategy, "options": {}})
    answer = management.tenant.http.get(
        "/api/v2/connections?strategy=github&strategy=google-oauth2", headers=management.tenant.authorization()
    )
    assert {connection["name"] for connection in answer.json()} == {"b", "c"}
    assert [c["name"] for c in management.get("/connections", name="a")] == ["a"]


def test_lists_of_actions_always_come_with_totals(management: Management) -> None:
    assert management.get("/actions/actions", per_page=10) == {"actions": [], "total": 0, "per_page": 10}
    body = {"code": "", "supported_triggers": [{"id": "post-login", "version": "v3"}]}
    for name in "abc":
        management.post("/actions/actions", {"name": name, **body})
    pages = [management.get("/actions/actions", page=page, per_page=2) for page in range(3)]
    assert [len(page.pop("actions")) for page in pages] == [2, 1, 0]
    assert pages == [
        {"total": 3, "per_page": 2},
        {"total": 3, "per_page": 2, "page": 1},
        {"total": 0, "per_page": 2, "page": 2},
    ]
    assert management.get("/actions/modules") == {"modules": [], "total": 0, "page": 0, "per_page": 50}


def test_a_page_of_members_that_is_not_empty_always_names_a_next_one(management: Management) -> None:
    connection = "Username-Password-Authentication"
    body = {"connection": connection, "email": "ada@larkspur.example", "password": "Correct-Horse-9-battery"}
    user_id = management.post("/users", body)["user_id"]
    organization_id = management.post("/organizations", {"name": "store"})["id"]
    management.post(f"/organizations/{organization_id}/members", {"members": [user_id]})
    first = management.get(f"/organizations/{organization_id}/members", take=10)
    assert [member["user_id"] for member in first["members"]] == [user_id]
    last = management.get(f"/organizations/{organization_id}/members", **{"take": 10, "from": first["next"]})
    assert last == {"members": []}
