"""A promotion's way from draft to verified: who may move it, when, and what is recorded.

    draft ──> requested ──> approved ──> applying ──> verified ──> rolled_back
      │           ├──> refused  │            ├──> failed | interrupted ──> rolled_back
      └───────────┴─────────────┴> cancelled └──> outdated

Moves are conditional UPDATEs through `_move`: of two people who press at once, one wins. The work is in
deployments.applying, the way back in deployments.rollback.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments import analysis, plan, scopes, snapshots
from deployments.findings import ERROR, Circumstances, Finding
from deployments.kinds import KINDS, LIST
from deployments.models import Promotion, Snapshot
from portal import audit, auth0, runs, tenants
from portal.access import permissions_of
from portal.errors import Conflict, Invalid, Refused
from portal.models import Run

Status = Promotion.Status
MOVES: dict[str, set[str]] = {
    Status.DRAFT: {Status.REQUESTED, Status.CANCELLED},
    Status.REQUESTED: {Status.APPROVED, Status.REFUSED, Status.CANCELLED},
    Status.APPROVED: {Status.APPLYING, Status.CANCELLED},
    # Back to approved where the run was stopped before it began.
    Status.APPLYING: {Status.VERIFIED, Status.FAILED, Status.INTERRUPTED, Status.OUTDATED, Status.APPROVED},
    Status.VERIFIED: {Status.ROLLED_BACK},
    Status.FAILED: {Status.ROLLED_BACK},
    Status.INTERRUPTED: {Status.ROLLED_BACK},
}
ENDED = {s for s in Status.values if not MOVES.get(s)} | {Status.VERIFIED, Status.FAILED, Status.INTERRUPTED}


def draft(source: Snapshot, target: Snapshot, picks: Iterable[plan.Pick], *, actor: Any, title: str = "") -> Promotion:
    """Freeze the picked differences as a new draft. Raises Invalid for no pick, or what can't be promoted."""
    if source.pk == target.pk:
        raise Invalid("Choose two different snapshots.")
    found, _ = snapshots.differences(source, target)
    items = _chosen(found, list(picks))
    title = title.strip() or f"{source.tenant.name} to {target.tenant.name}: {_summary(items)}"
    return Promotion.objects.create(
        title=title[:120],
        source=source,
        target_snapshot=target,
        target=target.tenant,
        requested_by=actor,
        items=[plan.as_data(item) for item in items],
        plan_hash=plan.digest(items),
    )


def findings(promotion: Promotion) -> list[Finding]:
    """What would go wrong, the worst first."""
    source = promotion.source
    return analysis.analyse(
        promotion.plan,
        Circumstances(
            target=snapshots.content_of(promotion.target_snapshot),
            stage=promotion.target.stage,
            source_domain=source.tenant.domain if source.tenant_id != promotion.target_id else "",
            source_ids=_ids(source),
            unreadable=promotion.target_snapshot.unknown | source.unknown,
            portal_client_id=promotion.target.client_id,
            given_secrets=frozenset(promotion.secret_values),
        ),
    )


def keep_secrets(promotion: Promotion, values: dict[str, str], *, actor: Any) -> None:
    """Keep values for secrets that the target lacks, {"kind|name|path": value}, encrypted until its end."""
    expect(promotion, Status.DRAFT, Status.REQUESTED, Status.APPROVED)
    if actor.pk != promotion.requested_by_id:
        raise Refused("Only the person who planned this promotion enters its secrets.")
    wanted = {f"{item.key}|{path}" for item in promotion.plan for path in plan.secrets_needed(item)}
    merged = promotion.secret_values | {key: value for key, value in values.items() if key in wanted and value}
    with recorded(promotion, actor, "promotions.request") as entry:
        entry.detail = f"Entered {sum(1 for v in values.values() if v)} secret value(s)"
        Promotion.objects.filter(pk=promotion.pk).update(secrets=json.dumps(merged))
    promotion.refresh_from_db()


def request(promotion: Promotion, *, actor: Any, reason: str, ticket: str = "") -> None:
    """Ask for approval. Refused while an error stands in the analysis, or by anyone but its author.

    Raises MissingScope, as approving and applying do, where the changes could not be carried out.
    """
    reason = audit.required_reason(reason)
    if actor.pk != promotion.requested_by_id:
        raise Refused("Only the person who planned this promotion can ask for its approval.")
    blocking = [finding for finding in findings(promotion) if finding.severity == ERROR]
    if blocking:
        raise Refused(f"The plan has {len(blocking)} error(s), the first: {blocking[0].text} {blocking[0].advice}")
    require_scopes(promotion, "promotions.request")
    with recorded(promotion, actor, "promotions.request", reason=reason, ticket=ticket) as entry:
        entry.after = _audited(promotion)
        _move(promotion, Status.DRAFT, Status.REQUESTED, reason=reason, ticket=ticket, requested_at=timezone.now())


