"""Background runs of this part, and what waits for a person; identity.handlers imports this module."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from identity.mfa import applying, population, publish
from identity.mfa.models import Publication
from portal import runs
from portal.models import Run, Tenant
from portal.runs import Progress


@runs.handler(publish.RUN_KIND, interrupted=Publication.interrupted, page=runs.page_in(Publication))
def publish_policy(run: Run, progress: Progress) -> dict[str, Any]:
    return applying.carry_out(run, progress)


@runs.handler(population.RUN_KIND, page=population.page)
def preview_policy(run: Run, progress: Progress) -> dict[str, Any]:
    return population.carry_out(run, progress)


def waiting(user: Any) -> list[dict[str, str]]:
    """Acts that did not reach their end, for whoever may start them again."""
    if not user.has_perm("mfa.publish"):
        return []
    return [
        {
            "title": f"{act} did not reach its end",
            "url": reverse("identity:publication", args=[act.tenant.slug, act.pk]),
            "detail": f"{act.get_state_display()}, asked for by {act.requested_by.email}",
        }
        for act in filter(None, map(publish.unfinished, Tenant.objects.all()))
    ]


runs.WAITING += [publish.FOUR_EYES.waiting_for, waiting]
