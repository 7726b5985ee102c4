"""Reading a tenant into canonical content, and keeping it: each object once, by the hash of what it says."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from deployments import archive, fields, plan, project, secrets, variables
from deployments.engines import deploy_cli
from deployments.kinds import KEYED, KINDS, LIST, SKIPPED_ALWAYS, SLOW, Kind, with_needed
from deployments.models import Blob, Snapshot, SnapshotObject
from deployments.project import Content
from portal import audit, runs, tenants
from portal.errors import Invalid
from portal.models import Run, RunEvent, Tenant
from portal.runs import Progress

READ, UNKNOWN, SKIPPED = "read", "unknown", "skipped"
State = dict[str, Any]


@dataclass
class Reading:
    """A tenant's configuration. A kind that could not be read whole is in `states` as unknown, not in `content`."""

    content: Content = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    calls: int = 0

    @property
    def unknown(self) -> dict[str, str]:
        return {kind: state["reason"] for kind, state in self.states.items() if state["state"] == UNKNOWN}


def request_export(tenant: Tenant, *, actor: Any, note: str = "", prompts: bool = False) -> Run:
    """Queue an export. `prompts` reads login texts too: 35 calls more for each language of the tenant.

    Raises MissingScope without what every reading needs; what else can't be read is said to be unknown.
    """
    tenants.require(tenant, "snapshots.export")
    with audit.recorded(actor, "snapshots.export", tenant=tenant, target=tenant.slug, target_label=tenant.name):
        return runs.request(
            "deployments.export", actor=actor, title=f"Export {tenant.name}", tenant=tenant, note=note, prompts=prompts
        )


def export(run: Run, progress: Progress) -> Snapshot:
    """Carry out a queued export; the snapshot's id becomes the run's result."""
    assert run.tenant  # noqa: S101  request_export gives it
    reading = read(run.tenant, progress, prompts=bool(run.parameters.get("prompts")))
    snapshot = store(
        run.tenant,
        reading,
        source=Snapshot.Source.EXPORT,
        taken_by=run.requested_by,
        run=run,
        note=run.parameters.get("note", ""),
    )
    for kind, reason in snapshot.unknown.items():
        progress.say(f"{KINDS[kind].label} could not be read: {reason}", level=RunEvent.Level.WARNING)
    progress.say(f"Snapshot stored: {snapshot.object_count} objects, {reading.calls} calls to {run.tenant}.")
    return snapshot


def read(tenant: Tenant, progress: Progress, *, kinds: set[str] | None = None, prompts: bool = False) -> Reading:
    """Read a tenant by the Deploy CLI: all kinds, or the given ones with what they need. Errors as deploy_cli.run."""
    included = with_needed(kinds) if kinds is not None else None
    excluded = [*SKIPPED_ALWAYS, *(() if prompts else SLOW)]
    with tempfile.TemporaryDirectory(prefix="castellan-export-") as name:
        folder = Path(name)
        job = deploy_cli.Job("export", folder, included, [] if included else excluded)
        outcome = deploy_cli.run(tenant, job, on_event=_teller(tenant, progress), progress=progress)
        wanted = included or [kind for kind in KINDS if kind not in excluded]
        content, doubled = project.read(folder, kinds=wanted)
        files = {kind: _object_files(folder, KINDS[kind]) for kind in wanted}
    return _reading(content, doubled, files, outcome, wanted)


def upload(tenant: Tenant, data: bytes, *, actor: Any, note: str = "") -> Snapshot:
    """Keep an uploaded Deploy CLI project (a zip file) as a snapshot. Raises Invalid, naming what is wrong."""
    with audit.recorded(
        actor, "snapshots.export", tenant=tenant, target=tenant.slug, target_label=tenant.name
    ) as entry:
        with tempfile.TemporaryDirectory(prefix="castellan-upload-") as name:
            content, doubled = project.read(archive.unpack(data, Path(name)))
        if doubled:
            said = "; ".join(f"{KINDS[kind].label}: {', '.join(names)}" for kind, names in doubled.items())
            raise Invalid(f"Several objects of the project share one name: {said}. Give each its own name.")
        reading = _clean(content)
        reading.states = {k: {"state": READ, "count": len(v), "reason": ""} for k, v in reading.content.items()}
        snapshot = store(tenant, reading, source=Snapshot.Source.UPLOAD, taken_by=actor, note=note)
        entry.after = {"snapshot": snapshot.pk, "objects": snapshot.object_count}
    return snapshot


@transaction.atomic
def store(
    tenant: Tenant, reading: Reading, *, source: str, taken_by: Any, run: Run | None = None, note: str = ""
) -> Snapshot:
    """Keep a reading. Objects that any snapshot holds already take no room."""
    blobs, rows = {}, []
    for kind, things in reading.content.items():
        for name, thing in things.items():
            text = fields.canonical(thing).encode()
            key = hashlib.sha256(text).hexdigest()
            blobs[key] = text
            rows.append((kind, name, key))
    Blob.objects.bulk_create([Blob(sha256=k, packed=zlib.compress(t)) for k, t in blobs.items()], ignore_conflicts=True)
    digest = hashlib.sha256(fields.canonical(sorted(rows)).encode()).hexdigest()
    snapshot = Snapshot.objects.create(
        tenant=tenant, source=source, taken_by=taken_by, run=run, note=note, kinds=reading.states, digest=digest
    )
    SnapshotObject.objects.bulk_create(
        SnapshotObject(
            snapshot=snapshot, kind=kind, name=name, blob_id=key, object_id=reading.ids.get(kind, {}).get(name, "")
        )
        for kind, name, key in rows
    )
    return snapshot


