"""The sandbox beside oauth2-mock-server and auth0-simulator, which have no Management API, and beside limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx

from bench import load, servers
from bench.load import Request
from bench.table import Aim, Row, most
from portal.supervisor import Child
from tests.local_tenants import LocalTenant
from tests.sandbox import web_login

DISCOVERY = "/.well-known/openid-configuration"
PEER, OTHER_PEER = "oauth2-mock-server", "auth0-simulator"
STATE = "/_sandbox/state"
LIMIT_MS = 100
FIRST_LIMIT_MS = 1500
# Six times the load of the other rows: a minute by default.
STEADY_THIRD = 2


def measure(seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="castellan-bench-") as name:
        folder = Path(name)
        yield from _starts(folder, times=5 if seconds >= 5 else 1)
        yield from _beside_the_peer(folder, seconds)
        child, tenant = servers.sandbox(folder, seed="demo")
        with tenant.http, servers.running(child):
            yield from _management(tenant, seconds)
            yield from _state(tenant, folder)
            yield most("login through one post-login Action", _login_ms(tenant), 50, "ms")


def _starts(folder: Path, times: int) -> Iterator[Row]:
    ours, tenant = servers.sandbox(folder, seed="factory")
    peer, peer_url = servers.oauth2_mock_server(folder)
    with tenant.http:
        taken = servers.starts_ms([ours, peer, servers.auth0_simulator(folder)], times)
        yield most("start to first answer", taken[0], taken[1], "ms", PEER)
        yield most("start to first answer", taken[0], taken[2], "ms", OTHER_PEER)
        ours.answers = partial(servers.gives, _token(tenant, f"{tenant.browser_url}/oauth/token"))
        peer.answers = partial(servers.gives, _token(tenant, f"{peer_url}/token"))
        taken = servers.starts_ms([ours, peer], times)
        yield Row("start to first token", taken[0], taken[1], "ms", PEER, Aim.NONE)


def _beside_the_peer(folder: Path, seconds: float) -> Iterator[Row]:
    peer, peer_url = servers.oauth2_mock_server(folder)
    child, tenant = servers.sandbox(folder, seed="factory")
    token, peer_token = _token(tenant, f"{tenant.browser_url}/oauth/token"), _token(tenant, f"{peer_url}/token")
    with tenant.http, servers.running(child), servers.running(peer):
        addresses = (tenant.browser_url, peer_url)
        ours, theirs = load.rates([Request(address + DISCOVERY) for address in addresses], seconds)
        yield Row("discovery document", ours, theirs, "1/s", PEER)
        ours, theirs = load.rates([token, peer_token], seconds)
        yield Row("client_credentials token", ours, theirs, "1/s", PEER)
        yield from _steadiness(child, token, STEADY_THIRD * seconds)


def _token(tenant: LocalTenant, url: str) -> Request:
    grant = {"grant_type": "client_credentials", "client_id": tenant.client_id, "client_secret": tenant.client_secret}
    return load.form(url, urlencode({**grant, "audience": f"{tenant.url}/api/v2/"}))


def _steadiness(child: Child, request: Request, third: float) -> Iterator[Row]:
    """Three thirds of one long load. Other programs can't change the processor time that a token takes as they change
    the rate, so that is what is judged.
    """
    rates, costs, sizes = [], [], [servers.memory_mb(child)]
    for _ in range(3):
        before = servers.processor_seconds(child)
        taken = load.run(request, third)
        rates.append(taken.per_second)
        costs.append((servers.processor_seconds(child) - before) * 1000 / taken.answered)
        sizes.append(servers.memory_mb(child))
    span = f"last third of {3 * third:.0f} s of tokens"
    yield Row(f"{span}: rate", rates[2], rates[0], "1/s", "first third", Aim.NONE)
    yield most(f"{span}: processor time of one", costs[2], 1.1 * costs[0], "ms", "110 % of first third")
    yield most("memory after it", sizes[3], 1.05 * sizes[2], "MB", "105 % of after the second third")


def _management(tenant: LocalTenant, seconds: float) -> Iterator[Row]:
    user = tenant.api("GET", "/users", per_page=1)[0]
    base, headers = f"{tenant.browser_url}/api/v2/users", tenant.authorization()
    one = Request(f"{base}/{quote(user['user_id'], safe='')}", headers=headers)
    page = Request(f"{base}?per_page=50&page=3&include_totals=true", headers=headers)
    one_rate, page_rate = load.rates([one, page], seconds)
    yield Row("GET one user of 5,000", one_rate, 1000, "1/s", "the limit")
    yield Row("GET a page of 50 users", page_rate, 300, "1/s", "the limit")


def _state(tenant: LocalTenant, folder: Path) -> Iterator[Row]:
    """The demo tenant as a whole, over plain HTTP. A fork is an import elsewhere: all addresses change."""
    other, elsewhere = servers.sandbox(folder, seed="factory")
    with httpx.Client(base_url=tenant.browser_url, trust_env=False, timeout=60) as http, elsewhere.http:
        state = http.get(STATE).content
        yield most("reset of the demo tenant", servers.repeated_ms(lambda: _sent(http, "POST"), 9), LIMIT_MS, "ms")
        exported = servers.repeated_ms(lambda: http.get(STATE).raise_for_status(), 9)
        yield most("export of its state", exported, LIMIT_MS, "ms")
        imported = servers.repeated_ms(lambda: _sent(http, "PUT", state), 9)
        yield most("import of its state", imported, LIMIT_MS, "ms")
        with servers.running(other):
            address = elsewhere.browser_url
            made = servers.once_ms(lambda: elsewhere.reset("demo"))
            yield most("the demo tenant made for the first time", made, FIRST_LIMIT_MS, "ms")
            with httpx.Client(base_url=address, trust_env=False, timeout=60) as forked:
                taken = servers.repeated_ms(lambda: _sent(forked, "PUT", state), 9)
        yield most("fork: import into another tenant", taken, LIMIT_MS, "ms")


def _sent(http: httpx.Client, method: str, content: bytes = b"") -> None:
    """PUT a state, or POST a reset."""
    path = STATE if method == "PUT" else "/_sandbox/reset"
    http.request(method, path, content=content, headers={"content-type": "application/json"}).raise_for_status()


def _login_ms(tenant: LocalTenant) -> float:
    """From the password to the code, without a browser, in a tenant with one bound Action."""
    tenant.reset()
    client, user = web_login.new_client(tenant), web_login.new_user(tenant)
    web_login.bind(tenant, web_login.action('api.idToken.setCustomClaim("https://bench.example/x", event.user.email);'))
    tenant.api("PUT", "/guardian/policies", [])
    times = 21
    people = [_at_the_password(tenant, client, user["email"]) for _ in range(times + 1)]
    waiting = iter(people)

    def sign_in() -> None:
        person = next(waiting)
        name = {} if person.at == "/u/login/password" else {"username": user["email"]}
        if not person.submit(password=web_login.PASSWORD, **name):
            raise RuntimeError(f"The login ended at a page: {person.text}")

    try:
        return servers.repeated_ms(sign_in, times)
    finally:
        for person in people:
            person.http.close()


def _at_the_password(tenant: LocalTenant, client: dict[str, object], email: str) -> web_login.Person:
    person = web_login.Person(tenant, client)
    person.authorize()
    if person.at == "/u/login/identifier":
        person.submit(username=email)
    return person
