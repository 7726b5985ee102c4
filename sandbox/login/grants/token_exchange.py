"""Custom token exchange: a token of somebody else's for tokens of this tenant, as the profile's Action says (RFC 8693).

Not here: actor_token and session transfer tokens.
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError, OAuthError
from sandbox.kinds.actions import deployed
from sandbox.login import (
    attack_protection,
    audiences,
    configuration,
    custom_database,
    organizations,
    pipeline,
    triggers,
)
from sandbox.login.calls import Call
from sandbox.login.clients import Authenticated
from sandbox.login.credentials import name_of
from sandbox.login.effects import Effects
from sandbox.login.grants import unattended
from sandbox.login.subject import Login
from sandbox.login.visitor import visitor
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import mails, records

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
# What an exchange can't change of an existing user.
_FIXED = ("email", "email_verified", "phone_number", "phone_verified", "username")


async def exchange(call: Call, caller: Authenticated) -> dict[str, Any]:
    tenant, client = call.tenant, caller.client
    action, api = _action(call, client), _api(call, client)
    at, organization = visitor(call), organizations.of_grant(tenant, client, call.text("organization"))
    attack_protection.refuse_exchanges(tenant, at.ip)
    event = _event(call, client, api, organization)
    effects = await triggers.run(tenant, "custom-token-exchange", event, [action])
    _refuse(tenant, effects, at.ip)
    user, connection = _user(tenant, client, effects)
    if effects.named_organization:
        organization = organizations.of_grant(tenant, client, effects.named_organization)
    organizations.refuse_stranger(tenant, organization, user["user_id"])
    login = Login(
        tenant,
        client,
        connection,
        user["user_id"],
        at,
        "oauth2-token-exchange",
        scopes=call.text("scope").split(),
        audience=api["identifier"] if api else "",
        organization=organization,
        thumbprint=caller.thumbprint,
    )
    answer = await _finished(login)
    call.log("secte", client, user_id=login.user_id, user_name=name_of(login.user))
    return answer | {"issued_token_type": ACCESS_TOKEN}


def _action(call: Call, client: Document) -> Document:
    """The Action of the profile for this kind of subject token. Raises OAuthError 400."""
    kind = call.required("subject_token_type")
    call.required("subject_token")
    if call.text("actor_token") or call.text("actor_token_type"):
        raise _invalid("actor_token is not supported")
    if call.text("requested_token_type") not in ("", ACCESS_TOKEN):
        raise _invalid("requested_token_type is not supported")
    profile = call.tenant.store.first("token_exchange_profiles", subject_token_type=kind) or {}
    action = deployed(call.tenant, profile.get("action_id") or "")
    if action is None:
        raise _invalid(f"There is no profile for the subject_token_type {kind}")
    return action


def _api(call: Call, client: Document) -> Document | None:
    """Raises OAuthError 403: unknown, closed, or one for which a person would have to be asked."""
    audience = audiences.requested(call.tenant, call.text("audience"), call.text("resource"))
    if not audience:
        return None
    api = audiences.for_people(call.tenant, client, audience)
    if not api.get("skip_consent_for_verifiable_first_party_clients", True):
        raise OAuthError(403, "consent_required", "Consent required")
    return api


def _event(call: Call, client: Document, api: Document | None, organization: Document | None) -> dict[str, Any]:
    event: dict[str, Any] = {
        "client": triggers.client_of(client),
        "request": triggers.request_of(visitor(call)),
        "resource_server": {"identifier": api["identifier"] if api else audiences.userinfo_audience(call.tenant)},
        "transaction": {
            "requested_scopes": call.text("scope").split(),
            "requested_token_type": ACCESS_TOKEN,
            "subject_token": call.text("subject_token"),
            "subject_token_type": call.text("subject_token_type"),
        },
    }
    if organization:
        event["organization"] = {key: organization.get(key) or "" for key in ("id", "name", "display_name")}
        event["organization"]["metadata"] = organization.get("metadata") or {}
    return event


def _refuse(tenant: Tenant, effects: Effects, ip: str) -> None:
    if effects.rejected_subject_token is not None:
        attack_protection.exchange_failed(tenant, ip)
        raise _invalid(effects.rejected_subject_token)
    if effects.denied:
        # api.access.deny(code, reason): in this trigger the first argument is the error code.
        code, reason = effects.denied[1], effects.denied_message
        raise OAuthError(400, code if reason else effects.denied[0], reason or code)


# Whose token it is


def _user(tenant: Tenant, client: Document, effects: Effects) -> tuple[Document, Document]:
    """The user whom the Action has named, with the connection; made or changed as it asked. Raises OAuthError 400."""
    if len(effects.named_users) != 1:
        raise _invalid("The Action has to call setUserById or setUserByConnection once")
    name, attributes, options = effects.named_users[0]
    user, connection = _by_id(tenant, name) if attributes is None else _by_connection(tenant, name, attributes, options)
    if connection["name"] not in [enabled["name"] for enabled in configuration.enabled_connections(tenant, client)]:
        raise _invalid("The connection of the user is not enabled for the client")
    if user.get("blocked"):
        raise OAuthError(403, "unauthorized", "user is blocked")
    return _with_metadata(tenant, user, effects), connection


def _by_id(tenant: Tenant, user_id: Any) -> tuple[Document, Document]:
    user = tenant.store.get("users", user_id) if isinstance(user_id, str) else None
    if user is None:
        raise _invalid("The user does not exist")
    return user, records.connection_named(tenant, user["identities"][0]["connection"])


def _by_connection(tenant: Tenant, name: Any, attributes: Any, options: Any) -> tuple[Document, Document]:
    connection = configuration.connection_named(tenant, name) if isinstance(name, str) else None
    if connection is None or custom_database.imports(connection):
        raise _invalid("The connection does not exist, or imports its users")
    if not isinstance(attributes, dict) or not isinstance(attributes.get("user_id"), str) or not attributes["user_id"]:
        raise _invalid("setUserByConnection needs a user_id")
    behavior = options if isinstance(options, dict) else {}
    known = records.find_by_identity(tenant, connection["strategy"], attributes["user_id"])
    if known is None:
        return _created(tenant, connection, attributes, behavior.get("creationBehavior")), connection
    return _changed(tenant, known, attributes, behavior.get("updateBehavior")), connection


def _created(tenant: Tenant, connection: Document, attributes: dict[str, Any], behavior: Any) -> Document:
    if behavior != "create_if_not_exists":
        raise _invalid("The user does not exist")
    given = {key: value for key, value in attributes.items() if key != "verify_email"}
    try:
        user = records.create(tenant, {**given, "connection": connection["name"]})
    except ApiError as problem:
        raise _invalid(str(problem)) from None
    if user.get("email") and attributes.get("verify_email", not user["email_verified"]):
        mails.send_verification(tenant, user)
    return user


def _changed(tenant: Tenant, user: Document, attributes: dict[str, Any], behavior: Any) -> Document:
    if behavior != "replace":
        return user
    if any(attributes[key] != user.get(key) for key in _FIXED if attributes.get(key) is not None):
        raise _invalid(f"{', '.join(_FIXED)} of an existing user can't be changed")
    names = ("family_name", "given_name", "name", "nickname", "picture")
    return records.update(tenant, user["user_id"], {key: attributes[key] for key in names if key in attributes})


def _with_metadata(tenant: Tenant, user: Document, effects: Effects) -> Document:
    new = {"app_metadata": effects.app_metadata, "user_metadata": effects.user_metadata}
    changes = {name: records.merge_metadata(user.get(name), value) for name, value in new.items() if value}
    return records.update(tenant, user["user_id"], changes) if changes else user


async def _finished(login: Login) -> dict[str, Any]:
    """The post-login Actions run; a second factor is possible where the MFA API can ask for it."""
    running = pipeline.start(login)
    try:
        return await unattended.finish(login, running)
    except OAuthError as problem:
        if problem.error == "mfa_required" and (login.organization or running.factor_commands_used):
            raise _invalid("MFA is not supported in this exchange") from None
        raise


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)
