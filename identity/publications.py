"""What MFA policies and database scripts share: versions that never change, and acts that bring one to a tenant."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from portal.errors import Cancelled
from portal.models import Run

PERSON = settings.AUTH_USER_MODEL


class AbstractVersion(models.Model):
    """What was published, or stood ready to be. A subclass says of what, and that its number is unique there."""

    number = models.PositiveIntegerField()
    comment = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["-number"]


class AbstractPublication(models.Model):
    """One act on a tenant, carried out by a run. A subclass adds `tenant`, `version`, `kind`, `state`, and constraints:
    one act at a time, and one version live, for each value of the fields `one_live_per`.
    """

    RUNNING, LIVE, FAILED, CANCELLED, INTERRUPTED = "running", "live", "failed", "cancelled", "interrupted"
    one_live_per: ClassVar[tuple[str, ...]] = ("tenant",)

    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def end(self: Any, state: str, *, retires_to: str = "") -> None:
        """The one door out of "running"; nothing happens to an act that has ended. `retires_to`: the state of what
        was live there until now.
        """
        with transaction.atomic():
            mine = type(self).objects.filter(pk=self.pk, state=self.RUNNING)
            if retires_to and mine.exists():
                here = {name: getattr(self, name) for name in self.one_live_per}
                type(self).objects.filter(**here, state=self.LIVE).update(state=retires_to)
            mine.update(state=state, finished_at=timezone.now())
        self.refresh_from_db(fields=["state"])

    def break_off(self, error: BaseException) -> None:
        """It did not reach its end."""
        self.end(self.CANCELLED if isinstance(error, Cancelled) else self.FAILED)

    @classmethod
    def interrupted(cls: Any, run: Run) -> None:
        """The worker died, or the run was cancelled before it began: make room, under a name that says so."""
        state = cls.CANCELLED if run.status == Run.Status.CANCELLED else cls.INTERRUPTED
        for publication in cls.objects.filter(run=run, state=cls.RUNNING):
            publication.end(state)
