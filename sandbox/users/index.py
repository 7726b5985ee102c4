"""The user search index of one tenant: which users hold which value of a field. Like Auth0's, it may lag behind."""

from __future__ import annotations

import gc
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import fields

Ids = set[str]
MEMBERS, ORGANIZATION = "organization_members", "organization_id"
# A value that one user alone has (an address) takes a tuple, which costs a quarter of a set.
Postings = dict[str, Ids | tuple[str, ...]]
# Nobody may ask for a long time; what waits must not fill the memory.
MOST_WAITING = 10_000
_HIGHEST = "\U0010ffff"


class Index:
    """Fields are indexed at their first use and kept up to date after; `rows` is what a search returns."""

    def __init__(self, tenant: Tenant, kind: str = "users", bare: tuple[str, ...] = fields.BARE) -> None:
        self.tenant = tenant
        self.kind = kind
        self.watched = (kind, MEMBERS) if kind == "users" else (kind,)
        self.bare = bare
        self.rows: dict[str, Document] = {}
        self._postings: dict[str, Postings] = {}
        self._sorted: dict[str, list[str]] = {}
        self._objects: dict[str, Ids] = {}
        self._orders: dict[tuple[str, bool], list[str]] = {}
        self._members: dict[str, Document] = {}
        self._waiting: deque[tuple[float, str, str, Document | None]] = deque()
        self._replaced = True
        tenant.store.watchers.append(self._note)

    def _note(self, kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            self._replaced = True
            self._waiting.clear()
        elif kind in self.watched and not self._replaced:
            self._waiting.append((time.monotonic(), kind, id, document))
            if len(self._waiting) > MOST_WAITING:
                self.refresh()

    def refresh(self) -> None:
        """Take in what has waited for as long as the index lags."""
        if self._replaced:
            self._rebuild()
        due = time.monotonic() - (self.tenant.conditions.search_lag_seconds if self.kind == "users" else 0)
        while self._waiting and self._waiting[0][0] <= due:
            _, kind, id, document = self._waiting.popleft()
            (self._replace if kind == self.kind else self._replace_member)(id, document)

    def _rebuild(self) -> None:
        self.rows, self._members = self.tenant.store.copy(self.kind), self.tenant.store.copy(MEMBERS)
        self._postings, self._sorted, self._orders, self._objects = {}, {}, {}, {}
        self._replaced = False

    def _replace(self, id: str, document: Document | None) -> None:
        old = self.rows.pop(id, None) if document is None else self.rows.get(id)
        for field, postings in self._postings.items():
            before = set(_terms(old, field)) if old else set()
            after = set(_terms(document, field)) if document else set()
            for value in before - after:
                _discard(postings, value, id)
            for value in after - before:
                _add(postings, value, id)
            if before != after:
                self._sorted.pop(field, None)
        for field, holders in self._objects.items():
            (holders.add if document and fields.holds_object(document, field) else holders.discard)(id)
        if document is not None:
            self.rows[id] = document
        self._orders.clear()

    def _replace_member(self, id: str, document: Document | None) -> None:
        """The organizations of users are search fields of theirs, but documents of their own."""
        old = self._members.pop(id, None)
        if document is not None:
            self._members[id] = document
        postings = self._postings.get(ORGANIZATION)
        if postings is None:
            return
        if old is not None:
            _discard(postings, old[ORGANIZATION], old["user_id"])
        if document is not None:
            _add(postings, document[ORGANIZATION], document["user_id"])
        self._sorted.pop(ORGANIZATION, None)

    def postings(self, field: str) -> Postings:
        """value -> ids; whole values and, of names, their words (marked by a leading NUL)."""
        if field not in self._postings:
            found: Postings = {}
            if field == ORGANIZATION and MEMBERS in self.watched:
                for member in self._members.values():
                    _add(found, member[ORGANIZATION], member["user_id"])
            read, by_word = fields.reader(field), fields.has_words(field)
            with _without_collections():
                for id, user in self.rows.items():
                    for value in read(user):
                        _add(found, value, id)
                        for word in fields.words(value) if by_word else ():
                            _add(found, _word(word), id)
            self._postings[field] = found
        return self._postings[field]

    def exact(self, field: str, value: str, *, by_word: bool) -> Ids:
        value = fields.normalized(field, value)
        postings = self.postings(field)
        found = set(postings.get(value, ()))
        if by_word:
            found.update(postings.get(_word(value), ()))
        return found

    def starting_with(self, field: str, prefix: str) -> Ids:
        prefix = fields.normalized(field, prefix)
        ordered, postings = self._ordered_values(field), self.postings(field)
        found: Ids = set()
        for start in (_word(prefix), prefix):
            first, last = bisect_left(ordered, start), bisect_left(ordered, start + _HIGHEST)
            if len(found) < len(self.rows):
                found.update(chain.from_iterable(postings[value] for value in ordered[first:last]))
        return found

    def where(self, field: str, test: Callable[[str], Any]) -> Ids:
        """Users with a whole value that passes."""
        passing = (ids for value, ids in self.postings(field).items() if value[:1] != "\0" and test(value))
        return set(chain.from_iterable(passing))

    def having(self, field: str) -> Ids:
        """Users for whom the field holds anything: a value, or an object that is not empty."""
        found = self.where(field, lambda value: True)
        if field not in fields.SCALARS:
            found.update(self._holders(field))
        return found

    def _holders(self, field: str) -> Ids:
        """Users for whom the field is an object or a list that is not empty."""
        if field not in self._objects:
            self._objects[field] = {id for id, user in self.rows.items() if fields.holds_object(user, field)}
        return self._objects[field]

    def everyone(self) -> Ids:
        return set(self.rows)

    def ordered(self, ids: Ids | None, field: str | None, descending: bool) -> list[str]:
        """The ids in the order of a field (users without it last), or of creation."""
        if field is None:
            if ids is None:
                return list(self.rows)
            return [id for id in self.rows if id in ids]
        order = self._order(field, descending)
        return order if ids is None else [id for id in order if id in ids]

    def _order(self, field: str, descending: bool) -> list[str]:
        key = (field, descending)
        if key not in self._orders:
            values = {id: _sortable(user, field) for id, user in self.rows.items()}
            present = [(value, id) for id, value in values.items() if value is not None]
            present.sort(key=lambda pair: pair[0], reverse=descending)
            self._orders[key] = [id for _, id in present] + [id for id, value in values.items() if value is None]
        return self._orders[key]

    def _ordered_values(self, field: str) -> list[str]:
        if field not in self._sorted:
            self._sorted[field] = sorted(self.postings(field))
        return self._sorted[field]


def of(tenant: Tenant, kind: str = "users", bare: tuple[str, ...] = fields.BARE) -> Index:
    """The tenant's index of users (or of another kind), up to date as far as its lag allows."""
    indexes: dict[str, Index] = tenant.memory.setdefault("search_indexes", {})
    if kind not in indexes:
        indexes[kind] = Index(tenant, kind, bare)
    indexes[kind].refresh()
    return indexes[kind]


def _add(postings: Postings, value: str, id: str) -> None:
    held = postings.get(value)
    if held is None:
        postings[value] = (id,)
    elif isinstance(held, set):
        held.add(id)
    else:
        postings[value] = {*held, id}


def _discard(postings: Postings, value: str, id: str) -> None:
    held = postings.get(value)
    if isinstance(held, set) and len(held) > 1:
        held.discard(id)
    else:
        postings.pop(value, None)


@contextmanager
def _without_collections() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _terms(user: Document, field: str) -> Iterable[str]:
    for value in fields.values(user, field):
        yield value
        for word in fields.words(value) if fields.has_words(field) else ():
            yield _word(word)


def _word(text: str) -> str:
    return f"\0{text}"


def _sortable(user: Document, field: str) -> tuple[int, Any] | None:
    own = "." not in field and field[0] != "_"
    value = user.get(field) if own else next(iter(fields.values(user, field)), None)
    if isinstance(value, (bool, int, float)):
        return (0, value)
    if isinstance(value, str):
        return (1, fields.normalized(field, value))
    return None
