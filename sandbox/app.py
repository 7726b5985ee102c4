"""One tenant as an ASGI application: conditions, routing, errors, and the journal's commit before each answer."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import logs
from sandbox.conditions import Bucket, Fault
from sandbox.errors import ApiError, OAuthError, TooManyRequests
from sandbox.tenant import Tenant

Commit = Callable[[], None]
# What a gateway says that waited in vain for the answer.
_LOST = 504

_TOO_MANY: dict[str, dict[str, Any]] = {
    "management": (
        {
            "statusCode": 429,
            "error": "Too Many Requests",
            "message": "Global limit has been reached",
            "errorCode": "too_many_requests",
        }
    ),
    "authentication": TooManyRequests().body,
}


def create(tenant: Tenant, commit: Commit | None = None) -> ASGIApp:
    """The tenant's application; `commit` makes durable what the request changed, and runs before the answer leaves."""
    from sandbox import control

    routes = Router([*control.routes(tenant)])
    return Front(tenant, _Dispatch(tenant), routes, commit)


class Front:
    """What every request passes: latency, limits, faults, the list of requests, errors."""

    def __init__(self, tenant: Tenant, inner: ASGIApp, control: ASGIApp, commit: Commit | None) -> None:
        self.tenant = tenant
        self.inner = inner
        self.control = control
        self.commit = commit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _refuse(scope, send)
        exchange = Exchange(send, self.commit)
        path: str = scope["path"]
        if path.startswith("/_sandbox"):
            return await guarded(self.control, scope, receive, exchange.send)
        if path.startswith("/api/v2/"):
            exchange.headers.append((b"x-auth0-requestid", secrets.token_hex(10).encode()))
        started = time.perf_counter()
        try:
            await self._weathered(scope, receive, exchange, path)
        finally:
            elapsed_ms = (time.perf_counter() - started) * 1000
            query = scope["query_string"]
            self.tenant.requests.append((time.time(), scope["method"], path, query, exchange.status, elapsed_ms))
        return None

    async def _weathered(self, scope: Scope, receive: Receive, exchange: Exchange, path: str) -> None:
        conditions = self.tenant.conditions
        if conditions.latency_ms:
            await asyncio.sleep(conditions.latency_ms / 1000)
        fault = conditions.fault(scope["method"], path) if conditions.faults else None
        if fault is not None and not await self._survives(fault, scope, receive, exchange, path):
            return None
        bucket = conditions.bucket(scope["method"], path)
        if bucket is not None:
            allowed = bucket.take()
            exchange.headers += bucket.headers()
            self._log_limit(bucket, bucket.log_event(allowed=allowed), scope)
            if not allowed:
                return await answer(exchange.send, 429, _limited(path), _retry(bucket))
        return await guarded(self.inner, scope, receive, exchange.send)

    def _log_limit(self, bucket: Bucket, event: str | None, scope: Scope) -> None:
        if event is not None:
            ip = scope["client"][0] if scope.get("client") else None
            details = {"limit": bucket.name, "burst": bucket.burst, "method": scope["method"], "path": scope["path"]}
            logs.write(self.tenant, event, ip=ip, hostname=self.tenant.domain, client_name="", details=details)

    async def _survives(self, fault: Fault, scope: Scope, receive: Receive, exchange: Exchange, path: str) -> bool:
        """Whether the request goes on after the fault."""
        if fault.after:
            await guarded(self.inner, scope, receive, _swallow)
        if fault.hang_seconds:
            await asyncio.sleep(fault.hang_seconds)
        status = fault.status or (_LOST if fault.after else None)
        if status is None:
            return True
        await answer(exchange.send, status, _fault_body(status, path))
        return False


class Exchange:
    """The sending side of one request: adds headers, notes the status, commits before the first byte leaves."""

    __slots__ = ("_send", "commit", "headers", "status")

    def __init__(self, send: Send, commit: Commit | None) -> None:
        self._send = send
        self.commit = commit
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            commit, self.commit = self.commit, None  # where it fails, the answer that says so acknowledges nothing
            if commit is not None:
                commit()
            self.status = message["status"]
            if self.headers:
                # A limit of the user's own is told in the place of the group's.
                told = {name.lower() for name, _ in message.get("headers", ())}
                added = [(name, value) for name, value in self.headers if name not in told]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
        await self._send(message)


class _Dispatch:
    """/api/v2 to the Management API, all else to the Authentication API and its pages."""

    def __init__(self, tenant: Tenant) -> None:
        from sandbox.kinds.api import Api
        from sandbox.login.routes import build
        from sandbox.users import exports, operation_log

        self.tenant = tenant
        self.api = Api(tenant)
        self.note = operation_log.record
        self.router = Router([*build(tenant), *exports.routes(tenant)], default=_not_found)
        self.exact = _exact_routes(self.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/api/v2/"):
            scope["path_params"] = {"path": path[8:]}
            request = Request(scope, receive, send)
            response: Response = await self.api(request)
            if scope["method"] not in ("GET", "HEAD"):
                self.note(self.tenant, request, response)
            return await response(scope, receive, send)
        route = self.exact.get((scope["method"], path))
        if route is not None:
            scope["path_params"] = {}
            return await route.app(scope, receive, send)
        return await self.router(scope, receive, send)


def _exact_routes(router: Router) -> dict[tuple[str, str], Route]:
    """Routes without parameters, found by one look-up instead of by trying every pattern."""
    found: dict[tuple[str, str], Route] = {}
    for route in router.routes:
        if isinstance(route, Route) and "{" not in route.path:
            for method in route.methods or ():
                found.setdefault((method, route.path), route)
    return found


async def guarded(inner: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run `inner`; render the errors it raises, and nothing of an unexpected one."""
    try:
        await inner(scope, receive, send)
    except (ApiError, OAuthError) as error:
        await answer(send, error.status, error.body)
    except Exception:
        print(f"{scope['method']} {scope['path']} failed:", file=sys.stderr)  # noqa: T201 - the program's own log
        traceback.print_exc()
        body = {"statusCode": 500, "error": "Internal Server Error", "message": "An internal server error occurred"}
        await answer(send, 500, body)


async def answer(send: Send, status: int, body: Any, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    content = orjson.dumps(body)
    base = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": [*base, *(headers or ())]})
    await send({"type": "http.response.body", "body": content})


async def _swallow(message: Message) -> None:
    """Where an answer goes that the client never gets."""


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1002})


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"})


def _retry(bucket: Bucket) -> list[tuple[bytes, bytes]]:
    return [(b"retry-after", b"%d" % bucket.retry_after_seconds())]


def _limited(path: str) -> dict[str, Any]:
    return _TOO_MANY["management" if path.startswith("/api/v2/") else "authentication"]


def _fault_body(status: int, path: str) -> dict[str, Any]:
    if status == 429:
        return _limited(path)
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    if path.startswith("/api/v2/"):
        return {"statusCode": status, "error": phrase, "message": "Injected by /_sandbox/conditions"}
    return {"error": phrase.lower().replace(" ", "_"), "error_description": "Injected by /_sandbox/conditions"}
