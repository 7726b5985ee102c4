"""What a rehearsal changes in a local tenant, remembered before it does, and put back afterwards.

It can be put back at any time, also after the worker has died: only what the rehearsal itself can have changed is
touched, so that nothing of what others did since is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from identity.databases import options, signing_in
from identity.databases.drift import Live
from identity.databases.models import DatabaseRehearsal
from identity.databases.signing_in import Documents, names
from portal import auth0

# A local tenant's documents: kind -> id -> document, None for one that goes.
Changes = dict[str, dict[str, dict[str, Any] | None]]


class Memory:
    """What was there before, in the rehearsal's row: encrypted, because users' documents hold hashes."""

    def __init__(self, rehearsal: DatabaseRehearsal, documents: Documents, live: Live) -> None:
        self.rehearsal, self.users = rehearsal, documents.get("users", {})
        identifiers = identifiers_of(rehearsal)
        self.kept: dict[str, Any] = {
            "options": {name: live.options[name] for name in _switched(live) if name in live.options},
            "users": {id: one for id, one in self.users.items() if _concerned(one, live.name, identifiers)},
            "blocks": list(documents.get("user_blocks", {})),
            "client_id": "",
        }
        self._save()

    def application(self, client_id: str) -> None:
        self.kept["client_id"] = client_id
        self._save()

    def user(self, user_id: str) -> None:
        """Somebody has signed in; a script may give the id of a user who is no customer of this connection."""
        if user_id and user_id not in self.kept["users"]:
            self.kept["users"][user_id] = self.users.get(user_id)
            self._save()

    def _save(self) -> None:
        self.rehearsal.before = json.dumps(self.kept)
        self.rehearsal.save(update_fields=["before"])


def put_back(rehearsal: DatabaseRehearsal) -> None:
    """Leave the tenant as it was before, and forget the sample. Raises the gateway's errors; then call it again."""
    if rehearsal.before:
        before = json.loads(rehearsal.before)
        documents = auth0.local_documents(rehearsal.tenant)
        auth0.change_local_documents(rehearsal.tenant, changes(rehearsal, before, documents))
        if before["client_id"]:
            signing_in.remove(rehearsal.tenant, before["client_id"])
    rehearsal.sample = rehearsal.before = ""
    rehearsal.put_back_at = timezone.now()
    rehearsal.save(update_fields=["sample", "before", "put_back_at"])


def changes(rehearsal: DatabaseRehearsal, before: Mapping[str, Any], now: Documents) -> Changes:
    """From what the tenant holds now to what it held before."""
    identifiers, name, present = identifiers_of(rehearsal), rehearsal.connection_name, now.get("users", {})
    # Somebody else may have removed a user meanwhile; a rehearsal never does.
    users = {id: one for id, one in before["users"].items() if id in present}
    new = {id for id, one in present.items() if _concerned(one, name, identifiers)} - set(before["users"])
    blocks = {
        id: None
        for id, one in now.get("user_blocks", {}).items()
        if id not in before["blocks"] and one.get("connection") == name and one.get("identifier") in identifiers
    }
    found: Changes = {"users": {**users, **dict.fromkeys(new)}, "user_blocks": dict(blocks)}
    connection = now.get("connections", {}).get(rehearsal.connection_id)
    if connection is not None:
        kept = {name: value for name, value in connection["options"].items() if name != "import_mode"}
        found["connections"] = {rehearsal.connection_id: {**connection, "options": kept | before["options"]}}
    return found


def _switched(live: Live) -> list[str]:
    """The options that a write of import mode changes, or has to leave out."""
    return ["import_mode", *options.left_out(live.options)]


def identifiers_of(rehearsal: DatabaseRehearsal) -> set[str]:
    return {row["identifier"].lower() for row in rehearsal.report}


def _concerned(user: Mapping[str, Any], connection: str, identifiers: Iterable[str]) -> bool:
    """A user of this connection who goes by a name of the sample."""
    ours = any(identity["connection"] == connection for identity in user["identities"])
    return ours and not names(user).isdisjoint(identifiers)
