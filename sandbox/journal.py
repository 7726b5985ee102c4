"""Keeps a tenant's documents in a SQLite file: a change is on disk before the answer that acknowledges it leaves.

The table `snapshot` holds all documents at one instant as one JSON value (a reset rewrites 10,000 documents in
milliseconds that way), `changes` what happened since, in order. All changes of a turn of the event loop share one
commit. WAL with synchronous=NORMAL: a killed process loses nothing; a power cut may lose the last moments.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson

from sandbox.store import Document, Store

_TABLES = """
create table if not exists snapshot (one integer primary key check (one = 1), documents blob not null);
create table if not exists changes (number integer primary key, kind text not null, id text not null, document blob);
"""
# Past this many changes a start would take noticeably longer than reading a snapshot.
MOST_CHANGES = 50_000


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
        self.changes: int = self.database.execute("select count(*) from changes").fetchone()[0]

    def read(self) -> dict[str, dict[str, Document]] | None:
        """What an earlier run left, or None."""
        row = self.database.execute("select documents from snapshot").fetchone()
        if row is None:
            return None
        documents: dict[str, dict[str, Document]] = orjson.loads(row[0])
        for kind, id, document in self.database.execute("select kind, id, document from changes order by number"):
            if document is None:
                documents.get(kind, {}).pop(id, None)
            else:
                documents.setdefault(kind, {})[id] = orjson.loads(document)
        return documents

    def watch(self) -> None:
        """From here on each change of the store is kept; what it holds now must be read back or replaced already."""
        self.store.watchers.append(self._note)

    def _note(self, kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            self.replaced = True
            self.pending.clear()
        else:
            self.pending.append((kind, id, document))

    def commit(self) -> None:
        """Write what changed since the last call. Cheap where nothing did."""
        if self.replaced or self.changes > MOST_CHANGES:
            self._snapshot()
        elif self.pending:
            rows = [(kind, id, _text(document)) for kind, id, document in self.pending]
            self.database.execute("begin")
            self.database.executemany("insert into changes (kind, id, document) values (?, ?, ?)", rows)
            self.database.execute("commit")
            self.changes += len(rows)
            self.pending.clear()

    def _snapshot(self) -> None:
        self.database.execute("begin")
        self.database.execute("delete from changes")
        self.database.execute("insert or replace into snapshot values (1, ?)", (orjson.dumps(self.store.dump()),))
        self.database.execute("commit")
        self.changes, self.replaced = 0, False
        self.pending.clear()

    def close(self) -> None:
        self.commit()
        self.database.close()


def _text(document: Document | None) -> bytes | None:
    return None if document is None else orjson.dumps(document)
