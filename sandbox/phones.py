"""The phones of the people in a tenant: current codes of authenticator apps, text messages, pushes to answer."""

from __future__ import annotations

from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.totp import Authenticator


def show(
    tenant: Tenant,
    user_id: str | None = None,
    email: str | None = None,
    *,
    type: str | None = None,
    newest: int | None = None,
) -> list[dict[str, Any]]:
    """One entry per enrolled factor, the newest first.

    {user_id, email, type, id, confirmed, name?, phone_number?, code?, seconds_left?, messages?}; `code` is what the
    authenticator app shows at the tenant's time, or a recovery code.
    """
    found = tenant.store.find("authentication_methods", **({"type": type} if type else {}))
    methods = [method for method in found if _wanted(tenant, method, user_id, email)]
    sent: dict[str, list[Document]] = {}
    for message in tenant.store.all("phone_messages"):
        sent.setdefault(message["to"], []).append(message)
    return [_entry(tenant, method, sent) for method in methods[::-1][:newest]]


def addresses_of(tenant: Tenant, email: str) -> set[str]:
    """Where messages to the person go: the address itself, phone numbers, and the user ids that pushes name."""
    found = {email}
    for user in tenant.store.find("users", email=email.lower()):
        methods = tenant.store.find("authentication_methods", user_id=user["user_id"])
        numbers = [user.get("phone_number"), *(method.get("phone_number") for method in methods)]
        found.update([user["user_id"], *(number for number in numbers if number)])
    return found


def _wanted(tenant: Tenant, method: Document, user_id: str | None, email: str | None) -> bool:
    if user_id is not None and method["user_id"] != user_id:
        return False
    if email is None:
        return True
    user = tenant.store.get("users", method["user_id"])
    return user is not None and user.get("email") == email.lower()


def _entry(tenant: Tenant, method: Document, sent: dict[str, list[Document]]) -> dict[str, Any]:
    user = tenant.store.get("users", method["user_id"]) or {}
    entry: dict[str, Any] = {
        "user_id": method["user_id"],
        "email": user.get("email"),
        "type": method["type"],
        "id": method["id"],
        "confirmed": method.get("confirmed", False),
    }
    entry |= {key: method[key] for key in ("name", "phone_number") if method.get(key)}
    if method["type"] in ("totp", "push") and method.get("_secret"):
        now = tenant.now()
        entry |= {"code": Authenticator(method["_secret"]).at(int(now)), "seconds_left": 30 - int(now) % 30}
    if method["type"].startswith("webauthn") and not method.get("public_key"):
        entry["virtual"] = True
    if method["type"] == "recovery-code" and method.get("_secret"):
        entry["code"] = method["_secret"]
    receiver = method.get("phone_number") if method["type"] == "phone" else method["user_id"]
    messages = sent.get(str(receiver), [])
    if method["type"] in ("phone", "push", "push-notification") and messages:
        entry["messages"] = messages[-5:][::-1]
    return entry
