"""Endpoints of the Management API that are code: a decorator, what a handler is given, and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from sandbox.store import Store
from sandbox.tenant import Tenant

Handler = Callable[["Call"], Any | Awaitable[Any]]


@dataclass(slots=True)
class Call:
    """One authenticated request whose scopes, path, query and body have been checked."""

    tenant: Tenant
    request: Request
    method: str
    route: str
    """The path of the endpoint as the table writes it, such as /users/{id}."""
    params: dict[str, str]
    """Decoded segments of the path: {"id": "auth0|5f7c..."}."""
    query: dict[str, str]
    """Decoded query; of a repeated parameter the last value."""
    queries: list[tuple[str, str]]
    body: Any
    """Parsed JSON; None where the request had no body or the operation takes a form."""
    claims: dict[str, Any]
    scopes: frozenset[str]

    @property
    def store(self) -> Store:
        return self.tenant.store

    def several(self, name: str) -> list[str]:
        """All values of a query parameter that may be repeated or hold a comma list; empty where absent."""
        values = [value for key, value in self.queries if key in (name, f"{name}[]")]
        return [part for value in values for part in value.split(",") if part]


@dataclass(slots=True)
class Reply:
    """An answer whose status differs from the usual one (POST 201, otherwise 200, or 204 for None)."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    handler: Handler
    form: bool = False
    """The body is a form that the handler reads itself from call.request (users-imports)."""
    checked: bool = True
    """Check query and body against the rules of the endpoint before the handler runs."""


OPERATIONS: dict[tuple[str, str], Operation] = {}


Function = TypeVar("Function", bound=Handler)


def operation(method: str, path: str, *, form: bool = False, checked: bool = True) -> Callable[[Function], Function]:
    """Register the handler of one endpoint: `@operation("GET", "/users/{id}")` over `def handler(call: Call) -> Any`.

    The handler may be a coroutine. What it returns is rendered as JSON without internal keys (status 201 for POST,
    else 200; None is 204); return `Reply` for another status. It raises sandbox.errors.ApiError.
    """

    def register(handler: Function) -> Function:
        OPERATIONS[method, path] = Operation(handler, form, checked)
        return handler

    return register
