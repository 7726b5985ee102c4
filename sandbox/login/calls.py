"""A request to the Authentication API: its parameters, and the answers that handlers may give."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sandbox import logs
from sandbox.errors import ApiError, OAuthError
from sandbox.store import Document
from sandbox.tenant import Tenant

MAXIMUM_BODY_BYTES = 1_000_000


class DatabaseConnectionError(Exception):
    """/dbconnections/*: {"name", "code", "description", "statusCode"}."""

    def __init__(self, status: int, code: str, description: Any, name: str = "BadRequestError", **extra: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"name": name, "code": code, "description": description, "statusCode": status, **extra}


@dataclass
class Call:
    """One request. `parameters` are those of the body (form or JSON), or of the query for GET."""

    tenant: Tenant
    request: Request
    parameters: dict[str, Any] = field(default_factory=dict)
    # The end user's address, where an application that is trusted with it named one.
    forwarded_ip: str = ""

    def text(self, name: str) -> str:
        """The parameter as text; "" when it is absent. Raises OAuthError when it is no text."""
        value = self.parameters.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise OAuthError(400, "invalid_request", f"Invalid parameter: {name} must be a string")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise OAuthError(400, "invalid_request", f"Missing required parameter: {name}")
        return value

    @property
    def ip(self) -> str:
        return self.forwarded_ip or (self.request.client.host if self.request.client else "127.0.0.1")

    @property
    def user_agent(self) -> str:
        return self.request.headers.get("user-agent", "")

    def log(self, kind: str, client: Document | None, **fields: Any) -> None:
        """A log event about this request, of an application where one is known."""
        known = client or {}
        event = {"client_id": known.get("client_id"), "client_name": known.get("name")}
        event |= {"ip": self.ip, "user_agent": self.user_agent}
        logs.write(self.tenant, kind, **{**event, **fields})

    @property
    def basic_credentials(self) -> tuple[str, str] | None:
        """client_id and client_secret of an `Authorization: Basic` header. Raises OAuthError 401 for a broken one."""
        scheme, _, encoded = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError(401, "access_denied", "Unauthorized") from None
        if not separator:
            raise OAuthError(401, "access_denied", "Unauthorized")
        return unquote(user), unquote(password)

    @property
    def credentials(self) -> tuple[str, str]:
        """Scheme (in lower case) and token of the Authorization header."""
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        return scheme.lower(), token.strip()

    @property
    def bearer(self) -> str:
        scheme, token = self.credentials
        return token if scheme == "bearer" else ""


Answer = Response | dict[str, Any] | list[Any]
Handler = Callable[[Call], Awaitable[Answer]]


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    answer = Response(orjson.dumps(body), status, headers, "application/json")
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def endpoint(tenant: Tenant, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Turn a handler into a Starlette endpoint: parameters in, JSON out, errors in the family they belong to."""

    @wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            call = Call(tenant, request, await _parameters(request))
            answer = await handler(call)
        except (OAuthError, ApiError, DatabaseConnectionError) as problem:
            return json_answer(problem.body, problem.status, getattr(problem, "headers", None))
        return answer if isinstance(answer, Response) else json_answer(answer)

    return answered


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method in ("GET", "HEAD", "DELETE"):
        return dict(request.query_params)
    raw = await _body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json_object(raw)
    if kind in ("application/x-www-form-urlencoded", ""):
        return _form(raw)
    raise OAuthError(
        400, "invalid_request", "Content-Type must be application/json or application/x-www-form-urlencoded"
    )


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    raw = b""
    if not declared.isdigit() or int(declared) <= MAXIMUM_BODY_BYTES:
        try:
            async for part in request.stream():
                raw += part
                if len(raw) > MAXIMUM_BODY_BYTES:
                    break
            else:
                return raw
        except ClientDisconnect:
            return raw
    raise OAuthError(413, "invalid_request", "request entity too large")


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw or b"{}")
    except ValueError:
        raise OAuthError(400, "invalid_request", "The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise OAuthError(400, "invalid_request", "The body must be a JSON object")
    return body


def _form(raw: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=200))
    except ValueError:
        raise OAuthError(400, "invalid_request", "The form could not be decoded") from None
