"""Background runs of this part; identity.handlers imports this module."""

from __future__ import annotations

from typing import Any

from identity.mfa import population, publish
from portal import runs
from portal.models import Run
from portal.runs import Progress


@runs.handler(publish.RUN_KIND, interrupted=publish.interrupted)
def publish_policy(run: Run, progress: Progress) -> dict[str, Any]:
    return publish.carry_out(run, progress)


@runs.handler(population.RUN_KIND)
def preview_policy(run: Run, progress: Progress) -> dict[str, Any]:
    return population.carry_out(run, progress)
