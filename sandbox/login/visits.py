"""A visit of a page that belongs to a running login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.errors import OAuthError
from sandbox.login import capabilities
from sandbox.login.calls import Answer, Call, Handler
from sandbox.login.rendering import error_page, page
from sandbox.login.transactions import Transaction, find

EXPIRED = "This login has expired, or it was begun in another browser. Please go back to the application and try again."


@dataclass
class Visit:
    call: Call
    transaction: Transaction

    @property
    def posted(self) -> bool:
        return self.call.request.method == "POST"

    def typed(self, name: str) -> str:
        """A field of the form, "" when it is absent; never longer than a form needs."""
        value = self.call.parameters.get(name)
        return value[:2000] if isinstance(value, str) else ""

    def note_capabilities(self) -> None:
        """Keep what the form tells about the browser."""
        found = capabilities.told(self.call.parameters)
        if found is not None:
            self.transaction.capabilities = found
            if self.transaction.login is not None:
                self.transaction.login.capabilities = found

    def render(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page of this login: templates know `state` and the application's name."""
        client = self.transaction.client
        return page(
            self.call.tenant,
            template,
            status,
            state=self.transaction.id,
            application=client.get("name") or "the application",
            **context,
        )


def in_login(handler: Callable[[Visit], Awaitable[Response]]) -> Handler:
    """Only with the `state` of a login that this browser began; one request of a login at a time."""

    async def visited(call: Call) -> Answer:
        transaction = find(call)
        if transaction is None:
            return error_page(call.tenant, 400, "expired", EXPIRED)
        async with transaction.lock:
            try:
                return await handler(Visit(call, transaction))
            except OAuthError as problem:
                return error_page(call.tenant, problem.status, problem.error, problem.description)

    return visited
