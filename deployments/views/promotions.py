"""The pages of promotions. A view parses, calls, answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from deployments import plan, promotions, rollback, scopes, shown, snapshots
from deployments.findings import ERROR
from deployments.forms import PairForm, picks
from deployments.kinds import KINDS
from deployments.models import Promotion, Snapshot
from portal.access import PermissionView
from portal.forms import ReasonForm
from portal.models import Tenant

PER_PAGE = 25
UNFOLDED = 10


class Promotions(PermissionView):
    permission = "promotions.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = Promotion.objects.select_related("target", "source__tenant", "requested_by")
        if status := request.GET.get("status", ""):
            found = found.filter(status=status)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        return render(
            request,
            "deployments/promotions.html",
            {
                "page": page,
                "status": status,
                "statuses": Promotion.Status.choices,
                "waiting": promotions.waiting_for(self.person),
            },
        )


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
        return render(
            self.request,
            "deployments/choose.html",
            {
                "source": source,
                "target": target,
                "picked": len(chosen),
                "nothing": nothing,
                "needed": needed,
                "added": len(added),
                "groups": shown.grouped(shown.items(found, picks=chosen, findings=findings)),
                "count": len(found),
                "findings": findings,
                "not_compared": [KINDS[kind].label for kind in not_compared],
                "unknown": {KINDS[k].label: r for k, r in (source.unknown | target.unknown).items() if k in KINDS},
                "title": self.request.POST.get("title", ""),
            },
            status=422 if nothing else 200,
        )


class PromotionPage(PermissionView):
    permission = "promotions.view"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        promotion = self.promotion(pk)
        findings = promotions.findings(promotion) if promotion.status in ("draft", "requested", "approved") else []
        return render(
            request,
            "deployments/promotion.html",
            {
                "promotion": promotion,
                "steps": shown.steps(promotion),
                "findings": findings,
                "errors": [finding for finding in findings if finding.severity == ERROR],
                "groups": shown.grouped(shown.items(promotion.plan, findings=findings)),
                # Whoever decides has read what changes, not only its name.
                "unfolded": len(promotion.items) <= UNFOLDED,
                "journal": rollback.journal(promotion),
                "is_mine": promotion.requested_by_id == self.person.pk,
                "form": ReasonForm(auto_id="request-%s"),
                "can_roll_back": rollback.can_roll_back(promotion),
                "needs_secrets": any(entry.secrets for entry in shown.items(promotion.plan)),
                "given": set(promotion.secret_values),
                "needs": scopes.of_plan(promotion.plan),
                "needs_back": scopes.of_plan(promotion.plan, back=True),
            },
        )

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
        way_back = rollback.roll_back(self.promotion(pk), actor=self.person)
        messages.info(request, "The way back is planned. Look at it, and ask for approval.")
        return redirect(way_back)


def _latest_pair() -> dict[str, Snapshot]:
    """The newest snapshots of the first two tenants on the ladder: the likely pair."""
    newest = (Snapshot.objects.filter(tenant=tenant).first() for tenant in Tenant.objects.all())
    latest = [snapshot for snapshot in newest if snapshot]
    return dict(zip(("source", "target"), latest, strict=False))
