"""A kind of resource as a row: where it lives, what its ids look like, what a new one holds, what must be unique."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call
from sandbox.store import Document

LETTERS = string.ascii_letters + string.digits
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
HEX = "0123456789abcdef"
DIGITS = string.digits

Defaults = Mapping[str, Any] | Callable[[Call, Document], Mapping[str, Any]]
Hook = Callable[[Call, Document], Document]
Check = Callable[[Call, Document, Document | None], None]


@dataclass(frozen=True, slots=True)
class Id:
    """The form of an id: prefix and random tail, or a UUID where length is 0."""

    prefix: str = ""
    length: int = 16
    alphabet: str = LETTERS

    def new(self) -> str:
        if not self.length:
            return str(uuid.uuid4())
        return self.prefix + "".join(secrets.choice(self.alphabet) for _ in range(self.length))


@dataclass(frozen=True, slots=True)
class Unique:
    """These fields together may occur once; the error where they would occur twice."""

    fields: tuple[str, ...]
    message: str
    code: str | None = None
    status: int = 409
    fold: bool = False
    """Upper and lower case count as the same."""


@dataclass(frozen=True, slots=True)
class IdFormat:
    """An id in the path that does not match answers 400 invalid_uri with this message ({id} is replaced)."""

    pattern: re.Pattern[str]
    message: str


@dataclass(frozen=True, slots=True)
class Kind:
    path: str
    """Of the list: /organizations."""
    store: str
    """Name of the collection in the store."""
    envelope: str
    """Key of the list in a paged answer."""
    id: Id
    missing: tuple[str, str | None]
    """Message and errorCode of the 404."""
    id_field: str = "id"
    id_format: IdFormat | None = None
    also: str | None = None
    """Another field by which the path may name a document (an API's identifier)."""
    defaults: Defaults = lambda call, document: {}
    """Merged beneath what a POST sends, objects in objects."""
    created_at: str | None = None
    updated_at: str | None = None
    read_only: frozenset[str] = frozenset()
    """Sent values of these are ignored."""
    merged: frozenset[str] = frozenset()
    """Objects that a PATCH merges instead of replacing; "*" for all."""
    keeps_null: frozenset[str] = frozenset()
    """Properties whose null is kept; every other null removes the property. "*" for all."""
    unique: tuple[Unique, ...] = ()
    most: int | None = None
    """How many a tenant may hold on any plan; sandbox.kinds.limits knows the plans."""
    create_status: int = 201
    delete_status: int = 204
    delete_twice: bool = False
    """Deleting what is not there succeeds, too."""
    paging: str = "offset"
    """offset (bare list, envelope on request), both (and checkpoint), checkpoint, totals (always an envelope with
    totals), envelope ({envelope: all}) or bare (all)."""
    per_page: int = 50
    filters: tuple[str, ...] = ()
    """Query parameters that keep the documents whose field equals the value."""
    check: Check | None = None
    """(call, document as it would be, document before or None): raises ApiError."""
    before: Hook | None = None
    """Completes a document before it is stored, on creation and change."""
    after_create: Callable[[Call, Document], None] | None = None
    after_delete: Callable[[Call, Document], None] | None = None
    shown: Hook | None = None
    """The document as an answer holds it."""
    listed: Hook | None = None
    """The same in a list, where it differs."""
    order: Callable[[Document], Any] | None = None

    def key(self, document: Document) -> str:
        return str(document[self.id_field])


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Document:
    """`above` over `below`, objects merged in objects, anything else replaced; neither is changed."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def filled(kind: Kind, call: Call, sent: Document) -> Document:
    """A new document: what was sent over the defaults of its kind."""
    given = {key: value for key, value in sent.items() if key not in kind.read_only}
    defaults = kind.defaults(call, given) if callable(kind.defaults) else kind.defaults
    return without_nulls(kind, merged(deepcopy(dict(defaults)), given))


def changed(kind: Kind, document: Document, sent: Document) -> Document:
    """The document after a PATCH: sent properties replaced, merged where the kind says so, removed by null."""
    result = dict(document)
    for key, value in sent.items():
        if key in kind.read_only or key == kind.id_field:
            continue
        old = result.get(key)
        if isinstance(value, dict) and not kind.merged.isdisjoint((key, "*")):
            value = pruned(merged(old if isinstance(old, dict) else {}, value))
        result[key] = value
    return without_nulls(kind, result)


def pruned(document: Document) -> Document:
    return {key: value for key, value in document.items() if value is not None}


def without_nulls(kind: Kind, document: Document) -> Document:
    if "*" in kind.keeps_null:
        return document
    return {key: value for key, value in document.items() if value is not None or key in kind.keeps_null}


def require_unique(kind: Kind, call: Call, document: Document) -> None:
    for rule in kind.unique:
        values = [document.get(field) for field in rule.fields]
        if any(value is None for value in values):
            continue
        for other in call.store.all(kind.store):
            if kind.key(other) != kind.key(document) and _same(rule, other, values):
                raise ApiError(rule.status, rule.message.format(**document), rule.code)


def _same(rule: Unique, other: Document, values: list[Any]) -> bool:
    found = [other.get(field) for field in rule.fields]
    if rule.fold:
        return [str(value).lower() for value in found] == [str(value).lower() for value in values]
    return found == values
