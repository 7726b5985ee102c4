"""The pages of the audit trail. A view parses, calls, answers."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal import audit, verification
from portal.access import PermissionView
from portal.forms import AuditFilter
from portal.models import AuditEvent

PER_PAGE = 50
# field of the filter -> what of an entry it is compared with
COMPARED: dict[str, tuple[str, ...]] = {
    "actor": ("actor__icontains",),
    "verb": ("verb",),
    "target": ("target__icontains", "target_label__icontains"),
    "why": ("reason__icontains", "ticket__icontains"),
    "tenant": ("tenant__icontains",),
    "outcome": ("outcome",),
    "since": ("at__date__gte",),
    "until": ("at__date__lte",),
}


class Audit(PermissionView):
    permission = "audit.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = AuditFilter(request.GET)
        # What can't be understood finds nothing, and says so: all entries would look like an answer.
        found = AuditEvent.objects.filter(_wanted(form.cleaned_data)) if form.is_valid() else AuditEvent.objects.none()
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "form": form, "run": verification.latest()}
        return render(request, "portal/audit.html", context)


class Verify(PermissionView):
    """POST: prove the chain in the background."""

    permission = "audit.view"

    def post(self, request: HttpRequest) -> HttpResponse:
        verification.request(actor=self.person)
        return redirect("audit")


class Verdict(PermissionView):
    """How the latest proof went: the part of the page that htmx asks for until it has ended."""

    permission = "audit.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "portal/_verification.html", {"run": verification.latest()})


class AuditEventPage(PermissionView):
    permission = "audit.view"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = get_object_or_404(AuditEvent, pk=pk)
        sound = event.hash == audit.hash_of(event)
        return render(request, "portal/audit_event.html", {"event": event, "sound": sound})


def _wanted(given: dict[str, Any]) -> Q:
    """Entries that fit every field that was filled in."""
    wanted = Q()
    for name, value in given.items():
        if value:
            wanted &= reduce(or_, (Q(**{lookup: value}) for lookup in COMPARED[name]))
    return wanted
