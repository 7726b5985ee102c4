"""Asking for scripts to be published, deciding about it, and returning to what was live before.

identity.databases.applying writes to the tenant, in a run. On a protected tenant somebody else approves it first.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity.databases import checks, preflight, scripts
from identity.databases.drift import Live
from identity.databases.models import DatabasePublication, DatabaseVersion, named
from identity.databases.scripts import Content
from portal import access, audit, auth0, runs
from portal.errors import Conflict, Invalid, Refused
from portal.models import Tenant

RUN_KIND = "identity.publish_database"
FOUND = "Found in the tenant"
State, Kind = DatabasePublication.State, DatabasePublication.Kind
MOVES: dict[str, set[str]] = {
    State.REQUESTED: {State.RUNNING, State.REFUSED, State.WITHDRAWN},
    State.RUNNING: {State.LIVE, State.FAILED, State.CANCELLED, State.INTERRUPTED},
    State.LIVE: {State.REPLACED},
}


def request(
    live: Live,
    content: Content,
    *,
    actor: User,
    comment: str,
    reason: str,
    ticket: str = "",
    untested_reason: str = "",
    expected: str,
) -> DatabasePublication:
    """Ask for these scripts to be published. `expected`: SHA-256 of what was live on the screen.

    What is live now is kept as a version first, so that it can be returned to. Raises Refused where the preflight does,
    Invalid where a reason is missing, Conflict where the tenant has changed or somebody else is publishing.
    """
    found = preflight.look(live, content)
    if problems := [check.detail for check in found if check.status == "error"]:
        raise Refused(" ".join(problems))
    if any(check.status == "warning" for check in found) and not untested_reason.strip():
        raise Invalid("Say why these scripts may be published although not every check is green.")
    return _ask(
        live, content, Kind.PUBLISH, actor=actor, comment=comment, reason=reason, ticket=ticket, expected=expected,
        untested_reason=untested_reason.strip(), state=State.REQUESTED if live.tenant.protected else State.RUNNING,
        settings=checks.settings_told(live.tenant, live.id),
    )  # fmt: skip


def roll_back(
    live: Live, version: DatabaseVersion, *, actor: User, reason: str, ticket: str = "", expected: str
) -> DatabasePublication:
    """Return to a version that was live here before; it had its second person then, so none is needed now.

    Settings stay as the tenant has them: new values would need a second person. Raises Refused for any other version,
    and as `request` does.
    """
    if not was_live(version):
        raise Refused(f"{version} was never live in {live.tenant}, so there is nothing to roll back to.")
    if problems := [check.detail for check in preflight.access(live) if check.status == "error"]:
        raise Refused(" ".join(problems))
    return _ask(
        live, Content.from_json(version.content), Kind.ROLL_BACK, actor=actor, comment="", reason=reason, ticket=ticket,
        expected=expected, state=State.RUNNING,
    )  # fmt: skip


def approve(publication: DatabasePublication, *, actor: User, sha256: str, reason: str = "") -> None:
    """Four eyes: somebody else than who asked, and exactly the scripts that were looked at. Starts the run."""
    with _deciding(publication, actor, reason) as entry:
        _not_by_who_asked(publication, actor)
        if sha256 != publication.version.sha256:
            raise Conflict("These are not the scripts that you looked at. Read them again before you approve.")
        check_settings(publication)
        entry.after = {"version": publication.version.number, "sha256": sha256}
        entry.detail = "Approved"
        with transaction.atomic():
            _move(publication, State.RUNNING, decided_by=actor, decided_at=timezone.now(), decision_reason=reason)
            _start(publication)


def refuse(publication: DatabasePublication, *, actor: User, reason: str) -> None:
    """The second person says no; the reason is for who asked."""
    reason, now = audit.required_reason(reason), timezone.now()
    with _deciding(publication, actor, reason) as entry:
        _not_by_who_asked(publication, actor)
        entry.detail = "Refused"
        _move(
            publication, State.REFUSED, finished_at=now, decided_by=actor, decided_at=now, decision_reason=reason
        )  # fmt: skip


def withdraw(publication: DatabasePublication, *, actor: User) -> None:
    """Who asked gives it up, before anybody has decided."""
    with audit.recorded(actor, "databases.publish", **target(publication)) as entry:
        if actor.pk != publication.requested_by_id:
            raise Refused("Only who asked for this can withdraw it. Refuse it instead.")
        entry.detail = "Withdrawn"
        _move(publication, State.WITHDRAWN, finished_at=timezone.now())


def check_settings(publication: DatabasePublication) -> None:
    """Raises Conflict where a setting was entered or removed after this was asked for: nobody has looked at that."""
    asked, now = publication.settings, checks.settings_told(publication.tenant, publication.connection_id)
    if changed := sorted({one["name"] for one in [*asked, *now] if one not in asked or one not in now}):
        raise Conflict(
            f"Settings were changed after this was asked for: {', '.join(changed)}. Nothing was written. "
            "Have it refused or withdrawn, and ask again."
        )


def were_live(tenant: Tenant, connection_id: str) -> set[str]:
    """SHA-256 of all contents that were live here: published, or found when something else was asked for."""
    acts = DatabasePublication.objects.filter(**named(tenant, connection_id))
    published = acts.filter(state__in=(State.LIVE, State.REPLACED)).values_list("version__sha256", flat=True)
    return {*published, *acts.values_list("expected_sha256", flat=True)}


def was_live(version: DatabaseVersion) -> bool:
    return version.sha256 in were_live(version.tenant, version.connection_id)


def waiting_for(user: Any) -> list[dict[str, str]]:
    """What somebody else has asked this person to approve, for the home page."""
    if "databases.approve" not in access.permissions_of(user):
        return []
    asked = DatabasePublication.objects.filter(state=State.REQUESTED).exclude(requested_by=user)
    return [
        {"title": str(one), "url": one.get_absolute_url(), "detail": f"{one.requested_by.email} asks for approval."}
        for one in asked.select_related("tenant", "version", "requested_by")
    ]


def target(publication: DatabasePublication) -> dict[str, Any]:
    """What an audit entry says it is about."""
    return {
        "tenant": publication.tenant,
        "target": publication.connection_id,
        "target_label": publication.connection_name,
    }


def find(tenant: Tenant, pk: int) -> DatabasePublication | None:
    found = DatabasePublication.objects.select_related("tenant", "version", "requested_by", "decided_by", "run")
    return found.filter(tenant=tenant, pk=pk).first()


def _ask(
    live: Live, content: Content, kind: str, *, actor: User, comment: str, expected: str, **fields: Any
) -> DatabasePublication:
    fields["reason"] = audit.required_reason(fields["reason"])
    if live.content.sha256 != expected:
        raise Conflict(
            f"What is live in {live.tenant} has changed while this page was open. Nothing was published. "
            "Look at it again."
        )
    auth0.check_writable(live.tenant)
    with transaction.atomic():
        _keep_what_is_live(live, actor)
        keys = checks.configuration_keys(live)
        place = {"id": live.id, "name": live.name}
        version = scripts.version_of(
            live.tenant, place, content, actor=actor, comment=comment, configuration_keys=keys
        )  # fmt: skip
        publication = DatabasePublication(
            **named(live.tenant, live.id), connection_name=live.name, version=version, kind=kind, requested_by=actor,
            expected_sha256=expected, **fields,
        )  # fmt: skip
        _lock(publication)
        if publication.state == State.RUNNING:
            _start(publication)
    if publication.state == State.REQUESTED:
        _record_request(publication)
    return publication


def _keep_what_is_live(live: Live, actor: User) -> None:
    """As a version, so that it can be returned to, whoever wrote it."""
    if live.version is None:
        comment = f"{FOUND}, {timezone.now():%Y-%m-%d %H:%M} UTC"
        place = {"id": live.id, "name": live.name}
        keys = live.configuration_keys
        scripts.version_of(live.tenant, place, live.content, actor=actor, comment=comment, configuration_keys=keys)


def _lock(publication: DatabasePublication) -> None:
    """Store the request, which locks the connection. Raises Conflict."""
    try:
        with transaction.atomic():
            publication.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            f"Somebody else has just asked to publish to {publication.connection_name}. Nothing was asked for. "
            "Wait for it, or have it refused or withdrawn."
        ) from None


def _start(publication: DatabasePublication) -> None:
    actor, title = publication.requested_by, str(publication)[:200]
    run = runs.request(RUN_KIND, actor=actor, title=title, tenant=publication.tenant, publication=publication.pk)
    DatabasePublication.objects.filter(pk=publication.pk).update(run=run)
    publication.run = run


def _record_request(publication: DatabasePublication) -> None:
    asked = {"version": publication.version.number, "sha256": publication.version.sha256}
    audit.record(
        publication.requested_by, "databases.publish", reason=publication.reason, ticket=publication.ticket,
        outcome="succeeded", after=asked, detail="Asked for approval", **target(publication),
    )  # fmt: skip


def _move(publication: DatabasePublication, state: str, **fields: Any) -> None:
    """The one door of a decision: of two people who press at once, one wins. Raises Conflict for the other."""
    allowed = [old for old, following in MOVES.items() if state in following]
    mine = DatabasePublication.objects.filter(pk=publication.pk, state__in=allowed)
    if not mine.update(state=state, **fields):
        publication.refresh_from_db(fields=["state"])
        raise Conflict(f"Somebody was faster: this is {publication.get_state_display().lower()} already.")
    publication.refresh_from_db()


def _deciding(publication: DatabasePublication, actor: User, reason: str) -> Any:
    where = target(publication)
    return audit.recorded(actor, "databases.approve", reason=reason, ticket=publication.ticket, **where)


def _not_by_who_asked(publication: DatabasePublication, actor: User) -> None:
    if actor.pk == publication.requested_by_id:
        raise Refused("You asked for this yourself. On a protected tenant somebody else has to approve it.")
