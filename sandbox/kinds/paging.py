"""Lists: the two paging styles of the Management API, and the choice of fields."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call

DEFAULT_PER_PAGE = 50
MOST_PER_PAGE = 100
OFFSET_LIMIT = 1000


def listing(
    call: Call,
    items: Sequence[dict[str, Any]],
    envelope: str,
    *,
    per_page: int = DEFAULT_PER_PAGE,
    always: bool = False,
) -> Any:
    """The page of `items` that the query asks for, reduced to the asked fields.

    With `take` or `from`: {envelope: [...], "next"?}. With include_totals=true (or `always`):
    {"start", "limit", "total", envelope: [...]}. Else the bare list.
    """
    if "take" in call.query or "from" in call.query:
        return checkpoint(call, items, envelope)
    return offset(call, items, envelope, per_page=per_page, always=always)


def offset(call: Call, items: Sequence[dict[str, Any]], envelope: str, *, per_page: int, always: bool) -> Any:
    """The bare list, or an object with totals where the query (or the endpoint, `always`) asks for it."""
    page, size = number(call, "page", 0), number(call, "per_page", per_page, MOST_PER_PAGE)
    start = page * size
    if start >= OFFSET_LIMIT and start >= size > 0 and start + size > OFFSET_LIMIT:
        raise too_far(page)
    shown = [chosen(call, item) for item in items[start : start + size]]
    if not always and call.query.get("include_totals") != "true":
        return shown
    return {"start": start, "limit": size, "total": len(items), envelope: shown}


def checkpoint(
    call: Call,
    items: Sequence[dict[str, Any]],
    envelope: str,
    *,
    per_page: int = DEFAULT_PER_PAGE,
    eager: bool = False,
) -> dict[str, Any]:
    """{envelope: [...]} plus `next` while there is more (or, `eager`, after any page that was not empty)."""
    start, size = _cursor(call.query.get("from")), number(call, "take", per_page, MOST_PER_PAGE, least=1)
    shown = [chosen(call, item) for item in items[start : start + size]]
    answer: dict[str, Any] = {envelope: shown}
    if start + size < len(items) or (eager and shown):
        answer["next"] = base64.urlsafe_b64encode(f"checkpoint:{start + size}".encode()).decode().rstrip("=")
    return answer


def number(call: Call, name: str, default: int, most: int | None = None, least: int = 0) -> int:
    """A whole number from the query; 400 invalid_query_string where it is none or out of bounds."""
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        raise invalid_query(f"Expected type integer but found type string' on property {name}", "")
    value = int(text)
    if value < least:
        raise invalid_query(f"Value {value} is less than minimum {least}' on property {name}", "")
    if most is not None and value > most:
        raise invalid_query(f"Value {value} is greater than maximum {most}' on property {name}", "")
    return value


def chosen(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    """The item with only the asked fields (fields=a,b) or without them (include_fields=false)."""
    text = call.query.get("fields")
    if not text:
        return item
    names = set(text.split(","))
    wanted = call.query.get("include_fields", "true") != "false"
    return {key: value for key, value in item.items() if (key in names) == wanted}


def too_far(page: int) -> ApiError:
    return ApiError(
        400,
        f"Requesting page {page} exceeds the allowed maximum of {OFFSET_LIMIT} records. To fetch results beyond "
        f"{OFFSET_LIMIT}, use the checkpoint pagination method.",
        "invalid_paging",
    )


def invalid_query(problem: str, after: str = "'") -> ApiError:
    return ApiError(400, f"Query validation error: '{problem}{after}.", "invalid_query_string")


def _cursor(text: str | None) -> int:
    if text is None:
        return 0
    try:
        label, _, start = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        if label == "checkpoint" and start.isdigit():
            return int(start)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(400, "The specified 'from' parameter is invalid or has expired.", "invalid_query_string")
