"""The running program among bytes that are no requests, and among ten thousand connections."""

from __future__ import annotations

import resource
import socket
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx

from sandbox import serving
from tests.sandbox.test_program import HTTP_PORT, client, ready, running

__all__ = ["client"]


def test_hostile_bytes_do_not_stop_it(tmp_path: Path, client: httpx.Client) -> None:
    with running("--tenants", "one", "--ca-dir", str(tmp_path / "ca")) as process:
        ready(process)
        for raw in (
            b"\x16\x03\x01\x00\xff garbage\r\n\r\n",
            b"GET /%ff%fe HTTP/1.1\r\nhost: localhost\r\n\r\n",
            b"\x00" * 9000,
        ):
            with socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=5) as connection:
                connection.sendall(raw)
                with suppress(OSError):
                    connection.recv(4096)
        for path in ("/api/v2/%00", "/" + "x" * 5000, "/api/v2/users/%f0%9f%8c%b1", "//", "/_sandbox//"):
            assert client.get(path).status_code < 500, path


def test_ten_thousand_connections_at_once_are_served(tmp_path: Path, client: httpx.Client) -> None:
    """Each sends half a request, waits, and gets its answer for the other half."""
    serving.raise_file_limit()
    # Both ends count against the limit of their process.
    wanted = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    with running("--tenants", "one", "--ca-dir", str(tmp_path / "ca")) as process:
        ready(process)
        crowd = []
        try:
            for _ in range(wanted):
                crowd.append(socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=20))
                crowd[-1].sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\n")
            assert client.get("/.well-known/openid-configuration").status_code == 200
            for connection in crowd:
                connection.sendall(b"Host: localhost\r\n\r\n")
            answers = Counter(connection.recv(12) for connection in crowd)
        finally:
            for connection in crowd:
                connection.close()
        assert answers == {b"HTTP/1.1 200": wanted}
        assert client.get("/.well-known/jwks.json").status_code == 200
