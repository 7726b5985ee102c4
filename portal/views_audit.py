"""The pages of the audit trail. A view parses, calls, answers."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal import audit, verification
from portal.access import PermissionView
from portal.forms import AuditFilter
from portal.models import AuditEvent

PER_PAGE = 50


class Audit(PermissionView):
    permission = "audit.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = AuditFilter(request.GET)
        found = AuditEvent.objects.all()
        if form.is_valid():
            wanted = {f"{name}__icontains": value for name, value in form.cleaned_data.items() if value}
            found = found.filter(**wanted)
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
