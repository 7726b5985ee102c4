"""PostgreSQL for contract tests: one that the person names, or one of our own that starts on demand."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from identity.databases.contracts.database import DOMAIN, CannotConnect, User, by_profile_field
from identity.databases.contracts.embedded_postgresql import EmbeddedServer
from identity.databases.form import Form

NAME = "postgresql.contract.test:5432"
REFUSAL = re.compile(r"^(?:ERROR|FATAL):  (.+)$", re.MULTILINE)


class PostgresqlDatabase:
    """Tables of the form's shape. On a named server the table must be there and only test users are touched."""

    notice = ""

    def __init__(self, dsn: str | None = None) -> None:
        """Without a DSN, an embedded server starts. Raises CannotConnect."""
        self.doubles: dict[str, str] = {}
        self.form: Form | None = None
        self.server = EmbeddedServer() if dsn is None else None
        self._lock = threading.Lock()
        self._heard = 0
        try:
            self.connection = psycopg.connect(
                self.server.dsn if self.server else str(dsn), autocommit=True, connect_timeout=5, row_factory=dict_row
            )
        except psycopg.Error as problem:
            raise CannotConnect(f"PostgreSQL can't be reached: {_without_secrets(problem, dsn)}") from None
        if self.server:
            self._own_role(self.server)
        else:
            self._named_server(str(dsn))

    def _own_role(self, server: EmbeddedServer) -> None:
        password = secrets.token_urlsafe(12)
        self.connection.execute(sql.SQL("CREATE ROLE scripts LOGIN PASSWORD {}").format(sql.Literal(password)))
        self.hosts = {NAME: server.socket}
        self.configuration = {"DATABASE_URL": f"postgresql://scripts:{password}@{NAME}/postgres"}

    def _named_server(self, dsn: str) -> None:
        parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
        host, port = parts.get("host", "localhost"), parts.get("port", "5432")
        local = host.startswith("/")
        name = NAME if local else f"{host}:{port}"
        self.hosts = {name: f"{host}/.s.PGSQL.{port}" if local else name}
        login = f"{quote(parts.get('user', 'postgres'), safe='')}:{quote(parts.get('password', ''), safe='')}"
        mode = f"?sslmode={parts['sslmode']}" if "sslmode" in parts else ""
        self.configuration = {"DATABASE_URL": f"postgresql://{login}@{name}/{quote(parts.get('dbname', ''))}{mode}"}

    @property
    def table(self) -> sql.Identifier:
        assert self.form  # noqa: S101 (prepare comes first)
        return sql.Identifier(*self.form.table.split("."))

    def _column(self, field: str) -> sql.Identifier:
        assert self.form  # noqa: S101
        return sql.Identifier(self.form.columns[field])

    def prepare(self, form: Form) -> None:
        self.form = form
        try:
            if self.server:
                self._make_table(form)
            self.clear()
        except psycopg.Error as problem:
            raise CannotConnect(f"The table {form.table} can't be used: {str(problem).splitlines()[0]}") from None

    def _make_table(self, form: Form) -> None:
        parts = form.table.split(".")
        if len(parts) == 2:
            self.connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(parts[0])))
            self.connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO scripts").format(sql.Identifier(parts[0])))
        names = dict.fromkeys(column for name, column in form.columns.items() if column and name != "user_id")
        columns = [sql.SQL("{} serial PRIMARY KEY").format(self._column("user_id"))]
        for name in names:
            kind = "boolean" if name == form.columns["email_verified"] else "text"
            columns.append(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)))
        self.connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self.table))
        self.connection.execute(sql.SQL("CREATE TABLE {} ({})").format(self.table, sql.SQL(", ").join(columns)))
        self.connection.execute(
            sql.SQL("CREATE UNIQUE INDEX ON {} (LOWER({}))").format(self.table, self._column("email"))
        )
        self.connection.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA {} TO scripts").format(self._schema()))
        self.connection.execute(sql.SQL("GRANT ALL ON ALL SEQUENCES IN SCHEMA {} TO scripts").format(self._schema()))

    def _schema(self) -> sql.Identifier:
        assert self.form  # noqa: S101
        return sql.Identifier(self.form.table.split(".")[0] if "." in self.form.table else "public")

    def add(self, user: User) -> str:
        assert self.form  # noqa: S101
        row = user.row(self.form)
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
            self.table,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() for _ in row),
            self._column("user_id"),
        )
        return str(next(iter(self._run(statement, list(row.values()))[0].values())))

    def find(self, email: str) -> dict[str, Any] | None:
        assert self.form  # noqa: S101
        rows = self._run(sql.SQL("SELECT * FROM {} WHERE {} = %s").format(self.table, self._column("email")), [email])
        return by_profile_field(self.form, rows[0] if rows else None)

    def count(self) -> int:
        text = sql.SQL("SELECT count(*) AS n FROM {} WHERE {} LIKE %s").format(self.table, self._column("email"))
        return int(self._run(text, [f"%{DOMAIN}%"])[0]["n"])

    def clear(self) -> None:
        text = sql.SQL("DELETE FROM {} WHERE {} LIKE %s").format(self.table, self._column("email"))
        self._run(text, [f"%{DOMAIN}%"])

    def _run(self, statement: sql.Composed, values: list[Any]) -> list[dict[str, Any]]:
        with self._lock:
            cursor = self.connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def lacking(self, field: str) -> Iterator[bool]:
        if self.server is None:
            yield False
            return
        rename = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}")
        column, away = self._column(field), sql.Identifier("away")
        self.connection.execute(rename.format(self.table, column, away))
        try:
            yield True
        finally:
            self.connection.execute(rename.format(self.table, away, column))

    def said(self) -> list[str]:
        if self.server is None:
            return []
        with self.server.log.open("rb") as log:
            log.seek(self._heard)
            text = log.read()
        self._heard += len(text)
        return REFUSAL.findall(text.decode(errors="replace"))

    @contextlib.contextmanager
    def exhausted(self) -> Iterator[bool]:
        if self.server is None:
            yield False
            return
        self.connection.execute("ALTER ROLE scripts CONNECTION LIMIT 0")
        try:
            yield True
        finally:
            self.connection.execute("ALTER ROLE scripts CONNECTION LIMIT -1")

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            if self.form:
                self.clear()
        self.connection.close()
        if self.server:
            self.server.stop()


def _without_secrets(problem: Exception, dsn: str | None) -> str:
    text = (str(problem).splitlines() or ["no reason given"])[0]
    try:
        password = str(conninfo_to_dict(dsn or "").get("password") or "")
    except psycopg.Error:
        return "this is no connection string; write postgresql://user:password@host:5432/name"
    return text.replace(password, "***") if password else text
