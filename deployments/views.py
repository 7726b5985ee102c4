"""The pages of snapshots and promotions. A view parses, calls, answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify

from deployments import analysis, archive, plan, promotions, shown, snapshots
from deployments.forms import ExportForm, PairForm, UploadForm, picks
from deployments.kinds import KINDS
from deployments.models import Promotion, Snapshot
from portal.access import PermissionView
from portal.forms import ReasonForm
from portal.models import Run, Tenant

PER_PAGE = 25


class Snapshots(PermissionView):
    permission = "snapshots.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        found = Snapshot.objects.filter(tenant=self.tenant).select_related("taken_by")
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        runs = Run.objects.filter(tenant=self.tenant, kind="deployments.export").exclude(status=Run.Status.SUCCEEDED)[
            :1
        ]
        return render(request, "deployments/snapshots.html", {
            "page": page, "running": next((r for r in runs if not r.is_final or not page.object_list or r.created_at > page.object_list[0].created_at), None),
            "export_form": ExportForm(auto_id="export-%s"), "upload_form": UploadForm(auto_id="upload-%s"),
        })  # fmt: skip


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
            for type_, kind in KINDS.items() if type_ in snapshot.kinds
        ]  # fmt: skip
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
            context |= {"source": source, "target": target, "groups": shown.grouped(shown.items(found)), "count": len(found),
                        "not_compared": [KINDS[kind].label for kind in not_compared]}  # fmt: skip
        return render(request, "deployments/compare.html", context)


class Promotions(PermissionView):
    permission = "promotions.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = Promotion.objects.select_related("target", "source__tenant", "requested_by")
        if status := request.GET.get("status", ""):
            found = found.filter(status=status)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        return render(
            request, "deployments/promotions.html",
            {"page": page, "status": status, "statuses": Promotion.Status.choices, "waiting": promotions.waiting_for(self.person)},
        )  # fmt: skip


class NewPromotion(PermissionView):
    """Choose two snapshots, then tick what shall go; nothing is stored until it is planned."""

    permission = "promotions.request"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = PairForm(request.GET or None, initial=_latest_pair())
        if not form.is_bound or not form.is_valid():
            latest = [(t, Snapshot.objects.filter(tenant=t).first()) for t in Tenant.objects.all()]
            return render(request, "deployments/new.html", {"form": form, "latest": latest})
        return self.choose(form.cleaned_data["source"], form.cleaned_data["target"], {})

    def post(self, request: HttpRequest) -> HttpResponse:
        pair = PairForm(request.POST)
        if not pair.is_valid():
            return render(request, "deployments/new.html", {"form": pair}, status=422)
        source, target, chosen = pair.cleaned_data["source"], pair.cleaned_data["target"], picks(request.POST)
        act = request.POST.get("act", "check")
        if act == "plan" and chosen:
            title = request.POST.get("title", "")[:120]
            return redirect(promotions.draft(source, target, chosen.values(), actor=self.person, title=title))
        return self.choose(source, target, chosen, needed=act == "needs", nothing=act == "plan")

    def choose(
        self,
        source: Snapshot,
        target: Snapshot,
        chosen: dict[str, plan.Pick],
        *,
        needed: bool = False,
        nothing: bool = False,
    ) -> HttpResponse:
        found, not_compared = snapshots.differences(source, target)
        added = plan.what_it_needs(found, chosen) if needed else []
        chosen = chosen | {key: plan.Pick(key) for key in added}
        known = {item.key for item in found}
        trial = Promotion(source=source, target_snapshot=target, target=target.tenant, requested_by=self.person)
        trial.items = [plan.as_data(i) for i in plan.choose(found, [p for p in chosen.values() if p.key in known])]
        findings = promotions.findings(trial) if chosen else []
        self.request.tenant = target.tenant  # type: ignore[attr-defined]
        return render(self.request, "deployments/choose.html", {
            "source": source, "target": target, "picked": len(chosen), "nothing": nothing, "needed": needed, "added": len(added),
            "groups": shown.grouped(shown.items(found, picks=chosen, findings=findings)), "count": len(found),
            "findings": findings, "not_compared": [KINDS[kind].label for kind in not_compared],
            "unknown": {KINDS[k].label: r for k, r in (source.unknown | target.unknown).items() if k in KINDS},
            "title": self.request.POST.get("title", ""),
        }, status=422 if nothing else 200)  # fmt: skip


class PromotionPage(PermissionView):
    permission = "promotions.view"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        promotion = self.promotion(pk)
        findings = promotions.findings(promotion) if promotion.status in ("draft", "requested", "approved") else []
        return render(request, "deployments/promotion.html", {
            "promotion": promotion, "steps": shown.steps(promotion), "findings": findings,
            "errors": [finding for finding in findings if finding.severity == analysis.ERROR],
            "groups": shown.grouped(shown.items(promotion.plan, findings=findings)),
            "journal": promotions.journal(promotion), "is_mine": promotion.requested_by_id == self.person.pk,
            "form": ReasonForm(auto_id="request-%s"), "can_roll_back": promotions.can_roll_back(promotion),
            "needs_secrets": any(entry.secrets for entry in shown.items(promotion.plan)), "given": set(promotion.secret_values),
        })  # fmt: skip

    def promotion(self, pk: int) -> Promotion:
        """The promotion; its target is the tenant that the page stands for."""
        found = Promotion.objects.select_related(
            "target",
            "source__tenant",
            "target_snapshot",
            "requested_by",
            "decided_by",
            "started_by",
            "run",
            "rolls_back",
            "before",
            "after",
        )
        promotion = get_object_or_404(found, pk=pk)
        self.request.tenant = promotion.target  # type: ignore[attr-defined]
        return promotion


class _Act(PromotionPage):
    """An act on a promotion: posted, done, and back on its page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("deployments:promotion", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        promotion = self.promotion(pk)
        if said := self.act(promotion, request.POST.get("reason", "").strip()[:500]):
            messages.success(request, said)
        return redirect(promotion)

    def act(self, promotion: Promotion, reason: str) -> str:
        raise NotImplementedError


class EnterSecrets(_Act):
    permission = "promotions.request"

    def act(self, promotion: Promotion, reason: str) -> str:
        values = {
            name.removeprefix("secret:"): value
            for name, value in self.request.POST.items()
            if name.startswith("secret:")
        }
        promotions.keep_secrets(promotion, {name: str(value) for name, value in values.items()}, actor=self.person)
        return "The values are kept encrypted until this promotion has ended."


class RequestApproval(_Act):
    permission = "promotions.request"

    def act(self, promotion: Promotion, reason: str) -> str:
        ticket = self.request.POST.get("ticket", "").strip()[:80]
        promotions.request(promotion, actor=self.person, reason=reason, ticket=ticket)
        return "Asked for approval. Every other release manager sees it on the home page."


class Approve(_Act):
    permission = "promotions.approve"

    def act(self, promotion: Promotion, reason: str) -> str:
        promotions.approve(
            promotion, actor=self.person, plan_hash=self.request.POST.get("plan_hash", ""), reason=reason
        )
        return "Approved. It can be applied now."


class Refuse(_Act):
    permission = "promotions.approve"

    def act(self, promotion: Promotion, reason: str) -> str:
        promotions.refuse(promotion, actor=self.person, reason=reason)
        return "Refused. The person who asked sees your reason."


class Withdraw(_Act):
    permission = "promotions.request"

    def act(self, promotion: Promotion, reason: str) -> str:
        promotions.withdraw(promotion, actor=self.person, reason=reason)
        return "Withdrawn."


class Start(_Act):
    permission = "promotions.apply"

    def act(self, promotion: Promotion, reason: str) -> str:
        promotions.start(promotion, actor=self.person, typed_name=self.request.POST.get("typed_name", ""))
        return f"Applying to {promotion.target.name} has begun."


class RollBack(_Act):
    permission = "promotions.roll_back"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        way_back = promotions.roll_back(self.promotion(pk), actor=self.person)
        messages.info(request, "The way back is planned. Look at it, and ask for approval.")
        return redirect(way_back)


def _latest_pair() -> dict[str, Snapshot]:
    """The newest snapshots of the first two tenants on the ladder: the likely pair."""
    newest = (Snapshot.objects.filter(tenant=tenant).first() for tenant in Tenant.objects.all())
    latest = [snapshot for snapshot in newest if snapshot]
    return dict(zip(("source", "target"), latest, strict=False))
