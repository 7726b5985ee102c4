"""/users and /users-by-email: create, read, change and delete a user."""

from __future__ import annotations

from typing import Any

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import chosen
from sandbox.store import Document
from sandbox.users import changes, external, mails, records, search

_TOKENS = ("access_token", "access_token_secret", "refresh_token")


def shown(call: Call, user: Document) -> Document:
    """The record as an answer holds it: internal keys left out, identity provider tokens only with their scope."""
    visible = {key: value for key, value in user.items() if key[0] != "_"}
    if "read:user_idp_tokens" not in call.scopes and any(_has_token(i) for i in visible.get("identities", ())):
        visible["identities"] = [{k: v for k, v in i.items() if k not in _TOKENS} for i in visible["identities"]]
    return chosen(call, visible)


def _has_token(identity: dict[str, Any]) -> bool:
    return any(token in identity for token in _TOKENS)


def acting_on(call: Call, user_id: str, scope: str) -> None:
    """With a scope for the current user alone, the token must be that user's. Raises ApiError 403."""
    if scope not in call.scopes and call.claims.get("sub") != user_id:
        raise ApiError(403, "User to be acted on does not match subject in bearer token.", "insufficient_scope")


@operation("GET", "/users")
def list_users(call: Call) -> Any:
    return search.listing(call, shown)


@operation("GET", "/users-by-email")
def users_by_email(call: Call) -> Any:
    return [shown(call, user) for user in records.find_by_email(call.tenant, call.query["email"])]


@operation("GET", "/users/{id}")
def read_user(call: Call) -> Document:
    acting_on(call, call.params["id"], "read:users")
    return shown(call, records.get(call.tenant, call.params["id"]))


@operation("POST", "/users")
async def create_user(call: Call) -> Document:
    body = call.body or {}
    connection = records.connection_named(call.tenant, body.get("connection"))
    _require_fields(connection, body)
    user = await external.create(call.tenant, connection, body)
    if body.get("verify_email", connection["strategy"] == "auth0" and not user.get("email_verified")):
        mails.send_verification(call.tenant, user)
    return shown(call, user)


def _require_fields(connection: Document, body: Document) -> None:
    strategy, options = connection["strategy"], connection.get("options") or {}
    required = {"sms": ("phone_number",), "email": ("email",), "auth0": ("password",)}.get(strategy)
    if required is None:
        raise ApiError(
            400,
            f"Users of connection {connection['name']} ({strategy}) can't be created: they appear when they sign in.",
            "operation_not_supported",
        )
    missing = [field for field in required if not body.get(field)]
    if strategy == "auth0" and not any(body.get(field) for field in records.INDEXED):
        missing.append("email")
    if missing:
        raise ApiError(400, f"Payload validation error: 'Missing required property: {missing[0]}'.", "invalid_body")
    if body.get("username") and strategy == "auth0" and _refuses_usernames(options):
        raise ApiError(400, "Cannot set username for connection without requires_username", "invalid_body")


def _refuses_usernames(options: Document) -> bool:
    username = (options.get("attributes") or {}).get("username")
    if username is not None:
        return not (username.get("identifier") or {}).get("active", True)
    return options.get("requires_username") is False


@operation("PATCH", "/users/{id}")
async def update_user(call: Call) -> Document:
    user_id = call.params["id"]
    _check_scope(call, user_id)
    return shown(call, await changes.apply(call.tenant, user_id, call.body or {}))


def _check_scope(call: Call, user_id: str) -> None:
    if "update:users" in call.scopes:
        return
    allowed = {"app_metadata"} if "update:users_app_metadata" in call.scopes else set()
    if "update:current_user_metadata" in call.scopes and call.claims.get("sub") == user_id:
        allowed.add("user_metadata")
    if not allowed or set(call.body or {}) - allowed:
        raise ApiError(403, "Insufficient scope, expected any of: update:users", "insufficient_scope")


@operation("DELETE", "/users/{id}")
async def delete_user(call: Call) -> Reply:
    user_id = call.params["id"]
    acting_on(call, user_id, "delete:users")
    user = call.store.get("users", user_id)
    if user is not None:
        await external.delete(call.tenant, user)
        records.delete(call.tenant, user_id)
        logs.write(call.tenant, "sdu", user_id=user_id, user_name=user.get("email") or user_id)
    return Reply(204)