def approve(promotion: Promotion, *, actor: Any, plan_hash: str, reason: str = "") -> None:
    """Four eyes: by somebody else than who asked, and for exactly the plan that was looked at (`plan_hash`)."""
    require_scopes(promotion, "promotions.approve")
    with recorded(promotion, actor, "promotions.approve", reason=reason) as entry:
        _not_by_its_author(promotion, actor)
        if plan_hash != promotion.plan_hash or not promotion.is_sound:
            raise Conflict("The plan is not the one that you looked at. Read it again before you approve.")
        entry.after = {"plan_hash": plan_hash}
        _decide(promotion, Status.APPROVED, actor, reason)


def refuse(promotion: Promotion, *, actor: Any, reason: str) -> None:
    with recorded(promotion, actor, "promotions.approve", reason=audit.required_reason(reason)) as entry:
        _not_by_its_author(promotion, actor)
        entry.detail = "Refused"
        _decide(promotion, Status.REFUSED, actor, reason)
    forget_secrets(promotion)


def withdraw(promotion: Promotion, *, actor: Any, reason: str = "") -> None:
    """Its author gives it up, at any time before it is applied."""
    if actor.pk != promotion.requested_by_id:
        raise Refused("Only the person who planned this promotion can withdraw it. Refuse it instead.")
    with recorded(promotion, actor, "promotions.request", reason=reason) as entry:
        entry.detail = "Withdrawn"
        expect(promotion, Status.DRAFT, Status.REQUESTED, Status.APPROVED)
        _move(promotion, promotion.status, Status.CANCELLED, finished_at=timezone.now())
    forget_secrets(promotion)


def start(promotion: Promotion, *, actor: Any, typed_name: str = "") -> Run:
    """Begin to apply an approved promotion. A protected or production target asks for its slug to be typed.

    Raises Refused where another promotion is being applied to the same tenant.
    """
    if promotion.target.asks_for_its_name and not promotion.target.is_named(typed_name):
        raise Invalid(f"{promotion.target.confirmation}.")
    with recorded(promotion, actor, "promotions.apply", reason=promotion.reason, ticket=promotion.ticket) as entry:
        entry.detail = "Started"
        auth0.check_writable(promotion.target)
        require_scopes(promotion, "promotions.apply")
        with transaction.atomic():
            _lock(promotion, actor)
            run = runs.request(
                "deployments.apply",
                actor=actor,
                title=f"Apply “{promotion.title}”"[:200],
                tenant=promotion.target,
                promotion=promotion.pk,
            )
            Promotion.objects.filter(pk=promotion.pk).update(run=run)
    promotion.refresh_from_db()
    return run


def finish(promotion: Promotion, status: str, **fields: Any) -> None:
    """The end of applying, whatever it is; forgets the secrets, and marks what a verified roll back has undone."""
    _move(promotion, Status.APPLYING, status, finished_at=timezone.now(), **fields)
    forget_secrets(promotion)
    if status == Status.VERIFIED and promotion.rolls_back:
        undone = promotion.rolls_back
        Promotion.objects.filter(pk=undone.pk, status__in=[s for s in MOVES if Status.ROLLED_BACK in MOVES[s]]).update(
            status=Status.ROLLED_BACK
        )


def interrupted(run: Run) -> None:
    """The worker died, or the run was stopped while it still waited: bring the promotion into a named state."""
    promotion = Promotion.objects.filter(run=run, status=Status.APPLYING).first()
    if promotion is None:
        return
    if run.status == Run.Status.CANCELLED and run.started_at is None:
        _move(promotion, Status.APPLYING, Status.APPROVED, started_by=None, started_at=None)
        return
    problem = "The worker died while it applied this promotion. The journal shows what had been written by then."
    finish(promotion, Status.INTERRUPTED, outcome={"problem": problem})


