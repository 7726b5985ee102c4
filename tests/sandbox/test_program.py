"""`python -m sandbox` as a program: options, addresses, certificates, what a kill leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.environment import free_ports

HTTPS_PORT = free_ports(10)
HTTP_PORT = HTTPS_PORT + 5
SECRET = "a-secret-of-the-tests"


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SANDBOX_", "COV_"))}
    return {**kept, "SANDBOX_CLIENT_ID": "machine", "SANDBOX_CLIENT_SECRET": SECRET}


def command(*options: str) -> list[str]:
    ports = ("--https-port", str(HTTPS_PORT), "--http-port", str(HTTP_PORT))
    return [sys.executable, "-m", "sandbox", *ports, *options]


def refused(*options: str) -> str:
    """The line with which the program declines to start."""
    done = subprocess.run(command(*options), env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command(*options), env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def ready(process: subprocess.Popen[str], tenants: int = 1) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(tenants + 1)]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: whom to trust need not be read
    with httpx.Client(base_url=f"http://localhost:{HTTP_PORT}", verify=nobody, trust_env=False, timeout=60) as http:
        yield http


def authorized(client: httpx.Client) -> httpx.Client:
    body = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": SECRET}
    audience = f"https://localhost:{HTTPS_PORT}/api/v2/"
    answer = client.post("/oauth/token", json={**body, "audience": audience})
    assert answer.is_success, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def test_it_says_what_it_can_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    for option in ("--tenants", "--https-port", "--http-port", "--state", "--ca-dir", "--seed", "--client-id"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--tenants", "Dev"), "'Dev'"),
        (("--tenants", "dev,dev"), "name of its own"),
        (("--tenants", ""), "''"),
        (("--https-port", "0"), "no port"),
        (("--https-port", "x"), "no port"),
        (("--https-port", "65535", "--tenants", "a,b"), "65535"),
        (("--http-port", str(HTTPS_PORT + 1)), "overlap"),
        (("--seed", "nothing"), "nothing"),
        (("--password-rounds", "99"), "work factor"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_a_bad_option_is_one_clear_line(options: tuple[str, ...], part: str, tmp_path: Path) -> None:
    assert part in refused("--ca-dir", str(tmp_path / "ca"), *options)


def test_a_seed_file_that_is_no_state_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    for content in ("{", "{}", '{"format": 1, "documents": {"users": 3}}', '{"format": 1, "documents": {}}'):
        file.write_text(content)
        assert str(file) in refused("--ca-dir", str(tmp_path / "ca"), "--seed", str(file))


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", HTTPS_PORT)):
        line = refused("--ca-dir", str(tmp_path / "ca"), "--tenants", "a")
    assert str(HTTPS_PORT) in line
    assert "in use" in line


def test_certificates_that_can_not_be_used_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    (tmp_path / "server.pem").write_text("nonsense")
    assert str(tmp_path) in refused("--ca-dir", str(tmp_path), "--tenants", "a")


def test_it_serves_each_tenant_on_loopback_by_https_and_http(tmp_path: Path, client: httpx.Client) -> None:
    with running("--tenants", "one,two", "--ca-dir", str(tmp_path / "ca")) as process:
        lines = ready(process, 2)
        assert str(tmp_path / "ca" / "ca.pem") in lines[0]
        assert [line.partition(":")[0] for line in lines[1:]] == ["one", "two"]
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca" / "ca.pem"))
        for host in ("localhost", "127.0.0.1"):
            found = httpx.get(f"https://{host}:{HTTPS_PORT + 1}/.well-known/jwks.json", verify=trust, trust_env=False)
            assert found.status_code == 200
        discovery = client.get("/.well-known/openid-configuration").json()
        assert discovery["issuer"] == f"https://localhost:{HTTPS_PORT}/"
        key = tmp_path / "ca" / "ca-key.pem"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        authority = (tmp_path / "ca" / "ca.pem").read_bytes()
        with pytest.raises(OSError, match=r".*"), socket.create_connection((own_address(), HTTP_PORT), timeout=2):
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with running("--tenants", "one", "--ca-dir", str(tmp_path / "ca")) as process:
        ready(process)
        assert (tmp_path / "ca" / "ca.pem").read_bytes() == authority


def own_address() -> str:
    """An address of this machine that is not loopback; one that nobody has where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        address = str(probe.getsockname()[0])
        if not address.startswith("127."):
            return address
    return "192.0.2.1"


