"""What the tests of contract tests share: forms with all columns, their scripts, the cases that failed."""

from __future__ import annotations

from collections.abc import Mapping

from identity.databases import generate
from identity.databases.contracts.run import Verdict
from identity.databases.form import DEFAULT_COLUMNS, Form, default_columns

COLUMNS = {**DEFAULT_COLUMNS, "username": "login_name", "given_name": "first_name"}
# The cases in which it matters how a password is stored.
HASHING = ("login-01", "login-04", "login-06", "login-08", "login-11", "login-12", "login-17", "create-01", "create-05",
           "change_password-01", "change_password-06")  # fmt: skip


def form(store: str = "postgresql", **changes: object) -> Form:
    columns = {**COLUMNS, **default_columns(store)}
    if store == "https_api":
        columns = {name: name for name in COLUMNS} | {"user_id": "id"}
    return Form(**{"store": store, "connection": "shop", "columns": columns, **changes})


def impatient(scripts: Mapping[str, str]) -> dict[str, str]:
    """Scripts that wait a quarter of a second for a connection, not five."""
    return {name: code.replace("5000", "250") for name, code in scripts.items()}


def scripts_for(made: Form) -> dict[str, str]:
    """As generated; MongoDB's driver looks for a server that is down until its time is up, so it gets less of it."""
    scripts = generate.scripts(made)
    return impatient(scripts) if made.store == "mongodb" else scripts


def failures(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.case, verdict.reason) for verdict in verdicts if verdict.passed is False]
