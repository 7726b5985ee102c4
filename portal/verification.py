"""Proving the audit trail as background work: asked for on its page, told entry by entry, its verdict kept as a run."""

from __future__ import annotations

from typing import Any

from portal import audit, runs
from portal.errors import Conflict
from portal.models import AuditEvent, Run, RunEvent
from portal.runs import Progress

RUN_KIND = "portal.verify_audit"


def request(*, actor: Any) -> Run:
    """Queue a proof; the one that is under way already, where there is one."""
    under_way = Run.objects.filter(kind=RUN_KIND).exclude(status__in=Run.FINAL).first()
    return under_way or runs.request(RUN_KIND, actor=actor, title="Verify the audit trail")


def latest() -> Run | None:
    return Run.objects.filter(kind=RUN_KIND).select_related("requested_by").first()


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler. A broken chain fails it, with the sentence that says where."""
    total = AuditEvent.objects.count()

    def tell(count: int) -> None:
        progress.check()
        progress.say(f"{count} of {total} entries are sound.")

    count, problem = audit.verify(tell)
    if problem:
        progress.say(f"The first {count} entries are sound.", level=RunEvent.Level.WARNING)
        raise Conflict(problem)
    progress.say(f"All {count} entries are sound.")
    return {"entries": count}
