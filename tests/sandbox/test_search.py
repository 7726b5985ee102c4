"""User search v3: Auth0's part of the Lucene syntax, its limits and its lag."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox.conditions import Conditions
from sandbox.tenant import Tenant
from sandbox.users import index as indexes
from sandbox.users import query

PEOPLE = [
    {
        "user_id": "auth0|jane",
        "email": "jane.smith@example.com",
        "email_verified": True,
        "name": "Jane Smith",
        "nickname": "jane.smith",
        "given_name": "Jane",
        "family_name": "Smith",
        "username": "JaneS",
        "phone_number": "+15551230001",
        "phone_verified": True,
        "last_ip": "198.51.100.7",
        "logins_count": 42,
        "last_login": "2026-01-31T10:00:00.000Z",
        "created_at": "2024-05-01T00:00:00.000Z",
        "blocked": True,
        "app_metadata": {"plan": "Gold", "roles": ["admin", "editor"], "limits": {"orders": 5}, "empty": {}},
        "user_metadata": {
            "colour": "blue",
            "preferences": {"fontSize": 13},
            "addresses": {"city": ["Paris", "Seattle"]},
            "homes": [{"town": "Lyon", "rooms": {"upstairs": 3}}],
            "none": None,
            "nobody": [],
        },
    },
    {
        "user_id": "google-oauth2|joe",
        "email": "joe@other.example",
        "email_verified": False,
        "name": "Joe O'Neil (work)",
        "nickname": "joe",
        "given_name": "Joe",
        "family_name": "O'Neil",
        "logins_count": 7,
        "last_login": "2026-02-01T00:00:00.000Z",
        "created_at": "2025-01-01T00:00:00.000Z",
        "app_metadata": {"plan": "gold"},
    },
    {
        "user_id": "auth0|usa",
        "email": "smythe@example.com",
        "email_verified": False,
        "name": "Lausanne Busa",
        "nickname": "smythe",
        "created_at": "2026-03-01T00:00:00.000Z",
    },
]


@pytest.fixture(scope="module")
def people() -> indexes.Index:
    tenant = Tenant("search", 1, 2, "id", "secret")
    for person in PEOPLE:
        provider, _, id = person["user_id"].partition("|")
        connection = "Users" if provider == "auth0" else provider
        identity = {"connection": connection, "provider": provider, "user_id": id, "isSocial": provider != "auth0"}
        tenant.store.put("users", person["user_id"], {"identities": [identity], **person})
    tenant.store.put("organization_members", "org_1 auth0|usa", {"organization_id": "org_1", "user_id": "auth0|usa"})
    return indexes.of(tenant)


def found(people: indexes.Index, text: str) -> list[str]:
    return [id.partition("|")[2] for id in people.ordered(query.find(people, text), None, descending=False)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ["jane", "joe", "usa"]),
        ("*", ["jane", "joe", "usa"]),
        ('email:"jane.smith@example.com"', ["jane"]),
        ("email:JANE.SMITH@EXAMPLE.COM", ["jane"]),
        ("email:jane.smith", []),
        ('name:"jane smith"', ["jane"]),
        ("name:jane", ["jane"]),
        ('name:"jane"', []),
        ("name:j*", ["jane", "joe"]),
        ("name:*usa", ["usa"]),
        ("name:*ausan*", ["usa"]),
        ("name:jane*smith", ["jane"]),
        ("username:JaneS", ["jane"]),
        ("username:janes", []),
        ("user_id:auth0|jane", ["jane"]),
        ('user_id:"google-oauth2|joe"', ["joe"]),
        ('phone_number:"+15551230001"', ["jane"]),
        ("blocked:true", ["jane"]),
        ("email_verified:false", ["joe", "usa"]),
        ("NOT email_verified:false", ["jane"]),
        ("-email_verified:false", ["jane"]),
        ("_exists_:logins_count", ["jane", "joe"]),
        ("NOT _exists_:logins_count", ["usa"]),
        ("_exists_:app_metadata", ["jane", "joe"]),
        ("_exists_:app_metadata.empty", []),
        ("logins_count:7", ["joe"]),
        ("logins_count:[7 TO 42]", ["jane", "joe"]),
        ("logins_count:{7 TO 42]", ["jane"]),
        ("logins_count:[* TO 42}", ["joe"]),
        ("logins_count:>=42", ["jane"]),
        ("last_login:[2026-01 TO 2026-01]", ["jane"]),
        ("last_login:[2026-01-31 TO 2026-02-01]", ["jane", "joe"]),
        ("last_login:{2026-01 TO *]", ["joe"]),
        ("last_login:[* TO 2026-01-31T10:00:00Z]", ["jane"]),
        ("created_at:2024-05-01", ["jane"]),
        ("email.domain:example.com", ["jane", "usa"]),
        ('identities.connection:"Users"', ["jane", "usa"]),
        ('identities.provider:"google-oauth2"', ["joe"]),
        ("identities.isSocial:true", ["joe"]),
        ("email.domain:EXAMPLE.com", ["jane", "usa"]),
        ("organization_id:org_1", ["usa"]),
        ("organization_id:org_*", ["usa"]),
        ("_exists_:organization_id", ["usa"]),
        ("NOT _exists_:organization_id", ["jane", "joe"]),
        ("phone_verified:true", ["jane"]),
        ("last_ip:198.51*", ["jane"]),
        ("app_metadata.plan:Gold", ["jane"]),
        ("app_metadata.plan:gold", ["joe"]),
        ("app_metadata.roles:admin", ["jane"]),
        ("app_metadata.limits.orders:5", ["jane"]),
        ("user_metadata.colour:blue", ["jane"]),
        ("app_metadata.plan:G*", ["jane"]),
        ("app_metadata.limits.orders:[1 TO 5}", []),
        ("app_metadata.limits.orders:[1 TO 5]", ["jane"]),
        ('user_metadata.addresses.city:"Seattle"', ["jane"]),
        ("user_metadata.addresses.city:seattle", []),
        ("user_metadata.preferences.fontSize:13", ["jane"]),
        ("_exists_:user_metadata.preferences.fontSize", ["jane"]),
        ("user_metadata.homes.town:Lyon", ["jane"]),
        ("_exists_:user_metadata.homes.rooms", ["jane"]),
        ("_exists_:user_metadata.none", []),
        ("_exists_:user_metadata.nobody", []),
        ("last_login:[2026 TO 2026]", ["jane", "joe"]),
        ("created_at:{2024-05-01 TO 2026-03-01}", ["joe"]),
        ('last_login:["2026-01-31T10:00:00.000Z" TO *}', ["jane", "joe"]),
        ("blue", []),
        ("name:jane and name:joe", ["jane", "joe"]),
        ("jane", ["jane"]),
        ("jane joe", ["jane", "joe"]),
        ("+email_verified:false +blocked:true", []),
        ("email_verified:false AND NOT name:joe", ["usa"]),
        ("(name:jane OR name:joe) AND logins_count:[10 TO *]", ["jane"]),
        ("name:(jane OR joe)", ["jane", "joe"]),
        (r"name:joe\ o'neil\ \(work\)", ["joe"]),
        ("nosuchfield:x", []),
        ("_password:x", []),
    ],
)
def test_a_query_finds_whom_it_means(people: indexes.Index, text: str, ids: list[str]) -> None:
    assert found(people, text) == ids


@pytest.mark.parametrize(
    "text",
    [
        "name:(",
        "AND",
        "name:[a TO",
        '"open',
        "name:*x",
        "name:*sa",
        "email:*@x*",
        "name:*",
        "user_metadata.colour:b*",
        "user_metadata.colour:[a TO b]",
        "name:jane~",
        "name:jane^2",
        "name:/ja.*/",
        "a && b",
        "a:b:c",
        "[1 TO 2]",
        "((" * 3000 + "a" + "))" * 3000,
    ],
)
def test_a_query_that_auth0_would_not_take_is_refused_or_harmless(people: indexes.Index, text: str) -> None:
    if text == "name:*":
        assert found(people, text) == ["jane", "joe", "usa"]
        return
    with pytest.raises(query.InvalidQueryError) as problem:
        query.find(people, text)
    assert str(problem.value)


def test_a_query_that_takes_longer_than_it_may_is_given_up(people: indexes.Index) -> None:
    with pytest.raises(query.TooSlowError):
        query.find(people, "name:jane OR name:joe", seconds=0)


def test_the_index_lags_as_long_as_it_is_told_to() -> None:
    tenant = Tenant("lagging", 1, 2, "id", "secret")
    tenant.store.put("users", "auth0|a", {"user_id": "auth0|a", "name": "Before", "identities": []})
    assert query.find(indexes.of(tenant), "name:before") == {"auth0|a"}
    tenant.conditions = Conditions(search_lag_seconds=3600)
    tenant.store.put("users", "auth0|a", {"user_id": "auth0|a", "name": "After", "identities": []})
    tenant.store.put("users", "auth0|b", {"user_id": "auth0|b", "name": "After", "identities": []})
    assert query.find(indexes.of(tenant), "name:after") == set()
    time.sleep(0.05)
    tenant.conditions = Conditions(search_lag_seconds=0.05)
    assert query.find(indexes.of(tenant), "name:after") == {"auth0|a", "auth0|b"}
    tenant.conditions = Conditions(search_lag_seconds=3600)
    tenant.store.remove("users", "auth0|a")
    membership = {"organization_id": "org_1", "user_id": "auth0|b"}
    tenant.store.put("organization_members", "org_1 auth0|b", membership)
    assert query.find(indexes.of(tenant), "organization_id:org_1") == set()
    time.sleep(0.05)
    tenant.conditions = Conditions(search_lag_seconds=0.05)
    assert query.find(indexes.of(tenant), "name:after") == {"auth0|b"}
    assert query.find(indexes.of(tenant), "organization_id:org_1") == {"auth0|b"}
    tenant.conditions = Conditions()
    tenant.store.remove("organization_members", "org_1 auth0|b")
    assert query.find(indexes.of(tenant), "organization_id:org_1") == set()


# Through the API


def get(tenant: Any, **params: Any) -> Any:
    return tenant.http.get("/api/v2/users", params=params, headers=tenant.authorization())


def test_a_page_comes_bare_or_with_totals(sandbox: Any) -> None:
    dev = sandbox.tenant("dev")
    bare = get(dev, per_page=5).json()
    whole = get(dev, per_page=5, include_totals="true").json()
    assert whole["users"] == bare
    assert (whole["start"], whole["limit"], whole["length"]) == (0, 5, 5)
    assert 4800 < whole["total"] < 5300
    assert len(get(dev).json()) == 50
    assert get(dev, page=7, per_page=100, q="email:helpdesk@larkspur.example").json() == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"page": 10, "per_page": 100}, "invalid_paging"),
        ({"per_page": 101}, "invalid_query_string"),
        ({"page": -1}, "invalid_query_string"),
        ({"page": "x"}, "invalid_query_string"),
        ({"q": "name:("}, "invalid_query_string"),
        ({"q": "name:*x"}, "invalid_query_string"),
        ({"sort": "email"}, "invalid_query_string"),
        ({"sort": "email:2"}, "invalid_query_string"),
        ({"sort": "e-mail:1"}, "invalid_query_string"),
        ({"sort": "app_metadata.plan:1"}, "invalid_query_string"),
        ({"search_engine": "v9"}, "invalid_query_string"),
    ],
)
def test_a_bad_search_is_a_400_that_says_why(sandbox: Any, params: dict[str, Any], code: str) -> None:
    answer = get(sandbox.tenant("dev"), **params)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["message"]


def test_a_query_that_makes_the_address_too_long_is_a_414(sandbox: Any) -> None:
    answer = get(sandbox.tenant("dev"), q=" OR ".join(f"email:person{number}*" for number in range(600)))
    assert (answer.status_code, answer.json()["error"]) == (414, "URI Too Long")


def test_a_connection_narrows_searches_of_the_first_version_only(sandbox: Any) -> None:
    dev = sandbox.tenant("dev")
    whole, first, by_query = (
        get(dev, include_totals="true", per_page=0, **params).json()["total"]
        for params in (
            {"connection": "legacy-store", "search_engine": "v3"},
            {"connection": "legacy-store", "search_engine": "v1"},
            {"q": 'identities.connection:"legacy-store"', "primary_order": "false"},
        )
    )
    assert first == by_query == 25
    assert whole > 4800


def test_results_are_sorted_and_reduced_to_the_asked_fields(sandbox: Any) -> None:
    dev = sandbox.tenant("dev")
    q = "_exists_:logins_count AND email.domain:harbourline.example"
    counts = [user["logins_count"] for user in get(dev, q=q, sort="logins_count:-1", per_page=20).json()]
    assert counts == sorted(counts, reverse=True)
    (user,) = get(dev, q='email:"helpdesk@larkspur.example"', fields="email,user_id").json()
    assert set(user) == {"email", "user_id"}
    (user,) = get(dev, q='email:"helpdesk@larkspur.example"', fields="email", include_fields="false").json()
    assert "email" not in user
    assert "_password" not in user


def test_what_was_written_is_found_by_id_at_once_and_by_search_after_the_lag(sandbox: Any) -> None:
    dev = sandbox.tenant("dev")
    user = dev.user("helpdesk@larkspur.example")
    get(dev, q="family_name:newcomb")
    dev.conditions(search_lag_seconds=3600)
    dev.api("PATCH", f"/users/{user['user_id'].replace('|', '%7C')}", {"family_name": "Newcomb"})
    assert dev.user_by_id(user["user_id"])["family_name"] == "Newcomb"
    assert get(dev, q="family_name:newcomb").json() == []
    time.sleep(0.05)
    dev.conditions(search_lag_seconds=0.05)
    assert [u["user_id"] for u in get(dev, q="family_name:newcomb").json()] == [user["user_id"]]
