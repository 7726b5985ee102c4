"""Why somebody can't sign in, in plain words, each with the act that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from identity.users import records


@dataclass(frozen=True)
class Obstacle:
    """`verb` is the slug of the act that removes it, or "" where none does. `certain`: it stops every sign-in."""

    text: str
    verb: str = ""
    certain: bool = True


def from_record(user: dict[str, Any]) -> list[Obstacle]:
    """What the record alone tells; brute-force blocks come with their own panel."""
    found = []
    if user.get("blocked"):
        found.append(Obstacle("Cannot sign in: blocked by an administrator.", "unblock"))
    if user.get("email") and user.get("email_verified") is False:
        found.append(Obstacle("The e-mail address is not verified: some applications refuse that.", certain=False))
    if not records.database_identity(user):
        provider = user["user_id"].partition("|")[0]
        found.append(Obstacle(f"Signs in with {provider}: the password lives there, not with Auth0.", certain=False))
    return found


def standing(user: dict[str, Any]) -> str:
    """The one word for the badge beside the name; a status of portal.templatetags.look."""
    if user.get("blocked"):
        return "blocked"
    if not user.get("last_login"):
        return "never_signed_in"
    return "active"
