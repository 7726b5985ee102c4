"""Configuration of a seeded tenant, made through the Management API's own handlers, without HTTP in between."""

from __future__ import annotations

import inspect
from typing import Any

from starlette.requests import Request

from sandbox.kinds import routes
from sandbox.kinds.operations import OPERATIONS, Call, Reply
from sandbox.tenant import Tenant


class Management:
    """`Management(tenant).post("/roles", {...})` answers what the endpoint would."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.scopes = frozenset(scope for endpoint in routes.endpoints() for scope in endpoint.scopes)

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, body)

    def _call(self, method: str, path: str, body: Any) -> Any:
        """Raises LookupError for an unknown path, ApiError where the endpoint refuses."""
        found = routes.find(path.strip("/").split("/"), method)
        if found is None:
            raise LookupError(f"{method} {path} is no endpoint of the Management API")
        endpoint, values = found
        params = dict(zip(endpoint.names, values, strict=True))
        request = Request({"type": "http", "method": method, "headers": [], "path": path, "query_string": b""})
        call = Call(self.tenant, request, method, endpoint.path, params, {}, [], body, {}, self.scopes)
        result = OPERATIONS[method, endpoint.path].handler(call)
        if inspect.isawaitable(result):
            raise TypeError(f"{method} {path} needs an event loop")
        return result.body if isinstance(result, Reply) else result
