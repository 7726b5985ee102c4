"""A tenant's whole state as one JSON document: what GET /_sandbox/state gives and PUT, or a seed file, takes.

PATCH takes a part of it.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from sandbox.store import Document
from sandbox.tenant import Tenant

FORMAT = 1
# How an export begins; so its addresses are known before the long rest is parsed.
_HEAD = re.compile(rb'\{"format":\d+,"tenant":"[^"\\]*","addresses":\["([^"\\]*)","([^"\\]*)"\]')
_HELP = 'Send what GET /_sandbox/state gave: {"format": 1, "documents": {kind: {id: {...}}}}.'

_PART = 'Send {"documents": {kind: {id: a document, or null to remove it}}}.'


def export(tenant: Tenant) -> bytes:
    """{"format": 1, "tenant", "addresses": [...], "documents": {kind: {id: document}}}, internal keys included."""
    whole = {"format": FORMAT, "tenant": tenant.name, "addresses": addresses(tenant)}
    return orjson.dumps({**whole, "documents": tenant.store.dump()})


def parse(tenant: Tenant, raw: bytes | bytearray) -> dict[str, dict[str, Document]]:
    """The documents of an exported state, with the addresses of the tenant that takes them.

    Raises ValueError, whose text says what is wrong.
    """
    head = _HEAD.match(raw)
    if head and (old := [address.decode() for address in head.groups()]) != addresses(tenant):
        raw = _moved(raw, old, addresses(tenant))
    body = _loaded(raw)
    if body.get("addresses") not in (None, addresses(tenant)):
        body = _loaded(_moved(raw, body["addresses"], addresses(tenant)))
    documents = body.get("documents")
    if not isinstance(documents, dict):
        raise ValueError('"documents" must be an object of kinds.')
    for kind, entries in documents.items():
        if not isinstance(entries, dict) or not all(isinstance(item, dict) for item in entries.values()):
            raise ValueError(f'"documents.{kind}" must be an object of objects, by id.')
    return documents


def parse_changes(body: Any) -> dict[str, dict[str, Document | None]]:
    """{"documents": {kind: {id: document, or None to remove it}}}. Raises ValueError, whose text says what is wrong."""
    documents = body.get("documents") if isinstance(body, dict) and set(body) == {"documents"} else None
    if not isinstance(documents, dict) or not all(isinstance(kind, dict) for kind in documents.values()):
        raise ValueError(_PART)
    if not all(item is None or isinstance(item, dict) for kind in documents.values() for item in kind.values()):
        raise ValueError(_PART)
    return documents


def moved(tenant: Tenant, documents: dict[str, dict[str, Document]], old: list[str]) -> dict[str, dict[str, Document]]:
    """The documents of a tenant that had these addresses, with those of this tenant."""
    found: dict[str, dict[str, Document]] = orjson.loads(_moved(orjson.dumps(documents), old, addresses(tenant)))
    return found


def _loaded(raw: bytes | bytearray) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise ValueError(f"Not JSON: {problem}. {_HELP}") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ValueError(_HELP)
    return body


def addresses(tenant: Tenant) -> list[str]:
    """The two that its documents name: for programs, and for browsers."""
    return [f"localhost:{tenant.https_port}", f"localhost:{tenant.http_port}"]


def _moved(raw: bytes | bytearray, old: Any, new: list[str]) -> bytes:
    """Identifiers and links name the tenant's own address; they follow it to another port, in one pass."""
    if not isinstance(old, list) or len(old) != len(new) or not all(isinstance(address, str) for address in old):
        raise ValueError('"addresses" must be the two addresses of the tenant that gave this state.')
    places = {before.encode(): after.encode() for before, after in zip(old, new, strict=True)}
    pattern = b"|".join(re.escape(before) + rb"(?![0-9])" for before in places)
    return re.sub(pattern, lambda match: places[match.group()], raw)
