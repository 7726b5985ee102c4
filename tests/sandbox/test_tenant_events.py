"""The tenant's events: told as they happen, from a place in the stream, and what event streams can't deliver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from auth0.management.core.pydantic_utilities import parse_obj_as

from tests.sandbox.management import Management
from tests.sandbox.web_login import new_user

STREAM = {
    "name": "users",
    "subscriptions": [{"event_type": "user.created"}],
    "destination": {
        "type": "webhook",
        "configuration": {
            "webhook_endpoint": "https://hooks.larkspur.example",
            "webhook_authorization": {"method": "bearer", "token": "t"},
        },
    },
}


@contextmanager
def events(management: Management, **query: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """The messages of GET /events, each as the SDK reads it, after the heartbeat that opens the stream."""
    headers = management.tenant.authorization()
    with management.tenant.http.stream("GET", "/api/v2/events", params=query, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield (read(line) for line in answer.iter_lines() if line.startswith("data: "))


def read(line: str) -> dict[str, Any]:
    # Here, since all of the SDK's types come along: a second at the start of each run.
    from auth0.management.types import EventStreamSubscribeEventsResponseContent

    message: dict[str, Any] = json.loads(line.removeprefix("data: "))
    parse_obj_as(type_=EventStreamSubscribeEventsResponseContent, object_=message)
    return message


def test_what_happens_is_told_at_once(management: Management) -> None:
    with events(management) as messages:
        assert next(messages)["type"] == "offset-only"
        user = new_user(management.tenant)
        created = next(messages)
        assert created["type"] == "user.created"
        assert created["event"]["data"]["object"]["user_id"] == user["user_id"]
        assert not [key for key in created["event"]["data"]["object"] if key.startswith("_")]
        management.patch(f"/users/{user['user_id']}", {"nickname": "mi"})
        assert next(messages)["event"]["data"]["object"]["nickname"] == "mi"
        management.delete(f"/users/{user['user_id']}")
        deleted = next(messages)
        assert (deleted["type"], "deleted_at" in deleted["event"]["data"]["object"]) == ("user.deleted", True)


def test_only_the_wanted_types_are_told(management: Management) -> None:
    with events(management, event_type=["organization.member.added", "organization.deleted"]) as messages:
        next(messages)
        user, organization = new_user(management.tenant), management.post("/organizations", {"name": "acme"})
        management.post(f"/organizations/{organization['id']}/members", {"members": [user["user_id"]]})
        added = next(messages)["event"]["data"]["object"]
        assert (added["organization"]["name"], added["user"]["user_id"]) == ("acme", user["user_id"])
        management.delete(f"/organizations/{organization['id']}")
        assert next(messages)["type"] == "organization.deleted"
    assert management.refused("GET", "/events", status=400, event_type="user.sneezed")


def test_a_stream_goes_on_where_it_was_left(management: Management) -> None:
    with events(management) as messages:
        place = next(messages)["offset"]
    roles = [management.post("/organizations", {"name": name})["id"] for name in ("one", "two")]
    for start in ({"from": place}, {"from_timestamp": "2026-01-01T00:00:00Z"}):
        with events(management, **start) as messages:
            missed = [next(messages), next(messages)]
            assert [message["event"]["data"]["object"]["id"] for message in missed] == roles
            assert next(messages) == {"type": "offset-only", "offset": missed[-1]["offset"]}
    with events(management) as messages:
        next(messages)
        management.tenant.reset("factory")
        assert next(messages)["error"]["code"] == "cursor_expired"
        assert list(messages) == []
    assert management.refused("GET", "/events", status=410, **{"from": place})["errorCode"] == "cursor_expired"
    management.refused("GET", "/events", status=400, **{"from": "somewhere"})


@pytest.fixture
def stream(management: Management) -> str:
    return f"/event-streams/{management.post('/event-streams', STREAM)['id']}"


def test_nothing_leaves_the_sandbox_and_the_failed_delivery_says_so(management: Management, stream: str) -> None:
    tested = management.ask("POST", f"{stream}/test", {"event_type": "user.created", "data": {"object": {"a": 1}}})
    assert tested.status_code == 202
    delivery = tested.json()
    assert delivery["status"] == "failed"
    assert delivery["event"]["data"] == {"object": {"a": 1}}
    assert management.get(f"{stream}/deliveries") == [delivery]
    assert management.get(f"{stream}/deliveries", take=1, event_types="user.created")["deliveries"] == [delivery]
    assert management.get(f"{stream}/deliveries", event_types="user.deleted") == []
    assert management.get(f"{stream}/deliveries", date_to="2026-01-01T00:00:00Z") == []
    path = f"{stream}/deliveries/{delivery['id']}"
    assert management.get(path) == delivery
    assert management.ask("POST", f"{stream}/redeliver/{delivery['id']}").status_code == 202
    assert management.ask("POST", f"{stream}/redeliver", {"event_types": ["user.created"]}).status_code == 202
    assert len(management.get(path)["attempts"]) == 3
    management.refused("GET", f"{stream}/deliveries/evt_{'x' * 22}", status=404)
