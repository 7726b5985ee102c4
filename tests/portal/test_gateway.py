"""The door to Auth0: tokens shared, limits kept, answers become decisions, no write is sent twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from portal import auth0
from portal.auth0 import limits, tokens, transport
from portal.errors import Conflict, Invalid, Missing, NotConnected, Refused, Unavailable, Unknown

pytestmark = pytest.mark.usefixtures("own_calls")


@pytest.fixture
def calls(sandbox):
    """calls("GET", "/api/v2/clients"): how many of these the tenant has seen."""
    tenant = sandbox.tenant("dev")
    seen = len(tenant.control("GET", "requests"))

    def count(method: str, path: str) -> int:
        rows = tenant.control("GET", "requests")
        return sum(r["method"] == method and r["path"].startswith(path) for r in rows[: len(rows) - seen] or rows)

    return count


def faults(sandbox, status: int, path: str = "/api/v2/clients*", times: int = 9, method: str = "GET") -> None:
    sandbox.tenant("dev").conditions(faults=[{"method": method, "path": path, "status": status, "times": times}])


def test_the_sdk_reads_a_tenant_through_the_gateway(dev):
    names = [client.name for client in auth0.management(dev).clients.list(per_page=100)]
    assert "Castellan" in names


def test_one_token_serves_all_callers_and_is_encrypted_in_the_cache(dev, valkey):
    first = tokens.management_token(dev)
    assert tokens.management_token(dev) == first
    stored = b"".join(valkey.get(key) or b"" for key in valkey.keys("*token*"))
    assert stored
    assert first.encode() not in stored


def test_a_token_of_old_credentials_is_never_used_for_new_ones(dev):
    tokens.management_token(dev)
    dev.client_secret = "changed"
    dev.save()
    with pytest.raises(NotConnected):
        auth0.request(dev, "GET", "/clients")


def test_a_refused_token_is_renewed_once_and_the_call_goes_through(dev):
    good = tokens.current(dev)
    key = tokens._key(dev, tokens.credentials(dev))
    tokens._share(key, replace(good, value=good.value[:-8] + "AAAAAAAA"))
    assert auth0.request(dev, "GET", "/clients")


def test_calls_whose_token_is_refused_at_the_same_time_share_one_new_token(dev, sandbox):
    good = tokens.current(dev)
    tokens._share(tokens._key(dev, tokens.credentials(dev)), replace(good, value=good.value[:-8] + "AAAAAAAA"))
    sandbox.tenant("dev").conditions(latency_ms=100)
    before = len([r for r in sandbox.tenant("dev").requests() if r["path"] == "/oauth/token"])
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(lambda _: auth0.request(dev, "GET", "/clients"), range(6)))
    asked = [r for r in sandbox.tenant("dev").requests() if r["path"] == "/oauth/token"]
    assert len(asked) == before + 1


def test_an_unknown_domain_is_unavailable_and_says_which(dev):
    dev.domain = "localhost:1"
    dev.save()
    with pytest.raises(Unavailable, match="localhost:1"):
        auth0.request(dev, "GET", "/clients")


def test_an_untrusted_certificate_is_named_as_the_cause(dev, settings, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    settings.CA_BUNDLE, dev.ca_bundle = "", ""
    dev.save()
    with pytest.raises(NotConnected, match="certificate"):
        auth0.request(dev, "GET", "/clients")


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("GET", "/clients/no-such-client", None, Missing),
        ("POST", "/clients", {"nonsense": 1}, Invalid),
        ("POST", "/roles", {"name": "castellan-helpdesk"}, Conflict),
    ],
)
def test_answers_become_decisions_that_quote_auth0(dev, method, path, body, error):
    with pytest.raises(error) as caught:
        auth0.request(dev, method, path, **({"json": body} if body else {}))
    assert "Dev says:" in caught.value.message


def test_a_read_that_failed_once_is_tried_again(dev, sandbox):
    faults(sandbox, 500, times=1)
    assert auth0.request(dev, "GET", "/clients")


def test_a_person_waits_no_longer_than_a_moment(dev, sandbox):
    faults(sandbox, 500)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        auth0.request(dev, "GET", "/clients")
    assert time.monotonic() - started < 3


def test_background_work_outlasts_a_spell_of_refusals(dev, sandbox):
    faults(sandbox, 500, times=3)
    with auth0.in_background():
        assert auth0.request(dev, "GET", "/clients")


def test_a_write_that_failed_with_500_is_not_sent_again(dev, sandbox):
    faults(sandbox, 500, path="/api/v2/roles", method="POST", times=1)
    with pytest.raises(Unavailable), auth0.in_background():
        auth0.request(dev, "POST", "/roles", json={"name": "once"})
    assert auth0.request(dev, "GET", "/roles", params={"name_filter": "once"}) == []


def test_a_write_whose_answer_was_lost_is_unknown_and_not_sent_again(dev, sandbox, settings):
    settings.AUTH0_TIMEOUT_SECONDS = 0.5
    auth0.forget(dev)
    hang = {"method": "POST", "path": "/api/v2/roles", "hang_seconds": 2, "times": 1}
    sandbox.tenant("dev").conditions(faults=[hang])
    with pytest.raises(Unknown), auth0.in_background():
        auth0.request(dev, "POST", "/roles", json={"name": "hanging"})


def test_the_rate_limit_is_learned_from_the_answers_and_background_work_leaves_a_fifth(dev, sandbox):
    sandbox.tenant("dev").conditions(rate_limit={"burst": 10, "per_second": 10})
    with auth0.in_background():
        for _ in range(25):
            auth0.request(dev, "GET", "/clients", params={"per_page": 1})
    assert limits.state(dev)["limit"] == 10
    assert not [r for r in sandbox.tenant("dev").control("GET", "requests") if r["status"] == 429]


def test_a_limit_that_a_person_meets_is_said_with_the_advice_to_wait(dev, sandbox):
    faults(sandbox, 429)
    with pytest.raises(Unavailable, match="rate limit"):
        auth0.request(dev, "GET", "/clients")


def test_read_only_is_enforced_at_the_wire_for_writes_alone(dev, settings):
    settings.AUTH0_READ_ONLY = True
    assert auth0.request(dev, "GET", "/clients")
    with pytest.raises(Refused, match="read only"):
        auth0.management(dev).roles.create(name="never")


def test_paged_lists_end_at_the_total_and_at_the_limit(dev):
    users = list(auth0.pages(dev, "/users", "users", per_page=50, most=120))
    assert len(users) == 150
    assert len(list(auth0.pages(dev, "/roles", "roles"))) >= 6


def test_a_secret_in_an_answer_of_auth0_does_not_reach_the_error(dev):
    with pytest.raises(Invalid) as caught:
        auth0.request(
            dev,
            "POST",
            "/users",
            json={"connection": "Username-Password-Authentication", "email": 5, "password": "hunter2"},
        )
    assert "hunter2" not in str(caught.value)


def test_the_request_ids_of_writes_that_worked_are_noted_and_no_others(dev):
    def answer(request: httpx.Request) -> httpx.Response:
        status = 400 if request.url.path.endswith("/wrong") else 200
        return httpx.Response(status, json={}, headers={"x-auth0-requestid": f"{request.method}{request.url.path}"})

    gateway = transport.Gateway(transport=httpx.MockTransport(answer))
    gateway.tenant = dev
    with auth0.noting_writes() as noted:
        gateway.get(f"{dev.url}/before")
        gateway.patch(f"{dev.url}/it", json={})
        with pytest.raises(Invalid):
            gateway.post(f"{dev.url}/wrong", json={})
        gateway.get(f"{dev.url}/after")
    gateway.delete(f"{dev.url}/outside")
    assert noted == ["PATCH/it"]
