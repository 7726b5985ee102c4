"""A MySQL or MariaDB that the person names: its table must be there, and only test users are touched."""

from __future__ import annotations

import contextlib
import threading
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pymysql
from pymysql.cursors import DictCursor

from identity.databases.contracts.database import (
    DOMAIN,
    CannotConnect,
    NamedServer,
    User,
    by_profile_field,
)
from identity.databases.form import Form

ADDRESS = "mysql://user:password@host:3306/database"


class MysqlServerDatabase(NamedServer):
    def __init__(self, dsn: str) -> None:
        """Raises CannotConnect."""
        parts = urlsplit(dsn)
        if parts.scheme not in ("mysql", "mariadb") or not parts.hostname or not parts.path.strip("/"):
            raise CannotConnect(f"This is no address of a MySQL; write {ADDRESS}")
        user, password, port = unquote(parts.username or ""), unquote(parts.password or ""), parts.port or 3306
        database, name = unquote(parts.path.strip("/")), f"{parts.hostname}:{port}"
        try:
            self.connection = pymysql.connect(
                host=parts.hostname, port=port, user=user, password=password, database=database, charset="utf8mb4",
                autocommit=True, connect_timeout=5, read_timeout=10, cursorclass=DictCursor,
            )  # fmt: skip
        except (pymysql.Error, OSError) as problem:
            raise CannotConnect(f"MySQL can't be reached: {_reason(problem, password)}") from None
        self._lock = threading.Lock()
        self.form: Form | None = None
        self.doubles: dict[str, str] = {}
        self.hosts = {name: name}
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        self.configuration = {"DATABASE_URL": f"mysql://{login}@{name}/{quote(database, safe='')}"}

    @property
    def table(self) -> str:
        assert self.form  # noqa: S101 (prepare comes first)
        return ".".join(f"`{part}`" for part in self.form.table.split("."))

    def column(self, field: str) -> str:
        assert self.form  # noqa: S101
        return f"`{self.form.columns[field]}`"

    def prepare(self, form: Form) -> None:
        self.form = form
        try:
            self._run(f"SELECT {self.column('user_id')} FROM {self.table} LIMIT 0")  # noqa: S608 (checked identifiers)
            self.clear()
        except pymysql.Error as problem:
            raise CannotConnect(f"The table {form.table} can't be used: {_reason(problem)}") from None

    def add(self, user: User) -> str:
        assert self.form  # noqa: S101
        row = user.row(self.form)
        columns, marks = ", ".join(f"`{name}`" for name in row), ", ".join("%s" for _ in row)
        self._run(f"INSERT INTO {self.table} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608
        found = self._run(
            f"SELECT {self.column('user_id')} AS id FROM {self.table} WHERE {self.column('email')} = %s",  # noqa: S608
            [user.email],
        )
        return str(found[0]["id"])

    def find(self, email: str) -> dict[str, Any] | None:
        assert self.form  # noqa: S101
        found = self._run(f"SELECT * FROM {self.table} WHERE {self.column('email')} = %s", [email])  # noqa: S608
        return by_profile_field(self.form, found[0] if found else None)

    def count(self) -> int:
        where = f"{self.column('email')} LIKE %s"
        return int(self._run(f"SELECT COUNT(*) AS n FROM {self.table} WHERE {where}", [f"%{DOMAIN}%"])[0]["n"])  # noqa: S608

    def clear(self) -> None:
        self._run(f"DELETE FROM {self.table} WHERE {self.column('email')} LIKE %s", [f"%{DOMAIN}%"])  # noqa: S608

    def _run(self, statement: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        with self._lock, self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def close(self) -> None:
        with contextlib.suppress(pymysql.Error):
            if self.form:
                self.clear()
            self.connection.close()


def _reason(problem: Exception, password: str = "") -> str:
    text = str(problem.args[-1] if problem.args else problem).splitlines()[0]
    return text.replace(password, "***") if password else text
