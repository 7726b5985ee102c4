"""Which facts about a user go into ID tokens and /userinfo, by scope."""

from __future__ import annotations

from typing import Any

from sandbox.store import Document

_PROFILE = (
    "name",
    "nickname",
    "picture",
    "updated_at",
    "given_name",
    "family_name",
    "middle_name",
    "birthdate",
    "gender",
)
SCOPES: dict[str, tuple[tuple[str, str], ...]] = {
    "profile": (*((name, name) for name in _PROFILE), ("username", "username")),
    "email": (("email", "email"), ("email_verified", "email_verified")),
    "phone": (("phone_number", "phone_number"), ("phone_verified", "phone_number_verified")),
    **{name: ((name, name),) for name in ("name", "given_name", "family_name", "nickname", "picture")},
    **{name: ((name, name),) for name in ("email_verified", "created_at", "identities")},
}


def of_user(user: Document, scopes: list[str]) -> dict[str, Any]:
    """The standard claims; `sub` always."""
    claims: dict[str, Any] = {"sub": user["user_id"]}
    for scope in scopes:
        for field, claim in SCOPES.get(scope, ()):
            if user.get(field) is not None:
                claims[claim] = user[field]
    return claims
