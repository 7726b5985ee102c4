"""Steps and names that the tests of the release line share."""

from __future__ import annotations

from typing import Any

from deployments import promotions, snapshots
from deployments.models import Promotion, Snapshot
from portal import runs
from portal.models import Run, Tenant
from portal.runs import Progress

CODE = "exports.onExecutePostLogin = async (event, api) => {\n  api.multifactor.enable('any');\n};\n"
KINDS = {"actions", "triggers", "clients", "connections"}
PICKED = ("actions|Partner MFA", "triggers|post-login", "clients|Larkspur Storefront")


def reading_of(tenant: Tenant, kinds: set[str] | None = None) -> snapshots.Reading:
    """The tenant as it is now, read by the Deploy CLI."""
    run = Run.objects.create(kind="deployments.export", title="Export", tenant=tenant)
    return snapshots.read(tenant, Progress(run), kinds=kinds or KINDS)


def bind(tenant: Any, name: str) -> None:
    """Bind an Action after those that are bound already."""
    bound = tenant.api("GET", "/actions/triggers/post-login/bindings")["bindings"]
    refs = [{"ref": {"type": "binding_id", "value": b["id"]}, "display_name": b["display_name"]} for b in bound]
    refs.append({"ref": {"type": "action_name", "value": name}, "display_name": name})
    tenant.api("PATCH", "/actions/triggers/post-login/bindings", {"bindings": refs})


def bound(tenant: Any) -> list[str]:
    return [b["action"]["name"] for b in tenant.api("GET", "/actions/triggers/post-login/bindings")["bindings"]]


def carry_out(promotion: Promotion, actor: Any) -> Run:
    """Start it, and do what a worker does."""
    run = promotions.start(promotion, actor=actor, typed_name=promotion.target.slug)
    runs.execute(run.pk)
    run.refresh_from_db()
    promotion.refresh_from_db()
    return run


def agreed(promotion: Promotion, asker: Any, approver: Any) -> Promotion:
    """Asked for by one person, approved by another."""
    promotions.request(promotion, actor=asker.user, reason="Partners sign in with MFA")
    promotions.approve(promotion, actor=approver.user, plan_hash=promotion.plan_hash)
    return promotion


def altered(snapshot: Snapshot, kind: str, name: str, thing: Any) -> Snapshot:
    """A snapshot like this one, in which one object is another."""
    content = snapshots.content_of(snapshot)
    content[kind] = content[kind] | {name: thing}
    reading = snapshots.Reading(content, snapshots.ids_of(snapshot), snapshot.kinds)
    return snapshots.store(snapshot.tenant, reading, source=Snapshot.Source.EXPORT, taken_by=None)
