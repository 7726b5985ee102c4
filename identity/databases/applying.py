"""The run that writes a publication to the tenant. It may be started again at any time: it looks before it writes."""

from __future__ import annotations

from typing import Any

from identity.databases import checks, drift, options, publish, rehearse, scripts
from identity.databases.drift import Live
from identity.databases.models import ConfigurationValue, DatabasePublication
from identity.databases.preflight import HIDDEN, counted
from identity.databases.publish import Kind, State, target
from identity.databases.scripts import Content
from portal import audit
from portal.errors import Conflict, Refused
from portal.models import Run, RunEvent
from portal.runs import Progress


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler."""
    found = DatabasePublication.objects.select_related("tenant", "version", "requested_by")
    publication = found.get(run=run)
    try:
        with audit.recorded(
            publication.requested_by, "databases.publish", reason=publication.reason, ticket=publication.ticket,
            **target(publication),
        ) as entry:  # fmt: skip
            entry.detail = publication.get_kind_display().capitalize()
            before = drift.read(publication.tenant, publication.connection_id)
            entry.before = _summary(before)
            after = _publish(publication, before, progress)
            changed = scripts.difference(before.content, after.content)
            entry.after = _summary(after) | {"version": publication.version.number, "difference": changed}
    except BaseException as error:
        publication.break_off(error)
        raise
    return {"publication": publication.pk, "audit_event": entry.event.pk}


def _publish(publication: DatabasePublication, before: Live, progress: Progress) -> Live:
    content = Content.from_json(publication.version.content)
    progress.say(f"Read {before.name}: live is {before.version or 'something that Castellan has no version of'}.")
    _still_fits(publication, before)
    settings = checks.settings_of(before.tenant, before.id) if publication.kind == Kind.PUBLISH else []
    wanted = options.whole(before, content.as_options() | _configuration(before, settings))
    progress.check()
    _write(before, wanted, progress)
    after = _read_back(publication, content, wanted, progress)
    _forget_removed(settings)
    publication.end(State.LIVE, retires_to=State.REPLACED)
    return after


def _write(before: Live, wanted: dict[str, Any], progress: Progress) -> None:
    if not options.write(before, wanted):
        progress.say("The answer was lost; the tenant holds what was written.", level=RunEvent.Level.WARNING)
    counts = counted(len(wanted["customScripts"]), "script"), counted(len(wanted.get("configuration", {})), "setting")
    progress.say(f"Wrote the whole options: {', '.join(counts)}.")
    if older := options.left_out(before.options):
        progress.say(f"Left out {', '.join(older)}: Auth0 refuses both at once, and the newer option holds now.")


def _still_fits(publication: DatabasePublication, live: Live) -> None:
    if not live.readable:
        raise Refused(HIDDEN.format(live.tenant))
    if rehearse.open_on(live):
        raise Conflict(f"{live.name} is being rehearsed in {live.tenant}. Nothing was written. Publish again later.")
    if live.content.sha256 not in (publication.expected_sha256, publication.version.sha256):
        raise Conflict(
            f"{live.name} was changed in {live.tenant} after this was asked for. Nothing was written. "
            "Look at what is live now, and publish again."
        )
    if publication.kind == Kind.PUBLISH:
        publish.check_settings(publication)


def _configuration(live: Live, settings: list[ConfigurationValue]) -> dict[str, dict[str, str]]:
    """What the tenant shows of its own values (encrypted) goes back as it is, but for what `settings` say.

    {} where the tenant has no settings and gets none.
    """
    values = {**(live.options.get("configuration") or {})}
    for one in settings:
        if one.removed:
            values.pop(one.name, None)
        else:
            values[one.name] = one.value
    return {"configuration": values} if values or "configuration" in live.options else {}


def _forget_removed(settings: list[ConfigurationValue]) -> None:
    """Only those that were taken away: somebody may have removed others, or entered these again, meanwhile."""
    for one in settings:
        if one.removed:
            ConfigurationValue.objects.filter(pk=one.pk, removed=True).delete()


def _read_back(publication: DatabasePublication, content: Content, wanted: dict[str, Any], progress: Progress) -> Live:
    """What the tenant says now, compared with what was wanted. Raises Conflict where it differs."""
    after = drift.read(publication.tenant, publication.connection_id)
    if after.content != content:
        raise Conflict(
            f"{publication.tenant} does not hold what was just written. Somebody else changes {after.name} at the same "
            "time, or the write was lost. Look at it, and publish again."
        )
    if missing := sorted(set(wanted.get("configuration", {})) - set(after.configuration_keys)):
        progress.say(f"The tenant does not show the settings {', '.join(missing)}.", level=RunEvent.Level.WARNING)
    same = set(wanted) - set(content.as_options()) - {"configuration"}
    if other := sorted(name for name in same if after.options.get(name) != wanted[name]):
        progress.say(f"Other options were changed meanwhile: {', '.join(other)}.", level=RunEvent.Level.WARNING)
    progress.say(f"Read back: {publication.version} is live in {publication.tenant}.")
    return after


def _summary(live: Live) -> dict[str, Any]:
    """For the audit trail: scripts by their hash, settings by their names."""
    return {
        "sha256": live.content.sha256,
        "version": live.version.number if live.version else None,
        "enabled": live.content.enabled,
        "import_mode": live.content.import_mode,
        "settings": live.configuration_keys,
    }
