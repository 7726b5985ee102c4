"""Signing in on a local tenant with the scripts that are live there: one user, or a sample of a lazy migration.

Nothing of the sample is stored: it lives as long as the request. An application of its own is made and removed again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from identity.databases.drift import Live
from portal import audit, auth0
from portal.errors import Invalid, Missing, PortalError, Refused

MOST_USERS = 50
APPLICATION = "Castellan rehearsal"
GRANT = "http://auth0.com/oauth/grant-type/password-realm"


@dataclass(frozen=True)
class Attempt:
    """One sign-in. status: succeeded, failed, or warning (signed in, but its user_id is another user's too)."""

    identifier: str
    status: str
    words: str
    user_id: str = ""
    moved: bool = False


def sample(text: str) -> list[tuple[str, str]]:
    """[(identifier, password)] of CSV lines. Raises Invalid with the number of the line, never with its content."""
    rows = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != 2 or not row[0].strip() or not row[1]:
            raise Invalid(f"Line {number}: write an e-mail address or username, a comma, and the password.")
        rows.append((row[0].strip(), row[1]))
    if not rows:
        raise Invalid("The sample is empty. Write one user a line: identifier,password")
    if len(rows) > MOST_USERS:
        raise Invalid(f"The sample has {len(rows)} users; {MOST_USERS} are enough to see what happens.")
    return rows


def check(live: Live) -> None:
    """Raises Refused where nothing can be rehearsed."""
    if not auth0.is_local(live.tenant):
        raise Refused(f"{live.tenant} is not a local tenant. Rehearse on one: real users are no test data.")
    if not live.content.enabled or "login" not in live.content.scripts:
        raise Refused(f"{live.name} has no login script in {live.tenant}. Publish the scripts there first.")


def sign_in(live: Live, users: list[tuple[str, str]], *, actor: User) -> list[Attempt]:
    """Sign in as each, in order, with the scripts that are live."""
    check(live)
    recorded = audit.recorded(actor, "databases.test", tenant=live.tenant, target=live.id, target_label=live.name)
    with recorded as entry, _application(live) as client_id:
        found: list[Attempt] = []
        for identifier, password in users:
            found.append(_attempt(live, client_id, identifier, password, found))
        succeeded = sum(one.status != "failed" for one in found)
        entry.detail = f"Rehearsed {len(found)} sign-ins: {succeeded} succeeded."
    return found


def _attempt(live: Live, client_id: str, identifier: str, password: str, before: list[Attempt]) -> Attempt:
    try:
        claims = auth0.sign_in_with_password(
            live.tenant, client_id=client_id, realm=live.name, username=identifier, password=password
        )  # fmt: skip
    except PortalError as problem:
        return Attempt(identifier, "failed", _why(live, problem))
    user_id = str(claims["sub"])
    same = next((one.identifier for one in before if one.user_id == user_id and one.identifier != identifier), "")
    if same:
        return Attempt(identifier, "warning", f"Has the same user_id as {same}: they are one user now.", user_id)
    moved = live.content.import_mode
    words = "Signed in, and moved to the tenant's own store." if moved else "Signed in; the scripts stay in charge."
    return Attempt(identifier, "succeeded", words, user_id, moved)


def _why(live: Live, problem: PortalError) -> str:
    said = problem.message.removeprefix(f"{live.tenant.name} says: ")
    if problem.code == "invalid_grant":
        return f"{said} The user is unknown, the password is another one, or login can't read the stored hash."
    return said


@contextmanager
def _application(live: Live) -> Iterator[str]:
    """A public application that may ask for passwords, for this connection alone, while it is needed."""
    tenant = live.tenant
    body = {
        "name": APPLICATION, "app_type": "native", "token_endpoint_auth_method": "none", "grant_types": [GRANT],
        "oidc_conformant": True, "jwt_configuration": {"alg": "RS256"},
    }  # fmt: skip
    client_id = str(auth0.request(tenant, "POST", "/clients", json=body)["client_id"])
    path = f"/connections/{auth0.segment(live.id)}/clients"
    try:
        _enable(live, path, client_id)
        yield client_id
    finally:
        with auth0.ignoring(Missing):
            auth0.request(tenant, "DELETE", f"/clients/{auth0.segment(client_id)}")


def _enable(live: Live, path: str, client_id: str) -> Any:
    return auth0.request(live.tenant, "PATCH", path, json=[{"client_id": client_id, "status": True}])
