"""Each write through the Management API leaves a log event: sapi where it succeeded, fapi where it did not."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox import logs, tokens
from sandbox.errors import ApiError
from sandbox.kinds import routes
from sandbox.tenant import Tenant

_TITLES = Path(__file__).with_name("operation_titles.tsv")
_MASK = "*****"
_SECRET_WORDS = ("password", "secret", "credentials", "private_key", "api_key", "smtp_pass")
_SECRET_ENDS = ("token", "pem")
_SECRET_NAMES = frozenset(("configuration", "link_with"))
_LARGEST_BODY_BYTES = 16_384
_MOST_BYTES_KEPT = 4096


def record(tenant: Tenant, request: Request, response: Response) -> None:
    """Call after a request to /api/v2 other than GET; what nobody may do (401) leaves no event."""
    claims = _claims(tenant, request)
    found = routes.find(_segments(request), request.method)
    if claims is None or found is None:
        return
    endpoint, values = found
    user_id = values[0] if endpoint.path.startswith("/users/{") else None
    client = tenant.store.get("clients", str(claims.get("azp"))) or {}
    succeeded = response.status_code < 400
    logs.write(
        tenant,
        "sapi" if succeeded else "fapi",
        description=_titles().get((endpoint.method, endpoint.path)),
        client_id=claims.get("azp"),
        client_name=client.get("name"),
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        hostname=tenant.domain,
        user_id=user_id,
        details=_details(request, response, claims),
    )


def _details(request: Request, response: Response, claims: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "method": request.method.lower(),
        "path": request.url.path,
        "query": dict(request.query_params),
        "userAgent": request.headers.get("user-agent"),
        "channel": "api",
        "body": _body(request),
        "auth": {"strategy": "jwt", "credentials": {"scopes": str(claims.get("scope", "")).split()[:50]}},
    }
    answered: dict[str, Any] = {"statusCode": response.status_code}
    if response.status_code >= 400:
        answered["body"] = orjson.loads(bytes(response.body)) if response.body else {}
    return {"request": {k: v for k, v in asked.items() if v not in (None, {})}, "response": answered}


def _claims(tenant: Tenant, request: Request) -> dict[str, Any] | None:
    try:
        return tokens.verify_management_token(tenant, request.headers.get("authorization"))
    except ApiError:
        return None


def _segments(request: Request) -> list[str]:
    return request.path_params["path"].strip("/").split("/")


def _body(request: Request) -> Any:
    """What was sent, without secrets; of a long one nothing, as its parts can't be told apart."""
    raw = getattr(request, "_body", b"")
    if not raw or len(raw) > _LARGEST_BODY_BYTES:
        return None
    try:
        return _masked(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return None


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _MASK if _is_secret(key) else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value[:_MOST_BYTES_KEPT] if isinstance(value, str) else value


def _is_secret(key: str) -> bool:
    lowered = key.lower()
    return any(word in lowered for word in _SECRET_WORDS) or lowered.endswith(_SECRET_ENDS) or lowered in _SECRET_NAMES


@lru_cache(maxsize=1)
def _titles() -> dict[tuple[str, str], str]:
    with _TITLES.open(encoding="utf-8") as file:
        return {(row["method"], row["path"]): row["title"] for row in csv.DictReader(file, delimiter="\t")}
