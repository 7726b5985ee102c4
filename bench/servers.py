"""The servers that are measured: ours, and its peers, each on a port of its own."""

from __future__ import annotations

import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import trustme

from bench.load import Request
from portal.supervisor import Child, Supervisor
from runtime.node import node_binary
from sandbox import certificates
from tests.environment import M2M_CLIENT_ID, M2M_CLIENT_SECRET, free_ports
from tests.local_tenants import LocalTenant

MODULES = Path(__file__).resolve().parent.parent / "node_modules"
SIMULATOR_PORT = 4400  # it has no option for it
START_SECONDS = 60


def sandbox(folder: Path, *, seed: str) -> tuple[Child, LocalTenant]:
    """One tenant of ours: the program, not started yet, and the tenant once it runs."""
    port = free_ports(2)
    command = [sys.executable, "-m", "sandbox", "--tenants", "dev", "--seed", seed]
    command += ["--https-port", str(port), "--http-port", str(port + 1), "--ca-dir", str(folder)]
    around = {**os.environ, "SANDBOX_CLIENT_ID": M2M_CLIENT_ID, "SANDBOX_CLIENT_SECRET": M2M_CLIENT_SECRET}
    url = f"http://127.0.0.1:{port + 1}/.well-known/openid-configuration"
    child = Child("the sandbox", command, folder / "sandbox.log", environment=around, answers=lambda: answers(url))
    certificates.server_context(folder)  # makes the authority that clients trust
    return child, LocalTenant("dev", port, port + 1, ssl.create_default_context(cafile=str(folder / "ca.pem")))


def oauth2_mock_server(folder: Path) -> tuple[Child, str]:
    """The npm package, and its address."""
    port = free_ports(1)
    script = MODULES / "oauth2-mock-server" / "dist" / "oauth2-mock-server.mjs"
    command = [node_binary(), str(script), "-a", "localhost", "-p", str(port)]
    url = f"http://localhost:{port}"
    probe = f"{url}/.well-known/openid-configuration"
    return Child("oauth2-mock-server", command, folder / "oauth2.log", answers=lambda: answers(probe)), url


def auth0_simulator(folder: Path) -> Child:
    """The npm package. It serves HTTPS alone, with certificates that it looks for in the home folder."""
    trusted = folder / ".simulacrum" / "certs"
    trusted.mkdir(parents=True, exist_ok=True)
    made = trustme.CA().issue_cert("localhost")
    made.cert_chain_pems[0].write_to_path(trusted / "localhost.pem")
    made.private_key_pem.write_to_path(trusted / "localhost-key.pem")
    script = MODULES / "@simulacrum" / "auth0-simulator" / "bin" / "start.cjs"
    around = {**os.environ, "HOME": str(folder)}
    probe = f"https://localhost:{SIMULATOR_PORT}/.well-known/openid-configuration"
    command = [node_binary(), str(script)]
    return Child(
        "auth0-simulator", command, folder / "simulator.log", environment=around, answers=lambda: answers(probe)
    )


@contextmanager
def running(child: Child) -> Iterator[Child]:
    with Supervisor(signals=False) as programs:
        programs.start(child)
        yield child


def starts_ms(children: Sequence[Child], times: int) -> list[float]:
    """Milliseconds from each program's start to its first answer: medians of starts in turn."""
    turns = [[_start_ms(child) for child in children] for _ in range(times)]
    return [median(taken) for taken in zip(*turns, strict=True)]


def _start_ms(child: Child) -> float:
    started = time.perf_counter()
    child.start()
    try:
        while not child.answers():
            if child.exit_code is not None or time.perf_counter() - started > START_SECONDS:
                raise RuntimeError(f"{child.name} did not start:\n{child.last_lines()}")
            time.sleep(0.003)
        return (time.perf_counter() - started) * 1000
    finally:
        child.stop(patience_seconds=5)


def memory_mb(child: Child) -> float:
    """Resident memory of the program's own process, by Linux's count."""
    return int(_proc(child, "status").split("VmRSS:")[1].split()[0]) / 1024


def processor_seconds(child: Child) -> float:
    """What the program's own process has used of the processors until now, by Linux's count."""
    user, system = _proc(child, "stat").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _proc(child: Child, name: str) -> str:
    if child.process is None:
        raise RuntimeError(f"{child.name} does not run")
    return Path(f"/proc/{child.process.pid}/{name}").read_text()


def answers(url: str) -> bool:
    """Whether the address gives a whole answer of the 200s."""
    return gives(Request(url))


def gives(request: Request) -> bool:
    """Whether the request gets a whole answer of the 200s."""
    parts = urlsplit(request.url)
    host, port = parts.hostname or "", parts.port
    secure = parts.scheme == "https"
    connection = HTTPSConnection(host, port, context=_anyone()) if secure else HTTPConnection(host, port)
    try:
        connection.request(request.method, parts.path, request.body or None, request.headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status < 300
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@cache
def _anyone() -> ssl.SSLContext:
    """For probes of a peer on this machine, whose certificate nobody has signed."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def repeated_ms(act: Callable[[], object], times: int) -> float:
    """The median of several calls, in milliseconds; one more comes first, uncounted."""
    act()
    return median(once_ms(act) for _ in range(times))


def once_ms(act: Callable[[], object]) -> float:
    """One call, in milliseconds."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000
