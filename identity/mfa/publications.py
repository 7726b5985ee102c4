"""Publishing, rolling back and taking away: the confirmation that shows all it will do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from identity.mfa import drafts, guard, login_flow, publish
from identity.mfa import policy as policies
from identity.mfa.forms import PublishForm, RemoveForm
from identity.mfa.models import Policy, PolicyVersion, Publication
from portal.access import PermissionView
from portal.errors import Refused
from portal.models import Tenant

Kind = Publication.Kind
LOOK_AGAIN = "Nothing was done. Look at it again, then confirm."


class Publish(PermissionView):
    """The draft of a policy. GET looks at the tenant and shows what would happen; POST asks for it."""

    permission = "mfa.publish"
    kind = Kind.PUBLISH
    # A draft may change while the page is open; a version never does.
    is_draft = True

    def get(self, request: HttpRequest, tenant: str, pk: int, number: int | None = None) -> HttpResponse:
        return self.show(self.version(pk, number))

    def post(self, request: HttpRequest, tenant: str, pk: int, number: int | None = None) -> HttpResponse:
        version = self.version(pk, number)
        looked = effect(self.tenant, version, [self.person])
        form = self.form(looked, request.POST)
        if not form.is_valid():
            return self.show(version, looked, form, status=422)
        given = form.cleaned_data
        if problem := self.overtaken(version.policy, looked["live"].publication, given):
            return self.show(version, looked, form.shown_again(problem, **_on_screen(version, looked)), status=409)
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
        return redirect(publication)

    def version(self, pk: int, number: int | None) -> PolicyVersion:
        policy = get_object_or_404(Policy.objects.select_related("updated_by"), pk=pk)
        return get_object_or_404(policy.versions, number=number) if number else drafts.candidate(policy)

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
        looked = looked or effect(self.tenant, version, [self.person])
        form = form or self.form(looked, **_on_screen(version, looked))
        asks = publish.needs_approval(self.tenant, self.kind)
        context = {"policy": version.policy, "kind": self.kind, "asks": asks, "form": form, **looked}
        return render(self.request, "identity/mfa/publish.html", context, status=status)

    def overtaken(self, policy: Policy, live: Publication | None, given: dict[str, Any]) -> str:
        """What has changed while the page was open; "" where nothing has."""
        if self.is_draft and policy.revision != given["revision"]:
            return f"{policy.updated_by.email} has changed the draft while this page was open. {LOOK_AGAIN}"
        if _key(live) != given["expected"]:
            return publish.overtaken(self.tenant, live)
        return ""


class PublishVersion(Publish):
    """A version that stands already, to another tenant."""

    is_draft = False


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
        given, live = form.cleaned_data, login_flow.current_publication(self.tenant)
        if _key(live) != given["expected"]:
            return self.show(form.shown_again(publish.overtaken(self.tenant, live), expected=_key(live)), status=409)
        publication = publish.request(
            self.tenant,
            None,
            kind=Kind.REMOVE,
            actor=self.person,
            expected=given["expected"],
            reason=given["reason"],
            ticket=given["ticket"],
        )
        return redirect(publication)

    def show(self, form: RemoveForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "live": login_flow.live(self.tenant)}
        return render(self.request, "identity/mfa/remove.html", context, status=status)


def _on_screen(version: PolicyVersion, looked: dict[str, Any]) -> dict[str, Any]:
    """The hidden fields by which a confirmation knows later what it showed."""
    return {"revision": version.policy.revision, "expected": _key(looked["live"].publication)}


def _key(live: Publication | None) -> int | None:
    return live.pk if live else None


def effect(tenant: Tenant, version: PolicyVersion, actors: list[User]) -> dict[str, Any]:
    """What the version would do here, read from the tenant: for who asks for it, and for who approves it."""
    live, rules = login_flow.live(tenant), policies.from_json(version.content)
    settings = login_flow.mfa_settings(tenant)
    people = guard.check(tenant, version.code, settings, actors=actors)
    problems = settings.problems(rules)
    return {
        "version": version,
        "live": live,
        "sentences": policies.sentences(rules),
        # What the person can't mend by a tick in the form.
        "refused": [p for p in problems if settings.customizable or "Customize" not in p],
        "remarks": settings.remarks(rules),
        "customizable": settings.customizable,
        "people": people,
        "locked_out": guard.locked_out(people),
        "difference": drafts.difference(live.deployed_code, version.code, name="action.js"),
    }
