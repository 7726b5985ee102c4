"""The kinds of background run of this app."""

from __future__ import annotations

from typing import Any

from deployments import applying, promotions, snapshots
from deployments.models import Promotion, Snapshot
from portal import runs
from portal.models import Run
from portal.runs import Progress


@runs.handler("deployments.export", page=runs.page_in(Snapshot))
def export(run: Run, progress: Progress) -> dict[str, Any]:
    return {"snapshot": snapshots.export(run, progress).pk}


@runs.handler("deployments.apply", interrupted=promotions.interrupted, page=runs.page_in(Promotion))
def apply(run: Run, progress: Progress) -> dict[str, Any]:
    return applying.apply(run, progress)


runs.WAITING.append(promotions.waiting_for)
