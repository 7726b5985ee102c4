"""What a tenant holds at its start: `factory` (as Auth0 hands it out), `demo` (Larkspur Outfitters), or a file."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
from collections.abc import Iterator
from pathlib import Path

from sandbox import state
from sandbox.journal import Journal
from sandbox.store import Document, Store
from sandbox.tenant import Tenant

NAMES = ("factory", "demo")
Documents = dict[str, dict[str, Document]]


def apply(tenant: Tenant, name: str) -> None:
    """Replace all documents by the seed's; made once per tenant and process, after that a copy of references.

    With --state it is made once for all: a reset brings back the same ids after a restart, too.
    """
    made: dict[str, Documents] = tenant.memory.setdefault("seeds", {})
    journal: Journal | None = tenant.memory.get("journal")
    if name not in made:
        kept = journal.kept_seed(name) if journal else None
        made[name] = kept if kept is not None else _make(tenant, name)
    tenant.store.load(made[name])
    if journal:
        journal.started_from(name, made[name])
    admit(tenant)


def replace(tenant: Tenant, documents: Documents) -> None:
    """Take a whole state in the place of all documents."""
    tenant.store.load(documents)
    admit(tenant)


def admit(tenant: Tenant) -> None:
    """Whatever the documents are, the program's own machine-to-machine application must be let in."""
    from sandbox.seed import machine

    machine.admit(tenant)


def read_file(tenant: Tenant, path: Path) -> None:
    """Take the seed named after this path from it (JSON as GET /_sandbox/state gives). Raises ValueError, OSError."""
    documents = state.parse(tenant, path.read_bytes())
    servers = documents.get("resource_servers", {}).values()
    if all(server.get("identifier") != tenant.management_audience for server in servers):
        raise ValueError("it has no Management API among its resource servers; take a state from GET /_sandbox/state")
    tenant.memory.setdefault("seeds", {})[str(path)] = documents


def _make(tenant: Tenant, name: str) -> Documents:
    from sandbox.kinds import factory

    scratch = dataclasses.replace(tenant, store=Store())
    with without_collections():
        factory.fill(scratch)
        if name == "demo":
            from sandbox.seed.demo import fill

            fill(scratch)
    return scratch.store.dump()


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """For making tens of thousands of documents that all stay: looking for garbage among them doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
