"""The last requests that a tenant got, for /_sandbox/requests and the tenant's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from sandbox.tenant import Tenant, written

_REDACTED = "***"
_SECRET_PARAMETERS = frozenset(
    (
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "id_token",
        "id_token_hint",
        "mfa_token",
        "otp",
        "password",
        "refresh_token",
        "session_token",
        "state",
        "ticket",
        "token",
    )
)


def listed(tenant: Tenant) -> list[dict[str, Any]]:
    """Newest last: {date, method, path, query?, status, ms}; secrets in the query are redacted."""
    return [
        {
            "date": written(datetime.fromtimestamp(at, UTC)),
            "method": method,
            "path": path,
            **({"query": _redacted(query)} if query else {}),
            "status": status,
            "ms": round(ms, 2),
        }
        for at, method, path, query, status, ms in tenant.requests
    ]


def _redacted(query: bytes) -> dict[str, str]:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {name: _REDACTED if name.lower() in _SECRET_PARAMETERS else value for name, value in pairs}
