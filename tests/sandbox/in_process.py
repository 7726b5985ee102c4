"""One tenant in this process, asked without a network: hundreds of calls a second."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox import tokens, users
from sandbox.kinds import factory, management_scopes
from sandbox.kinds.api import Api
from sandbox.store import Document
from sandbox.tenant import Tenant


class World:
    def __init__(self) -> None:
        self.tenant = Tenant("dev", 9443, 9483, "machine", "secret")
        users.prepare(self.tenant)
        factory.fill(self.tenant)
        self.first = self.tenant.store.dump()
        self.token = self.token_of("machine@clients")
        self.api = Api(self.tenant)

    def token_of(self, subject: str) -> str:
        """A token with every scope of the Management API."""
        claims = {"iss": self.tenant.issuer, "aud": self.tenant.management_audience, "exp": self.tenant.now() + 9999}
        scope = " ".join(management_scopes.values())
        return tokens.issue(self.tenant, {**claims, "sub": subject, "scope": scope})

    def ask(
        self, method: str, path: str, query: str = "", content: bytes = b"", type: str = "application/json"
    ) -> Response:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        headers = {"authorization": f"Bearer {self.token}", "content-type": type}
        scope: Document = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        return asyncio.run(self.api(Request(scope, receive)))

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Response:
        """The answer to a call below /api/v2 with a JSON body."""
        content = b"" if body is None else orjson.dumps(body)
        return self.ask(method, f"/api/v2{path}", urlencode(query), content)

    def ids(self) -> list[str]:
        return [id for kind in self.tenant.store.dump() if kind != "settings" for id in self.tenant.store.ids(kind)[:2]]


def body_of(answer: Response) -> Any:
    return orjson.loads(answer.body) if answer.body else None
