"""Contract tests and the checklist."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from identity.databases import checklist, checks, scripts, testing
from identity.databases.contracts.cases import CASES
from identity.databases.forms import TestForm, TickForm, stored
from identity.databases.models import DatabaseTest, named
from identity.databases.views import ConnectionView
from portal.access import PermissionView, check
from portal.errors import Conflict, Invalid

RECENT = 20


@method_decorator(sensitive_post_parameters("dsn"), name="dispatch")
class Tests(ConnectionView):
    """Earlier runs, and the form of the next one."""

    __test__ = False

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        form = scripts.form_of(self.draft, self.live.name, self.working)
        return self.page(TestForm(connection=self.live.name, initial=TestForm.initial_of(form)))

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        check(request.user, "databases.test")
        self.look(connection)
        form = TestForm(request.POST, connection=self.live.name)
        if not form.is_valid():
            return self.page(form, status=422)
        scripts.remember_form(self.draft, stored(form.filled))
        given = form.cleaned_data
        test = testing.request(
            self.tenant, self.place, self.working, form.filled, actor=self.person, dsn=given["dsn"],
            thorough=given["thorough"],
        )  # fmt: skip
        return redirect(test)

    def page(self, form: TestForm, status: int = 200) -> HttpResponse:
        tests = DatabaseTest.objects.filter(**named(self.tenant, self.live.id)).select_related("run", "tenant")
        _, standing = checks.latest_test(self.tenant, self.live.id, self.working)
        return self.show(
            "tests", "database-tests", status=status, form=form, tests=tests[:RECENT], standing=standing,
            sha256=self.working.sha256, working=self.working, cases=sum(len(of_script) for of_script in CASES.values()),
        )  # fmt: skip


class Test(PermissionView):
    """One run: progress, then a table of what was sent and what came back."""

    __test__ = False
    permission = "databases.view"
    template = "identity/databases/test.html"

    def get(self, request: HttpRequest, tenant: str, connection: str, pk: int) -> HttpResponse:
        found = DatabaseTest.objects.filter(**named(self.tenant, connection)).select_related("run", "tenant")
        test = get_object_or_404(found, pk=pk)
        verdicts = checks.verdicts(test) or []
        rows = sorted(verdicts, key=lambda one: one.passed is not False)
        draft = scripts.draft_of(self.tenant, connection)
        context: dict[str, Any] = {
            "test": test,
            "run": test.run,
            "rows": rows,
            "passed": sum(one.passed is True for one in verdicts),
            "failed": sum(one.passed is False for one in verdicts),
            "skipped": sum(one.passed is None for one in verdicts),
            "stale": draft is not None and scripts.Content.from_json(draft.content).sha256 != test.sha256,
        }
        return render(request, self.template, context)


class TestResult(Test):
    """The part that htmx asks for until the run has ended."""

    template = "identity/databases/_test_result.html"


class Checklist(ConnectionView):
    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        return self.page()

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        check(request.user, "databases.edit")
        self.look(connection)
        form = TickForm(request.POST)
        if not form.is_valid():
            raise Invalid("Write what was looked at: a tick without a note proves nothing in an audit.")
        given = form.cleaned_data
        try:
            checks.tick(
                self.live, self.working, given["item"], note=given["note"], fingerprint=given["fingerprint"],
                actor=self.person,
            )  # fmt: skip
        except Conflict as problem:
            return self.page(status=409, problem=problem.message, typed=given)
        messages.success(request, "Ticked, with your name and today's date.")
        return redirect(self.url("database-checklist") + f"#point-{given['item']}")

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        rows = checks.checklist_rows(self.live, self.working)
        return self.show(
            "checklist", "database-checklist", status=status, groups=_groups(rows), total=len(rows),
            done=sum(row.done for row in rows), complete=checklist.complete(rows),
            fingerprint=checklist.fingerprint(self.working.scripts), **context,
        )  # fmt: skip


def _groups(rows: list[checklist.Row]) -> list[tuple[str, list[checklist.Row]]]:
    return [(name, [row for row in rows if row.item.group == name]) for name in checklist.GROUPS]


class ChecklistDocument(ConnectionView):
    """The checklist for an audit, as a file: Markdown, or a page that prints."""

    def get(self, request: HttpRequest, tenant: str, connection: str, kind: str) -> HttpResponse:
        self.look(connection)
        rows, now = checks.checklist_rows(self.live, self.working), timezone.now()
        title, about = f"Checklist of {self.live.name} in {self.tenant}", self.about(rows, now)
        if kind == "md":
            text = checklist.document(rows, title=title, about=about)
            answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
        else:
            context = {"title": title, "about": about, "groups": _groups(rows)}
            answer = render(request, "identity/databases/checklist_document.html", context)
        name = f"checklist-{self.tenant.slug}-{self.live.name}-{now:%Y-%m-%d}.{kind}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def about(self, rows: list[checklist.Row], now: datetime) -> list[str]:
        """Of what, when and by whom: a document is read by people who never saw the page."""
        met = sum(row.done for row in rows)
        return [
            f"{now:%Y-%m-%d %H:%M} UTC, exported by {self.person.email}. {met} of {len(rows)} points are met.",
            f"Tenant {self.tenant.domain}, connection {self.live.id}. {self.standing()}",
            f"Scripts: SHA-256 {checklist.fingerprint(self.working.scripts)}",
        ]

    def standing(self) -> str:
        if not self.live.readable:
            return "The scripts are those of the working copy; what is live can't be read."
        if self.working != self.live.content:
            return "The scripts are those of the working copy; others are live."
        version = self.live.version
        return f"The scripts are live{f', as version {version.number}' if version else ''}."