def waiting_for(user: Any) -> list[dict[str, str]]:
    """For the home page: what this person can approve, own ones that can be applied, and what was refused to them."""
    held, items = permissions_of(user), []
    if "promotions.approve" in held:
        for promotion in Promotion.objects.filter(status=Status.REQUESTED).exclude(requested_by=user):
            items.append(_waiting(promotion, f"Approve for {promotion.target.name}: {promotion.title}"))
    if "promotions.apply" in held:
        for promotion in Promotion.objects.filter(status=Status.APPROVED, requested_by=user):
            items.append(_waiting(promotion, f"Approved, ready to apply to {promotion.target.name}: {promotion.title}"))
    refused = Promotion.objects.filter(status=Status.REFUSED, requested_by=user).select_related("decided_by")
    for promotion in refused.filter(decided_at__gte=timezone.now() - runs.REFUSAL_TOLD_FOR):
        detail = f"Refused by {promotion.decided_by.email}: {promotion.decision_reason}" if promotion.decided_by else ""
        items.append(_waiting(promotion, promotion.title) | {"detail": detail})
    return items


def forget_secrets(promotion: Promotion) -> None:
    Promotion.objects.filter(pk=promotion.pk).update(secrets="")


def _chosen(found: list[plan.Item], picks: list[plan.Pick]) -> list[plan.Item]:
    try:
        items = plan.choose(found, picks)
    except KeyError:
        raise Conflict("The differences have changed. Look at them again.") from None
    if not items:
        raise Invalid("Pick at least one change.")
    for item in items:
        if reason := not_promotable(item):
            raise Invalid(f"{item.label} “{item.name}” can't be promoted: {reason}")
    return items


def not_promotable(item: plan.Item) -> str:
    """Why an item is shown but can't be picked; empty where it can."""
    kind = KINDS[item.kind]
    if kind.compare_only:
        return kind.compare_only
    if item.action == plan.DELETE and not kind.deletable:
        return (
            "Castellan does not delete these: users or settings would be lost."
            if kind.shape == LIST
            else "It can't be deleted."
        )
    return ""


def _summary(items: list[plan.Item]) -> str:
    first = f"{items[0].label} {items[0].name}"
    return first if len(items) == 1 else f"{first} and {len(items) - 1} more"


def _ids(snapshot: Snapshot) -> dict[str, str]:
    return {id_: f"{kind} {name}" for kind, names in snapshots.ids_of(snapshot).items() for name, id_ in names.items()}


def _lock(promotion: Promotion, actor: Any) -> None:
    try:
        with transaction.atomic():
            _move(promotion, Status.APPROVED, Status.APPLYING, started_by=actor, started_at=timezone.now())
    except IntegrityError:
        raise Refused(
            f"Another promotion is being applied to {promotion.target.name}. Start this one when that has ended."
        ) from None


def _decide(promotion: Promotion, status: str, actor: Any, reason: str) -> None:
    _move(promotion, Status.REQUESTED, status, decided_by=actor, decided_at=timezone.now(), decision_reason=reason)


def _not_by_its_author(promotion: Promotion, actor: Any) -> None:
    if actor.pk == promotion.requested_by_id:
        raise Refused("Four eyes: somebody else than the person who asked must decide.")


def expect(promotion: Promotion, *statuses: str) -> None:
    if promotion.status not in statuses:
        raise Conflict(f"This promotion is {promotion.get_status_display().lower()}: reload and look.")


def require_scopes(promotion: Promotion, act: str, *, back: bool = False) -> None:
    """Raise MissingScope where the target's application lacks a scope of the plan; with `back`, of undoing it."""
    tenants.require(promotion.target, act, scopes.of_plan(promotion.plan, back=back))


def _move(promotion: Promotion, old: str, new: str, **fields: Any) -> None:
    """The one door of a promotion's state. Raises Conflict where it is not (or no longer) in `old`."""
    if new not in MOVES.get(old, set()):
        raise Conflict(f"A promotion does not go from {old} to {new}.")
    moved = Promotion.objects.filter(pk=promotion.pk, status=old).update(status=new, **fields)
    promotion.refresh_from_db()
    if not moved:
        raise Conflict(f"Somebody was faster: this promotion is {promotion.get_status_display().lower()} by now.")


def recorded(promotion: Promotion, actor: Any, verb: str, *, reason: str = "", ticket: str = "") -> Any:
    return audit.recorded(
        actor,
        verb,
        tenant=promotion.target,
        target=f"promotion {promotion.pk}",
        target_label=promotion.title,
        reason=reason,
        ticket=ticket,
    )


def _audited(promotion: Promotion) -> dict[str, Any]:
    return {"plan_hash": promotion.plan_hash, "items": [f"{item.action} {item.key}" for item in promotion.plan]}


def _waiting(promotion: Promotion, title: str) -> dict[str, str]:
    detail = f"{promotion.requested_by.email}: {promotion.reason}" if promotion.reason else promotion.requested_by.email
    return {"title": title, "url": promotion.get_absolute_url(), "detail": detail}
