"""The demo as a set of programs: three local tenants, Valkey, the web server, a worker. `manage.py demo` runs them."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import certifi
from celery import Celery
from cryptography.fernet import Fernet
from django.conf import settings

from portal.supervisor import Child
from portal.valkey import Valkey

TENANTS = ("dev", "staging", "prod")
HOME_TENANT = "prod"
# The portal's own application, in each tenant of the demo's seed. It opens nothing but tenants on this machine.
CLIENT_ID = "castellanPortalLocalDemoOnly0001"
CLIENT_SECRET = "local-demo-only-castellan-portal-secret-0001"  # noqa: S105
PASSWORD = "Castellan-demo-1"  # noqa: S105
DOMAIN = "larkspur.example"
ACCOUNTS = (
    ("helpdesk", "find people, reset passwords and MFA, unlock"),
    ("security", "write MFA policies, try them, publish them"),
    ("release", "compare tenants, propose promotions"),
    ("release2", "the second person, who approves promotions, policies and scripts"),
    ("databases", "write and check custom database scripts"),
    ("auditor", "read every act"),
    ("admin", "register tenants, see who may do what"),
    ("ada.norole", "no role: the own password alone"),
)


@dataclass(frozen=True)
class Demo:
    """Where the demo listens and keeps its state. All of it stands below `state`."""

    state: Path
    port: int = 8000
    https_port: int = 9443
    http_port: int = 9483

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def ports(self) -> dict[int, str]:
        """Each port that must be free, and the option of `manage.py demo` that moves it."""
        numbers = range(len(TENANTS))
        return {
            self.port: "--port",
            **{self.https_port + n: "--https-port" for n in numbers},
            **{self.http_port + n: "--http-port" for n in numbers},
        }

    def https(self, tenant: str) -> str:
        return f"https://localhost:{self.https_port + TENANTS.index(tenant)}"

    def http(self, tenant: str) -> str:
        return f"http://localhost:{self.http_port + TENANTS.index(tenant)}"

    @property
    def authority(self) -> Path:
        """The certificate authority that the sandbox makes at its first start."""
        return self.state / "ca" / "ca.pem"

    @property
    def bundle(self) -> Path:
        """The usual authorities and the sandbox's: each of the variables that name it replaces the usual set."""
        return self.state / "ca" / "bundle.pem"

    def log(self, name: str) -> Path:
        return self.state / "log" / f"{name}.log"


def keys(demo: Demo) -> dict[str, str]:
    """The demo's secrets: made at the first start, then kept (secret_key, encryption_key, client_id, client_secret)."""
    file = demo.state / "demo.json"
    if not file.exists():
        made = {
            "secret_key": secrets.token_urlsafe(48),
            "encryption_key": Fernet.generate_key().decode(),
            "client_id": "castellanM2m" + secrets.token_hex(10),
            "client_secret": secrets.token_urlsafe(48),
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(made))
    return dict(json.loads(file.read_text()))


def environment(demo: Demo, redis_url: str) -> dict[str, str]:
    """For every program of the demo: the person's own, with each setting that must be the demo's set over it."""
    made = keys(demo)
    if not demo.bundle.exists():  # programs read it at their start; the preparation adds the sandbox's authority
        demo.bundle.parent.mkdir(parents=True, exist_ok=True)
        demo.bundle.write_text(certifi.contents())
    home = demo.https(HOME_TENANT).removeprefix("https://")
    local = ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost,127.0.0.1,::1"]))
    return {
        **os.environ,
        "STATE_DIR": str(demo.state),
        "DATABASE_URL": f"sqlite:///{quote(str(demo.state / 'portal.sqlite3'))}",
        "DEBUG": "false",
        "SECRET_KEY": made["secret_key"],
        "ENCRYPTION_KEYS": made["encryption_key"],
        "PUBLIC_URL": demo.url,
        "REDIS_URL": redis_url,
        "AUTH0_DOMAIN": home,
        "AUTH0_CLIENT_ID": CLIENT_ID,
        "AUTH0_CLIENT_SECRET": CLIENT_SECRET,
        "AUTH0_READ_ONLY": "false",
        "CA_BUNDLE": str(demo.bundle),
        "SSL_CERT_FILE": str(demo.bundle),
        "REQUESTS_CA_BUNDLE": str(demo.bundle),
        "NODE_EXTRA_CA_CERTS": str(demo.bundle),
        "NO_PROXY": local,
        "no_proxy": local,
        "PYTHONUNBUFFERED": "1",
    }


def own_redis() -> str:
    """REDIS_URL of the person's shell. One in .env belongs to an installation, whose queue a demo must not share."""
    file = Path(settings.BASE_DIR) / ".env"
    in_file = file.exists() and re.search(r"^\s*(export\s+)?REDIS_URL\s*=", file.read_text(), re.MULTILINE)
    return "" if in_file else settings.REDIS_URL


def valkey(demo: Demo) -> tuple[Valkey, Child]:
    folder = demo.state / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    server = Valkey(folder, persistent=True)
    return server, server.child(demo.log("valkey"))


def sandbox(demo: Demo) -> Child:
    """The three tenants. Their client's secret travels by the environment, which other people can't read."""
    command = ["-m", "sandbox", "--tenants", ",".join(TENANTS), "--seed", "demo"]
    command += ["--https-port", str(demo.https_port), "--http-port", str(demo.http_port)]
    command += ["--state", str(demo.state / "sandbox"), "--ca-dir", str(demo.authority.parent)]
    made = keys(demo)
    client = {"SANDBOX_CLIENT_ID": made["client_id"], "SANDBOX_CLIENT_SECRET": made["client_secret"]}
    return Child(
        "the sandbox",
        [sys.executable, *command],
        demo.log("sandbox"),
        environment={**os.environ, **client, "PYTHONUNBUFFERED": "1"},
        answers=lambda: tenants_answer(demo),
    )


def preparation(demo: Demo, around: dict[str, str]) -> Child:
    """Database, static files, tenants: a program that does its work, waiting for the sandbox, and ends."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "prepare_demo"]
    command += ["--https-port", str(demo.https_port), "--http-port", str(demo.http_port)]
    return Child("the preparation", command, demo.log("prepare"), environment=around, finite=True)


def web(demo: Demo, around: dict[str, str]) -> Child:
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{demo.port}"]
    command += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--graceful-timeout", "5"]
    command += ["--access-logfile", "-", "--no-control-socket"]
    return Child(
        "the web server",
        command,
        demo.log("web"),
        environment=around,
        answers=lambda: page_answers(demo.port, "/health/"),
    )


def worker(demo: Demo, around: dict[str, str]) -> Child:
    command = [sys.executable, "-m", "celery", "--app", "portal", "worker", "--beat", "--concurrency", "2"]
    command += ["--without-mingle", "--without-gossip"]  # they look for other workers, and there are none
    command += ["--schedule", str(demo.state / "beat"), "--loglevel", "INFO"]
    answers = worker_answers(around["REDIS_URL"])
    return Child("the worker", command, demo.log("worker"), environment=around, answers=answers)


def worker_answers(redis_url: str, name: str | None = None) -> Callable[[], bool]:
    """Whether a Celery worker (the one of this name, or any) takes tasks from that queue."""
    app = Celery(broker=redis_url, set_as_current=False)
    names = [name] if name else None
    return lambda: bool(app.control.ping(timeout=0.5, destination=names, limit=1))


def tenants_answer(demo: Demo) -> bool:
    return all(page_answers(demo.http_port + number) for number in range(len(TENANTS)))


def page_answers(port: int, path: str = "/.well-known/openid-configuration") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
