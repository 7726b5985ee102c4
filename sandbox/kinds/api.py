"""The Management API of one tenant: who calls, what for, is it allowed, is it well-formed; then the handler."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.errors import ApiError
from sandbox.kinds import limits, registry, routes, tenant_events, validation
from sandbox.kinds.operations import OPERATIONS, Call, Operation, Reply
from sandbox.tenant import Tenant
from sandbox.tokens import verify_management_token

BODY_LIMIT_BYTES = 1_048_576
PREFIX = "/api/v2"


class Api:
    """`await api(request)` answers any request below /api/v2/."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        registry.load()
        tenant_events.watch(tenant)

    async def __call__(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except ApiError as error:
            return _json(error.body, error.status, {})

    async def _answer(self, request: Request) -> Response:
        claims = verify_management_token(self.tenant, request.headers.get("authorization"))
        found = routes.find(_segments(request), request.method)
        if found is None:
            raise ApiError(404, "Not Found")
        endpoint, values = found
        scopes = _scopes(claims.get("scope", ""))
        if endpoint.scopes and scopes.isdisjoint(endpoint.scopes):
            expected = ",".join(endpoint.scopes)
            raise ApiError(403, f"Insufficient scope, expected any of: {expected}", "insufficient_scope")
        operation = OPERATIONS[endpoint.method, endpoint.path]
        call = await self._call(request, endpoint, values, claims, scopes, operation)
        limits.check_links(call)
        result = operation.handler(call)
        if inspect.isawaitable(result):
            result = await result
        return _rendered(result, endpoint.method)

    async def _call(
        self,
        request: Request,
        endpoint: routes.Endpoint,
        values: list[str],
        claims: dict[str, Any],
        scopes: frozenset[str],
        operation: Operation,
    ) -> Call:
        raw_query = request.scope["query_string"]
        queries = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True) if raw_query else []
        params = dict(zip(endpoint.names, values, strict=True))
        body = None if operation.form else await _body(request)
        if operation.checked:
            rule = validation.endpoint_rule(endpoint.method, endpoint.path)
            validation.check_path(rule, params)
            validation.check_query(rule, queries, endpoint.path)
            if endpoint.method != "GET" and not operation.form:
                validation.check_body(rule, body, endpoint.method)
        return Call(
            self.tenant, request, endpoint.method, endpoint.path, params, dict(queries), queries, body, claims, scopes
        )


def _segments(request: Request) -> list[str]:
    """Decoded one by one, so that an id may hold %2F."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    path = path[path.index(PREFIX) + len(PREFIX) :].strip("/")
    return [unquote(segment) for segment in path.split("/")]


@lru_cache(maxsize=1024)
def _scopes(scope: str) -> frozenset[str]:
    return frozenset(scope.split())


async def _body(request: Request) -> Any:
    if request.method == "GET":
        return None
    if int(request.headers.get("content-length") or 0) > BODY_LIMIT_BYTES:
        raise _too_large()
    raw = await request.body()
    if not raw:
        return None
    if len(raw) > BODY_LIMIT_BYTES:
        raise _too_large()
    content_type = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise ApiError(415, "Unsupported Media Type")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise ApiError(400, "Invalid request payload JSON format") from None


def _too_large() -> ApiError:
    return ApiError(413, f"Payload content length greater than maximum allowed: {BODY_LIMIT_BYTES}")


def _rendered(result: Any, method: str) -> Response:
    if isinstance(result, Response):
        return result
    if isinstance(result, Reply):
        if result.body is None:
            return Response(status_code=result.status, headers=result.headers)
        return _json(_public(result.body), result.status, result.headers)
    if result is None:
        return Response(status_code=204)
    return _json(_public(result), 201 if method == "POST" else 200, {})


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json; charset=utf-8")


def _public(body: Any) -> Any:
    """Without internal keys, in an object, a list of objects, or an object that holds such lists."""
    if isinstance(body, list):
        return [_public_object(item) for item in body]
    if isinstance(body, dict):
        return {
            key: [_public_object(item) for item in value] if isinstance(value, list) else value
            for key, value in body.items()
            if not _internal(key)
        }
    return body


def _public_object(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if not _internal(key)}
    return value


def _internal(key: str) -> bool:
    """Log events have an _id that is shown."""
    return key.startswith("_") and key != "_id"
