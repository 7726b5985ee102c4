"""The run of a rehearsal: a sample moves with import mode on, signs in again with import mode off, all is put back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from identity.databases import drift, options, putting_back
from identity.databases.drift import Live
from identity.databases.models import DatabaseRehearsal
from identity.databases.putting_back import Memory
from identity.databases.rehearsal_report import Row
from identity.databases.rehearse import check
from identity.databases.signing_in import Application, Evidence, SignIn, application, judged, names
from portal import audit, auth0
from portal.errors import PortalError
from portal.models import Run
from portal.runs import Progress


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler."""
    rehearsal = DatabaseRehearsal.objects.select_related("tenant").get(run=run)
    with audit.recorded(
        run.requested_by, "databases.test", tenant=rehearsal.tenant, target=rehearsal.connection_id,
        target_label=rehearsal.connection_name,
    ) as entry:  # fmt: skip
        try:
            rows = _rehearse(rehearsal, progress)
        except BaseException:
            # Cancelled, or something failed half-way. Where the tenant is away too, the page says so.
            with auth0.ignoring(PortalError):
                putting_back.put_back(rehearsal)
            raise
        putting_back.put_back(rehearsal)
        progress.say(f"{rehearsal.tenant} is as it was before.")
        moved, stuck = sum(row.moved for row in rows), sum(row.stuck for row in rows)
        entry.detail = f"Rehearsed a migration: {moved} of {len(rows)} users moved."
    return {"rehearsal": rehearsal.pk, "users": len(rows), "moved": moved, "stuck": stuck}


def _rehearse(rehearsal: DatabaseRehearsal, progress: Progress) -> list[Row]:
    live = drift.read(rehearsal.tenant, rehearsal.connection_id)
    check(live)
    documents = auth0.local_documents(rehearsal.tenant)
    memory = Memory(rehearsal, documents, live)
    with application(live) as app:
        memory.application(app.client_id)
        migration = Migration(rehearsal, app, memory, Evidence(documents, app), progress)
        return migration.sign_in_again(migration.move())


@dataclass
class Migration:
    rehearsal: DatabaseRehearsal
    app: Application
    memory: Memory
    before: Evidence
    progress: Progress

    def move(self) -> list[Row]:
        """Import mode on: everybody signs in once, and moves."""
        users = json.loads(self.rehearsal.sample)
        _switch(self.app.live, import_mode=True)
        self.progress.say(f"Import mode is on. Everybody signs in, one after the other: {len(users)}.")
        tried = [self._sign_in(*user) for user in users]
        after = self._evidence()
        rows = [judged(one, self.before, after) for one in tried]
        rows = [self._with_duplicate(row, rows, after) for row in rows]
        self._keep(rows)
        moved = sum(row.moved for row in rows)
        self.progress.say(f"Moved: {moved}. Did not: {len(rows) - moved}.")
        return rows

    def sign_in_again(self, rows: list[Row]) -> list[Row]:
        """Import mode off: whoever signed in before does so again, by the scripts alone."""
        passwords = dict(json.loads(self.rehearsal.sample))
        known = [row.identifier for row in rows if row.user_id]
        if not known:
            return rows
        _switch(self.app.live, import_mode=False)
        self.progress.say(f"Import mode is off. Who signed in does so again, by the scripts alone: {len(known)}.")
        tried = {identifier: self._sign_in(identifier, passwords[identifier]) for identifier in known}
        after = self._evidence()
        found = [_later(row, tried[row.identifier], after) if row.identifier in tried else row for row in rows]
        self._keep(found)
        lost = sum(row.later == "failed" for row in found)
        self.progress.say(f"Signed in again: {len(known) - lost}. Could not: {lost}.")
        return found

    def _sign_in(self, identifier: str, password: str) -> SignIn:
        self.progress.check()
        tried = self.app.sign_in(identifier, password)
        self.memory.user(tried.user_id)
        return tried

    def _evidence(self) -> Evidence:
        return Evidence(auth0.local_documents(self.rehearsal.tenant), self.app)

    def _with_duplicate(self, row: Row, rows: Iterable[Row], after: Evidence) -> Row:
        """Is this user_id somebody else's too: of the sample, or of the tenant?"""
        if not row.user_id:
            return row
        now, old = names(after.users.get(row.user_id)), self.before.users.get(row.user_id)
        same = [one.identifier for one in rows if one.user_id == row.user_id and one.identifier != row.identifier]
        if same and not {one.lower() for one in (row.identifier, *same)} <= now:
            return replace(
                row, outcome="duplicate", words=f"Has the same user_id as {', '.join(same)}: one user in Auth0."
            )
        if old and (not self.before.is_ours(old) or names(old).isdisjoint({row.identifier.lower(), *now})):
            words = f"Has the user_id of {old.get('email') or old['user_id']}, who was in the tenant before."
            return replace(row, outcome="duplicate", words=words)
        return row

    def _keep(self, rows: Iterable[Row]) -> None:
        self.rehearsal.report = [asdict(row) for row in rows]
        self.rehearsal.save(update_fields=["report"])


def _switch(live: Live, *, import_mode: bool) -> None:
    """As a person does it: read, change, write the whole options."""
    now = drift.read(live.tenant, live.id)
    if now.content.import_mode is not import_mode:
        options.write(now, options.whole(now, {"import_mode": import_mode}))


def _later(row: Row, tried: SignIn, after: Evidence) -> Row:
    if tried.user_id == row.user_id:
        return replace(row, later="signed_in")
    if tried.user_id:
        return replace(row, later="failed", later_words=f"login gives another user_id now: {tried.user_id}.")
    return replace(row, later="failed", later_words=after.reason(tried)[1])
