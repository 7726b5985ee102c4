"""Keeps a tenant's documents in a SQLite file: a change is on disk before the answer that acknowledges it leaves.

`base` is where the documents started from: a seed by its name (kept once in `seeds`, so that a reset writes a name
instead of ten megabytes, and the same ids come back after a restart), or a copy of all of them. `changes` is what
happened since, in order. All changes of a turn of the event loop share one commit. WAL with synchronous=NORMAL: a
killed process loses nothing; a power cut may lose the last moments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from sandbox.store import Document, Store

Documents = dict[str, dict[str, Document]]

_TABLES = """
create table if not exists seeds (name text primary key, documents blob not null);
create table if not exists base (one integer primary key check (one = 1), seed text, documents blob);
create table if not exists place (one integer primary key check (one = 1), addresses text not null);
create table if not exists changes (number integer primary key, kind text not null, id text not null, document blob);
"""
# Past this many changes a start would take noticeably longer than reading a copy.
MOST_CHANGES = 20_000


class Journal:
    """Watches a store; `commit()` before each answer. Raises sqlite3.Error where the disk fails."""

    def __init__(self, path: Path, store: Store) -> None:
        self.store = store
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        # Two processes on one file would overwrite each other: the second one is refused.
        self.database.execute("pragma locking_mode=exclusive")
        self.database.execute("pragma journal_mode=wal")
        self.database.execute("pragma synchronous=normal")
        self.database.executescript(_TABLES)
        self.pending: list[tuple[str, str, Document | None]] = []
        self.replaced = False
        self.seed: tuple[str, Documents] | None = None
        self.kept: set[str] = set()
        self.changes: int = self.database.execute("select count(*) from changes").fetchone()[0]

    def read(self) -> Documents | None:
        """What an earlier run left, or None."""
        row = self.database.execute("select seed, documents from base").fetchone()
        if row is None:
            return None
        seed = self.database.execute("select documents from seeds where name = ?", (row[0],)).fetchone()
        documents: Documents = orjson.loads(seed[0] if row[0] else row[1])
        for kind, id, document in self.database.execute("select kind, id, document from changes order by number"):
            if document is None:
                documents.get(kind, {}).pop(id, None)
            else:
                documents.setdefault(kind, {})[id] = orjson.loads(document)
        return documents

    def kept_seed(self, name: str) -> Documents | None:
        """The documents of a seed that this state has started from, now or earlier."""
        row = self.database.execute("select documents from seeds where name = ?", (name,)).fetchone()
        if row is None:
            return None
        self.kept.add(name)
        return dict(orjson.loads(row[0]))

    def addresses(self) -> list[str] | None:
        """Those that the kept documents name; None before anything was kept."""
        row = self.database.execute("select addresses from place").fetchone()
        return list(orjson.loads(row[0])) if row else None

    def settle(self, addresses: list[str]) -> None:
        """From here on what is kept names these. Kept seeds that name others are forgotten."""
        if self.addresses() not in (None, addresses):
            self.database.execute("delete from seeds")
        self.database.execute("insert or replace into place values (1, ?)", (orjson.dumps(addresses).decode(),))

    def watch(self) -> None:
        """From here on each change of the store is kept; what it holds now must be read back or replaced already."""
        self.store.watchers.append(self._note)

    def started_from(self, name: str, documents: Documents) -> None:
        """The store was just loaded with this seed."""
        self.seed = (name, documents)

    def _note(self, kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            self.replaced, self.seed = True, None
            self.pending.clear()
        else:
            self.pending.append((kind, id, document))

    def commit(self) -> None:
        """Write what changed since the last call. Cheap where nothing did."""
        if not self.pending and not self.replaced:
            return
        whole = (self.replaced and self.seed is None) or self.changes > MOST_CHANGES
        rows = [] if whole else [(kind, id, _text(document)) for kind, id, document in self.pending]
        with self._transaction():
            if whole or self.replaced:
                self._start_over(None if whole else self.seed)
            self.database.executemany("insert into changes (kind, id, document) values (?, ?, ?)", rows)
        if self.replaced and self.seed is not None:
            self.kept.add(self.seed[0])
        self.changes = len(rows) if whole or self.replaced else self.changes + len(rows)
        self.replaced = False
        self.pending.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """What could not be written (the disk is full) is tried again with the next commit."""
        self.database.execute("begin")
        try:
            yield
            self.database.execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back itself
                self.database.execute("rollback")
            raise

    def _start_over(self, seed: tuple[str, Documents] | None) -> None:
        self.database.execute("delete from changes")
        base: tuple[str | None, bytes | None]
        if seed is None:
            base = (None, orjson.dumps(self.store.dump()))
        else:
            base = (seed[0], None)
            self._keep(*seed)
        self.database.execute("insert or replace into base values (1, ?, ?)", base)

    def _keep(self, name: str, documents: Documents) -> None:
        """Once per process: a seed that comes from a file may differ from the one of the last run."""
        if name not in self.kept:
            self.database.execute("insert or replace into seeds values (?, ?)", (name, orjson.dumps(documents)))

    def close(self) -> None:
        self.commit()
        self.database.close()


def _text(document: Document | None) -> bytes | None:
    return None if document is None else orjson.dumps(document)
