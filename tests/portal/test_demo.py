"""The demo, started as a newcomer starts it: a process with children of its own, on real ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from portal import demo
from portal.supervisor import Supervisor, taken_ports
from tests import demo_process
from tests.demo_process import RunningDemo


def processes_of(state: Path) -> list[str]:
    """Command lines of all processes that have this demo's state folder in their environment or arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            belongs = str(state).encode() in process.joinpath("environ").read_bytes()
            command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if command and (belongs or str(state) in command):
            found.append(f"{process.name} {command}")
    return found


def nothing_is_left(state: Path, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while processes_of(state) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not processes_of(state)


def child_of(running: RunningDemo, words: str) -> int:
    (line,) = [line for line in processes_of(running.state) if words in line and _leads_its_group(line)]
    return int(line.split()[0])


def _leads_its_group(line: str) -> bool:
    pid = int(line.split()[0])
    return os.getpgid(pid) == pid


def command(running: RunningDemo, *options: str) -> subprocess.CompletedProcess[str]:
    """Another start of the same demo, to its end."""
    return subprocess.run(
        [*running.child.command, *options], env=running.child.environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def running(running_demo):
    """The demo that walks in a browser use, too."""
    return running_demo


def test_the_terminal_shows_where_everything_is_and_who_may_sign_in(running):
    said = running.said()
    assert f"Castellan runs at {running.url}" in said
    assert demo.PASSWORD in said
    for name, _ in demo.ACCOUNTS:
        assert f"{name}@larkspur.example" in said
    for tenant in demo.TENANTS:
        assert running.ports.https(tenant) in said and f"{running.ports.http(tenant)}/_sandbox/" in said
    assert max(len(line) for line in said.splitlines()) <= 100


def test_web_server_pages_and_tenants_answer(running):
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{running.url}/health/").status_code == 200
        page = client.get(f"{running.url}/sign-in/")
        assert page.status_code == 200
        stylesheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        assert client.get(f"{running.url}{stylesheet}").headers["content-type"].startswith("text/css")
        for tenant in demo.TENANTS:
            discovery = client.get(f"{running.ports.http(tenant)}/.well-known/openid-configuration").json()
            assert discovery["issuer"] == f"{running.ports.https(tenant)}/"


def test_the_home_tenant_sends_people_back_to_this_port(running):
    with running.tenant(demo.HOME_TENANT) as tenant:
        client = tenant.api("GET", f"/clients/{demo.CLIENT_ID}")
    assert f"{running.url}/complete/auth0-oidc/" in client["callbacks"]
    assert f"{running.url}/" in client["allowed_logout_urls"]


def test_only_this_machine_reaches_the_demo(running):
    loopback = {"0100007F", "00000000000000000000000001000000"}
    listening = [
        line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    addresses = [local.split(":") for _, local, _, state, *_ in listening if state == "0A"]
    ours = {int(port, 16): address for address, port in addresses if int(port, 16) in running.ports.ports}
    assert set(ours) == set(running.ports.ports)
    assert set(ours.values()) <= loopback


def test_its_secrets_are_its_owners_alone_and_in_no_command_line(running):
    assert (running.state / "demo.json").stat().st_mode & 0o077 == 0
    secrets = demo.keys(running.ports)
    lines = "\n".join(processes_of(running.state))
    assert not any(value in lines for name, value in secrets.items() if name != "client_id")


def test_a_second_demo_with_the_same_state_is_refused_in_one_line(running):
    for options in ([], ["--reset"]):
        again = command(running, *options)
        assert again.returncode == 1
        assert again.stderr.count("\n") == 1 and "A demo is already running" in again.stderr
    assert (running.state / "demo.json").exists()


def test_a_port_in_use_is_told_with_what_to_do(tmp_path):
    other = demo_process.program(tmp_path)
    with socket.create_server(("127.0.0.1", other.ports.port)):
        done = command(other)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {other.ports.port} is in use" in done.stderr and "--port NUMBER" in done.stderr
    assert nothing_is_left(other.state)


def test_a_port_that_is_none_is_refused():
    other = demo_process.program(Path("/nonexistent"))
    done = subprocess.run(
        [*other.child.command, "--port", "70000"],
        env={**other.child.environment, "STATE_DIR": "/tmp"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "--port" in done.stderr


def test_state_outlives_a_stop_and_a_killed_child_ends_everything_by_name(tmp_path):
    with demo_process.running(tmp_path) as first:
        with first.tenant("dev") as tenant:
            tenant.api("POST", "/roles", {"name": "kept", "description": "made before the stop"})
        first.child.stop(patience_seconds=30)
        assert first.child.exit_code == 0, first.said()
        assert "Stopped. The state is kept" in first.said()
        assert nothing_is_left(first.state)
        assert taken_ports(first.ports.ports) == []

    with Supervisor(signals=False) as programs:
        programs.start(first.child, timeout_seconds=60)
        with first.tenant("dev") as tenant:
            assert tenant.named("roles", "kept")["description"] == "made before the stop"
        os.kill(child_of(first, "gunicorn"), signal.SIGKILL)
        first.child.process.wait(30)
        assert first.child.exit_code == 1
        assert "the web server ended (signal SIGKILL). Its last lines" in first.said()
        assert str(first.state / "log" / "web.log") in first.said()
        assert nothing_is_left(first.state)
        programs.children.clear()

    assert command(first, "--reset").returncode == 0
    assert sorted(path.name for path in first.state.iterdir()) == ["demo.lock"]


def test_nothing_outlives_a_demo_that_is_killed(tmp_path):
    started = demo_process.program(tmp_path)
    with Supervisor(signals=False) as programs:
        programs.start(started.child, timeout_seconds=60)
        os.kill(started.child.process.pid, signal.SIGKILL)
        started.child.process.wait()
        assert nothing_is_left(started.state)
