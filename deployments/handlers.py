"""The kinds of background run of this app."""

from __future__ import annotations

from typing import Any

from deployments import applying, promotions, snapshots
from portal import runs
from portal.models import Run
from portal.runs import Progress


@runs.handler("deployments.export")
def export(run: Run, progress: Progress) -> dict[str, Any]:
    return {"snapshot": snapshots.export(run, progress).pk}


@runs.handler("deployments.apply", interrupted=promotions.interrupted)
def apply(run: Run, progress: Progress) -> dict[str, Any]:
    return applying.apply(run, progress)


runs.WAITING.append(promotions.waiting_for)