def test_listening_elsewhere_warns(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("--tenants", "one", "--ca-dir", str(tmp_path), "--host", "0.0.0.0"),  # noqa: S104
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready(process)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert "WARNING" in errors


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, client: httpx.Client) -> None:
    options = ("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path / "state"))
    acknowledged: list[str] = []
    with running(*options) as process:
        ready(process)
        api = authorized(client)
        api.post("/_sandbox/clock", json={"advance_seconds": 500})

        def write() -> None:
            with suppress(httpx.TransportError):
                for number in range(10_000):
                    answer = api.post("/api/v2/roles", json={"name": f"role {number}"})
                    if answer.status_code != 200:
                        return
                    acknowledged.append(answer.json()["id"])

        writer = threading.Thread(target=write)
        writer.start()
        while len(acknowledged) < 40:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        writer.join()
    assert len(acknowledged) >= 40
    with running(*options) as process:
        ready(process)
        # The signing keys outlive the kill, too: the token still counts.
        found = {role["id"] for page in range(100) for role in _page(client, page)}
        assert set(acknowledged) <= found
        assert len(found) <= len(acknowledged) + 1
        assert client.get("/_sandbox/clock").json()["offset_seconds"] == 500
        assert client.post("/_sandbox/reset").status_code == 204
        process.send_signal(signal.SIGKILL)
    with running(*options) as process:
        ready(process)
        assert _page(client, 0) == []


def test_a_reset_brings_the_same_ids_back_after_a_restart(tmp_path: Path, client: httpx.Client) -> None:
    options = ("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path / "state"))
    found = []
    for _ in range(2):
        with running(*options) as process:
            ready(process)
            api = authorized(client)
            found.append([c["id"] for c in api.get("/api/v2/connections").json()])
            api.delete(f"/api/v2/connections/{found[-1][0]}")
            assert api.post("/_sandbox/reset").status_code == 204
            found.append([c["id"] for c in api.get("/api/v2/connections").json()])
            process.send_signal(signal.SIGKILL)
    assert found[0]
    assert found.count(found[0]) == 4


def _page(client: httpx.Client, page: int) -> list[dict[str, Any]]:
    if page * 100 >= 1000:
        return []
    return list(client.get("/api/v2/roles", params={"page": page, "per_page": 100}).json())


def test_what_was_removed_stays_removed_after_a_kill(tmp_path: Path, client: httpx.Client) -> None:
    options = ("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path / "state"))
    with running(*options) as process:
        ready(process)
        api = authorized(client)
        first, second = (api.post("/api/v2/roles", json={"name": name}).json()["id"] for name in ("a", "b"))
        api.delete(f"/api/v2/roles/{first}")
        api.patch(f"/api/v2/roles/{second}", json={"name": "changed"})
        process.send_signal(signal.SIGKILL)
    with running(*options) as process:
        ready(process)
        assert [role["name"] for role in _page(client, 0)] == ["changed"]


def test_a_damaged_state_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "one.sqlite3").write_bytes(b"this is no database" * 100)
    line = refused("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path))
    assert str(tmp_path) in line


def test_a_state_that_another_process_uses_is_one_clear_line(tmp_path: Path) -> None:
    options = ("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path / "state"))
    with running(*options) as process:
        ready(process)
        other_ports = ("--https-port", str(HTTPS_PORT + 1), "--http-port", str(HTTP_PORT + 1))
        assert "locked" in refused(*options, *other_ports)


def test_an_exported_state_is_a_seed(tmp_path: Path, client: httpx.Client) -> None:
    seed = tmp_path / "seed.json"
    with running("--tenants", "one", "--ca-dir", str(tmp_path / "ca")) as process:
        ready(process)
        authorized(client).post("/api/v2/roles", json={"name": "of the seed"})
        state = client.get("/_sandbox/state").json()
        assert state["tenant"] == "one"
        seed.write_text(json.dumps(state))
    del client.headers["Authorization"]
    with running("--tenants", "other", "--ca-dir", str(tmp_path / "ca"), "--seed", str(seed)) as process:
        ready(process)
        authorized(client)
        assert [role["name"] for role in _page(client, 0)] == ["of the seed"]
        client.post("/api/v2/roles", json={"name": "later"})
        client.post("/_sandbox/reset")
        assert [role["name"] for role in _page(client, 0)] == ["of the seed"]


def test_a_kept_state_admits_the_credentials_of_this_start(tmp_path: Path, client: httpx.Client) -> None:
    options = ("--tenants", "one", "--ca-dir", str(tmp_path / "ca"), "--state", str(tmp_path / "state"))
    with running(*options) as process:
        ready(process)
        authorized(client).post("/api/v2/roles", json={"name": "kept"})
        kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
        assert len(kept) > 1
        assert not [path for path in kept if path.stat().st_mode & 0o077]  # nobody else may read it
    del client.headers["Authorization"]
    with running(*options, "--client-id", "another", "--client-secret", "and-its-secret") as process:
        ready(process)
        keys = {"client_id": "another", "client_secret": "and-its-secret"}
        audience = f"https://localhost:{HTTPS_PORT}/api/v2/"
        body = {"grant_type": "client_credentials", "audience": audience}
        token = client.post("/oauth/token", json={**body, **keys}).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert [role["name"] for role in _page(client, 0)] == ["kept"]
        old = {"client_id": "machine", "client_secret": SECRET}
        assert client.post("/oauth/token", json={**body, **old}).status_code == 401
