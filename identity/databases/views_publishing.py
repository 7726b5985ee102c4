"""Publishing and rolling back: the confirmation that shows all it will do, the second person, and the result."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from identity import approval_views
from identity.approval_views import Decision
from identity.databases import checks, drift, options, preflight, publish, scripts
from identity.databases.forms import ConfirmForm, PublishForm
from identity.databases.models import DatabasePublication, DatabaseVersion, named
from identity.databases.preflight import SCOPES
from identity.databases.scripts import Content
from identity.databases.views import ConnectionView
from portal.errors import Refused

CHANGED = "What this page shows has changed while it was open. Nothing was done. Look at it again, then confirm."


class Publish(ConnectionView):
    """The working copy to its tenant. GET looks at everything; POST asks for it."""

    permission = "databases.publish"

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        return self.page(self.checked())

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        found = self.checked()
        form = self.form(found, request.POST)
        if not form.is_valid():
            return self.page(found, form, status=422)
        given = form.cleaned_data
        if (given["expected"], given["revision"]) != (self.live.content.sha256, self.revision):
            form.shown_again(CHANGED, expected=self.live.content.sha256, revision=self.revision)
            return self.page(found, form, status=409)
        publication = publish.request(
            self.live, self.working, actor=self.person, comment=given["comment"], reason=given["reason"],
            ticket=given["ticket"], untested_reason=given.get("untested_reason", ""), expected=given["expected"],
        )  # fmt: skip
        return redirect(publication)

    @property
    def revision(self) -> int:
        return self.draft.revision if self.draft else 0

    def checked(self) -> list[preflight.Check]:
        if self.draft is None:
            raise Refused("There is no working copy to publish. Import what is live, or generate scripts first.")
        return preflight.look(self.live, self.working)

    def form(self, found: list[preflight.Check], data: Any = None, **initial: Any) -> PublishForm:
        warned = any(one.status == "warning" for one in found)
        return PublishForm(data, tenant=self.tenant, warned=warned, initial=initial)

    def page(self, found: list[preflight.Check], form: PublishForm | None = None, status: int = 200) -> HttpResponse:
        settings = checks.settings_of(self.tenant, self.live.id)
        return self.show(
            "publish", "", status=status,
            form=form or self.form(found, expected=self.live.content.sha256, revision=self.revision),
            checks=found, refused=[one for one in found if one.status == "error"],
            difference=scripts.difference(self.live.content, self.working), settings=settings,
            keys=checks.configuration_keys(self.live), left_out=options.left_out(self.live.options),
            working=self.working,
        )  # fmt: skip


class RollBack(ConnectionView):
    """One act: what was live here before is live again."""

    permission = "databases.publish"

    def get(self, request: HttpRequest, tenant: str, connection: str, number: int) -> HttpResponse:
        self.look(connection)
        version = self.version(number)
        return self.page(version, ConfirmForm(tenant=self.tenant, initial={"expected": self.live.content.sha256}))

    def post(self, request: HttpRequest, tenant: str, connection: str, number: int) -> HttpResponse:
        self.look(connection)
        version = self.version(number)
        form = ConfirmForm(request.POST, tenant=self.tenant)
        if not form.is_valid():
            return self.page(version, form, status=422)
        given = form.cleaned_data
        if given["expected"] != self.live.content.sha256:
            return self.page(version, form.shown_again(CHANGED, expected=self.live.content.sha256), status=409)
        publication = publish.roll_back(
            self.live, version, actor=self.person, reason=given["reason"], ticket=given["ticket"],
            expected=given["expected"],
        )  # fmt: skip
        return redirect(publication)

    def version(self, number: int) -> DatabaseVersion:
        found = DatabaseVersion.objects.filter(**named(self.tenant, self.live.id)).select_related("author", "tenant")
        version = get_object_or_404(found, number=number)
        if not publish.was_live(version):
            raise Refused(f"{version} was never live in {self.tenant}, so there is nothing to roll back to.")
        return version

    def page(self, version: DatabaseVersion, form: ConfirmForm, status: int = 200) -> HttpResponse:
        content = Content.from_json(version.content)
        difference = scripts.difference(self.live.content, content)
        gone = sorted(set(version.configuration_keys) - set(self.live.configuration_keys))
        # The button itself says which scope is missing.
        refused = [one for one in preflight.access(self.live) if one.status == "error" and one.label != SCOPES]
        return self.show(
            "roll_back", "", status=status, version=version, form=form, difference=difference, gone=gone,
            refused=refused,
        )  # fmt: skip


# state -> what happens next, for the person who asked
TOLD: dict[str, str] = {
    "running": "",
    "live": "The next sign-in with this connection runs these scripts. Users who are signed in notice nothing.",
    "replaced": "Other scripts are live here now.",
    "failed": "What was live before still is, unless a line below says that the options were written. Publish again.",
    "cancelled": "What was live before still is, unless a line below says that the options were written.",
    "interrupted": "The worker died. Publish again: it looks first, and what is there already is no problem.",
}


class Publication(approval_views.PublicationPage):
    """One publication: what it changes, who decides, how it went."""

    permission = "databases.view"
    template = "identity/databases/publication.html"
    four_eyes = publish.FOUR_EYES
    told = TOLD

    def looked(self, publication: DatabasePublication, *, decides: bool) -> dict[str, Any]:
        """The difference from what is live now."""
        live = drift.read(self.tenant, publication.connection_id)
        overtaken = live.content.sha256 != publication.expected_sha256
        changed = publish.changed_settings(publication)
        return {
            "difference": scripts.difference(live.content, Content.from_json(publication.version.content)),
            "overtaken": overtaken, "changed_settings": changed, "stopped": overtaken or changed,
        }  # fmt: skip


class Result(Publication):
    """The part that htmx asks for until the run has ended."""

    template = "identity/databases/_result.html"


class Decide(Decision, Publication):
    pass
