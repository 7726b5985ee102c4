"""The servers that are measured: ours, and its peers, each on a port of its own."""

from __future__ import annotations

import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import trustme

from portal.supervisor import Child, Supervisor
from runtime.node import node_binary
from tests.environment import M2M_CLIENT_ID, M2M_CLIENT_SECRET, free_ports
from tests.local_tenants import LocalTenant

MODULES = Path(__file__).resolve().parent.parent / "node_modules"
SIMULATOR_PORT = 4400  # it has no option for it


def sandbox(folder: Path, *, seed: str) -> tuple[Child, LocalTenant]:
    """One tenant of ours: the program, not started yet, and the tenant once it runs."""
    port = free_ports(2)
    command = [sys.executable, "-m", "sandbox", "--tenants", "dev", "--seed", seed]
    command += ["--https-port", str(port), "--http-port", str(port + 1), "--ca-dir", str(folder)]
    around = {**os.environ, "SANDBOX_CLIENT_ID": M2M_CLIENT_ID, "SANDBOX_CLIENT_SECRET": M2M_CLIENT_SECRET}
    url = f"http://127.0.0.1:{port + 1}/.well-known/openid-configuration"
    child = Child("the sandbox", command, folder / "sandbox.log", environment=around, answers=lambda: answers(url))
    authority = folder / "ca.pem"
    if not authority.exists():
        _make_authority(child)
    return child, LocalTenant("dev", port, port + 1, ssl.create_default_context(cafile=str(authority)))


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
    certificates = folder / ".simulacrum" / "certs"
    certificates.mkdir(parents=True, exist_ok=True)
    made = trustme.CA().issue_cert("localhost")
    made.cert_chain_pems[0].write_to_path(certificates / "localhost.pem")
    made.private_key_pem.write_to_path(certificates / "localhost-key.pem")
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


def start_ms(child: Child, times: int = 5) -> float:
    """Milliseconds from the start of the program to its first answer: the median of several starts."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        with running(child):
            taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[len(taken) // 2]


def memory_mb(child: Child) -> float:
    """Resident memory of the program's own process."""
    process = child.process
    text = Path(f"/proc/{process.pid}/status").read_text() if process else "VmRSS: 0 kB"
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, verify=_Anyone.context()).is_success
    except httpx.TransportError:
        return False


class _Anyone:
    """A TLS context for probes of a peer on this machine, whose certificate nobody has signed; made once."""

    made: ssl.SSLContext | None = None

    @classmethod
    def context(cls) -> ssl.SSLContext:
        if cls.made is None:
            cls.made = ssl.create_default_context()
            cls.made.check_hostname, cls.made.verify_mode = False, ssl.CERT_NONE
        return cls.made


def _make_authority(child: Child) -> None:
    with running(child):
        pass


def repeated_ms(act: Callable[[], object], times: int) -> float:
    """The median of several calls, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[len(taken) // 2]
