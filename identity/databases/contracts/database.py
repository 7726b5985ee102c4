"""What the contract tests need from a database, and the users they put into it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import bcrypt
from argon2 import PasswordHasher

from identity.databases.form import Form

DOMAIN = "contract-test.example"


class CannotConnect(RuntimeError):
    """The database can't be used for tests; the text says why, without its password."""


@dataclass(frozen=True)
class User:
    """One test user. A password of None is stored as NULL, and so are absent optional fields.

    stored: what stands in the column of the password's hash instead of a hash.
    """

    email: str
    password: str | None
    username: str | None = None
    email_verified: bool = False
    fields: dict[str, str | None] = field(default_factory=dict)
    stored: str | None = None

    def row(self, form: Form) -> dict[str, Any]:
        """{column: value} without the id, which the database gives."""
        values: dict[str, Any] = {"email": self.email, "email_verified": self.email_verified, "username": self.username}
        hashed = None if self.password is None else hash_password(self.password, form.hash)
        values["password"] = self.stored or hashed
        columns = {name: column for name, column in form.columns.items() if column and name != "user_id"}
        # Of two fields that share a column, the first is stored, as generated scripts do.
        return {column: {**self.fields, **values}.get(name) for name, column in reversed(columns.items())}


class Database(Protocol):
    """A database that scripts are tested against.

    hosts, configuration, doubles: for runtime.scripts. notice: what is not real about it, "" for the real thing.
    """

    hosts: dict[str, str]
    configuration: dict[str, str]
    doubles: dict[str, str]
    notice: str

    def prepare(self, form: Form) -> None:
        """Have the form's table, without test users. Raises CannotConnect."""

    def add(self, user: User) -> str:
        """Store a user; gives the id as text."""

    def find(self, email: str) -> dict[str, Any] | None:
        """{profile field: value} of the user with exactly this address, "password" being what is stored."""

    def count(self) -> int:
        """How many test users there are."""

    def clear(self) -> None:
        """Remove the test users, and nothing else."""

    def exhausted(self) -> contextlib.AbstractContextManager[bool]:
        """While inside, new connections are refused for want of room. Gives False where that can't be played."""

    def lacking(self, field: str) -> contextlib.AbstractContextManager[bool]:
        """While inside, the table has no column for this profile field. Gives False where that can't be played."""

    def said(self) -> list[str]:
        """What the database itself has refused since the last call, which scripts keep to themselves."""

    def close(self) -> None:
        """Stop what was started for the tests."""


class OwnServer:
    """A stand-in, which refuses everybody while `full`, and tells what it refused."""

    full: bool = False

    @contextlib.contextmanager
    def exhausted(self) -> Iterator[bool]:
        self.full = True
        try:
            yield True
        finally:
            self.full = False

    def lacking(self, field: str) -> contextlib.AbstractContextManager[bool]:
        return contextlib.nullcontext(False)

    def refuse(self, text: str) -> None:
        self.__dict__.setdefault("refusals", []).append(text)

    def said(self) -> list[str]:
        return list(self.__dict__.pop("refusals", []))


class NamedServer:
    """A server that the person names: nothing is played there, and what it says is in its own log."""

    notice = ""

    def exhausted(self) -> contextlib.AbstractContextManager[bool]:
        return contextlib.nullcontext(False)

    def lacking(self, field: str) -> contextlib.AbstractContextManager[bool]:
        return contextlib.nullcontext(False)

    def said(self) -> list[str]:
        return []


def hash_password(password: str, kind: str) -> str:
    """As an application would have stored it, with small costs: these hashes protect nobody."""
    data = password.encode()
    if kind == "bcrypt":
        return bcrypt.hashpw(data, bcrypt.gensalt(4)).decode()
    if kind == "argon2":
        return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(password)
    salt = secrets.token_hex(8)
    if kind == "scrypt":
        found = hashlib.scrypt(data, salt=salt.encode(), n=1024, r=8, p=1, dklen=32)
        return f"scrypt$1024$8$1${base64.b64encode(salt.encode()).decode()}${base64.b64encode(found).decode()}"
    if kind == "pbkdf2":
        found = hashlib.pbkdf2_hmac("sha256", data, salt.encode(), 1000)
        return f"pbkdf2_sha256$1000${salt}${base64.b64encode(found).decode()}"
    return f"sha256${salt}${hashlib.sha256(salt.encode() + data).hexdigest()}"


def by_profile_field(form: Form, row: dict[str, Any] | None) -> dict[str, Any] | None:
    """A database's own row, told in the names of profile fields."""
    if row is None:
        return None
    return {name: row.get(column) for name, column in form.columns.items() if column}
