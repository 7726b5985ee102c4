"""Where a tenant sends what happens: log streams and event streams."""

from __future__ import annotations

import re
import uuid

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, DIGITS, Id, IdFormat, Kind, Unique
from sandbox.kinds.operations import Call
from sandbox.store import Document

AUTHORIZATION_SECRETS = ("token", "password", "value")
FIXED_DESTINATIONS = ("eventbridge", "action")


def _aws_source(call: Call, suffix: str) -> str:
    return f"aws.partner/auth0.com/{call.tenant.name}-{uuid.uuid4()}/{suffix}"


def _complete_log_stream(call: Call, stream: Document) -> Document:
    sink = dict(stream.get("sink") or {})
    if stream.get("type") == "eventbridge":
        sink.setdefault("awsPartnerEventSource", _aws_source(call, "auth0.logs"))
    elif stream.get("type") == "eventgrid":
        sink.setdefault("azurePartnerTopic", f"{call.tenant.name}-{uuid.uuid4()}-auth0-logs")
    return {**{name: value for name, value in stream.items() if name != "filters" or value}, "sink": sink}


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


def _check_event_stream(call: Call, stream: Document, before: Document | None) -> None:
    """Where events go stays: another type is another stream, and only a webhook's address and rights change."""
    if before is None or "destination" not in (call.body or {}):
        return
    kind = before["destination"].get("type")
    if kind in FIXED_DESTINATIONS or (stream.get("destination") or {}).get("type") != kind:
        raise ApiError(400, f"The destination of an event stream of type {kind} cannot be changed.", "invalid_body")


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
    check=_check_event_stream,
    before=_complete_event_stream,
)


crud.register(LOG_STREAMS, EVENT_STREAMS)
