"""The audit trail without its triggers: as somebody with the database password has it, and as a flush needs it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

migration = importlib.import_module("portal.migrations.0002_audit_is_append_only")


_lifted = False


def unguard() -> None:
    global _lifted
    _run(*migration.UNDO[connection.vendor])
    _lifted = True


def guard_again() -> None:
    """Put the triggers back, where they were lifted."""
    global _lifted
    if _lifted:
        _run(*(migration.SQLITE if connection.vendor == "sqlite" else migration.POSTGRESQL))
    _lifted = False


@contextmanager
def unguarded() -> Iterator[None]:
    unguard()
    yield
    guard_again()


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
