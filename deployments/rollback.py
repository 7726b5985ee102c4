"""What a promotion left in its target, and the way back."""

from __future__ import annotations

from typing import Any

from deployments import plan, promotions, snapshots
from deployments.models import Promotion, Snapshot
from portal.errors import Refused

Status = Promotion.Status


def roll_back(promotion: Promotion, *, actor: Any) -> Promotion:
    """Plan the way back: a new draft from the snapshot before to what the target is now, for its items alone.

    It takes the same road as any promotion: it is looked at, approved by somebody else, applied and verified.
    """
    promotions.expect(promotion, Status.VERIFIED, Status.FAILED, Status.INTERRUPTED)
    promotions.require_scopes(promotion, "promotions.roll_back", back=True)
    now = latest_reading(promotion)
    if promotion.before is None or now is None:
        raise Refused(f"Export {promotion.target.name} first: it is not known what this promotion left there.")
    with promotions.recorded(promotion, actor, "promotions.roll_back") as entry:
        touched = {item.key for item in promotion.plan}
        found = [item for item in snapshots.differences(promotion.before, now)[0] if item.key in touched]
        if not found:
            raise Refused("There is nothing to roll back: the target is as it was before.")
        way_back = promotions.draft(
            promotion.before,
            now,
            [plan.Pick(item.key, exact=True) for item in found],
            actor=actor,
            title=f"Roll back: {promotion.title}",
        )
        Promotion.objects.filter(pk=way_back.pk).update(rolls_back=promotion)
        entry.detail = f"Planned as promotion {way_back.pk}"
    way_back.refresh_from_db()
    return way_back


def can_roll_back(promotion: Promotion) -> bool:
    """Whether something was, or may have been, written."""
    return Status.ROLLED_BACK in promotions.MOVES.get(promotion.status, set()) and promotion.before is not None


def latest_reading(promotion: Promotion) -> Snapshot | None:
    """The newest reading of the target since the promotion began, that holds the kinds of its plan."""
    kinds = {item.kind for item in promotion.plan}
    since = promotion.started_at or promotion.created_at
    readings = Snapshot.objects.filter(tenant=promotion.target, created_at__gte=since).exclude(
        source=Snapshot.Source.UPLOAD
    )
    readings = readings.exclude(pk=promotion.before_id) if promotion.before_id else readings
    return next((s for s in readings if all(s.kinds.get(k, {}).get("state") == snapshots.READ for k in kinds)), None)


def journal(promotion: Promotion) -> list[dict[str, Any]]:
    """Each write that was sent to the target: {"method", "path", "status" (0: not known), "message", "at"}."""
    if promotion.run is None:
        return []
    entries: list[dict[str, Any]] = []
    for event in promotion.run.events.filter(data__has_key="write"):
        write = event.data["write"] | {"at": event.at}
        opened = next((e for e in entries if _same_call(e, write) and not e["status"]), None)
        if write["status"] and opened:
            opened.update(write)
        else:
            entries.append(write)
    return entries


def _same_call(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["method"], one["path"]) == (other["method"], other["path"])
