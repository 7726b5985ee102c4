"""What the pages of publications share where a second person decides."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from identity.approvals import FourEyes
from portal.access import check
from portal.errors import Invalid


def to_decide(four_eyes: FourEyes, publication: Any, person: Any) -> dict[str, Any]:
    """What identity/_decision_acts.html and _decision_dialogs.html show; for who may decide, `next` says so too."""
    mine = publication.requested_by_id == person.pk
    decides = not mine and person.has_perm(four_eyes.decides)
    context = {"mine": mine, "decides": decides, "sha256": four_eyes.sha256(publication)}
    return context | {"next": DECIDE} if decides else context


class Decision:
    """POST of "approve", "refuse" or "withdraw"; beside a PermissionView that has `found(pk)`."""

    four_eyes: ClassVar[FourEyes]

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
        raise Invalid(f"Type {publication.tenant.slug} to confirm that this is for {publication.tenant}.")


DECIDE = "You can be that person: read what it would do, then approve or refuse it."
DECIDED: dict[str, str] = {
    "approve": "Approved. It is being published now.",
    "refuse": "Refused. Nothing was written to the tenant.",
    "withdraw": "Withdrawn. Nothing was written to the tenant.",
}
