"""The one search box, against a real search engine for users."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.users import search
from portal.errors import Missing, Unavailable

SPECIALS = '\\+-!(){}[]^"~*?:/&| '


@pytest.fixture
def dev(tenants):
    return tenants["dev"]


@pytest.fixture
def ada(sandbox):
    return sandbox.tenant("dev").api(
        "POST",
        "/users",
        {
            "connection": "Username-Password-Authentication",
            "email": "ada.lovelace@larkspur.example",
            "password": "Analytical-1843",
            "name": "Ada Lovelace",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "email_verified": True,
        },
    )


def ids(found: search.Found) -> list[str]:
    return [user["user_id"] for user in found.users]


@pytest.mark.parametrize("typed", ["ada.lovelace@larkspur.example", "  Ada.Lovelace@Larkspur.example "])
def test_an_email_address_finds_its_user_at_once_in_any_spelling(dev, ada, typed):
    found = search.find(dev, typed)
    assert found.exact
    assert ids(found) == [ada["user_id"]]


def test_a_user_id_finds_its_user_at_once(dev, ada):
    found = search.find(dev, ada["user_id"])
    assert found.exact
    assert ids(found) == [ada["user_id"]]


def test_a_user_created_a_moment_ago_is_found_by_address_while_the_index_lags(dev, sandbox):
    search.find(dev, "somebody")  # the index is there before the user is
    sandbox.tenant("dev").conditions(search_lag_seconds=60)
    body = {
        "connection": "Username-Password-Authentication",
        "email": "new.caller@larkspur.example",
        "password": "Long-enough-1",
    }
    created = sandbox.tenant("dev").api("POST", "/users", body)
    assert ids(search.find(dev, "new.caller@larkspur.example")) == [created["user_id"]]
    assert ids(search.find(dev, "new.caller")) == []


@pytest.mark.parametrize("typed", ["Lovelace", "ada love", "Ada Lovelace", "ada.lovelace@lark"])
def test_part_of_a_name_or_address_finds_the_user(dev, ada, typed):
    assert ada["user_id"] in ids(search.find(dev, typed))


def test_an_unknown_user_id_finds_nobody_and_is_no_error(dev):
    assert search.find(dev, "auth0|000000000000000000000000").users == []


@pytest.mark.parametrize("name", search.FILTERS)
def test_each_filter_finds_some_of_the_demo_company(dev, name):
    found = search.find(dev, "", filters=(name,))
    assert found.total > 0
    if name == "blocked":
        assert all(user["blocked"] for user in found.users)


def test_more_matches_than_auth0_shows_are_said(dev):
    found = search.find(dev, "")
    assert found.total > search.CAP
    assert found.capped
    assert found.pages == search.CAP // search.PER_PAGE


def test_a_page_beyond_the_limit_shows_the_last_one_that_can_be_had(dev):
    assert search.find(dev, "", page=10_000).page == search.CAP // search.PER_PAGE - 1


def test_a_tenant_that_is_away_is_not_taken_for_a_slow_search(dev, sandbox):
    sandbox.tenant("dev").conditions(faults=[{"method": "GET", "path": "/api/v2/users", "status": 503, "times": 5}])
    with pytest.raises(Unavailable, match="has a problem"):
        search.find(dev, "lovelace")


def test_a_search_that_auth0_gives_up_is_explained(dev, slow_search):
    assert "too long" in search.find(dev, "lovelace").problem


@pytest.fixture
def slow_search(monkeypatch):
    """Auth0's answer to a search of more than two seconds, in place of the wire."""
    said = {
        "statusCode": 503,
        "error": "Service Unavailable",
        "message": "The query exceeded the timeout. Please refine.",
    }
    sent = httpx.HTTPTransport.handle_request

    def answer(transport, request):
        slow = request.url.path == "/api/v2/users"
        return httpx.Response(503, json=said, request=request) if slow else sent(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)


@settings(max_examples=60)
@given(typed=st.text(alphabet=SPECIALS + "aZ0ü@.", min_size=1, max_size=24))
def test_whatever_is_typed_stays_text_and_never_becomes_syntax(dev, typed):
    search.find(dev, typed)  # a broken query would be refused by the tenant with a 400


@pytest.mark.parametrize("typed", ['x" OR name:*', ") OR (name:*", "* OR email:a", "x*) OR (blocked:true"])
def test_an_attempt_to_widen_the_query_finds_nobody(dev, typed):
    assert search.find(dev, typed).users == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+49 151 2345-678", 'phone_number:"+491512345678"'),
        ("0049 30 123456", 'phone_number:"+4930123456"'),
    ],
)
def test_a_phone_number_is_sought_as_it_is_stored(typed, expected):
    assert expected in search.query(typed)


def test_the_user_page_says_that_an_unknown_user_does_not_exist(dev):
    from identity.users import records

    with pytest.raises(Missing, match="no user"):
        records.read(dev, "auth0|000000000000000000000000")
