"""The user records: made, found, changed and deleted here alone, by the Management API, sign-up, login and imports.

A record is the document as GET /users/{id} returns it, plus internal keys:
    _password             hash for sandbox.passwords.check, of the identity that gave the record its user_id
    _identity_passwords   {"auth0|ID": hash} of linked database identities
    _password_history     {"auth0|ID": [older hashes, newest first]}
A linked identity is found through the kind `linked_identities`: "provider|ID" -> {"user_id": the record's}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import backchannel, password_policy, passwords
from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import documents

INDEXED = ("email", "phone_number", "username")
_OWNED_BY_USER = (
    "authentication_methods",
    "connected_accounts",
    "device_credentials",
    "federated_tokensets",
    "grants",
    "group_members",
    "organization_member_roles",
    "organization_members",
    "refresh_tokens",
    "remembered_browsers",
    "sessions",
    "tickets",
    "user_blocks",
    "user_permissions",
    "user_roles",
)


def prepare(tenant: Tenant) -> None:
    """Index what users are found by. Called once per tenant, before its seed is loaded."""
    for field in INDEXED:
        tenant.store.index("users", field)
    for kind in (*_OWNED_BY_USER, "logs"):
        tenant.store.index(kind, "user_id")
    tenant.store.index("user_blocks", "identifier")


def get(tenant: Tenant, user_id: str) -> Document:
    """Raises ApiError 404 inexistent_user."""
    user = tenant.store.get("users", user_id)
    if user is None:
        raise ApiError(404, "The user does not exist.", "inexistent_user")
    return user


def find_by_email(tenant: Tenant, email: str, connection: str | None = None) -> list[Document]:
    """Users with exactly this address (database connections keep addresses in lower case)."""
    found = tenant.store.find("users", email=email)
    return [user for user in found if connection is None or _has_identity(user, connection)]


def find_by_identifier(tenant: Tenant, identifier: str, connection: str | None = None) -> Document | None:
    """The user whose e-mail, username or phone number this is; e-mail and username in any case."""
    lowered = identifier.strip().lower()
    fields = (("email", lowered), ("username", lowered), ("phone_number", identifier.strip()))
    for field, value in fields:
        for user in tenant.store.find("users", **{field: value}):
            if connection is None or _has_identity(user, connection):
                return user
    return _find_linked(tenant, lowered, connection)


def find_by_identity(tenant: Tenant, provider: str, id: str) -> Document | None:
    """The record that holds the identity provider|id, as its own or as a linked one."""
    own = tenant.store.get("users", f"{provider}|{id}")
    if own is not None:
        return own
    link = tenant.store.get("linked_identities", f"{provider}|{id}")
    return tenant.store.get("users", link["user_id"]) if link else None


def _has_identity(user: Document, connection: str) -> bool:
    return any(identity["connection"] == connection for identity in user["identities"])


def _find_linked(tenant: Tenant, identifier: str, connection: str | None) -> Document | None:
    for link in tenant.store.all("linked_identities"):
        user = tenant.store.get("users", link["user_id"])
        for identity in user["identities"][1:] if user else ():
            profile = identity.get("profileData") or {}
            known = {profile.get("email"), profile.get("username"), profile.get("phone_number")}
            if identifier in known and connection in (None, identity["connection"]):
                return user
    return None


def create(
    tenant: Tenant,
    body: Mapping[str, Any],
    *,
    password_hash: str | Mapping[str, Any] | None = None,
    check_password: bool = True,
) -> Document:
    """Make a user from the body of POST /users (connection, email, username, password, user_id, metadata ...).

    `password_hash` takes the place of body["password"] (imports). Raises ApiError: 400 for an unknown connection or a
    password against its policy (message "PasswordStrengthError: ..."), 409 auth0_idp_error for a duplicate.
    """
    connection = connection_named(tenant, body.get("connection"))
    user = documents.new_document(tenant, body, connection)
    _refuse_duplicates(tenant, user, connection)
    password = body.get("password")
    if password is not None and password_hash is None:
        if check_password:
            _refuse_weak(connection, password, user)
        password_hash = passwords.hash(password)
    if password_hash is not None:
        user["_password"] = password_hash
    return tenant.store.put("users", user["user_id"], user)


def connection_named(tenant: Tenant, name: Any) -> Document:
    """Raises ApiError 400 where the tenant has no such connection."""
    found = tenant.store.first("connections", name=name) if isinstance(name, str) else None
    if found is None:
        raise ApiError(400, "The connection does not exist.", "inexistent_connection")
    return found


def _refuse_duplicates(tenant: Tenant, user: Document, connection: Mapping[str, Any]) -> None:
    provider, _, id = user["user_id"].partition("|")
    if find_by_identity(tenant, provider, id) is not None:
        raise duplicate()
    refuse_taken(tenant, user, connection, except_for=user["user_id"])


def refuse_taken(tenant: Tenant, user: Mapping[str, Any], connection: Mapping[str, Any], *, except_for: str) -> None:
    """Raises ApiError 409 where another user of the connection has this e-mail, username or phone number."""
    for field in INDEXED:
        value = user.get(field)
        if value is None or (field == "email" and not email_is_unique(connection)):
            continue
        for other in tenant.store.find("users", **{field: value}):
            if other["user_id"] != except_for and _has_identity(other, connection["name"]):
                raise duplicate()


def email_is_unique(connection: Mapping[str, Any]) -> bool:
    attributes = (connection.get("options") or {}).get("attributes") or {}
    return bool((attributes.get("email") or {}).get("unique", True))


def duplicate() -> ApiError:
    return ApiError(409, "The user already exists.", "auth0_idp_error")


def _refuse_weak(connection: Mapping[str, Any], password: str, user: Mapping[str, Any], previous: Any = ()) -> None:
    problem = password_policy.problem(connection.get("options") or {}, password, user, list(previous))
    if problem:
        raise ApiError(400, problem)


def password_of(user: Document, connection: str) -> Any:
    """The stored hash of the user's identity in that connection, for passwords.check; None where there is none."""
    for identity in user["identities"]:
        key = f"{identity['provider']}|{identity['user_id']}"
        if identity["connection"] == connection:
            return user.get("_password") if key == user["user_id"] else user.get("_identity_passwords", {}).get(key)
    return None


