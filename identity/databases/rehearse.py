"""Asking for rehearsals on a local tenant: one sign-in, or the lazy migration of a sample to its end.

identity.databases.migrating carries the migration out, in a run; identity.databases.putting_back undoes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from identity.databases import putting_back
from identity.databases.drift import Live
from identity.databases.models import DatabasePublication, DatabaseRehearsal, named
from identity.databases.rehearsal_report import WORDS, Row
from identity.databases.signing_in import Evidence, application, judged
from portal import audit, auth0, runs, tenants
from portal.errors import Conflict, Invalid, PortalError, Refused
from portal.models import Run

RUN_KIND = "identity.rehearse_database"
MOST_USERS = 50


def sample(text: str) -> list[tuple[str, str]]:
    """[(identifier, password)] of lines `identifier,password`; a password may hold anything, commas too.

    Raises Invalid with the number of the line, never with its content.
    """
    rows: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(_lines(text), start=1):
        if not line.strip():
            continue
        name, _, password = line.partition(",")
        identifier = name.strip()
        if not identifier or not password:
            raise Invalid(f"Line {number}: write an e-mail address or username, a comma, and the password.")
        if identifier.lower() in rows:
            raise Invalid(f"Line {number}: this user stands in the sample already. Write everybody once.")
        rows[identifier.lower()] = (identifier, password)
    if not rows:
        raise Invalid("The sample is empty. Write one user a line: identifier,password")
    if len(rows) > MOST_USERS:
        raise Invalid(f"The sample has {len(rows)} users; {MOST_USERS} are enough to see what happens.")
    return list(rows.values())


def without_passwords(text: str) -> str:
    """The same lines, each up to its comma; a line without one may be a password, and is left empty."""
    return "\n".join(line.partition(",")[0] + "," if "," in line else "" for line in _lines(text))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def check(live: Live) -> None:
    """Raises Refused where nothing can be rehearsed, MissingScope where the application can't."""
    if not auth0.is_local(live.tenant):
        raise Refused(f"{live.tenant} is not a local tenant. Rehearse on one: real users are no test data.")
    if not live.content.enabled or "login" not in live.content.scripts:
        raise Refused(f"{live.name} has no login script in {live.tenant}. Publish the scripts there first.")
    tenants.require(live.tenant, "databases.rehearse")


def sign_in(live: Live, identifier: str, password: str, *, actor: User) -> Row:
    """One sign-in with the scripts that are live; nothing is put back, so with import mode this user moves.

    Raises Refused where nothing can be rehearsed, Conflict while a rehearsal turns import mode on and off.
    """
    check(live)
    _wait_for(open_on(live))
    recorded = audit.recorded(actor, "databases.test", tenant=live.tenant, target=live.id, target_label=live.name)
    with recorded as entry, application(live) as app:
        before = Evidence(auth0.local_documents(live.tenant), app)
        tried = app.sign_in(identifier, password)
        row = judged(tried, before, Evidence(auth0.local_documents(live.tenant), app))
        entry.detail = f"Rehearsed a sign-in: {row.outcome}."
    if row.moved and not live.content.import_mode:
        return replace(row, outcome="signed_in", words=WORDS["signed_in"])
    return row


def request(live: Live, users: Sequence[tuple[str, str]], *, actor: User) -> DatabaseRehearsal:
    """Ask for the whole rehearsal. Raises Refused where nothing can be rehearsed, Conflict where something else is
    under way. What an earlier one has left behind is put back first.
    """
    check(live)
    auth0.check_writable(live.tenant)
    _make_room(live)
    rehearsal = DatabaseRehearsal(
        **named(live.tenant, live.id), connection_name=live.name, sample=json.dumps(users),
        report=[asdict(Row(identifier)) for identifier, _ in users],
    )  # fmt: skip
    recorded = audit.recorded(actor, "databases.test", tenant=live.tenant, target=live.id, target_label=live.name)
    with recorded as entry, transaction.atomic():
        try:
            with transaction.atomic():
                rehearsal.save(force_insert=True)
        except IntegrityError:
            raise Conflict(f"Somebody else has just begun to rehearse {live.name}. Wait for it to end.") from None
        title = f"Rehearse the migration of {live.name}"[:200]
        rehearsal.run = runs.request(RUN_KIND, actor=actor, title=title, tenant=live.tenant, rehearsal=rehearsal.pk)
        rehearsal.save(update_fields=["run"])
        entry.detail = f"Asked for a rehearsal with {len(users)} users."
    return rehearsal


def open_on(live: Live) -> DatabaseRehearsal | None:
    """The rehearsal that this connection has to be put back from, or that runs now."""
    found = DatabaseRehearsal.objects.filter(**named(live.tenant, live.id), put_back_at=None)
    return found.select_related("run__requested_by", "tenant").first()


def is_running(rehearsal: DatabaseRehearsal) -> bool:
    return rehearsal.put_back_at is None and rehearsal.run is not None and not rehearsal.run.is_final


def put_back(rehearsal: DatabaseRehearsal, *, actor: User | None) -> None:
    """The named act, for a rehearsal whose worker died. Raises Conflict while it runs."""
    if is_running(rehearsal):
        raise Conflict("This rehearsal is still running. It puts the tenant back by itself when it ends.")
    where = {"target": rehearsal.connection_id, "target_label": rehearsal.connection_name}
    with audit.recorded(actor, "databases.test", tenant=rehearsal.tenant, **where) as entry:
        entry.detail = "Put the tenant back as it was before a rehearsal."
        putting_back.put_back(rehearsal)


def interrupted(run: Run) -> None:
    """The worker died, or the run was cancelled before it began. Where the tenant is away, a person puts it back."""
    for rehearsal in DatabaseRehearsal.objects.filter(run=run, put_back_at=None).select_related("tenant"):
        DatabaseRehearsal.objects.filter(pk=rehearsal.pk).update(sample="")
        with auth0.ignoring(PortalError):
            put_back(rehearsal, actor=run.requested_by)


def _make_room(live: Live) -> None:
    """Raises Conflict while something else changes the connection."""
    where = named(live.tenant, live.id)
    if DatabasePublication.objects.filter(**where, state=DatabasePublication.State.RUNNING).exists():
        raise Conflict(f"Scripts are being published to {live.name} at this moment. Wait for it to end.")
    if earlier := open_on(live):
        _wait_for(earlier)
        putting_back.put_back(earlier)


def _wait_for(rehearsal: DatabaseRehearsal | None) -> None:
    if rehearsal and is_running(rehearsal):
        raise Conflict(f"{rehearsal.connection_name} is being rehearsed at this moment. Wait for it to end.")
