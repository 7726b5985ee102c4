"""While a tenant is still being loaded: discovery is answered, everything else waits."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import ASGIApp

from sandbox import app, seed, users
from sandbox.discovery import PATH as DISCOVERY
from sandbox.gate import Gate
from sandbox.tenant import Tenant


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return Tenant("dev", 9443, 9483, "client", "secret")


@pytest.fixture(scope="module")
def application(tenant: Tenant) -> ASGIApp:
    users.prepare(tenant)
    seed.apply(tenant, "factory")
    return app.create(tenant)


def client(gate: Gate) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://localhost:9483")


@pytest.mark.parametrize("agent", ["curl/8", "openid-client/6"])
def test_discovery_is_the_same_before_the_loading_and_for_scripts_after_it(
    tenant: Tenant, application: ASGIApp, agent: str
) -> None:
    async def asked() -> tuple[httpx.Response, httpx.Response]:
        gate = Gate(tenant, as_new=True)
        async with client(gate) as http:
            before = await http.get(DISCOVERY, headers={"user-agent": agent})
            gate.open(application)
            origin = {"origin": "http://localhost:3000"}
            return before, await http.get(DISCOVERY, headers={"user-agent": agent, **origin})

    before, after = asyncio.run(asked())
    assert before.json() == after.json()
    assert after.headers["access-control-allow-origin"] == "http://localhost:3000"
    shared = ("content-type", "cache-control", "content-length")
    assert [before.headers[name] for name in shared] == [after.headers[name] for name in shared]


@pytest.mark.parametrize(
    ("path", "headers", "as_new"),
    [
        ("/.well-known/jwks.json", {}, True),
        (DISCOVERY, {"origin": "http://localhost:3000"}, True),
        (DISCOVERY, {}, False),  # kept settings may say something else
        ("/api/v2/users", {}, True),
    ],
)
def test_every_other_request_waits_for_the_application(
    tenant: Tenant, application: ASGIApp, path: str, headers: dict[str, str], as_new: bool
) -> None:
    async def asked() -> tuple[bool, httpx.Response]:
        gate = Gate(tenant, as_new=as_new)
        async with client(gate) as http:
            waiting = asyncio.create_task(http.get(path, headers=headers))
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            gate.open(application)
            return bool(done), await waiting

    early, answer = asyncio.run(asked())
    assert not early
    assert answer.status_code == (401 if path.startswith("/api") else 200)
