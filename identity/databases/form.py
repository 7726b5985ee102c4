"""The short form from which the scripts of a custom database are generated, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STORES = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL or MariaDB",
    "sqlserver": "SQL Server",
    "mongodb": "MongoDB",
    "https_api": "An HTTPS API with access tokens",
}
HASHES = {
    "bcrypt": "bcrypt",
    "argon2": "Argon2",
    "scrypt": "scrypt",
    "pbkdf2": "PBKDF2 (SHA-256)",
    "salted_sha": "Salted SHA, an old format (new passwords are stored with scrypt)",
}
REQUIRED_COLUMNS = ("user_id", "email", "password", "email_verified")
OPTIONAL_COLUMNS = ("username", "name", "nickname", "given_name", "family_name", "picture")
DEFAULT_COLUMNS = {"user_id": "id", "email": "email", "password": "password_hash", "email_verified": "email_verified"}

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What each store lets a name have, in characters; PostgreSQL cuts longer ones off.
LONGEST_NAME = {"postgresql": 63, "mysql": 64, "sqlserver": 128, "mongodb": 120, "https_api": 120}
# What must stand alone: in a profile, or written for another field, it would be lost or shown.
ALONE = ("password", "email_verified")
CONNECTION_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,33}[A-Za-z0-9])?")


class BadForm(ValueError):
    """The form can't become scripts. `errors` maps the name of a field to a text that says what to do."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class Form:
    """What a person fills in.

    connection: the connection's name; it is put in front of each user_id, so that ids stay unique in the tenant.
    columns: {profile field: column, or JSON field of an API}; the keys are REQUIRED_COLUMNS and OPTIONAL_COLUMNS.
    """

    store: str
    connection: str
    table: str = "users"
    columns: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_COLUMNS))
    hash: str = "bcrypt"
    import_mode: bool = False

    @property
    def profile_columns(self) -> dict[str, str]:
        """The columns that a profile shows, without its id; the password is never among them."""
        return {name: self.columns[name] for name in self.columns if name not in ("user_id", "password")}


def check(form: Form) -> None:
    """Raise BadForm, naming every field that is wrong."""
    if errors := _errors(form):
        raise BadForm(errors)


def check_for_scripts(form: Form) -> None:
    """`check`, and what only matters where scripts are generated. Raises BadForm."""
    key, errors = form.columns.get("user_id"), _errors(form)
    if form.store == "mongodb" and not form.import_mode and key not in (None, "", "_id"):
        told = f"Users who sign up get an _id and no {key}; write _id, or choose import mode."
        errors.setdefault("columns.user_id", told)
    if errors:
        raise BadForm(errors)


def _errors(form: Form) -> dict[str, str]:
    errors = {**_choices(form), **_columns(form)}
    if not CONNECTION_NAME.fullmatch(form.connection):
        errors["connection"] = "Use up to 35 letters, digits and dashes; begin and end with a letter or a digit."
    parts = form.table.split(".")
    wrong = next((text for part in parts if (text := _name_problem(form, "table", part))), None)
    if wrong or len(parts) > 2:
        errors["table"] = wrong or "Write the table's name, or schema.table; a database is named in the settings."
    return errors


def default_columns(store: str) -> dict[str, str]:
    return {**DEFAULT_COLUMNS, "user_id": "_id"} if store == "mongodb" else dict(DEFAULT_COLUMNS)


def _choices(form: Form) -> dict[str, str]:
    errors = {}
    if form.store not in STORES:
        errors["store"] = f"Choose one of {', '.join(STORES)}."
    if form.hash not in HASHES:
        errors["hash"] = f"Choose one of {', '.join(HASHES)}."
    return errors


def _columns(form: Form) -> dict[str, str]:
    needed = [name for name in REQUIRED_COLUMNS if not (form.store == "https_api" and name == "password")]
    errors = {f"columns.{name}": "Name the column that holds this." for name in needed if not form.columns.get(name)}
    for name, column in form.columns.items():
        if name not in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS):
            errors[f"columns.{name}"] = f"Auth0 has no such profile field; use {', '.join(OPTIONAL_COLUMNS)}."
        elif column and (problem := _name_problem(form, "column", column)):
            errors[f"columns.{name}"] = problem
        elif column and (other := _shared_with(form, name)):
            errors[f"columns.{name}"] = f"{column} is the column of {other} already; {other} needs one of its own."
    return errors


def _shared_with(form: Form, name: str) -> str | None:
    """The field that must stand alone and has the same column as this one; MySQL and others know no capitals."""
    column = form.columns[name].lower()
    same = (other for other in ALONE if other != name and form.columns.get(other, "").lower() == column)
    return None if name == "password" else next(same, None)


def _name_problem(form: Form, what: str, value: str) -> str | None:
    shown = value if len(value) <= 40 else value[:40] + "…"
    longest = LONGEST_NAME.get(form.store, max(LONGEST_NAME.values()))
    if len(value) > longest:
        return f"{shown!r} is too long: a {what} name has at most {longest} characters."
    if not IDENTIFIER.fullmatch(value):
        return f"{shown!r} is no {what} name: use letters, digits and underscores, and begin with a letter."
    return None
