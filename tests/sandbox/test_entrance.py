"""A tenant's port from its first moment on: discovery is answered at once, all else waits for what answers it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from sandbox import __main__, serving
from sandbox.discovery import PATH as DISCOVERY
from sandbox.serving import Running
from sandbox.tenant import Tenant
from tests.environment import free_ports

T = TypeVar("T")
Test = Callable[[Running, Tenant], Coroutine[Any, Any, T]]
OK = b"HTTP/1.1 200 OK\r\n"
AGENTS = ("curl/8", "openid-client/6.0", "")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


def in_a_start(folder: Path, act: Test[T], *more: str) -> T:
    """What `act` finds, called as soon as the ports listen."""
    port = free_ports(2)
    arguments = ["--tenants", "dev", "--https-port", str(port), "--http-port", str(port + 1), *more]
    options = __main__.parse([*arguments, "--client-id", "machine", "--client-secret", "secret"])

    async def whole() -> T:
        (tenant,) = serving.tenants(options)
        running = await serving.start(options, [tenant], folder)
        try:
            return await act(running, tenant)
        finally:
            await running.started()
            running.stop()
            await running.ended()

    return asyncio.run(whole())


def client(tenant: Tenant) -> httpx.AsyncClient:
    """Over plain HTTP: it trusts nobody, for reading whom to trust would hold up the loop."""
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(base_url=tenant.browser_url, verify=nobody, trust_env=False, timeout=20)


async def exchanged(tenant: Tenant, pieces: tuple[bytes, ...], expected: int) -> bytes:
    """What comes back on one connection: as many answers as expected, and all that follows soon after them."""
    reader, writer = await asyncio.open_connection("localhost", tenant.http_port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.02)
    found = b""
    with suppress(TimeoutError):
        while piece := await asyncio.wait_for(reader.read(65536), 20 if found.count(OK) < expected else 0.1):
            found += piece
    writer.close()
    return found


def test_discovery_is_answered_while_everything_else_still_waits(authority: Path) -> None:
    async def act(running: Running, tenant: Tenant) -> tuple[list[httpx.Response], list[httpx.Response]]:
        async with client(tenant) as http:
            waiting = [asyncio.create_task(http.get(path)) for path in ("/.well-known/jwks.json", "/api/v2/users")]
            early = [await http.get(DISCOVERY, headers={"user-agent": agent}) for agent in AGENTS]
            assert running.loading is not None
            assert not running.loading.done()
            assert not any(task.done() for task in waiting)
            assert [task.status_code for task in await asyncio.gather(*waiting)] == [200, 401]
            origin = {"origin": "http://localhost:3000"}
            late = [await http.get(DISCOVERY, headers={"user-agent": agent, **origin}) for agent in AGENTS]
            return early, late

    early, late = in_a_start(authority, act)
    for before, after in zip(early, late, strict=True):
        assert before.json() == after.json()
        shared = ("content-type", "cache-control", "content-length")
        assert [before.headers[name] for name in shared] == [after.headers[name] for name in shared]
        assert before.headers["date"].endswith("GMT")
        assert after.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert early[0].json()["authorization_endpoint"].startswith("http://")
    assert early[1].json()["authorization_endpoint"].startswith("https://")


def test_whatever_comes_on_a_connection_is_answered_in_order(authority: Path) -> None:
    plain = f"GET {DISCOVERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    other = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = plain[:-2] + b"Content-Length: 2\r\n\r\n{}"
    close = plain[:-2] + b"Connection: close\r\n\r\n"
    cases: list[tuple[tuple[bytes, ...], int]] = [
        ((plain, plain, plain), 3),
        ((plain, other, plain), 3),
        ((plain + plain + other,), 3),
        ((plain[:20], plain[20:], plain), 2),
        ((body, plain), 2),
        ((close,), 1),
        ((plain.replace(b"HTTP/1.1", b"HTTP/1.0"),), 1),
    ]

    async def act(running: Running, tenant: Tenant) -> tuple[list[bytes], list[bytes]]:
        async def ask() -> list[bytes]:
            return list(await asyncio.gather(*(exchanged(tenant, *case) for case in cases)))

        first = asyncio.create_task(ask())  # some of it before there is a web server
        await running.started()
        return await first, await ask()

    for answers in in_a_start(authority, act):
        for (pieces, expected), found in zip(cases, answers, strict=True):
            assert found.count(OK) == expected, (pieces, found)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x00\xff garbage\r\n\r\n",
        b"\x00" * 9000,
        f"GET {DISCOVERY}x HTTP/1.1\r\n\r\n".encode(),
        f"GET {DISCOVERY} HTTP/1.1\r\nbad header\x00\r\n\r\n".encode(),
        f"POST {DISCOVERY} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    ],
)
def test_what_is_no_plain_request_is_the_web_servers_business(request_bytes: bytes) -> None:
    from sandbox.entrance import Entrance

    assert Entrance(Tenant("dev", 1, 2, "id", "secret"), as_new=True).answer(request_bytes) is None


def test_discovery_is_listed_and_weathered_like_every_request(authority: Path) -> None:
    async def act(running: Running, tenant: Tenant) -> tuple[list[str], float, int]:
        await running.started()
        async with client(tenant) as http:
            await http.get(DISCOVERY)
            listed = [request["path"] for request in (await http.get("/_sandbox/requests")).json()]
            await http.post("/_sandbox/conditions", json={"latency_ms": 150})
        async with client(tenant) as http:
            started = time.monotonic()
            await http.get(DISCOVERY)
            taken = time.monotonic() - started
            faults = [{"path": DISCOVERY, "status": 503}]
            await http.post("/_sandbox/conditions", json={"latency_ms": None, "faults": faults})
        async with client(tenant) as http:
            return listed, taken, (await http.get(DISCOVERY)).status_code

    listed, taken, status = in_a_start(authority, act)
    assert listed == [DISCOVERY]
    assert taken >= 0.15
    assert status == 503


def test_discovery_tells_of_settings_that_were_changed_and_kept(authority: Path, tmp_path: Path) -> None:
    """They are known once the state was read: until then this request waits like every other."""

    async def supports_pushed_requests(http: httpx.AsyncClient) -> bool:
        return "pushed_authorization_request_endpoint" in (await http.get(DISCOVERY)).json()

    async def change(running: Running, tenant: Tenant) -> list[bool]:
        await running.started()
        async with client(tenant) as http:
            before = await supports_pushed_requests(http)
            grant = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": "secret"}
            answer = await http.post("/oauth/token", json={**grant, "audience": tenant.management_audience})
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            settings = {"pushed_authorization_requests_supported": True}
            await http.patch("/api/v2/tenants/settings", json=settings, headers=headers)
            return [before, await supports_pushed_requests(http)]

    async def ask(running: Running, tenant: Tenant) -> bool:
        async with client(tenant) as http:
            return await supports_pushed_requests(http)

    kept = ("--state", str(tmp_path / "state"))
    assert in_a_start(authority, change, *kept) == [False, True]
    assert in_a_start(authority, ask, *kept)


def test_an_idle_connection_does_not_hold_up_the_end(authority: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or the web server would say for how long it has waited."""

    async def act(running: Running, tenant: Tenant) -> bytes:
        await running.started()
        reader, writer = await asyncio.open_connection("localhost", tenant.http_port)
        writer.write(f"GET {DISCOVERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        running.stop()
        await running.ended()
        rest = await reader.read()
        writer.close()
        return rest

    assert in_a_start(authority, act).endswith(b"}")
    assert "exceeded" not in capsys.readouterr().err
