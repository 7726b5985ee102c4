"""The documents of one tenant, in memory.

A document is a dict that nobody changes in place: to change one, `put` a new dict. That makes `dump` and `load`
(reset, fork, export) a copy of references instead of a copy of 5,000 users. Keys that begin with an underscore are
internal (password hashes, one-time secrets): they are kept, and stripped from each answer by the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Document = dict[str, Any]
Watcher = Callable[[str, str, Document | None], None]
# Of an index: value -> ids, in the order of creation.
Entries = dict[Any, dict[str, None]]
_UNHASHABLE = (dict, list)


class Store:
    """kind -> id -> document, in the order of creation."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Document]] = {}
        self._indexes: dict[tuple[str, str], Entries | None] = {}
        # What `load` took last; kinds, and indexes, in which a document of that is no longer what and where it was.
        self._loaded: dict[str, dict[str, Document]] = {}
        self._altered: set[str] = set()
        self._disordered: set[tuple[str, str]] = set()
        self.watchers: list[Watcher] = []

    def get(self, kind: str, id: str) -> Document | None:
        return self._kinds.get(kind, {}).get(id)

    def all(self, kind: str) -> Iterator[Document]:
        return iter(list(self._kinds.get(kind, {}).values()))

    def items(self, kind: str) -> Iterator[tuple[str, Document]]:
        return iter(list(self._kinds.get(kind, {}).items()))

    def copy(self, kind: str) -> dict[str, Document]:
        """id -> document, as it is now."""
        return dict(self._kinds.get(kind, {}))

    def ids(self, kind: str) -> list[str]:
        return list(self._kinds.get(kind, {}))

    def oldest(self, kind: str) -> str:
        """The id that was put first. Raises StopIteration where there is none."""
        return next(iter(self._kinds[kind]))

    def count(self, kind: str) -> int:
        return len(self._kinds.get(kind, {}))

    def find(self, kind: str, **equal: Any) -> list[Document]:
        """The documents whose fields equal all the given values; the first indexed field narrows the search."""
        ids = self._narrowed(kind, equal)
        documents = self._kinds.get(kind, {})
        found = documents.values() if ids is None else [documents[i] for i in ids]
        return [d for d in found if all(d.get(k) == v for k, v in equal.items())]

    def first(self, kind: str, **equal: Any) -> Document | None:
        return next(iter(self.find(kind, **equal)), None)

    def put(self, kind: str, id: str, document: Document) -> Document:
        """Insert or replace; a replaced document keeps its place in the order."""
        old = self._kinds.setdefault(kind, {}).get(id)
        self._reindex(kind, id, old, document)
        self._kinds[kind][id] = document
        self._tell(kind, id, document)
        return document

    def remove(self, kind: str, id: str) -> Document | None:
        old = self._kinds.get(kind, {}).pop(id, None)
        if old is not None:
            self._reindex(kind, id, old, None)
            self._tell(kind, id, None)
        return old

    def index(self, kind: str, field: str) -> None:
        """Make `find` on this field a look-up instead of a scan: from its first use on, until a load starts anew."""
        self._indexes.setdefault((kind, field), None)

    def dump(self) -> dict[str, dict[str, Document]]:
        return {kind: dict(documents) for kind, documents in self._kinds.items()}

    def load(self, dumped: dict[str, dict[str, Document]]) -> None:
        """Replace all documents. Watchers are told by one call (kind "*").

        Where these are the ones that were loaded last, what was added since is taken out of the indexes: they need not
        be made anew at each reset.
        """
        kept = dumped is self._loaded
        self._indexes = {key: self._without_added(*key) if kept else None for key in self._indexes}
        self._kinds = {kind: dict(documents) for kind, documents in dumped.items()}
        self._loaded, self._altered, self._disordered = dumped, set(), set()
        self._tell("*", "*", None)

    def _without_added(self, kind: str, field: str) -> Entries | None:
        entries = self._indexes[kind, field]
        if entries is None or (kind, field) in self._disordered:
            return None
        documents = self._kinds.get(kind, {})
        for id in documents.keys() - self._loaded.get(kind, {}).keys():
            del entries[_hashable(documents[id].get(field))][id]
        return entries

    def _narrowed(self, kind: str, equal: dict[str, Any]) -> list[str] | None:
        for field, value in equal.items():
            if (kind, field) in self._indexes:
                return list(self._entries(kind, field).get(_hashable(value), ()))
        return None

    def _entries(self, kind: str, field: str) -> Entries:
        entries = self._indexes[kind, field]
        if entries is None:
            entries = self._indexes[kind, field] = {}
            if kind in self._altered:
                self._disordered.add((kind, field))
            for id, document in self._kinds.get(kind, {}).items():
                entries.setdefault(_hashable(document.get(field)), {})[id] = None
        return entries

    def _reindex(self, kind: str, id: str, old: Document | None, new: Document | None) -> None:
        loaded = old is not None and id in self._loaded.get(kind, ())
        if loaded:
            self._altered.add(kind)
        for (indexed, field), entries in self._indexes.items():
            if indexed != kind or entries is None or _same(old, new, field):
                continue
            if old is not None:
                entries.get(_hashable(old.get(field)), {}).pop(id, None)
            if new is not None:
                entries.setdefault(_hashable(new.get(field)), {})[id] = None
            if loaded:
                self._disordered.add((kind, field))

    def _tell(self, kind: str, id: str, document: Document | None) -> None:
        for watcher in self.watchers:
            watcher(kind, id, document)


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, _UNHASHABLE) else value


def _same(old: Document | None, new: Document | None, field: str) -> bool:
    return old is not None and new is not None and _hashable(old.get(field)) == _hashable(new.get(field))