def content_of(snapshot: Snapshot) -> Content:
    """The snapshot's content: every kind that was read, also those without objects."""
    content: Content = {kind: {} for kind, state in snapshot.kinds.items() if state["state"] == READ and kind in KINDS}
    for row in snapshot.objects_of.select_related("blob"):
        content.setdefault(row.kind, {})[row.name] = row.blob.document
    return content


def ids_of(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """{kind: {name: id}} in the snapshot's tenant."""
    ids: dict[str, dict[str, str]] = {}
    for kind, name, object_id in snapshot.objects_of.exclude(object_id="").values_list("kind", "name", "object_id"):
        ids.setdefault(kind, {})[name] = object_id
    return ids


def differences(source: Snapshot, target: Snapshot) -> tuple[list[plan.Item], list[str]]:
    """(what would make the target like the source, kinds that could not be compared)."""
    left, right = translated(source, target.tenant), content_of(target)
    return plan.compare(left, right), plan.not_compared(left, right)


def translated(source: Snapshot, target: Tenant) -> Content:
    """The source's content as it reads in the target: variables and the tenants' own domains replaced.

    Raises Invalid for a variable that can't be replaced safely.
    """
    content = content_of(source)
    if source.tenant_id == target.pk:
        return variables.replaced(content, {}, target.variables)
    try:
        replacements = variables.replacements(
            {**source.tenant.variables, "(domain)": source.tenant.domain},
            {**target.variables, "(domain)": target.domain},
        )
    except ValueError as error:
        raise Invalid(f"{error} Change it on the page of {source.tenant.name}.") from None
    return variables.replaced(content, replacements, target.variables)


def _reading(
    content: Content,
    doubled: dict[str, list[str]],
    files: dict[str, int | None],
    outcome: deploy_cli.Outcome,
    wanted: list[str],
) -> Reading:
    states: dict[str, State] = {kind: {"state": SKIPPED, "count": None, "reason": "Not asked for."} for kind in KINDS}
    for kind in wanted:
        reason = _doubt(KINDS[kind], outcome, doubled.get(kind, []), files[kind])
        if reason:
            content.pop(kind, None)
            states[kind] = {"state": UNKNOWN, "count": None, "reason": reason}
        else:
            content.setdefault(kind, {})
            states[kind] = {"state": READ, "count": len(content[kind]), "reason": ""}
    reading = _clean(content)
    reading.states, reading.calls = states, outcome.calls
    return reading


def _doubt(kind: Kind, outcome: deploy_cli.Outcome, doubled: list[str], files: int | None) -> str:
    """Why what was read of this kind may not be all there is; empty where it is. "Unreadable" is never "none"."""
    for trouble in outcome.troubles.get(kind.type, []):
        path = trouble["path"].removeprefix("/api/v2")
        if trouble["status"] == 404 and any(path.startswith(absent) for absent in kind.absent):
            continue
        return (
            f"{trouble['method']} {path} was answered with {trouble['status']}: {trouble.get('message') or 'no text'}"
        )
    if doubled:
        return f"several objects share a name ({', '.join(doubled)}), and are told apart by it alone"
    count = outcome.counts.get(kind.type)
    if kind.type not in outcome.counts:
        return "the Deploy CLI did not read it"
    if count is not None and files is not None and files < count:
        return f"{count} objects were read but {files} written: some names differ too little to be told apart"
    if count is None and not kind.absent and kind.shape == LIST:
        return "the Deploy CLI got no answer for it"
    return ""


def _object_files(folder: Path, kind: Kind) -> int | None:
    """How many objects lie in the folder, where each is a file."""
    if kind.shape != LIST or not kind.files[0].many:
        return None
    return len(project.paths(folder, kind.files[0]))


def _clean(content: Content) -> Reading:
    """Without ids and what is no configuration, and with placeholders for secrets."""
    reading = Reading()
    for type_, things in content.items():
        kind = KINDS[type_]
        if kind.shape == LIST:
            reading.ids[type_] = {
                n: str(t[kind.id]) for n, t in things.items() if isinstance(t, dict) and t.get(kind.id)
            }
        reading.content[type_] = {name: _configuration(kind, thing) for name, thing in things.items()}
    reading.content = secrets.mask(reading.content)
    return reading


def _configuration(kind: Kind, thing: Any) -> Any:
    if kind.shape == LIST and isinstance(thing, dict):
        thing = {key: value for key, value in thing.items() if key not in (kind.id, "id")}
    return thing if kind.shape == KEYED else plan.without_volatile(kind, thing)


def _teller(tenant: Tenant, progress: Progress) -> Any:
    """Turns the bridge's events into lines of the run."""
    limited: list[bool] = []

    def tell(event: dict[str, Any]) -> None:
        if event["ev"] == "type" and event["stage"] == "load" and event["type"] in KINDS and event["count"]:
            progress.say(f"Read {KINDS[event['type']].label}: {event['count']}", kind=event["type"])
        elif event["ev"] == "http" and event["status"] == 429 and not limited:
            limited.append(True)
            progress.say(f"{tenant} is at its rate limit; the Deploy CLI waits.", level=RunEvent.Level.WARNING)
        elif event["ev"] == "waiting":
            progress.say(f"Waiting {event['ms'] / 1000:.0f} s to leave room for people.")

    return tell
