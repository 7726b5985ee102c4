"""Publishing, rolling back and taking away: the confirmation that shows all it will do, and the result."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from identity.mfa import drafts, guard, login_flow, publish
from identity.mfa import policy as policies
from identity.mfa.forms import PublishForm, RemoveForm
from identity.mfa.models import Policy, PolicyVersion, Publication
from portal.access import PermissionView
from portal.errors import Conflict, Refused
from portal.models import AuditEvent

Kind = Publication.Kind


class Publish(PermissionView):
    """The draft of a policy. GET looks at the tenant and shows what would happen; POST asks for it."""

    permission = "mfa.publish"
    kind = Kind.PUBLISH

    def get(self, request: HttpRequest, tenant: str, pk: int, number: int | None = None) -> HttpResponse:
        return self.show(self.version(pk, number))

    def post(self, request: HttpRequest, tenant: str, pk: int, number: int | None = None) -> HttpResponse:
        version = self.version(pk, number)
        looked = self.look(version)
        form = self.form(looked, request.POST)
        if not form.is_valid():
            return self.show(version, looked, form, status=422)
        given = form.cleaned_data
        self.unchanged(version.policy, given["revision"])
        publication = publish.request(
            self.tenant,
            version if version.pk else drafts.version_of(version.policy, comment=given["comment"], actor=self.person),
            kind=self.kind,
            actor=self.person,
            expected=given["expected"],
            reason=given["reason"],
            ticket=given["ticket"],
            accepted_lockouts=[person.user_id for person in looked["locked_out"]],
            customize=given.get("customize", False),
        )
        return redirect("identity:publication", tenant, publication.pk)

    def version(self, pk: int, number: int | None) -> PolicyVersion:
        policy = get_object_or_404(Policy.objects.select_related("updated_by"), pk=pk)
        return get_object_or_404(policy.versions, number=number) if number else drafts.candidate(policy)

    def look(self, version: PolicyVersion) -> dict[str, Any]:
        """Everything that the confirmation shows, read from the tenant."""
        live, rules = login_flow.live(self.tenant), policies.from_json(version.content)
        settings = login_flow.mfa_settings(self.tenant)
        people = guard.check(self.tenant, version.code, settings, actor=self.person)
        return {
            "live": live,
            "problems": settings.problems(rules),
            "remarks": settings.remarks(rules),
            "customizable": settings.customizable,
            "people": people,
            "locked_out": guard.locked_out(people),
            "difference": drafts.difference(live.deployed_code, version.code, name="action.js"),
        }

    def form(self, looked: dict[str, Any], data: Any = None, **initial: Any) -> PublishForm:
        return PublishForm(
            data,
            tenant=self.tenant,
            locked_out=len(looked["locked_out"]),
            customizable=looked["customizable"],
            initial=initial,
        )

    def show(
        self,
        version: PolicyVersion,
        looked: dict[str, Any] | None = None,
        form: PublishForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        looked = looked or self.look(version)
        expected = looked["live"].publication
        shown = {"revision": version.policy.revision, "expected": expected.pk if expected else None}
        context = {
            "version": version,
            "policy": version.policy,
            "kind": self.kind,
            "form": form or self.form(looked, **shown),
            "sentences": policies.sentences(policies.from_json(version.content)),
            # What the person can't mend by a tick in this form.
            "refused": [p for p in looked["problems"] if looked["customizable"] or "Customize" not in p],
            **looked,
        }
        return render(self.request, "identity/mfa/publish.html", context, status=status)

    def unchanged(self, policy: Policy, revision: int) -> None:
        if policy.revision != revision:
            raise Conflict(
                f"{policy.updated_by.email} has changed the draft of “{policy.name}” while this page was open. "
                "Nothing was published. Look at it again."
            )


class PublishVersion(Publish):
    """A version that stands already, to another tenant."""

    def unchanged(self, policy: Policy, revision: int) -> None:
        """A version never changes."""


class RollBack(PublishVersion):
    """Only to what was live in this tenant before: a right to roll back is none to publish something new."""

    permission = "mfa.roll_back"
    kind = Kind.ROLL_BACK

    def version(self, pk: int, number: int | None) -> PolicyVersion:
        version = super().version(pk, number)
        if not publish.was_live(self.tenant, version):
            raise Refused(f"{version} was never live in {self.tenant}, so there is nothing to roll back to.")
        return version


class Remove(PermissionView):
    """Take the policy out of the tenant's login flow."""

    permission = "mfa.publish"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        live = login_flow.live(self.tenant)
        return self.show(RemoveForm(tenant=self.tenant, initial={"expected": live.publication and live.publication.pk}))

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        form = RemoveForm(request.POST, tenant=self.tenant)
        if not form.is_valid():
            return self.show(form, status=422)
        given = form.cleaned_data
        publication = publish.request(
            self.tenant,
            None,
            kind=Kind.REMOVE,
            actor=self.person,
            expected=given["expected"],
            reason=given["reason"],
            ticket=given["ticket"],
        )
        return redirect("identity:publication", tenant, publication.pk)

    def show(self, form: RemoveForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "live": login_flow.live(self.tenant)}
        return render(self.request, "identity/mfa/remove.html", context, status=status)


class PublicationPage(PermissionView):
    permission = "mfa.view"
    template = "identity/mfa/publication.html"

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        found = Publication.objects.select_related("version__policy", "run", "requested_by")
        publication = get_object_or_404(found, pk=pk, tenant=self.tenant)
        context: dict[str, Any] = {"publication": publication, "run": publication.run, "next": NEXT[publication.state]}
        if publication.run:
            event = publication.run.result.get("audit_event")
            context["event"] = AuditEvent.objects.filter(pk=event).first() if event else None
        if publication.version:
            retry = [tenant, publication.version.policy_id, publication.version.number]
            context["again_url"] = reverse("identity:publish-policy-version", args=retry)
        return render(request, self.template, context)


class Result(PublicationPage):
    """The end of a publication: htmx asks for it until it is there."""

    template = "identity/mfa/_result.html"


# state -> what happens next, for the person who asked
NEXT: dict[str, str] = {
    "running": "",
    "live": "The next sign-in of each user whom a rule names meets it. Sessions that are open go on until they end.",
    "replaced": "Another policy is live here now.",
    "removed": "Nobody is asked by this policy any more, from the next sign-in on. The Action is still in the tenant.",
    "failed": "What was live before still is, unless a line above says that the code was deployed. Publish again.",
    "cancelled": "What was live before still is, unless a line above says that the code was deployed.",
    "interrupted": "The worker died. Publish again: each step looks first, and does only what is missing.",
}
