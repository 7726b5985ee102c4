"""Asking for a version to be published, for an earlier one to be live again, or for the policy to be taken away.

identity.mfa.applying writes to the tenant, in a run. What is new to a protected tenant somebody else approves first
(identity.approvals); a roll back and taking away are what one does in an emergency, so they stay one act.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from identity.approvals import FourEyes
from identity.mfa import login_flow
from identity.mfa.login_flow import ACTION_NAME
from identity.mfa.models import PolicyVersion, Publication
from portal import audit, runs, tenants
from portal.errors import Conflict
from portal.models import Tenant

RUN_KIND = "identity.publish_policy"
State, Kind = Publication.State, Publication.Kind
VERBS = {Kind.PUBLISH: "mfa.publish", Kind.ROLL_BACK: "mfa.roll_back", Kind.REMOVE: "mfa.publish"}
TITLES = {Kind.PUBLISH: "Publish {} to {}", Kind.ROLL_BACK: "Roll back to {} in {}", Kind.REMOVE: "Remove {} from {}"}


def request(
    tenant: Tenant,
    version: PolicyVersion | None,
    *,
    kind: str,
    actor: User,
    expected: int | None,
    reason: str = "",
    ticket: str = "",
    accepted_lockouts: list[str] | None = None,
    customize: bool = False,
) -> Publication:
    """Ask for the act. `expected`: the live publication (its pk) that was on the screen; `version` None removes.

    `accepted_lockouts`: user ids of guarded people whose lock-out was confirmed in words. Raises Conflict where
    somebody else is publishing to the tenant now, or has done so since. The same request twice gives the first again.
    What is new to a protected tenant waits for `FOUR_EYES.approve`.
    """
    reason = audit.required_reason(reason)
    tenants.require(tenant, f"mfa.{kind}")
    asked = Publication(
        tenant=tenant, version=version, kind=kind, requested_by=actor, reason=reason, ticket=ticket,
        accepted_lockouts=accepted_lockouts or [], customize=customize,
        state=State.REQUESTED if needs_approval(tenant, kind) else State.RUNNING,
    )  # fmt: skip
    with transaction.atomic():
        if earlier := _lock(asked):
            return earlier
        asked.expected = login_flow.current_publication(tenant)
        if asked.expected_id != expected:
            raise Conflict(overtaken(tenant, asked.expected))
        asked.save(update_fields=["expected"])
        if asked.state == State.RUNNING:
            _start(asked)
    if asked.state == State.REQUESTED:
        FOUR_EYES.record_request(asked)
    return asked


def needs_approval(tenant: Tenant, kind: str) -> bool:
    return tenant.protected and kind == Kind.PUBLISH


def about(publication: Publication) -> dict[str, Any]:
    """What an audit entry says it is about."""
    return {
        "tenant": publication.tenant,
        "target": ACTION_NAME,
        "target_label": str(publication.version or ACTION_NAME),
    }


def unfinished(tenant: Tenant) -> Publication | None:
    """The tenant's latest act that began, where it did not reach its end."""
    began = Publication.objects.filter(tenant=tenant, run__isnull=False)
    last = began.select_related("version__policy", "run", "tenant", "requested_by").first()
    return last if last and last.state in (State.FAILED, State.CANCELLED, State.INTERRUPTED) else None


def was_live(tenant: Tenant, version: PolicyVersion) -> bool:
    ended = (State.REPLACED, State.REMOVED)
    return Publication.objects.filter(tenant=tenant, version=version, state__in=ended).exists()


def overtaken(tenant: Tenant, live: Publication | None) -> str:
    if live is None:
        return f"The policy of {tenant} was taken away while this page was open. Look at it again, then confirm."
    return (
        f"{live.requested_by.email} published {live.version} to {tenant} while this page was open. "
        "Nothing was changed by you. Look at it again, then confirm."
    )


def _lock(asked: Publication) -> Publication | None:
    """Store the request, which locks the tenant; or the same request that is here already. Raises Conflict."""
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
        return None
    except IntegrityError:
        other = Publication.objects.get(tenant=asked.tenant, state=asked.state)
        same = ("requested_by_id", "version_id", "kind")
        if all(getattr(other, name) == getattr(asked, name) for name in same):
            return other
        raise Conflict(IN_THE_WAY[other.state].format(other.requested_by.email, asked.tenant, other)) from None


def _start(publication: Publication) -> None:
    """Request the run. Raises Conflict where something else has become live since this was asked for."""
    tenant, live = publication.tenant, login_flow.current_publication(publication.tenant)
    if live != publication.expected:
        raise Conflict(
            f"What is live in {tenant} has changed since this was asked for. Nothing was published. Refuse it, or have "
            "it withdrawn and asked for again."
        )
    what = publication.version or (live.version if live else "the policy")
    title = TITLES[Kind(publication.kind)].format(what, tenant)[:200]
    publication.run = runs.request(
        RUN_KIND, actor=publication.requested_by, title=title, tenant=tenant, publication=publication.pk
    )
    publication.save(update_fields=["run"])


# state of what stands in the way -> what is said of it; its person, the tenant, the act
IN_THE_WAY: dict[str, str] = {
    State.RUNNING: "{} is changing the policy of {} at this moment ({}). Wait for it to end, then look again.",
    State.REQUESTED: "{} has asked to publish to {} already ({}). Have that approved, refused or withdrawn first.",
}
FOUR_EYES = FourEyes(
    Publication, asks="mfa.publish", decides="mfa.approve", about=about,
    sha256=lambda publication: publication.version.code_sha256, start=_start,
)  # fmt: skip
