"""The pages of snapshots. A view parses, calls, answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify

from deployments import archive, shown, snapshots
from deployments.forms import ExportForm, PairForm, UploadForm
from deployments.kinds import KINDS
from deployments.models import Snapshot
from portal.access import PermissionView
from portal.models import Run, Tenant

PER_PAGE = 25
SHOW_ENDED_RUN_MINUTES = 10


class Snapshots(PermissionView):
    permission = "snapshots.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        found = Snapshot.objects.filter(tenant=self.tenant).select_related("taken_by")
        return render(
            request,
            "deployments/snapshots.html",
            {
                "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
                "run": _recent_export(self.tenant),
                "export_form": ExportForm(auto_id="export-%s"),
                "upload_form": UploadForm(auto_id="upload-%s"),
            },
        )


class Export(PermissionView):
    permission = "snapshots.export"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        form = ExportForm(request.POST)
        form.is_valid()
        run = snapshots.request_export(
            self.tenant,
            actor=self.person,
            note=form.cleaned_data.get("note", ""),
            prompts=form.cleaned_data.get("prompts", False),
        )
        messages.info(request, f"The export of {self.tenant.name} has been queued as run {run.pk}.")
        return redirect("deployments:snapshots", tenant)


class Upload(PermissionView):
    permission = "snapshots.export"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        form = UploadForm(request.POST, request.FILES, auto_id="upload-%s")
        if not form.is_valid():
            return render(request, "deployments/upload.html", {"upload_form": form}, status=422)
        project = form.cleaned_data["project"]
        snapshot = snapshots.upload(
            self.tenant, project.read(), actor=self.person, note=form.cleaned_data["note"] or project.name[:200]
        )
        messages.success(request, f"The project is kept as a snapshot: {snapshot.object_count} objects.")
        return redirect(snapshot)


class SnapshotPage(PermissionView):
    permission = "snapshots.view"

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        snapshot = self.snapshot(pk)
        names: dict[str, list[str]] = {}
        for kind, name in snapshot.objects_of.values_list("kind", "name").order_by("kind", "name"):
            names.setdefault(kind, []).append(name)
        rows = [
            {"kind": kind, "state": snapshot.kinds[type_], "names": names.get(type_, [])}
            for type_, kind in KINDS.items()
            if type_ in snapshot.kinds
        ]
        others = Snapshot.objects.exclude(pk=pk).select_related("tenant").order_by("-pk")[:40]
        none = [row["kind"].label for row in rows if row["state"]["state"] == snapshots.READ and not row["names"]]
        skipped = [row["kind"].label for row in rows if row["state"]["state"] == snapshots.SKIPPED]
        context = {"snapshot": snapshot, "rows": rows, "others": others, "none": none, "skipped": skipped}
        return render(request, "deployments/snapshot.html", context)

    def snapshot(self, pk: int) -> Snapshot:
        return get_object_or_404(Snapshot.objects.select_related("taken_by", "run"), pk=pk, tenant=self.tenant)


class SnapshotObjectPage(SnapshotPage):
    """One object of a snapshot, as JSON."""

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        snapshot = self.snapshot(pk)
        row = get_object_or_404(snapshot.objects_of, kind=request.GET.get("kind", ""), name=request.GET.get("name", ""))
        return render(
            request,
            "deployments/object.html",
            {"snapshot": snapshot, "row": row, "kind": KINDS[row.kind], "document": row.blob.document},
        )


class Download(SnapshotPage):
    """The snapshot as a Deploy CLI project in a zip file."""

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        snapshot = self.snapshot(pk)
        data = archive.archive(snapshots.content_of(snapshot))
        name = f"{slugify(snapshot.tenant.slug)}-{snapshot.created_at:%Y%m%d-%H%M}.zip"
        return HttpResponse(
            data, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )


class Compare(PermissionView):
    permission = "snapshots.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = PairForm(request.GET or None)
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            source, target = form.cleaned_data["source"], form.cleaned_data["target"]
            found, not_compared = snapshots.differences(source, target)
            context |= {
                "source": source,
                "target": target,
                "groups": shown.grouped(shown.items(found)),
                "count": len(found),
                "not_compared": [KINDS[kind].label for kind in not_compared],
            }
        return render(request, "deployments/compare.html", context)


def _recent_export(tenant: Tenant) -> Run | None:
    """The tenant's latest export while it runs, and for a while after it has ended."""
    run = Run.objects.filter(tenant=tenant, kind="deployments.export").first()
    shown_until = timezone.now() - timedelta(minutes=SHOW_ENDED_RUN_MINUTES)
    return run if run and (run.finished_at is None or run.finished_at > shown_until) else None
