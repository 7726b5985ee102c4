"""Trying the scripts that are live on a local tenant: one user, or the migration of a sample to its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django_htmx.http import HttpResponseClientRedirect

from identity.databases import rehearse
from identity.databases.models import DatabaseRehearsal, named
from identity.databases.rehearsal_report import OUTCOMES, Row, as_csv, rows_of
from identity.databases.views import ConnectionView
from portal import auth0
from portal.access import PermissionView
from portal.errors import Invalid

RECENT = 10
QUIET = {"spellcheck": "false", "autocomplete": "off"}


class OneUserForm(forms.Form):
    identifier = forms.CharField(max_length=320, label="E-mail address or username")
    password = forms.CharField(max_length=200, strip=False, widget=forms.PasswordInput(attrs=QUIET), label="Password")


class SampleInput(forms.Textarea):
    """As Django's PasswordInput: what was typed comes back in a page without the passwords."""

    def format_value(self, value: Any) -> str | None:
        return rehearse.without_passwords(value) if isinstance(value, str) else None


class SampleForm(forms.Form):
    users = forms.CharField(
        max_length=40_000, label="Users", strip=False,
        widget=SampleInput(attrs={**QUIET, "rows": 8, "placeholder": "ann@shop.example,her-password"}),
        help_text=f"One a line: identifier,password. All behind the first comma is the password. At most "
        f"{rehearse.MOST_USERS} users. Passwords are kept encrypted until the rehearsal has ended.",
    )  # fmt: skip

    def clean_users(self) -> list[tuple[str, str]]:
        try:
            return rehearse.sample(self.cleaned_data["users"])
        except Invalid as problem:
            raise forms.ValidationError(problem.message) from None


@method_decorator(sensitive_post_parameters(), name="dispatch")
class Rehearse(ConnectionView):
    permission = "databases.test"

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        return self.page(OneUserForm(), SampleForm())

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        if "users" in request.POST:
            return self.migrate(SampleForm(request.POST))
        one = OneUserForm(request.POST)
        if not one.is_valid():
            return self.page(one, SampleForm(), status=422)
        row = rehearse.sign_in(
            self.live, one.cleaned_data["identifier"], one.cleaned_data["password"], actor=self.person
        )
        # The password's field comes back empty: Django never renders what was typed there.
        return self.page(one, SampleForm(), row=row)

    def migrate(self, many: SampleForm) -> HttpResponse:
        if not many.is_valid():
            return self.page(OneUserForm(), many, status=422)
        asked = rehearse.request(self.live, many.cleaned_data["users"], actor=self.person)
        by_htmx = getattr(self.request, "htmx", False)
        return HttpResponseClientRedirect(asked.get_absolute_url()) if by_htmx else redirect(asked)

    def page(self, one: OneUserForm, many: SampleForm, *, row: Row | None = None, status: int = 200) -> HttpResponse:
        rehearsals = DatabaseRehearsal.objects.filter(**named(self.tenant, self.live.id))
        left = rehearse.open_on(self.live)
        return self.show(
            "rehearse", "rehearse-database", status=status,
            one=one, many=many, row=row, local=auth0.is_local(self.tenant),
            ready=self.live.content.enabled and "login" in self.live.content.scripts,
            rehearsals=[_summary(one) for one in rehearsals.select_related("run__requested_by", "tenant")[:RECENT]],
            left=left, running=left is not None and rehearse.is_running(left),
        )  # fmt: skip


class Rehearsal(PermissionView):
    """One migration of a sample: progress, then what became of everybody."""

    permission = "databases.test"
    template = "identity/databases/rehearsal.html"

    def get(self, request: HttpRequest, tenant: str, connection: str, pk: int) -> HttpResponse:
        rehearsal = self.found(connection, pk)
        rows = sorted(rows_of(rehearsal), key=lambda row: not row.stuck)
        context = {**_summary(rehearsal), "rows": rows, "not_put_back": _is_left(rehearsal)}
        return render(request, self.template, context)

    def found(self, connection: str, pk: int) -> DatabaseRehearsal:
        found = DatabaseRehearsal.objects.filter(**named(self.tenant, connection))
        return get_object_or_404(found.select_related("run__requested_by", "tenant"), pk=pk)


class RehearsalResult(Rehearsal):
    """The part that htmx asks for until the run has ended."""

    template = "identity/databases/_rehearsal_result.html"


class WhoCouldNot(Rehearsal):
    """The list of those whom somebody has to look at, as a file."""

    def get(self, request: HttpRequest, tenant: str, connection: str, pk: int) -> HttpResponse:
        rehearsal = self.found(connection, pk)
        text = as_csv(row for row in rows_of(rehearsal) if row.stuck)
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
        name = f"could-not-move-{self.tenant.slug}-{rehearsal.connection_name}-{rehearsal.created_at:%Y-%m-%d}.csv"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


class PutBack(Rehearsal):
    """After a worker's death: leave the tenant as it was before."""

    def get(self, request: HttpRequest, tenant: str, connection: str, pk: int) -> HttpResponse:
        return redirect(self.found(connection, pk))

    def post(self, request: HttpRequest, tenant: str, connection: str, pk: int) -> HttpResponse:
        rehearsal = self.found(connection, pk)
        rehearse.put_back(rehearsal, actor=self.person)
        messages.success(request, f"{self.tenant} is as it was before the rehearsal.")
        return redirect(rehearsal)


def _is_left(rehearsal: DatabaseRehearsal) -> bool:
    return rehearsal.put_back_at is None and not rehearse.is_running(rehearsal)


def _summary(rehearsal: DatabaseRehearsal) -> dict[str, Any]:
    rows = rows_of(rehearsal)
    counts = Counter(row.outcome for row in rows)
    return {
        "rehearsal": rehearsal,
        "run": rehearsal.run,
        "total": len(rows),
        "moved": sum(row.moved for row in rows),
        "stuck": sum(row.stuck for row in rows),
        "counts": [(*OUTCOMES[outcome], counts[outcome]) for outcome in OUTCOMES if counts[outcome]],
    }
