"""Jobs as documents, and the work on them, which goes on in this process after the answer that accepted it."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

KEPT_SECONDS = 86_400
_PENDING_SECONDS = 0.05
_ACTIVE = ("pending", "processing")


def prepare(tenant: Tenant) -> None:
    """A job must not go on in the documents that take the place of those it was started in."""

    def watch(kind: str, id: str, document: Document | None) -> None:
        if kind == "*":
            for task in _running(tenant).values():
                task.cancel()

    tenant.store.watchers.append(watch)


def create(tenant: Tenant, type: str, **fields: Any) -> Document:
    """A pending job; those whose day is over go. `fields` that are None are left out."""
    for old in list(tenant.store.all("jobs")):
        if _is_over(tenant, old):
            tenant.store.remove("jobs", old["id"])
    id = new_id("job_")
    kept = {name: value for name, value in fields.items() if value is not None}
    job = {"type": type, "status": "pending", "created_at": tenant.timestamp(), "id": id, **kept}
    return tenant.store.put("jobs", id, {**job, "_forgotten_at": tenant.now() + KEPT_SECONDS})


def find(tenant: Tenant, id: str) -> Document | None:
    """The job of the last 24 hours; one whose process was killed has failed."""
    job = tenant.store.get("jobs", id)
    if job is None or _is_over(tenant, job):
        return None
    if job["status"] in _ACTIVE and id not in _running(tenant):
        return change(tenant, id, status="failed", status_details="The job was interrupted. Start it again.")
    return job


def change(tenant: Tenant, id: str, **fields: Any) -> Document:
    """Raises KeyError where the job is gone."""
    job = tenant.store.get("jobs", id)
    if job is None:
        raise KeyError(id)
    return tenant.store.put("jobs", id, {**job, **fields})


def active(tenant: Tenant, type: str) -> int:
    """How many jobs of this type run now."""
    return sum((tenant.store.get("jobs", id) or {}).get("type") == type for id in _running(tenant))


def begin(tenant: Tenant, id: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` after the job was pending for a moment. Call within a running event loop."""

    async def run() -> None:
        try:
            await asyncio.sleep(_PENDING_SECONDS)
            await work()
        except Exception:
            print(f"job {id} failed:", file=sys.stderr)  # noqa: T201 - the program's own log
            traceback.print_exc()
            change(tenant, id, status="failed", status_details="An internal error occurred.")
        finally:
            _running(tenant).pop(id, None)

    _running(tenant)[id] = asyncio.get_running_loop().create_task(run())


def _is_over(tenant: Tenant, job: Document) -> bool:
    return bool(job["_forgotten_at"] <= tenant.now())


def _running(tenant: Tenant) -> dict[str, asyncio.Task[None]]:
    """id -> task of the jobs that run in this process."""
    found: dict[str, asyncio.Task[None]] = tenant.memory.setdefault("running_jobs", {})
    return found
