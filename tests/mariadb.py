"""A MariaDB of the tests' own where the machine has one (Debian: mariadb-server): on a free port, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from portal.supervisor import Child, Supervisor
from tests.environment import free_ports
from tests.postgres import STAND_IN

# An ordinary user's PATH leads past servers.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
SERVER, INSTALLER = (shutil.which(name, path=PATH) for name in ("mariadbd", "mariadb-install-db"))


@contextmanager
def running() -> Iterator[str]:
    """Yields mysql://user:password@host:port/database; that user may make and drop tables."""
    with tempfile.TemporaryDirectory(prefix="castellan-mariadb-") as name, Supervisor(signals=False) as programs:
        folder, port = Path(name), free_ports(1)
        user = STAND_IN if os.geteuid() == 0 else None  # MariaDB refuses root
        if user:
            shutil.chown(folder, user)
        programs.start(
            _program(folder, user, [str(INSTALLER), "--auth-root-authentication-method=normal"], finite=True)
        )
        options = [f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--port={port}", "--skip-name-resolve"]
        programs.start(_program(folder, user, [str(SERVER), *options, "--bind-address=127.0.0.1"]))
        yield _with_database(folder, port)


def _program(folder: Path, user: str | None, command: list[str], *, finite: bool = False) -> Child:
    name, *options = command
    return Child(
        Path(name).name,
        [name, "--no-defaults", f"--datadir={folder}/data", *options],
        folder / f"{Path(name).name}.log",
        environment={"PATH": PATH, "TMPDIR": str(folder)},
        user=user,
        finite=finite,
        answers=lambda: _answers(folder),
    )


def _answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"{folder}/socket") == 0


def _with_database(folder: Path, port: int) -> str:
    password = secrets.token_urlsafe(12)
    with pymysql.connect(unix_socket=f"{folder}/socket", user="root") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE contract CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER scripts@'127.0.0.1' IDENTIFIED BY %s", [password])
        cursor.execute("GRANT ALL ON contract.* TO scripts@'127.0.0.1'")
    return f"mysql://scripts:{password}@127.0.0.1:{port}/contract"
