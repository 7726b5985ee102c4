"""What PATCH /users/{id} may change together, in which identity, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import external, mails, records

_APART = (
    ("username", "password"),
    ("username", "email_verified"),
    ("password", "email_verified"),
    ("password", "email"),
    ("username", "email"),
)
_IDENTITY = ("email", "email_verified", "phone_number", "phone_verified", "username", "password")
_ROOT = ("name", "nickname", "given_name", "family_name", "picture")
_PLAIN = (*_ROOT, "blocked")
_SYNC_DOCS = "https://www.auth0.com/docs/dashboard/guides/connections/configure-connection-sync"
_ENTERPRISE = frozenset(("ad", "adfs", "waad", "samlp", "google-apps", "oidc", "okta", "pingfederate"))


async def apply(tenant: Tenant, user_id: str, body: Mapping[str, Any]) -> Document:
    """Check and store. Raises ApiError 400 for what may not be changed so, 404 for an unknown user."""
    user = records.get(tenant, user_id)
    for first, second in _APART:
        if body.get(first) is not None and body.get(second) is not None:
            raise ApiError(400, f"Cannot update {first} and {second} simultaneously", "operation_not_supported")
    identity = _identity(tenant, user, body)
    described = records.connection_named(tenant, identity["connection"]) if identity else None
    _refuse_foreign(body, described, identity)
    if described is not None:
        await _change_identity(tenant, user, identity, described, body)
    user = records.update(tenant, user_id, _plain(records.get(tenant, user_id), body))
    if body.get("verify_email") and user.get("email") and not user.get("email_verified"):
        mails.send_verification(tenant, user, client_id=body.get("client_id"))
    return user


def _identity(tenant: Tenant, user: Document, body: Mapping[str, Any]) -> dict[str, Any]:
    """Whose attributes change: the named connection's identity, else the record's own."""
    named = body.get("connection")
    if named is None:
        return dict(user["identities"][0])
    records.connection_named(tenant, named)
    return records.identity_in(user, named)


def _refuse_foreign(body: Mapping[str, Any], connection: Document | None, identity: Mapping[str, Any]) -> None:
    """Attributes that come from elsewhere at each login can't be changed here."""
    if connection is None:
        return
    strategy, options = connection["strategy"], connection.get("options") or {}
    own = strategy in ("auth0", "email", "sms")
    synced = not own and options.get("set_user_root_attributes", "on_each_login") == "on_each_login"
    refused = [f for f in _ROOT if f in body] if synced else []
    refused += [f for f in _IDENTITY if f in body] if not own else []
    if strategy == "sms" and "email_verified" in body:
        refused.append("email_verified")
    if strategy in ("email", "sms"):
        refused += [f for f in ("password", "username") if f in body]
    if refused:
        raise ApiError(
            400,
            f"The following user attributes cannot be updated: {', '.join(sorted(set(refused)))}. The connection "
            f"({identity['connection']}) must either be a database connection (using the Auth0 store), a passwordless "
            "connection (email or sms) or has disabled 'Sync user profile attributes at each login'. For more "
            f"information, see {_SYNC_DOCS}",
            "operation_not_supported",
        )


async def _change_identity(
    tenant: Tenant, user: Document, identity: Mapping[str, Any], connection: Document, body: Mapping[str, Any]
) -> None:
    changed = {field: body[field] for field in _IDENTITY if body.get(field) is not None and field != "password"}
    for field in ("email", "username"):
        if field in changed:
            changed[field] = str(changed[field]).lower()
    _refuse_taken(tenant, user, changed, connection)
    old_email = _value(user, identity, "email")
    if "email" in changed and changed["email"] != old_email:
        changed.setdefault("email_verified", False)
        await external.change_email(tenant, connection, str(old_email), changed["email"], changed["email_verified"])
        logs.write(tenant, "sce", user_id=user["user_id"], user_name=changed["email"], connection=connection["name"])
    if changed:
        _store(tenant, user, identity, changed)
    if body.get("password") is not None:
        await external.change_password(tenant, connection, user, str(body["password"]))


def _refuse_taken(tenant: Tenant, user: Document, changed: Mapping[str, Any], connection: Document) -> None:
    for field in ("email", "username", "phone_number"):
        if field not in changed:
            continue
        try:
            records.refuse_taken(tenant, {field: changed[field]}, connection, except_for=user["user_id"])
        except ApiError:
            word = field.replace("_", " ")
            raise ApiError(400, f"The specified new {word} already exists", "auth0_idp_error") from None


def _is_own(user: Document, identity: Mapping[str, Any]) -> bool:
    return user["user_id"] == f"{identity['provider']}|{identity['user_id']}"


def _value(user: Document, identity: Mapping[str, Any], field: str) -> Any:
    return user.get(field) if _is_own(user, identity) else (identity.get("profileData") or {}).get(field)


def _store(tenant: Tenant, user: Document, identity: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """In the record itself for its own identity, in the profile data of a linked one."""
    if _is_own(user, identity):
        records.update(tenant, user["user_id"], changed)
        return
    linked = [
        {**one, "profileData": {**(one.get("profileData") or {}), **changed}} if one == identity else one
        for one in user["identities"]
    ]
    records.update(tenant, user["user_id"], {"identities": linked})


def _plain(user: Document, body: Mapping[str, Any]) -> Document:
    changed = {field: body[field] for field in _PLAIN if field in body}
    if "user_metadata" in body:
        changed["user_metadata"] = records.merge_metadata(user.get("user_metadata"), body["user_metadata"])
    if "app_metadata" in body:
        # Auth0 keeps an empty user_metadata, but drops an empty app_metadata.
        changed["app_metadata"] = records.merge_metadata(user.get("app_metadata"), body["app_metadata"]) or None
    for field in ("email", "phone_number", "username"):
        if field in body and body[field] is None:
            changed[field] = None
    return changed
