"""What every kind of resource can do: list, create, read, change, replace, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import limits, paging
from sandbox.kinds.kind import Kind, changed, filled, require_unique
from sandbox.kinds.operations import OPERATIONS, Call, Operation, Reply
from sandbox.kinds.routes import endpoints
from sandbox.store import Document

KINDS: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Answer the usual endpoints of each kind, as far as the table of endpoints has them and no code does."""
    known = {(endpoint.method, endpoint.path) for endpoint in endpoints()}
    for kind in kinds:
        KINDS[kind.path] = kind
        one = _path_of_one(kind, known)
        for method, path, act in (
            ("GET", kind.path, list_),
            ("POST", kind.path, create),
            ("GET", one, read),
            ("PATCH", one, change),
            ("PUT", one, replace),
            ("DELETE", one, delete),
        ):
            if (method, path) in known and (method, path) not in OPERATIONS:
                OPERATIONS[method, path] = Operation(_bound(act, kind))


def _bound(act: Callable[[Kind, Call], Any], kind: Kind) -> Callable[[Call], Any]:
    def handler(call: Call) -> Any:
        return act(kind, call)

    return handler


def _path_of_one(kind: Kind, known: Iterable[tuple[str, str]]) -> str:
    start = f"{kind.path}/{{"
    found = [path for _, path in known if path.startswith(start) and path.count("/") == kind.path.count("/") + 1]
    return found[0] if found else ""


def find(kind: Kind, call: Call, id: str) -> Document:
    """The stored document; 400 for an id of a wrong form, 404 where there is none."""
    document = call.store.get(kind.store, id)
    if document is None and kind.also:
        document = call.store.first(kind.store, **{kind.also: id})
    if document is not None:
        return document
    if kind.id_format and not kind.id_format.pattern.fullmatch(id):
        raise ApiError(400, kind.id_format.message.format(id=id), "invalid_uri")
    raise ApiError(404, kind.missing[0], kind.missing[1])


def asked(kind: Kind, call: Call) -> Document:
    """The document that the last parameter of the path names."""
    return find(kind, call, list(call.params.values())[-1])


def shown(kind: Kind, call: Call, document: Document) -> Document:
    return kind.shown(call, document) if kind.shown else document


def list_(kind: Kind, call: Call) -> Any:
    documents = [d for d in call.store.all(kind.store) if passes(kind, call, d)]
    if kind.order:
        documents.sort(key=kind.order)
    render = kind.listed or kind.shown
    items = [render(call, d) for d in documents] if render else documents
    return listed(call, items, kind.envelope, kind.paging, kind.per_page)


def listed(call: Call, items: list[Document], envelope: str, style: str, per_page: int = 50) -> Any:
    """A list in the style that its kind is paged in (see Kind.paging)."""
    if style == "bare":
        return [paging.chosen(call, item) for item in items]
    if style == "envelope":
        return {envelope: [paging.chosen(call, item) for item in items]}
    if style == "checkpoint" or (style == "both" and ("take" in call.query or "from" in call.query)):
        return paging.checkpoint(call, items, envelope, per_page=per_page)
    return paging.offset(call, items, envelope, per_page=per_page, always=style == "totals")


def passes(kind: Kind, call: Call, document: Document) -> bool:
    asked = {key.removesuffix("[]") for key, _ in call.queries}
    return all(_equals(document.get(name), call.several(name)) for name in kind.filters if name in asked)


def _equals(value: Any, wanted: list[str]) -> bool:
    if isinstance(value, bool):
        return str(value).lower() in wanted
    return str(value) in wanted


def create(kind: Kind, call: Call) -> Reply:
    sent = {key: value for key, value in (call.body or {}).items() if key != kind.id_field}
    document = insert(kind, call, sent)
    return Reply(kind.create_status, shown(kind, call, document))


def insert(kind: Kind, call: Call, sent: Document) -> Document:
    limits.check(kind, call)
    document = filled(kind, call, sent)
    document.setdefault(kind.id_field, kind.id.new())
    now = call.tenant.timestamp()
    document.update({field: now for field in (kind.created_at, kind.updated_at) if field})
    stored = _checked(kind, call, document, None)
    call.store.put(kind.store, kind.key(stored), stored)
    if kind.after_create:
        kind.after_create(call, stored)
    return stored


def _checked(kind: Kind, call: Call, document: Document, before: Document | None) -> Document:
    require_unique(kind, call, document)
    if kind.check:
        kind.check(call, document, before)
    return kind.before(call, document) if kind.before else document


def read(kind: Kind, call: Call) -> Document:
    return paging.chosen(call, shown(kind, call, asked(kind, call)))


def change(kind: Kind, call: Call) -> Document:
    return shown(kind, call, update(kind, call, asked(kind, call), call.body or {}))


def update(kind: Kind, call: Call, document: Document, sent: Document) -> Document:
    result = changed(kind, document, sent)
    if kind.updated_at:
        result[kind.updated_at] = call.tenant.timestamp()
    stored = _checked(kind, call, result, document)
    return call.store.put(kind.store, kind.key(document), stored)


def replace(kind: Kind, call: Call) -> Document:
    """PUT: as if it had been created so, but with the same id and time of creation."""
    old = asked(kind, call)
    kept = {field: old[field] for field in (kind.id_field, kind.created_at) if field and field in old}
    document = {**filled(kind, call, call.body or {}), **kept}
    if kind.updated_at:
        document[kind.updated_at] = call.tenant.timestamp()
    stored = _checked(kind, call, document, old)
    call.store.put(kind.store, kind.key(old), stored)
    return shown(kind, call, stored)


def delete(kind: Kind, call: Call) -> Reply:
    if kind.delete_twice and call.store.get(kind.store, list(call.params.values())[-1]) is None:
        return Reply(kind.delete_status)
    remove(kind, call, asked(kind, call))
    return Reply(kind.delete_status)


def remove(kind: Kind, call: Call, document: Document) -> None:
    call.store.remove(kind.store, kind.key(document))
    if kind.after_delete:
        kind.after_delete(call, document)
