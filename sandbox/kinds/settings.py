"""Settings that a tenant has exactly one of: read, changed, sometimes removed, never created by id.

They live in the store's kind `settings` under "settings" + the path of the endpoint: settings/tenants/settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import paging
from sandbox.kinds.kind import merged
from sandbox.kinds.limits import entitled
from sandbox.kinds.operations import OPERATIONS, Call, Operation, Reply
from sandbox.kinds.routes import endpoints
from sandbox.store import Document, Store


@dataclass(frozen=True, slots=True)
class Setting:
    path: str
    factory: Mapping[str, Any] | None = None
    """What a new tenant has; None where it has none until it is created."""
    missing: tuple[str, str | None] = ("Not Found", None)
    """Message and errorCode of the 404 while there is none."""
    hidden: frozenset[str] = frozenset()
    """Write-only properties, kept and never shown."""
    feature: str | None = None
    """What a plan must include for these settings to be seen (sandbox.plans)."""
    keeps_null: bool = False
    """A sent null is stored as null; otherwise it removes the property."""
    put_replaces: bool = True
    change: Callable[[Call, Document, Document], Document] | None = None
    """(call, old, sent) -> new, where merging is not all."""
    shown: Callable[[Call, Document], Any] | None = None


SETTINGS: dict[str, Setting] = {}


def key(path: str) -> str:
    return f"settings/{path.strip('/')}"


def value(store: Store, path: str) -> Document:
    """The setting's document (path as in the API: /guardian/policies), or what a new tenant has."""
    found = store.get("settings", key(path))
    if found is not None:
        return found
    known = SETTINGS.get("/" + path.strip("/"))
    return dict(known.factory or {}) if known else {}


def put(store: Store, path: str, document: Document) -> Document:
    return store.put("settings", key(path), document)


def register(*settings: Setting) -> None:
    known = {(endpoint.method, endpoint.path) for endpoint in endpoints()}
    for setting in settings:
        SETTINGS[setting.path] = setting
        acts = {"GET": read, "PATCH": patch, "PUT": replace, "POST": create, "DELETE": delete}
        for method, act in acts.items():
            place = (method, setting.path)
            if place in known and place not in OPERATIONS:
                OPERATIONS[place] = Operation(_bound(act, setting))


def fill(store: Store) -> None:
    """The settings of a new tenant."""
    for setting in SETTINGS.values():
        if setting.factory is not None:
            put(store, setting.path, deepcopy(dict(setting.factory)))


def _bound(act: Callable[[Setting, Call], Any], setting: Setting) -> Callable[[Call], Any]:
    def handler(call: Call) -> Any:
        if setting.feature:
            entitled(call, setting.feature)
        return act(setting, call)

    return handler


def existing(setting: Setting, call: Call) -> Document:
    document = call.store.get("settings", key(setting.path))
    if document is None:
        raise ApiError(404, *setting.missing)
    return document


def shown(setting: Setting, call: Call, document: Document) -> Any:
    answer = {name: item for name, item in document.items() if name not in setting.hidden}
    if setting.shown:
        return setting.shown(call, answer)
    return answer


def read(setting: Setting, call: Call) -> Any:
    answer = shown(setting, call, existing(setting, call))
    return paging.chosen(call, answer) if isinstance(answer, dict) else answer


def patch(setting: Setting, call: Call) -> Any:
    old = existing(setting, call)
    return shown(setting, call, put(call.store, setting.path, changed(setting, call, old, call.body or {})))


def changed(setting: Setting, call: Call, old: Document, sent: Document) -> Document:
    if setting.change:
        return setting.change(call, old, sent)
    new = merged(old, sent)
    return new if setting.keeps_null else without_nulls(new)


def without_nulls(document: Document) -> Document:
    """Nulls removed, in nested objects too."""
    return {
        key: without_nulls(item) if isinstance(item, dict) else item
        for key, item in document.items()
        if item is not None
    }


def replace(setting: Setting, call: Call) -> Any:
    sent = call.body if call.body is not None else {}
    old = call.store.get("settings", key(setting.path)) or {}
    new = setting.change(call, old, sent) if setting.change else (sent if setting.put_replaces else merged(old, sent))
    return shown(setting, call, put(call.store, setting.path, new))


def create(setting: Setting, call: Call) -> Reply:
    if call.store.get("settings", key(setting.path)) is not None:
        raise ApiError(409, "It exists already; change it with PATCH.", "conflict")
    new = changed(setting, call, {}, call.body or {})
    return Reply(201, shown(setting, call, put(call.store, setting.path, new)))


def delete(setting: Setting, call: Call) -> Reply:
    call.store.remove("settings", key(setting.path))
    return Reply(204)
