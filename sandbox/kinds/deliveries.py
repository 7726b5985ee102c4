"""What an event stream could not deliver, tests of the destination, and another try."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.streams import EVENT_STREAMS
from sandbox.kinds.tenant_events import cloud_event
from sandbox.store import Document
from sandbox.tenant import new_id

PROBLEM = "The sandbox sends no events."


def _stream(call: Call) -> Document:
    return crud.find(EVENT_STREAMS, call, call.params["id"])


@operation("GET", "/event-streams/{id}/deliveries")
def list_deliveries(call: Call) -> Any:
    """A bare list, as the OpenAPI description has it; paged by checkpoint, as the SDK asks for it."""
    found = [d for d in _deliveries(call) if _within(d, call.query.get("date_from"), call.query.get("date_to"))]
    for field, name in (("status", "statuses"), ("event_type", "event_types")):
        wanted = call.several(name)
        found = [delivery for delivery in found if not wanted or delivery[field] in wanted]
    paged = "take" in call.query or "from" in call.query
    return crud.listed(call, found, "deliveries", "checkpoint" if paged else "bare")


def _deliveries(call: Call) -> list[Document]:
    return call.store.find("event_deliveries", event_stream_id=_stream(call)["id"])


def _within(delivery: Document, start: str | None, end: str | None) -> bool:
    """The dates have no fractions of a second: start is included, end is not."""
    first = str(delivery["attempts"][0]["timestamp"])[:19]
    return (start is None or first >= start[:19]) and (end is None or first < end[:19])


def _delivery(call: Call) -> Document:
    stream = _stream(call)
    found = call.store.get("event_deliveries", call.params["event_id"])
    if found is None or found["event_stream_id"] != stream["id"]:
        raise ApiError(404, "The delivery does not exist.", "inexistent_event_delivery")
    return found


@operation("GET", "/event-streams/{id}/deliveries/{event_id}")
def read_delivery(call: Call) -> Document:
    return _delivery(call)


def _try_again(call: Call, delivery: Document) -> None:
    attempts = [*delivery["attempts"], _attempt(call)]
    call.store.put("event_deliveries", delivery["id"], {**delivery, "attempts": attempts})


def _attempt(call: Call) -> Document:
    return {"status": "failed", "timestamp": call.tenant.timestamp(), "error_message": PROBLEM}


@operation("POST", "/event-streams/{id}/redeliver")
def redeliver_many(call: Call) -> Reply:
    sent: dict[str, Any] = {key: value for key, value in (call.body or {}).items() if value is not None}
    types = sent.get("event_types")
    for delivery in _deliveries(call):
        chosen = not types or delivery["event_type"] in types
        if chosen and _within(delivery, sent.get("date_from"), sent.get("date_to")):
            _try_again(call, delivery)
    return Reply(202, {"statuses": ["failed"], **sent})


@operation("POST", "/event-streams/{id}/redeliver/{event_id}")
def redeliver(call: Call) -> Reply:
    _try_again(call, _delivery(call))
    return Reply(202)


@operation("POST", "/event-streams/{id}/test")
def test_stream(call: Call) -> Reply:
    """Nothing leaves the sandbox: the delivery of the test event is kept as failed."""
    stream, sent = _stream(call), call.body
    id, now, data = new_id("evt_", 22), call.tenant.timestamp(), sent.get("data") or {"object": {}}
    event = cloud_event(call.tenant, id, sent["event_type"], now, data, stream["id"])
    names = ("id", "source", "specversion", "type", "time", "data")
    delivery: Document = {
        "id": id,
        "event_stream_id": stream["id"],
        "status": "failed",
        "event_type": sent["event_type"],
        "attempts": [_attempt(call)],
        "event": {name: event[name] for name in names},
    }
    return Reply(202, call.store.put("event_deliveries", delivery["id"], delivery))
