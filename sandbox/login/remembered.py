"""Browsers that passed MFA and asked to be remembered: 30 days, or 7 without a visit (/guardian/settings changes it).

Documents of the kind `remembered_browsers`: {"id": hash of the cookie, "user_id", "created_at", "expires_at" and
"idle_expires_at" in epoch seconds}. POST /users/{id}/multifactor/actions/invalidate-remember-browser removes them.
"""

from __future__ import annotations

import hashlib

from sandbox.login import configuration
from sandbox.login.subject import Login
from sandbox.tenant import Tenant, new_id


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
    tenant.store.put("remembered_browsers", id, {**found, "idle_expires_at": now + _seconds(tenant, "inactivity")})
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
        "expires_at": now + _seconds(tenant, "overall"),
        "idle_expires_at": now + _seconds(tenant, "inactivity"),
    }
    tenant.store.put("remembered_browsers", id, document)


def forget(tenant: Tenant, user_id: str) -> None:
    """Forget all browsers of a user."""
    for document in tenant.store.find("remembered_browsers", user_id=user_id):
        tenant.store.remove("remembered_browsers", document["id"])


def _seconds(tenant: Tenant, which: str) -> float:
    return float(configuration.remember_browser(tenant)[f"mfa_session_{which}_timeout"])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
