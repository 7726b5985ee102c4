"""What the pages of publications share where a second person decides."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from identity.approvals import REFUSED, REQUESTED, WITHDRAWN, FourEyes
from portal.access import PermissionView, check
from portal.errors import Invalid, PortalError
from portal.models import AuditEvent


class PublicationPage(PermissionView):
    """One publication: what it brings, the second person, how it went. A subclass says of what.

    `told`: state -> what happens next, for the person who asked; those of WAITS need not be in it.
    """

    four_eyes: ClassVar[FourEyes]
    template: ClassVar[str]
    told: ClassVar[dict[str, str]]
    related: ClassVar[tuple[str, ...]] = ("version",)

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        publication = self.found(pk)
        told = (WAITS | self.told)[publication.state]
        context: dict[str, Any] = {"publication": publication, "run": publication.run, "next": told}
        if publication.run:
            event = publication.run.result.get("audit_event")
            context["event"] = AuditEvent.objects.filter(pk=event).first() if event else None
        if publication.state == REQUESTED:
            context |= self.to_decide(publication)
        return render(request, self.template, context | self.more(publication))

    def found(self, pk: int) -> Any:
        found = self.four_eyes.model.objects.select_related(
            "tenant", "requested_by", "decided_by", "run", *self.related
        )
        return get_object_or_404(found, pk=pk, tenant=self.tenant)

    def to_decide(self, publication: Any) -> dict[str, Any]:
        """For identity/_decision_acts.html and _decision_dialogs.html, with what `looked` shows."""
        mine = publication.requested_by_id == self.person.pk
        decides = not mine and self.person.has_perm(self.four_eyes.decides)
        context = {"mine": mine, "decides": decides, "sha256": self.four_eyes.sha256(publication)}
        if decides:
            context["next"] = DECIDE
        try:
            return context | self.looked(publication, decides=decides)
        except PortalError as error:
            return context | {"unread": error, "stopped": True}

    def looked(self, publication: Any, *, decides: bool) -> dict[str, Any]:
        """What the second person decides with before the eyes; "stopped" where it can't be approved any more."""
        raise NotImplementedError

    def more(self, publication: Any) -> dict[str, Any]:
        return {}


class Decision:
    """POST of "approve", "refuse" or "withdraw"; beside a PublicationPage."""

    def post(self: Any, request: HttpRequest, tenant: str, pk: int, act: str) -> HttpResponse:
        publication, reason = self.found(pk), request.POST.get("reason", "").strip()[:500]
        if act != "withdraw":
            check(request.user, self.four_eyes.decides)
        if act == "approve":
            named(request, publication)
            sha256 = request.POST.get("sha256", "")
            self.four_eyes.approve(publication, actor=self.person, sha256=sha256, reason=reason)
        elif act == "refuse":
            self.four_eyes.refuse(publication, actor=self.person, reason=reason)
        else:
            self.four_eyes.withdraw(publication, actor=self.person)
        messages.success(request, DECIDED[act])
        return redirect(publication)


def named(request: HttpRequest, publication: Any) -> None:
    """Raises Invalid unless the tenant's name was typed."""
    if not publication.tenant.is_named(request.POST.get("typed_name", "")):
        raise Invalid(f"{publication.tenant.confirmation}.")


# What happens next with what waits for a second person, or has had one who said no.
WAITS: dict[str, str] = {
    REQUESTED: "Somebody else who may approve has to look at it. It waits on their home page.",
    REFUSED: "Nothing was written to the tenant. Mend what was refused, and ask again.",
    WITHDRAWN: "Nothing was written to the tenant.",
}
DECIDE = "You can be that person: read what it would do, then approve or refuse it."
DECIDED: dict[str, str] = {
    "approve": "Approved. It is being published now.",
    "refuse": "Refused. Nothing was written to the tenant.",
    "withdraw": "Withdrawn. Nothing was written to the tenant.",
}
