"""The sandbox beside oauth2-mock-server and auth0-simulator, which have no Management API, and beside aims."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

from bench import load, servers
from bench.table import Row
from portal.supervisor import Child
from tests.local_tenants import LocalTenant
from tests.sandbox import web_login

STEADY_PARTS = 6
PEER = "oauth2-mock-server"


def measure(seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="castellan-bench-") as name:
        folder = Path(name)
        yield from _starts(folder)
        yield from _beside_the_peer(folder, seconds)
        child, tenant = servers.sandbox(folder, seed="demo")
        with tenant.http, servers.running(child):
            yield from _management(tenant, seconds)
            yield from _steadiness(child, tenant, seconds)
            yield from _acts(tenant)


def _starts(folder: Path) -> Iterator[Row]:
    child, tenant = servers.sandbox(folder, seed="factory")
    tenant.http.close()
    ours = servers.start_ms(child)
    peer, _ = servers.oauth2_mock_server(folder)
    yield Row("start to first answer", ours, servers.start_ms(peer), "ms", PEER, more_is_better=False)
    other = servers.start_ms(servers.auth0_simulator(folder), times=3)
    yield Row("start to first answer", ours, other, "ms", "auth0-simulator", more_is_better=False)


def _beside_the_peer(folder: Path, seconds: float) -> Iterator[Row]:
    peer, peer_url = servers.oauth2_mock_server(folder)
    child, tenant = servers.sandbox(folder, seed="factory")
    discovery = "/.well-known/openid-configuration"
    grant = {"grant_type": "client_credentials", "client_id": tenant.client_id, "client_secret": tenant.client_secret}
    body = urlencode({**grant, "audience": f"{tenant.url}/api/v2/"})
    form = {"method": "POST", "headers": {"content-type": "application/x-www-form-urlencoded"}, "body": body}
    with tenant.http, servers.running(child), servers.running(peer):
        _warm(tenant.browser_url + discovery, peer_url + discovery)
        ours, theirs = load.run(tenant.browser_url + discovery, seconds), load.run(peer_url + discovery, seconds)
        yield Row("discovery document", ours.per_second, theirs.per_second, "1/s", PEER)
        ours = load.run(f"{tenant.browser_url}/oauth/token", seconds, **form)  # type: ignore[arg-type]
        theirs = load.run(f"{peer_url}/token", seconds, **form)  # type: ignore[arg-type]
        yield Row("client credentials for a token", ours.per_second, theirs.per_second, "1/s", PEER)


def _management(tenant: LocalTenant, seconds: float) -> Iterator[Row]:
    user = tenant.api("GET", "/users", per_page=1)[0]
    base, headers = f"{tenant.browser_url}/api/v2", tenant.authorization()
    one = load.run(f"{base}/users/{quote(user['user_id'], safe='')}", seconds, headers=headers)
    yield Row("one user of 5,000", one.per_second, 1000, "1/s", "the aim")
    page = load.run(f"{base}/users?per_page=50&page=3&include_totals=true", seconds, headers=headers)
    yield Row("page of 50 users", page.per_second, 300, "1/s", "the aim")
    found = servers.repeated_ms(lambda: tenant.api("GET", "/users", q="email:*.example AND blocked:true"), 15)
    yield Row("search of 5,000 users", found, 100, "ms", "the aim", more_is_better=False)


def _steadiness(child: Child, tenant: LocalTenant, seconds: float) -> Iterator[Row]:
    """The same load again and again: neither slower nor larger at the end."""
    user = tenant.api("GET", "/users", per_page=1)[0]
    url, headers = f"{tenant.browser_url}/api/v2/users/{quote(user['user_id'], safe='')}", tenant.authorization()
    load.run(url, seconds, headers=headers)
    before = servers.memory_mb(child)
    rates = [load.run(url, seconds, headers=headers).per_second for _ in range(STEADY_PARTS)]
    yield Row(
        f"one user, after {STEADY_PARTS * seconds:.0f} s of it",
        rates[-1],
        0.9 * rates[0],
        "1/s",
        "90 % of the beginning",
    )
    yield Row("memory after it", servers.memory_mb(child), 1.05 * before, "MB", "105 % of before", more_is_better=False)


def _acts(tenant: LocalTenant) -> Iterator[Row]:
    yield Row(
        "reset of the demo tenant", servers.repeated_ms(tenant.reset, 9), 100, "ms", "the aim", more_is_better=False
    )
    state = tenant.http.get("/_sandbox/state").content

    def fork() -> None:
        tenant.http.put(
            "/_sandbox/state", content=state, headers={"content-type": "application/json"}
        ).raise_for_status()

    yield Row("import of its state", servers.repeated_ms(fork, 5), 100, "ms", "the aim", more_is_better=False)
    export = servers.repeated_ms(lambda: tenant.http.get("/_sandbox/state").raise_for_status(), 5)
    yield Row("export of its state", export, 100, "ms", "the aim", more_is_better=False)
    yield Row("login through one Action", _login_ms(tenant), 50, "ms", "the aim", more_is_better=False)


def _login_ms(tenant: LocalTenant) -> float:
    """From the password to the code, without a browser, in a tenant with one bound Action."""
    tenant.reset()
    client, user = web_login.new_client(tenant), web_login.new_user(tenant)
    web_login.bind(tenant, web_login.action('api.idToken.setCustomClaim("https://bench.example/x", event.user.email);'))
    tenant.api("PUT", "/guardian/policies", [])

    def prepared() -> web_login.Person:
        person = web_login.Person(tenant, client)
        person.authorize()
        if person.at == "/u/login/identifier":
            person.submit(username=user["email"])
        return person

    people = [prepared() for _ in range(21)]
    waiting = iter(people)

    def sign_in() -> None:
        person = next(waiting)
        name = {} if person.at == "/u/login/password" else {"username": user["email"]}
        assert person.submit(password=web_login.PASSWORD, **name), person.text

    try:
        return servers.repeated_ms(sign_in, len(people))
    finally:
        for person in people:
            person.http.close()


def _warm(*urls: str) -> None:
    for url in urls:
        load.run(url, 1)
