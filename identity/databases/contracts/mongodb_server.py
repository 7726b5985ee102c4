"""A MongoDB that the person names: only test users in its collection are touched."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from identity.databases.contracts.database import (
    DOMAIN,
    CannotConnect,
    NamedServer,
    User,
    by_profile_field,
)
from identity.databases.form import Form

ADDRESS = "mongodb://user:password@host:27017/database"
TEST_USERS = {"$regex": re.escape(DOMAIN)}


class MongodbServerDatabase(NamedServer):
    def __init__(self, dsn: str) -> None:
        """Raises CannotConnect."""
        try:
            parts = parse_uri(dsn)
        except (PyMongoError, ValueError):
            raise CannotConnect(f"This is no address of a MongoDB; write {ADDRESS}") from None
        if not parts["database"]:
            raise CannotConnect(f"The address names no database; write {ADDRESS}")
        waiting: dict[str, Any] = {} if "serverSelectionTimeoutMS" in dsn else {"serverSelectionTimeoutMS": 5000}
        self.client: MongoClient[dict[str, Any]] = MongoClient(dsn, **waiting)
        try:
            self.client.admin.command("ping")
        except PyMongoError as problem:
            self.client.close()
            secret = parts["password"] or ""
            reason = str(problem).splitlines()[0][:200].split(", Timeout")[0]
            raise CannotConnect(
                f"MongoDB can't be reached: {reason.replace(secret, '***') if secret else reason}"
            ) from None
        self.form: Form | None = None
        self.database = parts["database"]
        self.doubles: dict[str, str] = {}
        names = [f"{host}:{port}" for host, port in parts["nodelist"]]
        self.hosts = dict(zip(names, names, strict=True))
        self.configuration = {"DATABASE_URL": dsn}

    @property
    def users(self) -> Any:
        assert self.form  # noqa: S101 (prepare comes first)
        return self.client[self.database][self.form.table]

    @property
    def email(self) -> str:
        assert self.form  # noqa: S101
        return self.form.columns["email"]

    def prepare(self, form: Form) -> None:
        self.form = form
        try:
            self.clear()
        except PyMongoError as problem:
            raise CannotConnect(f"The collection {form.table} can't be used: {str(problem)[:200]}") from None

    def add(self, user: User) -> str:
        assert self.form  # noqa: S101
        return str(self.users.insert_one({"_id": ObjectId(), **user.row(self.form)}).inserted_id)

    def find(self, email: str) -> dict[str, Any] | None:
        assert self.form  # noqa: S101
        return by_profile_field(self.form, self.users.find_one({self.email: email}))

    def count(self) -> int:
        return len(list(self.users.find({self.email: TEST_USERS})))

    def clear(self) -> None:
        self.users.delete_many({self.email: TEST_USERS})

    def close(self) -> None:
        with contextlib.suppress(PyMongoError):
            if self.form:
                self.clear()
        self.client.close()
