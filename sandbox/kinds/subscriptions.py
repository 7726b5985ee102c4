"""GET /events: the tenant's events as server-sent events, from now on or from a place in the stream."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from sandbox.errors import ApiError
from sandbox.kinds import paging, tenant_events
from sandbox.kinds.operations import Call, operation
from sandbox.kinds.tenant_events import TYPES, Hub

HEARTBEAT_SECONDS = 15.0
MOST_CONNECTIONS = 10
EXPIRED = "Cursor points to data no longer available in the stream."
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@operation("GET", "/events")
def subscribe(call: Call) -> StreamingResponse:
    hub = tenant_events.watch(call.tenant)
    wanted = frozenset(call.several("event_type")) or TYPES
    unknown = sorted(wanted - TYPES)
    if unknown:
        raise paging.invalid_query(f"No enum match for: {unknown[0]}' on property event_type", "")
    if len(hub.listeners) >= MOST_CONNECTIONS:
        raise ApiError(
            403,
            "Maximum concurrent event stream connections reached. Please close existing connections.",
            "too_many_connections",
        )
    return StreamingResponse(_messages(hub, _start(call, hub), wanted), 200, HEADERS, media_type="text/event-stream")


async def _messages(hub: Hub, start: int, wanted: frozenset[str]) -> AsyncIterator[bytes]:
    """What happened since the start, then each change as it happens; a heartbeat at first and when nothing does.

    It ends where changes were forgotten that have not been told yet: after a reset, or to who reads too slowly.
    """
    news, quiet = asyncio.Event(), True
    hub.listeners.add(news)
    try:
        while start >= hub.forgotten:
            news.clear()
            for change in hub.after(start):
                start = change.number
                if change.type in wanted:
                    yield _message(change.type, offset=_offset(start), event=hub.event(change))
            if quiet:
                yield _message("offset-only", offset=_offset(start))
            quiet = not await _heard(news)
        yield _message("error", error={"code": "cursor_expired", "message": EXPIRED})
    finally:
        hub.listeners.discard(news)


async def _heard(news: asyncio.Event) -> bool:
    try:
        return await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
    except TimeoutError:
        return False


def _message(type: str, **data: Any) -> bytes:
    lines = [f"event: {type}", f"data: {orjson.dumps({'type': type, **data}).decode()}"]
    if "offset" in data:
        lines.insert(0, f"id: {data['offset']}")
    return ("\n".join(lines) + "\n\n").encode()


def _offset(number: int) -> str:
    return base64.urlsafe_b64encode(f"event:{number}".encode()).decode().rstrip("=")


def _start(call: Call, hub: Hub) -> int:
    """The number after which the stream begins. Raises ApiError 400 or 410."""
    if call.query.get("from"):
        number = _number(call.query["from"])
        if number < hub.forgotten:
            raise ApiError(410, EXPIRED, "cursor_expired")
        return number
    if call.query.get("from_timestamp"):
        since = _instant(call.query["from_timestamp"])
        return max((c.number for c in hub.changes if datetime.fromisoformat(c.time) < since), default=hub.forgotten)
    return hub.latest


def _number(offset: str) -> int:
    try:
        label, _, number = base64.urlsafe_b64decode(offset + "=" * (-len(offset) % 4)).decode().partition(":")
        if label == "event" and number.isascii() and number.isdigit():
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(400, "Invalid cursor format.", "invalid_cursor")


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        problem = f"Object didn't pass validation for format date-time: {text}' on property from_timestamp"
        raise paging.invalid_query(problem, "")
    return found
