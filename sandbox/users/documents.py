"""A user's record as Auth0 fills it where whoever makes it leaves something out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from sandbox.store import Document
from sandbox.tenant import Tenant

_NOT_SOCIAL = frozenset(
    (
        "auth0",
        "sms",
        "email",
        "ad",
        "adfs",
        "waad",
        "samlp",
        "google-apps",
        "oidc",
        "okta",
        "pingfederate",
        "auth0-adldap",
    )
)


def new_document(tenant: Tenant, body: Mapping[str, Any], connection: Mapping[str, Any]) -> Document:
    """The record as Auth0 fills it: identity, name, nickname and picture derived where the body has none."""
    provider = connection["strategy"]
    id = str(body.get("user_id") or secrets.token_hex(12))
    identity = {"connection": connection["name"], "user_id": id, "provider": provider, "isSocial": is_social(provider)}
    now = tenant.timestamp()
    user: Document = {"created_at": now, "identities": [identity], "updated_at": now, "user_id": f"{provider}|{id}"}
    if body.get("email") is not None:
        user["email"] = str(body["email"]).lower() if provider in ("auth0", "email") else str(body["email"])
        user["email_verified"] = bool(body.get("email_verified", False))
    if body.get("username") is not None:
        user["username"] = str(body["username"]).lower()
    if body.get("phone_number") is not None:
        user["phone_number"] = body["phone_number"]
        user["phone_verified"] = bool(body.get("phone_verified", provider == "sms"))
    _name(user, body)
    for field in ("user_metadata", "app_metadata"):
        if body.get(field):
            user[field] = without_nulls(body[field])
    return user


def _name(user: Document, body: Mapping[str, Any]) -> None:
    shown = user.get("email") or user.get("phone_number") or user.get("username") or ""
    user["name"] = body.get("name") or shown
    user["nickname"] = body.get("nickname") or str(user.get("email", shown)).partition("@")[0]
    user["picture"] = body.get("picture") or picture(user.get("email") or shown)
    user |= {k: body[k] for k in ("given_name", "family_name", "blocked") if body.get(k) is not None}


def picture(shown: str) -> str:
    """The avatar that Auth0 gives to who has none."""
    digest = hashlib.md5(shown.strip().lower().encode(), usedforsecurity=False).hexdigest()
    return f"https://s.gravatar.com/avatar/{digest}?s=480&r=pg&d={_initials_picture(shown[:2].lower())}"


@lru_cache(maxsize=2000)
def _initials_picture(start: str) -> str:
    initials = "".join(c for c in start if c.isalnum()) or "un"
    return quote(f"https://cdn.auth0.com/avatars/{initials}.png", safe="")


def is_social(provider: str) -> bool:
    return provider not in _NOT_SOCIAL


def without_nulls(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value is not None}
