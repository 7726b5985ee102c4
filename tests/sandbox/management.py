"""A factory-new local tenant, asked over HTTPS as any client of the Management API asks it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.local_tenants import LocalTenant


class Management:
    """`management.ask("POST", "/roles", {...})` -> the httpx.Response; `.get(...)`, `.post(...)` -> its JSON."""

    def __init__(self, tenant: LocalTenant) -> None:
        self.tenant = tenant
        self.url = f"{tenant.url}/api/v2"

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else self.tenant.authorization()
        return self.tenant.http.request(method, f"/api/v2{path}", json=body, params=query or None, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        return self._answered(self.ask("GET", path, **query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._answered(self.ask("POST", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return self._answered(self.ask("PATCH", path, body))

    def put(self, path: str, body: Any) -> Any:
        return self._answered(self.ask("PUT", path, body))

    def delete(self, path: str, body: Any = None) -> Any:
        return self._answered(self.ask("DELETE", path, body))

    def _answered(self, answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: Any = None, *, status: int, **query: Any) -> dict[str, Any]:
        """The error's body; the test fails on another status."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        assert found["statusCode"] == status
        return found

    def token_for(self, *scopes: str) -> str:
        """A token of a new application that may do only this."""
        client = self.post("/clients", {"name": "Narrow", "app_type": "non_interactive"})
        audience = f"{self.url}/"
        self.post("/client-grants", {"client_id": client["client_id"], "audience": audience, "scope": list(scopes)})
        body = {"grant_type": "client_credentials", "audience": audience}
        credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
        answer = self.tenant.http.post("/oauth/token", json={**body, **credentials})
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])
