"""What happens to users, organizations and groups, as CloudEvents: kept for a while, and told to who listens.

Each change of the store that Auth0 has an event for is noted as it is made, by whatever part of the sandbox; the event
itself is written when somebody reads it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.kinds.kind import BASE58
from sandbox.store import Document, Store
from sandbox.tenant import Tenant, new_id, public

MOST_KEPT = 1000
Describe = Callable[[Store, Document], Document]


@dataclass(frozen=True, slots=True)
class Change:
    number: int
    """Higher than that of any change before: the place in the stream."""
    type: str
    kind: str
    document: Document
    time: str


class Hub:
    """The latest changes of one tenant; each event in `hub.listeners` is set when there is another one."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.stream_id = new_id("est_", 22, BASE58)
        self.changes: deque[Change] = deque(maxlen=MOST_KEPT)
        self.listeners: set[asyncio.Event] = set()
        self._start_over()
        tenant.store.watchers.append(self._note)

    def _start_over(self) -> None:
        self.changes.clear()
        self.forgotten = self.tenant.next_number()
        self._known = {kind: dict(self.tenant.store.items(kind)) for kind in EVENTS}
        self._wake()

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.set()

    @property
    def latest(self) -> int:
        return self.changes[-1].number if self.changes else self.forgotten

    def after(self, number: int) -> list[Change]:
        """Oldest first; of what was before `hub.forgotten` nothing is known any more."""
        return [change for change in self.changes if change.number > number]

    def _note(self, kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            self._start_over()
            return
        if kind not in EVENTS:
            return
        known = self._known[kind]
        old = known.pop(id, None) if document is None else known.get(id)
        if document is not None:
            known[id] = document
        type = self._type(kind, old, document)
        if type is not None:
            self._tell(type, kind, document or old or {})

    def _type(self, kind: str, old: Document | None, new: Document | None) -> str | None:
        created, updated, deleted = EVENTS[kind][0]
        if old is None:
            return created
        if new is None:
            return deleted
        return updated if public(old) != public(new) else None

    def _tell(self, type: str, kind: str, document: Document) -> None:
        if len(self.changes) == MOST_KEPT:
            self.forgotten = self.changes[0].number
        self.changes.append(Change(self.tenant.next_number(), type, kind, document, self.tenant.timestamp()))
        self._wake()

    def event(self, change: Change) -> Document:
        """As the stream of events writes it, each time the same."""
        described = EVENTS[change.kind][1](self.tenant.store, change.document)
        if change.type.endswith(("deleted", "removed")) and change.kind in DATED_WHEN_DELETED:
            described["deleted_at"] = change.time
        id = f"evt_{change.number:022d}"
        return cloud_event(self.tenant, id, change.type, change.time, {"object": described}, self.stream_id)


def cloud_event(tenant: Tenant, id: str, type: str, time: str, data: Document, stream_id: str) -> Document:
    return {
        "specversion": "1.0",
        "type": type,
        "source": f"urn:auth0:{tenant.name}.{tenant.domain}",
        "id": id,
        "time": time,
        "data": data,
        "a0tenant": tenant.name,
        "a0stream": stream_id,
    }


def watch(tenant: Tenant) -> Hub:
    """The tenant's hub; from the first call on nothing is missed."""
    if "tenant_events" not in tenant.memory:
        tenant.memory["tenant_events"] = Hub(tenant)
    hub: Hub = tenant.memory["tenant_events"]
    return hub


# --- the objects of events -------------------------------------------------------------------------------------------


def _only(document: Document, *names: str) -> Document:
    return {name: document[name] for name in names if name in document}


def _user(store: Store, user: Document) -> Document:
    return public(user)


def _organization(store: Store, organization: Document) -> Document:
    return _only(organization, "id", "name", "display_name", "metadata", "branding")


def _organization_of(store: Store, row: Document) -> Document:
    id = row.get("organization_id") or row["_organization_id"]
    return {"id": id, **_only(store.get("organizations", id) or {}, "name")}


def _user_of(store: Store, row: Document) -> Document:
    user = store.get("users", row["user_id"]) or {}
    return {"user_id": row["user_id"], **_only(user, "email", "name", "picture")}


def _role_of(store: Store, row: Document) -> Document:
    return {"id": row["role_id"], "name": (store.get("roles", row["role_id"]) or {}).get("name", "")}


def _member(store: Store, row: Document) -> Document:
    return {"organization": _organization_of(store, row), "user": _user_of(store, row)}


def _member_role(store: Store, row: Document) -> Document:
    return {**_member(store, row), "role": _role_of(store, row)}


def _connection(store: Store, row: Document) -> Document:
    settings = _only(row, "assign_membership_on_login", "show_as_button", "is_signup_enabled")
    return {"organization": _organization_of(store, row), "connection": {"id": row["connection_id"]}, **settings}


def _group(store: Store, group: Document) -> Document:
    names = ("id", "name", "external_id", "connection_id", "created_at", "updated_at")
    return {**_only(group, *names), "type": "connection"}


def _group_of(store: Store, row: Document) -> Document:
    group = store.get("groups", row["group_id"]) or {}
    return {"id": row["group_id"], **_only(group, "external_id", "connection_id"), "type": "connection"}


def _group_member(store: Store, row: Document) -> Document:
    return {"group": _group_of(store, row), "member": {"member_type": "user", "id": row["user_id"]}}


def _group_role(store: Store, row: Document) -> Document:
    return {"group": _group_of(store, row), "role": _role_of(store, row), **_only(row, "created_at")}


def _organization_group_role(store: Store, row: Document) -> Document:
    return {**_group_role(store, row), "organization": _organization_of(store, row)}


def _types(thing: str, *verbs: str | None) -> tuple[str | None, ...]:
    return tuple(f"{thing}.{verb}" if verb else None for verb in verbs)


EVENTS: dict[str, tuple[tuple[str | None, ...], Describe]] = {
    "users": (_types("user", "created", "updated", "deleted"), _user),
    "organizations": (_types("organization", "created", "updated", "deleted"), _organization),
    "organization_members": (_types("organization.member", "added", None, "deleted"), _member),
    "organization_member_roles": (_types("organization.member.role", "assigned", None, "deleted"), _member_role),
    "organization_connections": (_types("organization.connection", "added", "updated", "removed"), _connection),
    "organization_group_roles": (
        _types("organization.group.role", "assigned", None, "deleted"),
        _organization_group_role,
    ),
    "groups": (_types("group", "created", "updated", "deleted"), _group),
    "group_members": (_types("group.member", "added", None, "deleted"), _group_member),
    "group_roles": (_types("group.role", "assigned", None, "deleted"), _group_role),
}
"""Kind of documents -> types of the events when one is created, changed and removed; the object of the event."""
DATED_WHEN_DELETED = frozenset({"users", "group_roles", "organization_group_roles"})
TYPES = frozenset(type for types, _ in EVENTS.values() for type in types if type)
