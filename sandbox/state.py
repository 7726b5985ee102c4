"""A tenant's whole state as one JSON document: what GET /_sandbox/state gives and PUT, or a seed file, takes."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.store import Document
from sandbox.tenant import Tenant

FORMAT = 1


def export(tenant: Tenant) -> bytes:
    """{"format": 1, "tenant": name, "documents": {kind: {id: document}}}, internal keys included."""
    return orjson.dumps({"format": FORMAT, "tenant": tenant.name, "documents": tenant.store.dump()})


def parse(body: Any) -> dict[str, dict[str, Document]]:
    """The documents of an exported state. Raises ValueError, whose text says what is wrong."""
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ValueError('Send what GET /_sandbox/state gave: {"format": 1, "documents": {kind: {id: {...}}}}.')
    documents = body.get("documents")
    if not isinstance(documents, dict):
        raise ValueError('"documents" must be an object of kinds.')
    for kind, entries in documents.items():
        if not isinstance(entries, dict) or not all(isinstance(item, dict) for item in entries.values()):
            raise ValueError(f'"documents.{kind}" must be an object of objects, by id.')
    return documents
