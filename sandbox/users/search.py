"""GET /users: search with its limits, sorting and paging."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call
from sandbox.kinds.paging import DEFAULT_PER_PAGE, MOST_PER_PAGE, number
from sandbox.store import Document
from sandbox.users import index as indexes
from sandbox.users.index import Index

MOST_RESULTS = 1000
LONGEST_QUERY_BYTES = 8192
_SORT = re.compile(r"([a-zA-Z0-9_.]+):(-?1)")
_ENGINES = ("v3", "v2", "v1")


def listing(call: Call, shown: Callable[[Call, Document], Document]) -> Any:
    """The page that q, sort, page, per_page, include_totals, fields and primary_order ask for."""
    if len(call.request.scope["query_string"]) > LONGEST_QUERY_BYTES:
        raise ApiError(414, f"The query is longer than {LONGEST_QUERY_BYTES} bytes.", error="URI Too Long")
    page, size = number(call, "page", 0), number(call, "per_page", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    if size and (page + 1) * size > MOST_RESULTS and page:
        raise ApiError(
            400,
            f"You can only page through the first {MOST_RESULTS} records. "
            "See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation",
            "invalid_paging",
        )
    index = indexes.of(call.tenant)
    ids = _found(call, index)
    field, descending = _sort(call)
    start = page * size
    if ids is None and field is None:
        window, total = _first_rows(index, start, size), len(index.rows)
    else:
        ordered = index.ordered(ids, field, descending)
        window, total = ordered[start : start + size], len(ordered)
    users = [shown(call, index.rows[id]) for id in window]
    if call.query.get("include_totals") != "true":
        return users
    return {"start": start, "limit": size, "length": len(users), "users": users, "total": total}


def _first_rows(index: Index, start: int, size: int) -> list[str]:
    rows = iter(index.rows)
    for _ in range(start):
        next(rows, None)
    return [id for id in (next(rows, None) for _ in range(size)) if id is not None]


def _found(call: Call, index: Index) -> set[str] | None:
    if call.query.get("search_engine", "v3") not in _ENGINES:
        raise _invalid("No enum match for: " + call.query["search_engine"])
    connection = call.query.get("connection")
    text = call.query.get("q", "")
    if not text.strip() and not connection:
        return None
    from sandbox.users import query

    try:
        found = query.find(index, text)
    except query.InvalidQueryError as problem:
        raise _invalid(str(problem)) from None
    except query.TooSlowError:
        raise ApiError(503, "The query exceeded the timeout. Please try refining your search criteria.") from None
    if connection and call.query.get("search_engine") == "v1":
        narrowed = index.exact("identities.connection", connection, by_word=False)
        return narrowed if found is None else found & narrowed
    return found


def _sort(call: Call) -> tuple[str | None, bool]:
    """sort=field:1 or field:-1."""
    text = call.query.get("sort")
    if not text:
        return None, False
    parts = _SORT.fullmatch(text)
    if parts is None:
        raise _invalid("String does not match pattern ^((([a-zA-Z0-9_\\.]+))\\:((1|-1)))$: " + text)
    field, direction = parts.groups()
    if field.startswith(("user_metadata", "app_metadata")):
        raise _invalid(f"Sorting by {field} is not supported")
    return field, direction == "-1"


def _invalid(problem: str) -> ApiError:
    return ApiError(400, f"Query validation error: '{problem}'.", "invalid_query_string")
