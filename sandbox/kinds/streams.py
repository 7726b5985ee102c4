"""Where a tenant sends what happens: log streams and event streams."""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, DIGITS, Id, IdFormat, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

AUTHORIZATION_SECRETS = ("token", "password", "value")


def _aws_source(call: Call, suffix: str) -> str:
    return f"aws.partner/auth0.com/{call.tenant.name}-{uuid.uuid4()}/{suffix}"


def _complete_log_stream(call: Call, stream: Document) -> Document:
    sink = dict(stream.get("sink") or {})
    if stream.get("type") == "eventbridge":
        sink.setdefault("awsPartnerEventSource", _aws_source(call, "auth0.logs"))
    elif stream.get("type") == "eventgrid":
        sink.setdefault("azurePartnerTopic", f"{call.tenant.name}-{uuid.uuid4()}-auth0-logs")
    return {**stream, "sink": sink}


LOG_STREAMS = Kind(
    path="/log-streams",
    store="log_streams",
    envelope="log_streams",
    id=Id("lst_", 16, DIGITS),
    missing=("The log stream does not exist", "inexistent_log_stream"),
    defaults={"status": "active", "isPriority": False},
    read_only=frozenset({"id"}),
    unique=(Unique(("name",), "A log stream with the same name already exists.", "log_stream_conflict"),),
    create_status=200,
    paging="bare",
    before=_complete_log_stream,
)


# --- event streams ---------------------------------------------------------------------------------------------------


def _complete_event_stream(call: Call, stream: Document) -> Document:
    destination = stream.get("destination") or {}
    configuration = dict(destination.get("configuration") or {})
    kind = destination.get("type")
    if kind == "eventbridge":
        configuration.setdefault("aws_partner_event_source", _aws_source(call, "auth0.events"))
    authorization = configuration.get("webhook_authorization")
    secrets = dict(stream.get("_authorization") or {})
    if isinstance(authorization, dict):
        secrets.update({k: v for k, v in authorization.items() if k in AUTHORIZATION_SECRETS})
        configuration["webhook_authorization"] = {
            key: value for key, value in authorization.items() if key not in AUTHORIZATION_SECRETS
        }
    return {**stream, "destination": {**destination, "configuration": configuration}, "_authorization": secrets}


EVENT_STREAMS = Kind(
    path="/event-streams",
    store="event_streams",
    envelope="eventStreams",
    id=Id("est_", 22, BASE58),
    id_format=IdFormat(
        re.compile(r"est_[1-9A-HJ-NP-Za-km-z]{16,22}"),
        "Path validation error: 'Object didn't pass validation for format event-stream-id: {id}' on property id "
        "(Unique identifier for the event stream).",
    ),
    missing=("The event stream does not exist.", "inexistent_event_stream"),
    defaults={"status": "enabled"},
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    paging="checkpoint",
    before=_complete_event_stream,
)


@operation("GET", "/event-streams/{id}/deliveries")
def list_deliveries(call: Call) -> list[Document]:
    stream = crud.find(EVENT_STREAMS, call, call.params["id"])
    found = call.store.find("event_deliveries", event_stream_id=stream["id"])
    wanted = call.several("statuses")
    return [d for d in found if not wanted or d["status"] in wanted]


def _delivery(call: Call) -> Document:
    stream = crud.find(EVENT_STREAMS, call, call.params["id"])
    found = call.store.get("event_deliveries", call.params["event_id"])
    if found is None or found["event_stream_id"] != stream["id"]:
        raise ApiError(404, "The delivery does not exist.", "inexistent_event_delivery")
    return found


@operation("GET", "/event-streams/{id}/deliveries/{event_id}")
def read_delivery(call: Call) -> Document:
    return _delivery(call)


@operation("POST", "/event-streams/{id}/redeliver")
def redeliver_many(call: Call) -> Reply:
    crud.find(EVENT_STREAMS, call, call.params["id"])
    sent = call.body or {}
    return Reply(202, {"date_from": sent.get("date_from"), "date_to": sent.get("date_to"), "statuses": ["failed"]})


@operation("POST", "/event-streams/{id}/redeliver/{event_id}")
def redeliver(call: Call) -> Reply:
    _delivery(call)
    return Reply(202)


@operation("POST", "/event-streams/{id}/test")
def test_stream(call: Call) -> Reply:
    """Nothing leaves the sandbox: the delivery of the test event is kept as failed."""
    stream = crud.find(EVENT_STREAMS, call, call.params["id"])
    now, id = call.tenant.timestamp(), f"evt_{Id('', 16).new()}"
    event: dict[str, Any] = {
        "id": id,
        "event_stream_id": stream["id"],
        "status": "failed",
        "event_type": (call.body or {}).get("event_type", "user.created"),
        "attempts": [{"status": "failed", "timestamp": now, "error_message": "The sandbox sends no events."}],
        "event": {
            "id": id,
            "source": f"urn:auth0:{call.tenant.name}",
            "time": now,
            "data": (call.body or {}).get("data", {}),
        },
    }
    return Reply(200, call.store.put("event_deliveries", id, event))


crud.register(LOG_STREAMS, EVENT_STREAMS)
