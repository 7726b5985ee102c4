"""Browsers that passed MFA and asked to be remembered: 30 days, or 7 without a visit.

Documents of the kind `remembered_browsers`: {"id": hash of the cookie, "user_id", "created_at", "expires_at" and
"idle_expires_at" in epoch seconds}. POST /users/{id}/multifactor/actions/invalidate-remember-browser removes them.
"""

from __future__ import annotations

import hashlib

from sandbox.login.subject import Login
from sandbox.tenant import Tenant, new_id

LIFETIME_SECONDS = 30 * 86_400
IDLE_SECONDS = 7 * 86_400


def is_remembered(login: Login) -> bool:
    """Whether this browser is remembered for this user; a yes keeps it so for another week."""
    tenant = login.tenant
    id = _hash(f"{login.remembered} {login.user_id}")
    found = tenant.store.get("remembered_browsers", id) if login.remembered else None
    if found is None:
        return False
    now = tenant.now()
    if min(found["expires_at"], found["idle_expires_at"]) <= now:
        tenant.store.remove("remembered_browsers", id)
        return False
    tenant.store.put("remembered_browsers", id, {**found, "idle_expires_at": now + IDLE_SECONDS})
    return True


def remember(login: Login) -> None:
    """Sets `login.remembered`, the value of the cookie to give to the browser."""
    tenant = login.tenant
    login.remembered = login.remembered or new_id("", 40)
    id = _hash(f"{login.remembered} {login.user_id}")
    now = tenant.now()
    document = {
        "id": id,
        "user_id": login.user_id,
        "created_at": tenant.timestamp(),
        "expires_at": now + LIFETIME_SECONDS,
        "idle_expires_at": now + IDLE_SECONDS,
    }
    tenant.store.put("remembered_browsers", id, document)


def forget(tenant: Tenant, user_id: str) -> None:
    """Forget all browsers of a user."""
    for document in tenant.store.find("remembered_browsers", user_id=user_id):
        tenant.store.remove("remembered_browsers", document["id"])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
