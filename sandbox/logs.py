"""The tenant's log events, as GET /api/v2/logs gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.log_types import DESCRIPTIONS
from sandbox.store import Document
from sandbox.tenant import Tenant, written

# A local tenant under a load test would otherwise fill the memory; the oldest events go first.
MOST_KEPT = 20_000
_SEQUENCE_START = 1223372036854775807


def write(tenant: Tenant, type: str, **fields: Any) -> Document:
    """Append one event.

    `type` is Auth0's code (s, f, fp, seccft, gd_auth_succeed ...); `fields` are the event's other fields: description,
    client_id, client_name, connection, connection_id, strategy, ip, user_agent, hostname, user_id, user_name, audience,
    scope, details ... . Values of None are left out. `date` may be given (ISO 8601); default: the tenant's clock.
    """
    store = tenant.store
    while store.count("logs") >= MOST_KEPT:
        store.remove("logs", store.oldest("logs"))
    date = fields.pop("date", None) or tenant.timestamp()
    id = log_id(date, tenant.next_number())
    event = {
        "date": date,
        "type": type,
        **described(type, fields),
        "tenant_name": tenant.name,
        "_id": id,
        "log_id": id,
    }
    return store.put("logs", id, event)


def log_id(date: str, number: int) -> str:
    """Sortable by time, like Auth0's: 900, the instant in milliseconds, a running number."""
    if not date.endswith("Z") or len(date) != 24:
        date = written(datetime.fromisoformat(date).astimezone(UTC))
    digits = date[:4] + date[5:7] + date[8:10] + date[11:13] + date[14:16] + date[17:19] + date[20:23]
    return f"900{digits}{_SEQUENCE_START + number:034d}"


def described(type: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an event without those that are None, with the description of its type and isMobile."""
    kept = {name: value for name, value in fields.items() if value is not None}
    if "description" not in kept and type in DESCRIPTIONS:
        kept["description"] = DESCRIPTIONS[type]
    if "isMobile" not in kept and "user_agent" in kept:
        kept["isMobile"] = any(word in kept["user_agent"] for word in ("Mobile", "Android", "iPhone"))
    return kept
