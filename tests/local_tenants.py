"""The local tenants that tests talk to: `python -m sandbox` as a process, and what a test may do to each tenant."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import certifi
import httpx

from portal.demo import page_answers
from portal.supervisor import Child, Supervisor
from sandbox import password_policy
from tests.environment import M2M_CLIENT_ID, M2M_CLIENT_SECRET, TENANTS, Environment

# Of more requests a tenant forgets the first.
MOST_LISTED = 1000


class LocalTenant:
    """One tenant of the running sandbox from outside: its Management API with all scopes, and its control surface."""

    client_id = M2M_CLIENT_ID
    client_secret = M2M_CLIENT_SECRET

    def __init__(self, name: str, https_port: int, http_port: int, trust: ssl.SSLContext) -> None:
        self.name = name
        self.https_port = https_port
        self.http_port = http_port
        self.domain = f"localhost:{https_port}"
        self.url = f"https://{self.domain}"
        # A client of any endpoint, without a token: tenant.http.post("/oauth/token", json=...)
        self.trust = trust
        self.http = httpx.Client(base_url=self.url, verify=trust, trust_env=False, timeout=30)
        self._token = ""
        self._touched = False
        self._token_is_odd = False  # of another clock, seed or key than after a reset

    @property
    def browser_url(self) -> str:
        """Plain HTTP, for browsers: no certificate to accept."""
        return f"http://localhost:{self.http_port}"

    # Management API

    def api(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """One call below /api/v2, with every scope. The answer's JSON; fails the test on a status of 400 or more."""
        answer = self.http.request(method, f"/api/v2{path}", json=body, params=params, headers=self.authorization())
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def authorization(self) -> dict[str, str]:
        """The header for calls of the test's own."""
        self._token = self._token or self.token()
        return {"Authorization": f"Bearer {self._token}"}

    def token(self) -> str:
        """A fresh Management API token."""
        body = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        answer = self.http.post("/oauth/token", json={**body, "audience": f"{self.url}/api/v2/"})
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])

    def user(self, email: str) -> dict[str, Any]:
        """The one user with this address."""
        (found,) = self.api("GET", "/users-by-email", email=email)
        return dict(found)

    def user_by_id(self, user_id: str) -> dict[str, Any]:
        return dict(self.api("GET", f"/users/{quote(user_id, safe='')}"))

    def named(self, collection: str, name: str) -> dict[str, Any]:
        """The object of /clients, /connections, /roles, ... with this name."""
        answer = self.api("GET", f"/{collection}", per_page=100)
        objects = answer if isinstance(answer, list) else answer[collection.rpartition("/")[2]]
        return dict(next(item for item in objects if item["name"] == name))

    def change_options(self, id: str, **changed: Any) -> Any:
        """Of a database, whole. Auth0 takes one word for each thing: the older password policy, where it is there."""
        kept = self.api("GET", f"/connections/{id}")["options"]
        if any(name in kept for name in password_policy.OLDER):
            kept.pop("password_options", None)
        return self.api("PATCH", f"/connections/{id}", {"options": {**kept, **changed}})

    def grant(self, scopes: Iterable[str], client_id: str = "") -> None:
        """These become the scopes of an application for the Management API; the portal's, where none is named.

        The tenant's record of requests begins anew.
        """
        audience = f"{self.url}/api/v2/"
        (found,) = self.api("GET", "/client-grants", client_id=client_id or self.client_id, audience=audience)
        self.api("PATCH", f"/client-grants/{found['id']}", {"scope": sorted(scopes)})
        self.forget_requests()

    # Control surface

    def control(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = self.http.request(method, f"/_sandbox/{path}", json=body, params=params)
        assert answer.is_success, f"{method} /_sandbox/{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def reset(self, seed: str | None = None) -> None:
        """Everything as the seed says ("demo" unless "factory" is asked for)."""
        self.control("POST", "reset", {"seed": seed} if seed else None)
        self._token = "" if seed or self._token_is_odd else self._token
        self._touched = self._token_is_odd = seed is not None

    def conditions(self, **conditions: Any) -> None:
        """latency_ms=, rate_limit={"burst", "per_second"}, plan=, search_lag_seconds=, faults=[{...}]."""
        self._touched = True
        self.control("POST", "conditions", conditions)

    def advance_clock(self, seconds: float) -> None:
        self._touched = self._token_is_odd = True
        self.control("POST", "clock", {"advance_seconds": seconds})
        if seconds >= 86_400:  # a token lives for a day
            self._token = ""

    def mail(self, to: str | None = None) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self.control("GET", "mailbox", **({"to": to} if to else {})))

    def phones(self, **who: str) -> Any:
        """Current codes, text messages and waiting pushes; email= or user_id= narrows."""
        return self.control("GET", "phones", **who)

    def requests(self) -> list[dict[str, Any]]:
        """What has been asked of this tenant since its last reset, newest last: {method, path, query?, status, ms}."""
        return list(self.control("GET", "requests"))

    def forget_requests(self) -> None:
        self._look_for_writes()
        self.control("DELETE", "requests")

    def restore(self) -> None:
        """After a test: undo what it did, if it did anything."""
        found = self._look_for_writes()
        if self._touched:
            self.reset()
        elif found:
            self.control("DELETE", "requests")

    def _look_for_writes(self) -> list[dict[str, Any]]:
        """All that was asked; notes whether any of it may have changed something."""
        found = self.requests()
        writes = [each for each in found if each["method"] != "GET" or not each["path"].startswith("/api/v2/")]
        self._touched = self._touched or bool(writes) or len(found) >= MOST_LISTED
        self._token_is_odd = self._token_is_odd or any("/keys/" in each["path"] for each in writes)
        return found


class LocalTenants:
    """The running sandbox: `sandbox.tenant("dev")`; also `sandbox.authority`, the path of its certificate authority."""

    def __init__(self, environment: Environment) -> None:
        self.authority = environment.authority
        trust = ssl.create_default_context(cafile=str(environment.authority))
        self._tenants = {
            name: LocalTenant(name, environment.https_port + n, environment.http_port + n, trust)
            for n, name in enumerate(TENANTS)
        }

    def tenant(self, name: str) -> LocalTenant:
        return self._tenants[name]

    def __iter__(self) -> Iterator[LocalTenant]:
        return iter(self._tenants.values())


@contextmanager
def running(environment: Environment, *, seed: str = "demo") -> Iterator[LocalTenants]:
    """Start the sandbox with three tenants; the certificate bundle that the environment names exists from then on."""
    command = [sys.executable, "-m", "sandbox", "--tenants", ",".join(TENANTS), "--seed", seed]
    command += ["--https-port", str(environment.https_port), "--http-port", str(environment.http_port)]
    command += ["--ca-dir", str(environment.authority.parent)]
    child = Child(
        "the sandbox",
        command,
        environment.state / "sandbox.log",
        environment={**os.environ, "SANDBOX_CLIENT_ID": M2M_CLIENT_ID, "SANDBOX_CLIENT_SECRET": M2M_CLIENT_SECRET},
        answers=lambda: all(page_answers(environment.http_port + n, "/_sandbox/clock") for n in range(len(TENANTS))),
    )
    with Supervisor(signals=False) as programs:
        programs.start(child)
        usual = certifi.contents()
        environment.bundle.write_text(usual + environment.authority.read_text())
        tenants = LocalTenants(environment)
        try:
            yield tenants
        finally:
            for tenant in tenants:
                tenant.http.close()
