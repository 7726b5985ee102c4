"""Four eyes: what is asked for on a protected tenant waits until somebody else has read it and decided.

        requested ──> running, and on as any publication
            └──> refused | withdrawn

The work itself belongs to the part that publishes; it starts when the second person approves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from identity.publications import PERSON
from portal import access, audit, runs, tenants
from portal.errors import Conflict, Refused

REQUESTED, RUNNING, REFUSED, WITHDRAWN = "requested", "running", "refused", "withdrawn"


class AbstractDecision(models.Model):
    """Who decided about a publication, when and why; all empty where it needed no second person."""

    decided_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    decision_reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


def by_two(name: str) -> models.CheckConstraint:
    """The database's own word: who asked is not who decided."""
    return models.CheckConstraint(
        condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("requested_by")), name=name
    )


@dataclass(frozen=True)
class FourEyes:
    """How one kind of publication is decided about.

    `asks`, `decides`: permissions, which are the verbs of the audit trail too. `about`: what an audit entry says it is
    about. `sha256`: of what would be published. `start`: requests the run, inside the transaction of the approval.
    """

    model: Any
    asks: str
    decides: str
    about: Callable[[Any], dict[str, Any]]
    sha256: Callable[[Any], str]
    start: Callable[[Any], None]

    def record_request(self, publication: Any) -> None:
        audit.record(
            publication.requested_by, self.asks, reason=publication.reason, ticket=publication.ticket,
            outcome="succeeded", after=self._after(publication), detail="Asked for approval", **self.about(publication),
        )  # fmt: skip

    def approve(self, publication: Any, *, actor: User, sha256: str, reason: str = "") -> None:
        """By somebody else than who asked, and for exactly what was looked at (`sha256`). Starts the run.

        Raises Refused for who asked, MissingScope where the run could not come to its end, Conflict where it is
        something else, somebody was faster, or another act runs.
        """
        with self._deciding(publication, actor, reason) as entry:
            tenants.require(publication.tenant, self.decides)
            if sha256 != self.sha256(publication):
                raise Conflict("This is not what you looked at. Read it again before you approve.")
            entry.after, entry.detail = self._after(publication), "Approved"
            try:
                with transaction.atomic():
                    self._move(publication, RUNNING, actor, decision_reason=reason)
                    self.start(publication)
            except IntegrityError:
                raise Conflict(
                    f"Another act on {publication.tenant} is under way. Wait for it to end, then look again."
                ) from None

    def refuse(self, publication: Any, *, actor: User, reason: str) -> None:
        """The second person says no; the reason is for who asked. Raises as `approve` does, and Invalid without one."""
        reason = audit.required_reason(reason)
        with self._deciding(publication, actor, reason) as entry:
            entry.detail = "Refused"
            self._move(publication, REFUSED, actor, decision_reason=reason, finished_at=timezone.now())

    def withdraw(self, publication: Any, *, actor: User) -> None:
        """Who asked gives it up, before anybody has decided."""
        with audit.recorded(actor, self.asks, **self.about(publication)) as entry:
            if actor.pk != publication.requested_by_id:
                raise Refused("Only who asked for this can withdraw it. Refuse it instead.")
            entry.detail = "Withdrawn"
            self._move(publication, WITHDRAWN, None, finished_at=timezone.now())

    def waiting_for(self, user: Any) -> list[dict[str, str]]:
        """For the home page: what somebody else has asked this person to approve, and what was refused to them."""
        held = access.permissions_of(user)
        found = self.model.objects.select_related("tenant", "version", "requested_by", "decided_by")
        asked = found.filter(state=REQUESTED).exclude(requested_by=user) if self.decides in held else []
        told = found.filter(state=REFUSED, requested_by=user, decided_at__gte=timezone.now() - runs.REFUSAL_TOLD_FOR)
        return [_waiting(one, f"{one.requested_by.email} asks for approval.") for one in asked] + [
            _waiting(one, f"Refused by {one.decided_by.email}: {one.decision_reason}") for one in told
        ]

    @contextmanager
    def _deciding(self, publication: Any, actor: User, reason: str) -> Iterator[audit.Entry]:
        """Records the decision, also one that may not be taken."""
        where = self.about(publication)
        with audit.recorded(actor, self.decides, reason=reason, ticket=publication.ticket, **where) as entry:
            if actor.pk == publication.requested_by_id:
                raise Refused("You asked for this yourself. On a protected tenant somebody else has to approve it.")
            yield entry

    def _move(self, publication: Any, state: str, decided_by: User | None, **fields: Any) -> None:
        """The one door of a decision: of two people who press at once, one wins. Raises Conflict for the other."""
        if decided_by:
            fields |= {"decided_by": decided_by, "decided_at": timezone.now()}
        waiting = self.model.objects.filter(pk=publication.pk, state=REQUESTED)
        moved = waiting.update(state=state, **fields)
        publication.refresh_from_db()
        if not moved:
            raise Conflict(f"Somebody was faster: this is {publication.get_state_display().lower()} already.")

    def _after(self, publication: Any) -> dict[str, Any]:
        return {"version": publication.version.number, "sha256": self.sha256(publication)}


def _waiting(publication: Any, detail: str) -> dict[str, str]:
    return {"title": str(publication), "url": publication.get_absolute_url(), "detail": detail}