def set_password(tenant: Tenant, user_id: str, password: str, connection: str | None = None) -> Document:
    """Change a password under the connection's policy, keep the old hash in the history, end the user's sessions.

    Raises ApiError 400 with Auth0's name for the broken rule, 404 for an unknown user.
    """
    user = get(tenant, user_id)
    identity = identity_in(user, connection)
    key = f"{identity['provider']}|{identity['user_id']}"
    described = connection_named(tenant, identity["connection"])
    old = password_of(user, identity["connection"])
    history = list(user.get("_password_history", {}).get(key, ()))
    _refuse_weak(described, password, user, [old, *history] if old else history)
    changed = dict(user)
    changed["_password_history"] = {**user.get("_password_history", {}), key: ([old] if old else []) + history[:23]}
    if key == user["user_id"]:
        changed["_password"] = passwords.hash(password)
    else:
        changed["_identity_passwords"] = {**user.get("_identity_passwords", {}), key: passwords.hash(password)}
    changed["last_password_reset"] = changed["updated_at"] = tenant.timestamp()
    end_sessions(tenant, user_id, "password-changed")
    return tenant.store.put("users", user_id, changed)


def end_sessions(tenant: Tenant, user_id: str, initiator: str) -> None:
    """`initiator`: why, as back-channel logout names it."""
    for session in tenant.store.find("sessions", user_id=user_id):
        backchannel.end(tenant, session, initiator)


def identity_in(user: Document, connection: str | None) -> dict[str, Any]:
    """The identity in that connection, or the record's own. Raises ApiError 400 where there is none."""
    for identity in user["identities"]:
        if connection in (None, identity["connection"]):
            return identity
    raise ApiError(400, "The user does not have an identity in that connection.", "invalid_body")


def update(tenant: Tenant, user_id: str, changes: Mapping[str, Any]) -> Document:
    """Store changed top-level fields (None removes one) without checks: for login, imports and the checked PATCH."""
    user = dict(get(tenant, user_id))
    for field, value in changes.items():
        if value is None:
            user.pop(field, None)
        else:
            user[field] = value
    user["updated_at"] = tenant.timestamp()
    return tenant.store.put("users", user_id, user)


def delete(tenant: Tenant, user_id: str) -> bool:
    """Remove a user with all that hangs on it; False where there is none."""
    user = tenant.store.remove("users", user_id)
    if user is None:
        return False
    for identity in user["identities"]:
        tenant.store.remove("linked_identities", f"{identity['provider']}|{identity['user_id']}")
    end_sessions(tenant, user_id, "account-deleted")
    for kind in _OWNED_BY_USER:
        for document in tenant.store.find(kind, user_id=user_id):
            tenant.store.remove(kind, document.get("_key") or document["id"])
    return True


def delete_of_connection(tenant: Tenant, connection: str, email: str | None = None) -> int:
    """Remove the users whose only identity is in this connection (all, or the one with that e-mail)."""
    doomed = [
        user["user_id"]
        for user in tenant.store.all("users")
        if _has_identity(user, connection) and (email is None or user.get("email") == email)
    ]
    return sum(delete(tenant, user_id) for user_id in doomed)


def merge_metadata(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
    """As PATCH does: first level only; null removes a key; an empty object removes all."""
    if not new:
        return {}
    return documents.without_nulls({**(old or {}), **new})
