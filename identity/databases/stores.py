"""What differs between the stores: modules, settings, and one JavaScript expression for each thing asked of them.

The methods' expressions stand behind `await` (find, insert, delete) or behind `= ` (the others) in the templates.
"""

# ruff: noqa: S608 (these statements are text of scripts; every value in them is a parameter)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from identity.databases.form import Form

# Columns that a sign-up fills, besides the password, with the JavaScript that gives the value.
NEW_USER = {
    "email": "String(user.email).toLowerCase()",
    "email_verified": "false",
    "username": "user.username",
    "name": "user.name",
    "nickname": "user.nickname",
    "given_name": "user.given_name",
    "family_name": "user.family_name",
    "picture": "user.picture",
}


def braces(opening: str, parts: list[str], closing: str, *, indent: int) -> str:
    """A JavaScript list or object: on one line where it fits, else one part per line."""
    space = "" if opening == "[" else " "
    line = f"{opening}{space}{', '.join(parts)}{space}{closing}"
    if len(line) <= 90:
        return line
    margin = " " * indent
    return "\n".join([opening, *(f"{margin}  {part}," for part in parts), margin + closing])


def new_user_values(form: Form) -> dict[str, str]:
    """{column: JavaScript value} of a sign-up, in a steady order. Absent values are stored as null; where two fields
    share a column, the first is stored: an address shown as a name too is the address.
    """
    values: dict[str, str] = {}
    for name, value in NEW_USER.items():
        if column := form.columns.get(name):
            values.setdefault(column, value if name in ("email", "email_verified") else f"{value} || null")
    return values


@dataclass(frozen=True)
class SqlDialect:
    modules: tuple[str, ...]
    quotes: tuple[str, str]
    text_type: str
    true_false: tuple[str, str]
    first_row: str
    changed: str
    is_duplicate: str
    placeholders: Callable[[list[str]], list[str]]
    named: bool = False


DIALECTS = {
    "postgresql": SqlDialect(
        modules=("const { Client } = require('pg@8.11.3');",),
        quotes=('"', '"'),
        text_type="text",
        true_false=("true", "false"),
        first_row="result.rows[0]",
        changed=".rowCount > 0",
        is_duplicate="error.code === '23505'",
        placeholders=lambda values: [f"${number}" for number, _ in enumerate(values, 1)],
    ),
    "mysql": SqlDialect(
        modules=("const mysql = require('mysql2@3.9.7/promise');",),
        quotes=("`", "`"),
        text_type="char",
        true_false=("1", "0"),
        first_row="result[0]",
        changed=".affectedRows > 0",
        is_duplicate="error.code === 'ER_DUP_ENTRY'",
        placeholders=lambda values: ["?" for _ in values],
    ),
    "sqlserver": SqlDialect(
        modules=("const sql = require('mssql@9.1.1');",),
        quotes=("[", "]"),
        text_type="nvarchar(255)",
        true_false=("1", "0"),
        first_row="result.recordset[0]",
        changed=".rowsAffected[0] > 0",
        is_duplicate="[2601, 2627].includes(error.number)",
        placeholders=lambda values: [f"@p{number}" for number, _ in enumerate(values, 1)],
        named=True,
    ),
}


class Updates:
    """What three of the scripts change in a record, for stores that say by `_update` how it is written."""

    def update_password(self) -> str:
        return self._update({"password": "hash"})

    def verify(self) -> str:
        return self._update({"email_verified": "true"})

    def change_email(self) -> str:
        return self._update({"email": "String(newEmail).toLowerCase()", "email_verified": "verified"})

    def _update(self, values: dict[str, str]) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class SqlStore(Updates):
    """PostgreSQL, MySQL and SQL Server: the same statements, each in its dialect, every value a parameter."""

    form: Form
    dialect: SqlDialect
    settings: str = "DATABASE_URL, which asks for TLS"
    checks_password: bool = False
    may_lack_id: bool = False

    @property
    def modules(self) -> tuple[str, ...]:
        return self.dialect.modules

    @property
    def is_duplicate(self) -> str:
        return self.dialect.is_duplicate

    def name(self, identifier: str) -> str:
        opening, closing = self.dialect.quotes
        return ".".join(f"{opening}{part}{closing}" for part in identifier.split("."))

    def column(self, field: str) -> str:
        return self.name(self.form.columns[field])

    @property
    def table(self) -> str:
        return self.name(self.form.table)

    def query(self, text: str, values: list[str]) -> str:
        """A call of the script's own query helper; `text` has a {} for each value."""
        marks = self.dialect.placeholders(values)
        if self.dialect.named:
            given = braces("{", [f"p{n}: {value}" for n, value in enumerate(values, 1)], "}", indent=6)
        else:
            given = braces("[", values, "]", indent=6)
        return f"query(\n      '{text.format(*marks)}',\n      {given},\n    )"

    def find(self, variable: str) -> str:
        columns = ", ".join(self.name(column) for column in dict.fromkeys(self.form.columns.values()) if column)
        where, values = f"LOWER({self.column('email')}) = LOWER({{}})", [variable]
        if self.form.columns.get("username"):
            where, values = f"{where} OR {self.column('username')} = {{}}", [variable, variable]
        query = self.query(f"SELECT {columns} FROM {self.table} WHERE {where}", values)
        return f"{query}.then((result) => {self.dialect.first_row})"

    def insert(self) -> str:
        values = new_user_values(self.form)
        values[self.form.columns["password"]] = "hash"
        columns = ", ".join(self.name(column) for column in values)
        marks = ", ".join("{}" for _ in values)
        return self.query(f"INSERT INTO {self.table} ({columns}) VALUES ({marks})", list(values.values()))

    def delete(self) -> str:
        # Compared as text: MySQL would take '1abc' for the number 1.
        key = f"CAST({self.column('user_id')} AS {self.dialect.text_type})"
        return self.query(f"DELETE FROM {self.table} WHERE {key} = {{}}", ["key"])

    def _update(self, values: dict[str, str]) -> str:
        settings = ", ".join(f"{self.column(field)} = {{}}" for field in values)
        text = f"UPDATE {self.table} SET {settings} WHERE LOWER({self.column('email')}) = LOWER({{}})"
        return f"(await {self.query(text, [*values.values(), 'email'])}){self.dialect.changed}"


