"""The database that the demo's custom scripts speak to: a table inside the scripts, so that nothing else must run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SCRIPTS = ("login", "get_user", "create", "change_password", "verify", "delete", "change_email")
_FOLDER = Path(__file__).parent


def rows(people: list[dict[str, Any]], password: str) -> list[dict[str, Any]]:
    """Rows as an old shop system would keep them: salted SHA-256, lower-case e-mail."""
    return [_row(number, person, password) for number, person in enumerate(people, 1)]


def _row(number: int, person: dict[str, Any], password: str) -> dict[str, Any]:
    salt = f"ls{number:04d}"
    digest = hashlib.sha256(f"{salt}:{password}".encode()).hexdigest()
    return {
        "customer_no": f"legacy-store-{number:04d}",
        "email": person["email"],
        "first": person["given_name"],
        "last": person["family_name"],
        "verified": True,
        "salt": salt,
        "sha256": digest,
    }


def scripts(table: list[dict[str, Any]]) -> dict[str, str]:
    """The seven scripts, each with the table at its head: every script runs in a container of its own."""
    head = (
        (_FOLDER / "table.js")
        .read_text()
        .replace("__ROWS__", json.dumps(table, separators=(",", ":"), ensure_ascii=False))
    )
    return {name: (_FOLDER / f"{name}.js").read_text() + "\n" + head for name in SCRIPTS}
