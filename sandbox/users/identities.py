"""/users/{id}/identities: linking and unlinking; accounts and token sets at other providers."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import checkpoint
from sandbox.store import Document
from sandbox.users import accounts, records

_PROFILE = (
    "email",
    "email_verified",
    "name",
    "nickname",
    "username",
    "given_name",
    "family_name",
    "picture",
    "phone_number",
    "phone_verified",
    "created_at",
    "updated_at",
)


@operation("POST", "/users/{id}/identities")
def link(call: Call) -> list[dict[str, Any]]:
    primary = records.get(call.tenant, call.params["id"])
    accounts.acting_on(call, primary["user_id"], "update:users")
    secondary = _secondary(call)
    if secondary["user_id"] == primary["user_id"]:
        raise ApiError(400, "Main account and linked account can't be the same.", "invalid_body")
    passwords = {**primary.get("_identity_passwords", {}), **secondary.get("_identity_passwords", {})}
    if secondary.get("_password"):
        passwords[secondary["user_id"]] = secondary["_password"]
    added = [_with_profile(secondary, identity) for identity in secondary["identities"]]
    records.delete(call.tenant, secondary["user_id"])
    linked = {"identities": [*primary["identities"], *added], "_identity_passwords": passwords or None}
    user = records.update(call.tenant, primary["user_id"], linked)
    for identity in added:
        key = f"{identity['provider']}|{identity['user_id']}"
        call.store.put("linked_identities", key, {"user_id": primary["user_id"]})
    return _shown(call, user)


def _shown(call: Call, user: Document) -> list[dict[str, Any]]:
    shown = accounts.shown(call, user)["identities"]
    return list(shown)


def _with_profile(user: Document, identity: dict[str, Any]) -> dict[str, Any]:
    if identity.get("profileData"):
        return identity
    return {"profileData": {f: user[f] for f in _PROFILE if f in user}, **identity}


def _secondary(call: Call) -> Document:
    """Named by provider and user_id, or proven by an ID token of the other account (link_with)."""
    body = call.body or {}
    if body.get("link_with"):
        return _proven(call, str(body["link_with"]))
    if not body.get("provider") or body.get("user_id") is None:
        raise ApiError(400, "Payload validation error: 'Missing required property: provider'.", "invalid_body")
    provider = str(body["provider"])
    id = str(body["user_id"]).removeprefix(f"{provider}|")
    found = call.store.get("users", f"{provider}|{id}")
    if found is None and records.find_by_identity(call.tenant, provider, id) is not None:
        raise ApiError(409, "Specified identity already exists.", "identity_conflict")
    if found is None:
        raise ApiError(404, "The user does not exist.", "inexistent_user")
    return found


def _proven(call: Call, token: str) -> Document:
    from sandbox import tokens

    try:
        claims = tokens.verify(call.tenant, token)
    except tokens.InvalidTokenError as problem:
        raise ApiError(400, f"The link_with token is not valid: {problem}", "invalid_body") from None
    return records.get(call.tenant, str(claims.get("sub")))


@operation("DELETE", "/users/{id}/identities/{provider}/{user_id}")
def unlink(call: Call) -> Reply:
    primary = records.get(call.tenant, call.params["id"])
    accounts.acting_on(call, primary["user_id"], "update:users")
    provider, id = call.params["provider"], call.params["user_id"].removeprefix(f"{call.params['provider']}|")
    key = f"{provider}|{id}"
    identity = next((i for i in primary["identities"] if (i["provider"], str(i["user_id"])) == (provider, id)), None)
    if identity is None:
        raise ApiError(400, "The specified identity is not linked to the user.", "invalid_body")
    if key == primary["user_id"]:
        raise ApiError(400, "The main identity can't be unlinked.", "invalid_body")
    left = [i for i in primary["identities"] if i is not identity]
    passwords = dict(primary.get("_identity_passwords", {}))
    password = passwords.pop(key, None)
    changed = {"identities": left, "_identity_passwords": passwords or None}
    user = records.update(call.tenant, primary["user_id"], changed)
    call.store.remove("linked_identities", key)
    _stand_alone(call, key, identity, password)
    return Reply(200, _shown(call, user))


def _stand_alone(call: Call, user_id: str, identity: dict[str, Any], password: Any) -> None:
    """An unlinked identity is a user of its own again, with its profile and password but no metadata."""
    profile = identity.get("profileData") or {}
    plain = {key: value for key, value in identity.items() if key != "profileData"}
    now = call.tenant.timestamp()
    user = {"created_at": now, **profile, "identities": [plain], "updated_at": now, "user_id": user_id}
    user.setdefault("name", profile.get("email") or user_id)
    if password:
        user["_password"] = password
    call.store.put("users", user_id, user)


@operation("GET", "/users/{id}/connected-accounts")
def list_connected_accounts(call: Call) -> Any:
    user = records.get(call.tenant, call.params["id"])
    found = call.store.find("connected_accounts", user_id=user["user_id"])
    items = [{k: v for k, v in item.items() if k[0] != "_" and k != "user_id"} for item in found]
    return checkpoint(call, items, "connected_accounts")


@operation("GET", "/users/{id}/federated-connections-tokensets")
def list_tokensets(call: Call) -> Any:
    user = records.get(call.tenant, call.params["id"])
    found = call.store.find("federated_tokensets", user_id=user["user_id"])
    return [{k: v for k, v in item.items() if k[0] != "_" and k != "user_id"} for item in found]


@operation("DELETE", "/users/{id}/federated-connections-tokensets/{tokenset_id}")
def delete_tokenset(call: Call) -> Reply:
    found = call.store.get("federated_tokensets", call.params["tokenset_id"])
    if found is not None and found["user_id"] == call.params["id"]:
        call.store.remove("federated_tokensets", found["id"])
    return Reply(204)