@dataclass(frozen=True)
class MongoStore(Updates):
    form: Form
    modules: tuple[str, ...] = ("const { MongoClient } = require('mongodb@5.9.2');",)
    settings: str = "DATABASE_URL, which asks for TLS and names the database"
    is_duplicate: str = "error.code === 11000"
    checks_password: bool = False
    may_lack_id: bool = True

    def _on_users(self, call: str) -> str:
        return f"withUsers((users) => users.{call})"

    def find(self, variable: str) -> str:
        columns, given = self.form.columns, f"String({variable})"
        match = f"{{ {columns['email']}: {given} }}"
        if username := columns.get("username"):
            match = f"{{ $or: [{match}, {{ {username}: {given} }}] }}"
        shown = braces("{", [f"{column}: 1" for column in dict.fromkeys(columns.values()) if column], "}", indent=6)
        options = f"{{\n      ...ignoringCase,\n      projection: {shown},\n    }}"
        return self._on_users(f"findOne({match}, {options})")

    def insert(self) -> str:
        values = new_user_values(self.form)
        values[self.form.columns["password"]] = "hash"
        document = braces("{", [f"{column}: {value}" for column, value in values.items()], "}", indent=4)
        return self._on_users(f"insertOne({document})")

    def delete(self) -> str:
        column = self.form.columns["user_id"]
        match = f"{{ $expr: {{ $eq: [{{ $toString: '${column}' }}, key] }} }}"
        return self._on_users(f"deleteOne({match})")

    def _update(self, values: dict[str, str]) -> str:
        changes = ", ".join(f"{self.form.columns[field]}: {value}" for field, value in values.items())
        match = f"{{ {self.form.columns['email']}: String(email) }}"
        change = f"{{ $set: {{ {changes} }} }}"
        call = f"withUsers((users) =>\n      users.updateOne({match}, {change}, ignoringCase),\n    )"
        return f"(await {call}).matchedCount > 0"


@dataclass(frozen=True)
class HttpsApiStore:
    """The API keeps and checks the passwords; the paths are in docs/custom-databases.md."""

    form: Form
    modules: tuple[str, ...] = ()
    settings: str = "API_URL, API_AUDIENCE, TOKEN_URL, CLIENT_ID, CLIENT_SECRET"
    is_duplicate: str = "error.status === 409"
    checks_password: bool = True
    may_lack_id: bool = True

    def find(self, variable: str) -> str:
        return f"call('GET', userPath({variable})).then((answer) => (answer.status === 404 ? null : answer.json()))"

    def insert(self) -> str:
        values = {**new_user_values(self.form), "password": "user.password"}
        body = braces("{", [f"{column}: {value}" for column, value in values.items()], "}", indent=4)
        return f"call('POST', 'users', {body})"

    def delete(self) -> str:
        return "call('DELETE', userPath(key))"

    def update_password(self) -> str:
        return "(await call('PATCH', userPath(email), { password: newPassword })).ok"

    def verify(self) -> str:
        return f"(await call('PATCH', userPath(email), {{ {self.form.columns['email_verified']}: true }})).ok"

    def change_email(self) -> str:
        columns = self.form.columns
        body = f"{{ {columns['email']}: String(newEmail).toLowerCase(), {columns['email_verified']}: verified }}"
        return f"(await call('PATCH', userPath(email), {body})).ok"


Store = SqlStore | MongoStore | HttpsApiStore


def store_for(form: Form) -> Store:
    if form.store == "mongodb":
        return MongoStore(form)
    if form.store == "https_api":
        return HttpsApiStore(form)
    return SqlStore(form, DIALECTS[form.store])
