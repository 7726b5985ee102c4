"""/logs, /users/{id}/logs and /stats."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import chosen, number
from sandbox.store import Document
from sandbox.users import records

MOST_RESULTS = 1000
_SEARCHED = ("type", "description", "user_name", "user_id", "client_name", "client_id", "connection", "ip")
_LOGINS = frozenset(("s", "ssa"))


@operation("GET", "/logs", checked=False)
def list_logs(call: Call) -> Any:
    """The search is `search` for the current SDKs and `q` in the log search guide: both are taken."""
    if "from" in call.query or "take" in call.query:
        return _since(call)
    text = call.query.get("q") or call.query.get("search")
    events = _found(call, text) if text else [*call.store.all("logs")]
    return _page(call, events)


def _found(call: Call, text: str) -> list[Document]:
    from sandbox.users import index as indexes
    from sandbox.users import query

    index = indexes.of(call.tenant, "logs", _SEARCHED)
    try:
        ids = query.find(index, text)
    except query.InvalidQueryError as problem:
        raise _invalid(str(problem)) from None
    return [index.rows[id] for id in index.ordered(ids, None, descending=False)]


def _page(call: Call, events: list[Document]) -> Any:
    """`events` come oldest first; they are shown newest first unless sort says otherwise."""
    page, size = number(call, "page", 0), number(call, "per_page", 50, 100)
    if page and (page + 1) * size > MOST_RESULTS:
        raise ApiError(
            400,
            f"You can only page through the first {MOST_RESULTS} records. Use from and take to go further.",
            "invalid_paging",
        )
    _order(call, events)
    shown = [chosen(call, event) for event in events[page * size : (page + 1) * size]]
    if call.query.get("include_totals") != "true":
        return shown
    return {"start": page * size, "limit": size, "length": len(shown), "total": len(events), "logs": shown}


def _order(call: Call, events: list[Document]) -> None:
    field, _, direction = call.query.get("sort", "date:-1").rpartition(":")
    if not field or direction not in ("1", "-1"):
        raise _invalid("String does not match pattern ^[^:]+:(1|-1)$: " + call.query["sort"])
    if field == "date":
        events.sort(key=lambda event: (event["date"], event["log_id"]), reverse=direction == "-1")
    else:
        events.sort(key=lambda event: str(event.get(field, "")), reverse=direction == "-1")


def _since(call: Call) -> Reply:
    """Checkpoint paging: the events after the one whose id is `from`, oldest first."""
    start, take = call.query.get("from", ""), number(call, "take", 50, 100, least=1)
    if start and not (start.isascii() and start.isdigit()):
        raise _invalid("The from parameter must be the log_id of an event")
    ids = sorted(call.store.ids("logs"))
    at = bisect_right(ids, start)
    window = ids[at : at + take]
    events = [chosen(call, event) for id in window if (event := call.store.get("logs", id))]
    headers = {}
    if window:
        url = f"{call.tenant.management_audience}logs?from={window[-1]}&take={take}"
        headers["link"] = f'<{url}>; rel="next"'
    return Reply(200, events, headers)


@operation("GET", "/logs/{id}")
def read_log(call: Call) -> Document:
    event = call.store.get("logs", call.params["id"])
    if event is None:
        raise ApiError(404, "Log not found.", "inexistent_log")
    return event


@operation("GET", "/users/{id}/logs")
def list_user_logs(call: Call) -> Any:
    user = records.get(call.tenant, call.params["id"])
    return _page(call, call.store.find("logs", user_id=user["user_id"]))


def _invalid(problem: str) -> ApiError:
    return ApiError(400, f"Query validation error: '{problem}'.", "invalid_query_string")


@operation("GET", "/stats/active-users")
def active_users(call: Call) -> int:
    """How many have signed in within the last 30 days."""
    since = call.tenant.timestamp(call.tenant.now() - 30 * 86_400)
    return sum(1 for user in call.store.all("users") if user.get("last_login", "") >= since)


@operation("GET", "/stats/daily")
def daily(call: Call) -> list[Document]:
    today = datetime.fromtimestamp(call.tenant.now(), UTC)
    first = _day(call, "from", today - timedelta(days=30))
    last = _day(call, "to", today)
    logins: Counter[str] = Counter()
    signups: Counter[str] = Counter()
    leaks: Counter[str] = Counter()
    for event in call.store.all("logs"):
        counter = {"ss": signups, "pwd_leak": leaks}.get(event["type"])
        if event["type"] in _LOGINS:
            counter = logins
        if counter is not None:
            counter[event["date"][:10]] += 1
    days = sorted(day for day in {*logins, *signups, *leaks} if first <= day <= last)
    return [
        {
            "date": f"{day}T00:00:00.000Z",
            "logins": logins[day],
            "signups": signups[day],
            "leaked_passwords": leaks[day],
            "updated_at": f"{day}T23:59:59.000Z",
            "created_at": f"{day}T00:00:00.000Z",
        }
        for day in days
    ]


def _day(call: Call, name: str, default: datetime) -> str:
    """YYYYMMDD in the query; YYYY-MM-DD here."""
    text = call.query.get(name)
    if not text:
        return default.strftime("%Y-%m-%d")
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).strftime("%Y-%m-%d")
    except ValueError:
        raise _invalid(f"String does not match pattern ^[0-9]{{8}}$: {text}") from None
