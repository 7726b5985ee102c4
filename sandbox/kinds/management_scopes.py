"""The scopes of the Management API, in the order in which every tenant lists them.

A row of management_scopes.tsv is a resource, the verbs on it, and what the description says after the verb, where that
is not the resource's own name; "=" begins a description that leaves out the verb, too.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from sandbox.kinds import routes
from sandbox.store import Document

TABLE = Path(__file__).with_name("management_scopes.tsv")


@lru_cache(maxsize=1)
def described() -> list[Document]:
    """[{"value": "read:users", "description": "Read Users"}, ...]: of the table, then what else endpoints ask for."""
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    known = {f"{verb}:{row[0]}": _text(verb, *row) for row in rows for verb in row[1].split()}
    asked = [scope for endpoint in routes.endpoints() for scope in endpoint.scopes]
    newer = {scope: _text(*scope.split(":", 1)) for scope in asked if scope not in known}
    return [{"value": value, "description": text} for value, text in {**known, **newer}.items()]


def _text(verb: str, resource: str, _verbs: str = "", description: str = "") -> str:
    if description.startswith("="):
        return description[1:]
    return f"{verb.title()} {description or resource.replace('_', ' ').title()}"


def values() -> list[str]:
    return [scope["value"] for scope in described()]
