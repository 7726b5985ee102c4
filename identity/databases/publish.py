"""Asking for scripts to be published, and returning to what was live before.

identity.databases.applying writes to the tenant, in a run. On a protected tenant somebody else approves it first
(identity.approvals).
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity.approvals import FourEyes
from identity.databases import checks, preflight, scripts
from identity.databases.drift import Live
from identity.databases.models import DatabasePublication, DatabaseVersion, named
from identity.databases.scripts import Content
from portal import audit, auth0, runs, tenants
from portal.errors import Conflict, Invalid, Refused
from portal.models import Tenant

RUN_KIND = "identity.publish_database"
FOUND = "Found in the tenant"
State, Kind = DatabasePublication.State, DatabasePublication.Kind


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

    What is live now is kept as a version first, so that it can be returned to. Raises MissingScope, Refused where the
    preflight does, Invalid where a reason is missing, Conflict where the tenant has changed or somebody else is
    publishing.
    """
    tenants.require(live.tenant, "databases.publish")
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
    tenants.require(live.tenant, "databases.publish")
    if problems := [check.detail for check in preflight.access(live) if check.status == "error"]:
        raise Refused(" ".join(problems))
    return _ask(
        live, Content.from_json(version.content), Kind.ROLL_BACK, actor=actor, comment="", reason=reason, ticket=ticket,
        expected=expected, state=State.RUNNING,
    )  # fmt: skip


def changed_settings(publication: DatabasePublication) -> list[str]:
    """Names of settings that were entered or removed after this was asked for."""
    asked, now = publication.settings, checks.settings_told(publication.tenant, publication.connection_id)
    return sorted({one["name"] for one in [*asked, *now] if one not in asked or one not in now})


def check_settings(publication: DatabasePublication) -> None:
    """Raises Conflict where a setting was changed since: nobody has looked at that."""
    if changed := changed_settings(publication):
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


def target(publication: DatabasePublication) -> dict[str, Any]:
    """What an audit entry says it is about."""
    return {
        "tenant": publication.tenant,
        "target": publication.connection_id,
        "target_label": publication.connection_name,
    }


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
        FOUR_EYES.record_request(publication)
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
    """Request the run. Raises as `check_settings`."""
    if publication.kind == Kind.PUBLISH:
        check_settings(publication)
    actor, title = publication.requested_by, str(publication)[:200]
    run = runs.request(RUN_KIND, actor=actor, title=title, tenant=publication.tenant, publication=publication.pk)
    DatabasePublication.objects.filter(pk=publication.pk).update(run=run)
    publication.run = run


FOUR_EYES = FourEyes(
    DatabasePublication, asks="databases.publish", decides="databases.approve", about=target,
    sha256=lambda publication: publication.version.sha256, start=_start,
)  # fmt: skip
