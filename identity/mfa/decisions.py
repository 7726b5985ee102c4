"""The page of one publication: what it brings, the second person, how it went."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from identity.approval_views import Decision, to_decide
from identity.mfa import publish
from identity.mfa.models import PolicyVersion, Publication
from identity.mfa.publications import effect
from portal.access import PermissionView
from portal.errors import PortalError
from portal.models import AuditEvent


class PublicationPage(PermissionView):
    permission = "mfa.view"
    template = "identity/mfa/publication.html"

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        publication = self.found(pk)
        context: dict[str, Any] = {"publication": publication, "run": publication.run, "next": NEXT[publication.state]}
        if publication.run:
            event = publication.run.result.get("audit_event")
            context["event"] = AuditEvent.objects.filter(pk=event).first() if event else None
        if publication.version and self.person.has_perm("mfa.publish"):
            retry = [tenant, publication.version.policy_id, publication.version.number]
            context["again_url"] = reverse("identity:publish-policy-version", args=retry)
        if publication.version and publication.state == publish.State.REQUESTED:
            context |= self.to_decide(publication, publication.version)
        return render(request, self.template, context)

    def found(self, pk: int) -> Publication:
        found = Publication.objects.select_related("version__policy", "run", "tenant", "requested_by", "decided_by")
        return get_object_or_404(found, pk=pk, tenant=self.tenant)

    def to_decide(self, publication: Publication, version: PolicyVersion) -> dict[str, Any]:
        """What the second person decides with before the eyes."""
        context = to_decide(publish.FOUR_EYES, publication, self.person)
        people = [publication.requested_by, *([self.person] if context["decides"] else [])]
        try:
            looked = effect(self.tenant, version, people)
        except PortalError as error:
            return context | {"unread": error, "stopped": True}
        return context | looked | {"stopped": looked["live"].publication != publication.expected}


class Result(PublicationPage):
    """The end of a publication: htmx asks for it until it is there."""

    template = "identity/mfa/_result.html"


class Decide(Decision, PublicationPage):
    four_eyes = publish.FOUR_EYES


# state -> what happens next, for the person who asked
NEXT: dict[str, str] = {
    "requested": "Somebody else who may approve has to look at it. It waits on their home page.",
    "running": "",
    "live": "The next sign-in of each user whom a rule names meets it. Sessions that are open go on until they end.",
    "replaced": "Another policy is live here now.",
    "removed": "Nobody is asked by this policy any more, from the next sign-in on. The Action is still in the tenant.",
    "refused": "Nothing was written to the tenant. Mend what was refused, and ask again.",
    "withdrawn": "Nothing was written to the tenant.",
    "failed": "What was live before still is, unless a line above says that the code was deployed. Publish again.",
    "cancelled": "What was live before still is, unless a line above says that the code was deployed.",
    "interrupted": "The worker died. Publish again: each step looks first, and does only what is missing.",
}
