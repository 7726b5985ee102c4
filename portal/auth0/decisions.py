"""From Auth0's answers to our decisions: the one table of statuses."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from portal.errors import Conflict, Invalid, Missing, MissingScope, NotConnected, PortalError, Refused, Unavailable
from portal.models import Tenant
from portal.redaction import clean

_BY_STATUS: dict[int, type[PortalError]] = {
    400: Invalid, 401: NotConnected, 403: Refused, 404: Missing, 405: Refused, 409: Conflict,
    413: Invalid, 414: Invalid, 422: Invalid,
}  # fmt: skip


def problem(tenant: Tenant, request: httpx.Request, answer: httpx.Response) -> PortalError:
    """The error that stands for a 3xx, 4xx or 5xx answer. Its sentence quotes Auth0's message, secrets masked."""
    body, request_id, text = _body(answer), answer.headers.get("x-auth0-requestid", ""), text_of(answer)
    code = str(body.get("errorCode") or body.get("error") or "")
    if code == "too_many_attempts":  # the account or address of a person who signs in, not our own calls
        return Refused(text, request_id=request_id, code=code)
    if answer.status_code == 429:
        return Unavailable(
            f"{tenant.name} is at its rate limit. Wait a moment and try again.",
            retry_after_seconds=_retry_after(answer), request_id=request_id, code="429",
        )  # fmt: skip
    if answer.status_code == 403 and code == "insufficient_scope":
        return MissingScope(_scopes(text), tenant.name, request_id=request_id)
    if answer.status_code in _BY_STATUS:
        said = f"{tenant.name} says: {text}" if text else f"{tenant.name} answered with status {answer.status_code}."
        return _BY_STATUS[answer.status_code](said, request_id=request_id, code=code)
    slow = "exceeded the timeout" in text  # what Auth0 says of a user search that took more than its two seconds
    return Unavailable(
        f"{tenant.name} has a problem (status {answer.status_code}). Try again in a moment.",
        request_id=request_id, code="query_timeout" if slow else str(answer.status_code),
    )  # fmt: skip


def text_of(answer: httpx.Response) -> str:
    """What Auth0 says in words, secrets masked; "" where it says nothing."""
    body = _body(answer)
    return clean(str(body.get("message") or body.get("error_description") or body.get("description") or ""))[:600]


def _scopes(message: str) -> list[str]:
    """From `Insufficient scope, expected any of: read:users,read:current_user`."""
    return [scope.strip() for scope in message.partition(":")[2].split(",") if scope.strip()] or ["(not said)"]


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(answer: httpx.Response) -> float:
    try:
        if "retry-after" in answer.headers:
            return max(0.0, float(answer.headers["retry-after"]))
        return max(0.0, float(answer.headers.get("x-ratelimit-reset", 0)) - time.time())
    except ValueError:
        return 0.0
