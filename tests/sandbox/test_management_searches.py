"""/clients/search and its siblings: Lucene's syntax, SCIM's, and what they refuse."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management


@pytest.fixture(autouse=True)
def applications(management: Management) -> None:
    for name, kind in (("Till", "regular_web"), ("Till at the door", "spa"), ("Back office: stock", "regular_web")):
        management.post("/clients", {"name": name, "app_type": kind, "client_metadata": {"shop": name[:4].lower()}})


@pytest.mark.parametrize(
    ("parser", "q", "names"),
    [
        ("lucene", "name:till*", ["Till", "Till at the door"]),
        ("lucene", "door", ["Till at the door"]),
        ("lucene", 'name:"Back office: stock"', ["Back office: stock"]),
        ("lucene", "metadata.shop:till AND NOT app_type:spa", ["Till"]),
        ("scim", 'name sw "Till" and app_type eq "spa"', ["Till at the door"]),
        ("scim", 'name co "office"', ["Back office: stock"]),
        ("scim", 'name ew "door" or name eq "Back office: stock"', ["Back office: stock", "Till at the door"]),
        ("scim", 'metadata.shop pr and not (name sw "till")', ["Back office: stock"]),
    ],
)
def test_applications_are_found_in_either_syntax(management: Management, parser: str, q: str, names: list[str]) -> None:
    found = management.get("/clients/search", parser=parser, q=q, sort="name")["clients"]
    assert [client["name"] for client in found] == names
    assert all("client_secret" not in client for client in found)


@pytest.mark.parametrize(
    ("parser", "q"),
    [
        ("lucene", "client_secret:*"),
        ("lucene", "name:("),
        ("lucene", " ".join(f"name:{letter}" for letter in "abcdef")),
        ("scim", "name sw"),
        ("scim", 'name like "x"'),
    ],
)
def test_a_query_that_can_not_be_answered_is_refused(management: Management, parser: str, q: str) -> None:
    refused = management.refused("GET", "/clients/search", status=400, parser=parser, q=q)
    assert refused["errorCode"] == "invalid_query_string"


def test_results_come_in_pages(management: Management) -> None:
    first = management.get("/clients/search", take=2, sort="name")
    rest = management.get("/clients/search", take=50, sort="name", **{"from": first["next"]})
    names = [client["name"] for client in first["clients"] + rest["clients"]]
    assert names == sorted(names, key=str.lower)
    assert "next" not in rest


def test_organizations_apis_and_grants_are_searched_too(management: Management) -> None:
    management.post("/organizations", {"name": "acme", "display_name": "Acme Flowers", "metadata": {"size": "s"}})
    api = management.post("/resource-servers", {"name": "Orders", "identifier": "https://orders.example"})
    assert [o["name"] for o in management.get("/organizations/search", q="Flowers")["organizations"]] == ["acme"]
    assert [o["name"] for o in management.get("/organizations/search", q="metadata.size:s")["organizations"]] == [
        "acme"
    ]
    found = management.get("/resource-servers/search", parser="scim", q='identifier sw "https://orders"')
    assert [one["id"] for one in found["resource_servers"]] == [api["id"]]
    (grant,) = management.get("/client-grants/search", q=f'client_id:"{management.tenant.client_id}"')["client_grants"]
    assert grant["client_id"] == management.tenant.client_id
