"""The lock-out guard: people without whom nobody could mend a mistake, and what a policy would do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from identity.mfa import simulate
from identity.mfa.login_flow import MfaSettings
from identity.mfa.simulate import Verdict
from portal import account, auth0
from portal.access import ROLES, roles_of
from portal.errors import Missing
from portal.login import subject
from portal.models import Tenant

MOST_STAFF = 100


@dataclass(frozen=True)
class Guarded:
    """Somebody who must stay able to sign in to this tenant."""

    user_id: str
    email: str
    verdict: Verdict


def check(tenant: Tenant, code: str, settings: MfaSettings, *, actors: list[User]) -> list[Guarded]:
    """What the code would do to the actors and, in the tenant that people sign in to the portal through, to its staff.

    Actors: who publishes, and who approves it.

    One read of the user and one of the authentication methods for each; whoever is not in the tenant is left out.
    """
    people = _in_tenant(tenant, actors)
    events = [simulate.event_of(user, simulate.factors_of(tenant, user)) for user in people]
    found = simulate.verdicts(code, events, settings)
    return [
        Guarded(user["user_id"], user.get("email") or user["user_id"], verdict)
        for user, verdict in zip(people, found, strict=True)
    ]


def locked_out(people: list[Guarded]) -> list[Guarded]:
    return [person for person in people if person.verdict.locked_out]


def _in_tenant(tenant: Tenant, actors: list[User]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if tenant == account.home_tenant():
        for user_id in filter(None, map(subject, _staff(actors))):
            with auth0.ignoring(Missing):
                found[user_id] = auth0.request(tenant, "GET", f"/users/{auth0.segment(user_id)}")
    for email in filter(None, (actor.email.lower() for actor in actors)):
        for user in auth0.request(tenant, "GET", "/users-by-email", params={"email": email}):
            found.setdefault(user["user_id"], user)
    return list(found.values())


def _staff(actors: list[User]) -> list[User]:
    """The actors, and everybody with a role, who was here last first."""
    staff = User.objects.filter(is_active=True, groups__name__in=list(ROLES)).distinct()
    others = staff.exclude(pk__in=[actor.pk for actor in actors])
    return [*actors, *(user for user in others.order_by("-last_login")[:MOST_STAFF] if roles_of(user))]
