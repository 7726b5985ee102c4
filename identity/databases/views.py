"""The overview, one connection with its versions, comparisons, and taking scripts over into the working copy."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from identity.databases import checks, drift, lint, publish, scripts
from identity.databases.drift import Live
from identity.databases.forms import chosen
from identity.databases.models import DatabaseDraft, DatabasePublication, DatabaseVersion, named
from identity.databases.scripts import Content
from portal import tenants
from portal.access import PermissionView
from portal.errors import Conflict

RECENT = 10
# What identity/_acts.html shows of a publication.
OF_AN_ACT = ("version", "requested_by", "decided_by", "tenant")
# How long the overview waits for the linter (half a second a connection); the page asks again for the rest.
LINT_SECONDS = 3.0


class ConnectionView(PermissionView):
    """A page about one connection: `look` reads it, `show` puts what all of these pages need into the template."""

    permission: str | None = "databases.view"
    live: Live
    draft: DatabaseDraft | None

    def look(self, connection: str) -> None:
        self.live = drift.read(self.tenant, connection)
        self.draft = scripts.draft_of(self.tenant, connection)

    @property
    def working(self) -> Content:
        """The working copy; before there is one, what is live."""
        return Content.from_json(self.draft.content) if self.draft else self.live.content

    @property
    def place(self) -> dict[str, str]:
        return {"id": self.live.id, "name": self.live.name}

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"identity:{name}", args=[self.tenant.slug, self.live.id, *args])

    def show(self, template: str, active: str, *, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"live": self.live, "draft": self.draft, "tabs": self.tabs(active)}
        return render(self.request, f"identity/databases/{template}.html", context, status=status)

    def tabs(self, active: str) -> list[dict[str, Any]]:
        return [
            {"label": label, "icon": icon, "url": self.url(name), "active": name == active}
            for name, label, icon, permission in TABS
            if self.person.has_perm(permission)
        ]


# url name, words, icon, permission
TABS = (
    ("database", "Overview", "database", "databases.view"),
    ("edit-database", "Scripts", "code", "databases.view"),
    ("database-settings", "Settings", "key", "databases.view"),
    ("database-tests", "Contract tests", "test-pipe", "databases.view"),
    ("database-checklist", "Checklist", "checklist", "databases.view"),
    ("rehearse-database", "Rehearse", "player-play", "databases.test"),
)


class Databases(PermissionView):
    """All database connections of the tenant."""

    permission = "databases.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        connections = drift.read_all(self.tenant)
        acts = DatabasePublication.objects.filter(tenant=self.tenant).select_related(*OF_AN_ACT)
        rows = self.rows(connections)
        context = {
            "rows": rows,
            "unread": any(row.get("lint", "") is None for row in rows),
            "hidden": any(not live.readable for live in connections),
            "acts": acts[:RECENT],
        }
        return render(request, "identity/databases/databases.html", context)

    def rows(self, connections: list[Live]) -> list[dict[str, Any]]:
        drafts = {one.connection_id: one for one in DatabaseDraft.objects.filter(tenant=self.tenant)}
        until = time.monotonic() + LINT_SECONDS
        return [_row(live, drafts.get(live.id), wait=time.monotonic() < until) for live in connections]


class Database(ConnectionView):
    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        working = self.working
        found = checks.findings(self.live, working) if working.scripts else []
        test, status = checks.latest_test(self.tenant, connection, working)
        where = named(self.tenant, connection)
        acts = DatabasePublication.objects.filter(**where).select_related(*OF_AN_ACT)
        were_live = publish.were_live(self.tenant, connection)
        return self.show(
            "database", "database",
            working=working,
            lint_status=checks.lint_status(found), number=lint.counted(found),
            test=test, test_status=status,
            changed=bool(self.draft) and working != self.live.content,
            versions=[self.version_row(one, were_live) for one in scripts.versions(self.tenant, connection)],
            acts=acts[:RECENT],
            waiting=acts.filter(state=DatabasePublication.State.REQUESTED).first(),
        )  # fmt: skip

    def version_row(self, version: DatabaseVersion, were_live: set[str]) -> dict[str, Any]:
        """A line of identity/_versions.html."""
        is_live = version == self.live.version
        returnable = not is_live and version.sha256 in were_live and self.person.has_perm("databases.publish")
        return {
            "version": version,
            "url": self.url("database-version", version.number),
            "is_live": is_live,
            "roll_back_url": self.url("roll-back-database", version.number) if returnable else "",
        }


class Compare(ConnectionView):
    """Two of: what is live, the working copy, any version."""

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        sides = self.sides()
        names = [*sides]
        before = chosen(request.GET, "from", names, "live")
        after = chosen(request.GET, "to", names, "draft" if "draft" in sides else names[-1])
        difference = scripts.difference(sides[before][1], sides[after][1])
        choices = [(name, label) for name, (label, _) in sides.items()]
        return self.show("compare", "", choices=choices, before=before, after=after, difference=difference)

    def sides(self) -> dict[str, tuple[str, Content]]:
        """{name in the address: (words, content)}"""
        found = {"live": (f"Live in {self.tenant}", self.live.content)}
        if self.draft:
            found["draft"] = ("Working copy", self.working)
        for version in scripts.versions(self.tenant, self.live.id):
            found[str(version.number)] = (f"Version {version.number}", Content.from_json(version.content))
        return found


class Version(ConnectionView):
    def get(self, request: HttpRequest, tenant: str, connection: str, number: int) -> HttpResponse:
        self.look(connection)
        found = DatabaseVersion.objects.filter(**named(self.tenant, connection)).select_related("author", "tenant")
        version = get_object_or_404(found, number=number)
        content = Content.from_json(version.content)
        return self.show(
            "version", "",
            version=version, content=content,
            difference=scripts.difference(self.live.content, content),
            is_live=version == self.live.version, can_roll_back=publish.was_live(version),
            acts=version.publications.select_related(*OF_AN_ACT),
        )  # fmt: skip


class TakeOver(ConnectionView):
    """What is live, or a version, into the working copy: GET shows what would change, POST does it."""

    permission = "databases.edit"

    def get(self, request: HttpRequest, tenant: str, connection: str, number: int | None = None) -> HttpResponse:
        self.look(connection)
        content, words = self.source(number)
        difference = scripts.difference(self.working, content) if self.draft else ""
        revision = self.draft.revision if self.draft else 0
        return self.show("take_over", "", content=content, words=words, difference=difference, revision=revision)

    def post(self, request: HttpRequest, tenant: str, connection: str, number: int | None = None) -> HttpResponse:
        self.look(connection)
        content, words = self.source(number)
        revision = request.POST.get("revision", "")
        if not revision.isdigit():
            raise Conflict("Open this page again: it does not say which working copy it is about.")
        scripts.save(
            self.tenant, self.place, content, revision=int(revision), actor=self.person,
            base_sha256=self.live.content.sha256,
        )  # fmt: skip
        messages.success(request, f"The working copy is now {words}. Nothing was written to {self.tenant}.")
        return redirect(self.url("edit-database"))

    def source(self, number: int | None) -> tuple[Content, str]:
        if number is None:
            # Where the options are hidden, what is live looks empty: that must not take the place of anybody's work.
            tenants.require(self.tenant, "databases.import")
            return self.live.content, f"what is live in {self.tenant}"
        version = get_object_or_404(DatabaseVersion, **named(self.tenant, self.live.id), number=number)
        return Content.from_json(version.content), f"version {number}"


def _row(live: Live, draft: DatabaseDraft | None, *, wait: bool) -> dict[str, Any]:
    """A line of the overview. Lint and tests are those of the working copy, where there is one.

    lint is None where the linter has not looked yet; `wait`: let it look now.
    """
    content = Content.from_json(draft.content) if draft else live.content
    row: dict[str, Any] = {"live": live, "draft": draft, "content": live.content}
    row["changed"] = draft is not None and content != live.content
    if content.scripts and (live.content.enabled or draft):
        found = checks.findings(live, content) if wait else checks.kept_findings(live, content)
        row["lint"], row["number"] = (None, {}) if found is None else (checks.lint_status(found), lint.counted(found))
        row["test"] = checks.latest_test(live.tenant, live.id, content)[1]
    row["missing"] = [name for name, status in live.content.standing if status == "missing"]
    return row
