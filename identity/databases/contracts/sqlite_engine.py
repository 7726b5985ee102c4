"""Statements of another dialect, parsed by sqlglot and run on an SQLite in memory: what stands in for two databases."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlglot import exp, parse_one
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError

from identity.databases.contracts.database import DOMAIN, CannotConnect, OwnServer, User, by_profile_field
from identity.databases.form import Form


class Strict(SQLite):
    """SQLite takes an unknown name between double quotes for a text; between these it is a name and nothing else."""

    class Tokenizer(SQLite.Tokenizer):
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]


class Duplicate(Exception):
    """A unique column has this value already."""


class BadStatement(Exception):
    """The dialect's grammar, or the database, refuses the statement. The text is the reason."""


@dataclass(frozen=True)
class Answer:
    columns: list[str] = field(default_factory=list)
    rows: list[Sequence[Any]] = field(default_factory=list)
    changed: int = 0


class SqliteEngine:
    """One table of the form's shape, used from several threads."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.form: Form | None = None
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.create_function("LOWER", 1, lambda text: text.lower() if isinstance(text, str) else text)

    def execute(self, statement: str | exp.Expression, parameters: dict[str, Any] | None = None) -> Answer:
        """Run one statement of the dialect; `parameters` are its named ones. Raises Duplicate, BadStatement."""
        try:
            tree: Any = parse_one(statement, read=self.dialect) if isinstance(statement, str) else statement
            text = _with_placeholders(tree).sql(dialect=Strict)
        except SqlglotError as problem:
            raise BadStatement(str(problem).splitlines()[0]) from None
        return self._run(text, parameters or {})

    def _run(self, text: str, parameters: Any) -> Answer:
        with self._lock:
            try:
                cursor = self._connection.execute(text, parameters)
                columns = [column[0] for column in cursor.description or []]
                return Answer(columns, cursor.fetchall(), max(cursor.rowcount, 0))
            except sqlite3.IntegrityError as problem:
                raise Duplicate(str(problem)) from None
            except sqlite3.Error as problem:
                raise BadStatement(str(problem)) from None

    @property
    def table(self) -> str:
        assert self.form  # noqa: S101 (prepare comes first)
        parts = self.form.table.split(".")
        return exp.table_(parts[-1], db=parts[0] if len(parts) == 2 else None, quoted=True).sql(dialect="sqlite")

    def prepare(self, form: Form) -> None:
        self.form = form
        if "." in form.table:
            raise CannotConnect("The stand-in for this store knows no schemas; test with a table name alone.")
        names = dict.fromkeys(column for name, column in form.columns.items() if column and name != "user_id")
        key, email = f'"{form.columns["user_id"]}"', f'"{form.columns["email"]}"'
        kinds = {form.columns["email_verified"]: "INTEGER"}
        columns = ", ".join([f"{key} INTEGER PRIMARY KEY", *(f'"{name}" {kinds.get(name, "TEXT")}' for name in names)])
        self._run(f"DROP TABLE IF EXISTS {self.table}", ())
        self._run(f"CREATE TABLE {self.table} ({columns})", ())
        # Other databases compare without regard to case; so does the unique index here.
        self._run(f"CREATE UNIQUE INDEX one_user ON {self.table} ({email} COLLATE NOCASE)", ())

    def add(self, user: User) -> str:
        assert self.form  # noqa: S101
        row = user.row(self.form)
        columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        statement = f'INSERT INTO {self.table} ({columns}) VALUES ({marks}) RETURNING "{self.form.columns["user_id"]}"'  # noqa: S608
        return str(self._run(statement, list(row.values())).rows[0][0])

    def find(self, email: str) -> dict[str, Any] | None:
        assert self.form  # noqa: S101
        answer = self._run(f'SELECT * FROM {self.table} WHERE "{self.form.columns["email"]}" = ?', [email])  # noqa: S608
        row = dict(zip(answer.columns, answer.rows[0], strict=True)) if answer.rows else None
        found = by_profile_field(self.form, row)
        return found and {**found, "email_verified": bool(found["email_verified"])}

    def count(self) -> int:
        return int(self._run(f"SELECT count(*) FROM {self.table}", ()).rows[0][0])  # noqa: S608

    def clear(self) -> None:
        assert self.form  # noqa: S101
        column = self.form.columns["email"]
        self._run(f'DELETE FROM {self.table} WHERE "{column}" LIKE ?', [f"%{DOMAIN}%"])  # noqa: S608

    @contextlib.contextmanager
    def lacking(self, field: str) -> Iterator[bool]:
        assert self.form  # noqa: S101
        column, away = f'"{self.form.columns[field]}"', '"away"'
        self._run(f"ALTER TABLE {self.table} RENAME COLUMN {column} TO {away}", ())
        try:
            yield True
        finally:
            self._run(f"ALTER TABLE {self.table} RENAME COLUMN {away} TO {column}", ())

    def close(self) -> None:
        self._connection.close()


class StandIn(OwnServer):
    """The test users of a database whose statements run on an SqliteEngine."""

    engine: SqliteEngine

    def prepare(self, form: Form) -> None:
        self.engine.prepare(form)

    def add(self, user: User) -> str:
        return self.engine.add(user)

    def find(self, email: str) -> dict[str, Any] | None:
        return self.engine.find(email)

    def count(self) -> int:
        return self.engine.count()

    def clear(self) -> None:
        self.engine.clear()

    def lacking(self, field: str) -> contextlib.AbstractContextManager[bool]:
        return self.engine.lacking(field)


def _with_placeholders(tree: exp.Expression) -> exp.Expression:
    """T-SQL's @name becomes SQLite's :name."""

    def replace(node: exp.Expression) -> exp.Expression:
        return exp.Placeholder(this=node.name) if isinstance(node, exp.Parameter) else node

    return tree.transform(replace)
