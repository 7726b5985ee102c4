"""Applications."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import client_keys, crud, paging
from sandbox.kinds.certificates import signing_keys
from sandbox.kinds.kind import Id, Kind, merged
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import new_id

INTERACTIVE_GRANTS = ["authorization_code", "implicit", "refresh_token"]
PUBLIC_TYPES = {"spa", "native"}
CONFIDENTIAL = {"non_interactive"}
POSTED = {"client_secret_post", "client_secret_basic"}
FIXED = ("third_party_security_mode", "resource_server_identifier")
"""What an application is made with and keeps."""
SECRETS = ("client_secret", "encryption_key", "signing_keys")
JWT_CONFIGURATION = {"secret_encoded": False, "lifetime_in_seconds": 36000}
SESSION_TRANSFER = {
    "can_create_session_transfer_token": False,
    "allowed_authentication_methods": [],
    "enforce_device_binding": "ip",
    "allow_refresh_token": False,
    "enforce_online_refresh_tokens": True,
    "enforce_cascade_revocation": True,
}
THIRD_PARTY = {"third_party_security_mode": "strict", "redirection_policy": "open_redirect_protection"}
EXPRESS_CONFIGURATION = {
    "oidc_conformant": True,
    "callbacks": ["https://system-admin.okta.com/admin/app/generic/oauth20redirect"],
    "grant_types": ["authorization_code", "client_credentials"],
    "jwt_configuration": {"alg": "RS256", "secret_encoded": False},
    "organization_usage": "require",
    "organization_require_behavior": "pre_login_prompt",
    "client_authentication_methods": {"private_key_jwt": {"credentials": []}},
}
RESOURCE_SERVER = {
    "oidc_conformant": True,
    "grant_types": [],
    "jwt_configuration": {"alg": "RS256", "secret_encoded": False},
}


def new_client(call: Call, sent: Document) -> Document:
    """What a new application holds beyond what was sent: depends on its app_type."""
    app_type = sent.get("app_type")
    method = sent.get("token_endpoint_auth_method")
    public = method == "none" or app_type in PUBLIC_TYPES
    confidential = app_type in CONFIDENTIAL or method in POSTED
    document: Document = {
        "tenant": call.tenant.name,
        "global": False,
        "is_token_endpoint_ip_header_trusted": False,
        "is_first_party": True,
        "oidc_conformant": False,
        "sso_disabled": False,
        "cross_origin_auth": False,
        "cross_origin_authentication": False,
        "callback_url_template": False,
        "custom_login_page_on": True,
        "client_id": new_id("", 32),
        "client_secret": secrets.token_urlsafe(48),
        "jwt_configuration": {"secret_encoded": False} if sent.get("jwt_configuration") else JWT_CONFIGURATION,
        "grant_types": INTERACTIVE_GRANTS + ([] if public else ["client_credentials"]),
        "refresh_token": {
            "rotation_type": "non-rotating",
            "expiration_type": "non-expiring",
            "leeway": 0,
            "token_lifetime": 31557600 if confidential else 2592000,
            "infinite_token_lifetime": True,
            "infinite_idle_token_lifetime": True,
            "idle_token_lifetime": 2592000 if confidential else 1296000,
        },
    }
    if sent.get("is_first_party") is False and sent.get("third_party_security_mode", "strict") == "strict":
        document |= THIRD_PARTY
    if (sent.get("refresh_token") or {}).get("expiration_type") == "expiring":
        document["refresh_token"] |= {"infinite_token_lifetime": False, "infinite_idle_token_lifetime": False}
    special = {"express_configuration": EXPRESS_CONFIGURATION, "resource_server": RESOURCE_SERVER}
    return {**document, **special.get(app_type or "", {})}


def complete_client(call: Call, client: Document) -> Document:
    """Keep what hangs together in step: older names, session transfer, back-channel logout, the linked API."""
    cross_origin = client.get("cross_origin_authentication", False)
    client = {**_with_logout(call, client), "cross_origin_auth": cross_origin}
    if isinstance(client.get("session_transfer"), dict):
        client = {**client, "session_transfer": merged(SESSION_TRANSFER, client["session_transfer"])}
    if client.get("token_endpoint_auth_method") and client.get("client_authentication_methods"):
        raise ApiError(
            400,
            "client_authentication_methods and token_endpoint_auth_method are mutually exclusive",
            "invalid_body",
        )
    _link_api(call, client)
    return client_keys.kept(call, client)


def _with_logout(call: Call, client: Document) -> Document:
    """oidc_backchannel_logout is the older name of oidc_logout: either one changes both."""
    sent = call.body if isinstance(call.body, dict) else {}
    if "oidc_backchannel_logout" in sent and "oidc_logout" not in sent:
        if sent["oidc_backchannel_logout"] is None:
            return {k: v for k, v in client.items() if k not in ("oidc_logout", "oidc_backchannel_logout")}
        return {**client, "oidc_logout": merged(client.get("oidc_logout", {}), sent["oidc_backchannel_logout"])}
    logout = client.get("oidc_logout")
    if not logout:
        return {key: value for key, value in client.items() if key != "oidc_backchannel_logout"}
    urls = logout.get("backchannel_logout_urls", [])
    return {**client, "oidc_backchannel_logout": {"backchannel_logout_urls": urls}}


def _link_api(call: Call, client: Document) -> None:
    """An application of type resource_server is the client side of an API: the API then names it."""
    identifier = client.get("resource_server_identifier")
    api = call.store.first("resource_servers", identifier=identifier) if identifier else None
    if api:
        call.store.put("resource_servers", api["id"], {**api, "client_id": client["client_id"]})


def check_client(call: Call, client: Document, before: Document | None) -> None:
    default = client.get("default_organization")
    if default and not (default.get("organization_id") and default.get("flows")):
        raise ApiError(400, "default_organization must have organization_id and flows to be set.", "invalid_body")
    if before is None:
        return
    sent = call.body or {}
    fixed = next((name for name in FIXED if name in sent and sent[name] != before.get(name)), None)
    if fixed:
        raise ApiError(400, f"{fixed} cannot be changed", "invalid_body")
    if "client_secret" in sent and "update:client_keys" not in call.scopes:
        raise ApiError(403, "Insufficient scope, expected any of: update:client_keys", "insufficient_scope")
    if sent.get("client_authentication_methods") and "update:client_credentials" not in call.scopes:
        raise ApiError(403, "Insufficient scope, expected any of: update:client_credentials", "insufficient_scope")


def shown_client(call: Call, client: Document) -> Document:
    """Without its secret where it signs in by key or certificate, and without any key for who may not read keys."""
    answer = dict(client)
    if call.method == "POST":
        answer["encrypted"] = True
    answer["signing_keys"] = signing_keys(call.tenant, with_key=call.method == "POST")
    if client.get("client_authentication_methods"):
        answer.pop("client_secret", None)
    if call.method == "GET" and "read:client_keys" not in call.scopes:
        answer = {key: value for key, value in answer.items() if key not in SECRETS}
    return answer


def forget_client(call: Call, client: Document) -> None:
    """Grants, credentials and enablements go with their application."""
    id = client["client_id"]
    for kind in ("client_grants", "client_credentials", "grants", "refresh_tokens", "organization_clients"):
        for document in call.store.find(kind, client_id=id):
            call.store.remove(kind, document.get("_key") or document["id"])
    for connection in call.store.all("connections"):
        if id in connection.get("enabled_clients", ()):
            left = [other for other in connection["enabled_clients"] if other != id]
            call.store.put("connections", connection["id"], {**connection, "enabled_clients": left})
    for api in call.store.find("resource_servers", client_id=id):
        call.store.put("resource_servers", api["id"], {k: v for k, v in api.items() if k != "client_id"})


CLIENTS = Kind(
    path="/clients",
    store="clients",
    envelope="clients",
    id=Id("", 32),
    id_field="client_id",
    missing=("The client does not exist", "inexistent_client"),
    defaults=new_client,
    read_only=frozenset({"tenant", "global", "callback_url_template", "signing_keys", "cross_origin_auth"}),
    merged=frozenset({"jwt_configuration", "client_metadata", "session_transfer", "refresh_token"}),
    filters=("app_type", "is_first_party", "external_client_id"),
    paging="both",
    check=check_client,
    before=complete_client,
    shown=shown_client,
    after_delete=forget_client,
)


@operation("GET", "/clients")
def list_clients(call: Call) -> Any:
    """Without is_global=true the global client is left out."""
    wanted = call.query.get("is_global") == "true"
    everyone = [c for c in call.store.all("clients") if "is_global" not in call.query or c["global"] is wanted]
    clients = [c for c in everyone if crud.passes(CLIENTS, call, c)]
    return crud.listed(call, [shown_client(call, c) for c in clients], "clients", "both")


@operation("GET", "/clients/{id}")
def read_client(call: Call) -> Document:
    """Whatever fields are asked for, the certificates come along."""
    answer = shown_client(call, crud.asked(CLIENTS, call))
    chosen = paging.chosen(call, answer)
    return {**chosen, "signing_keys": answer["signing_keys"]} if "signing_keys" in answer else chosen


@operation("DELETE", "/clients/{id}")
def delete_client(call: Call) -> Reply:
    client = crud.asked(CLIENTS, call)
    if client["global"]:
        raise ApiError(400, "The global client cannot be deleted.", "operation_not_supported")
    crud.remove(CLIENTS, call, client)
    return Reply(204)


@operation("POST", "/clients/{id}/rotate-secret")
def rotate_secret(call: Call) -> Reply:
    client = {**crud.asked(CLIENTS, call), "client_secret": secrets.token_urlsafe(48)}
    return Reply(200, shown_client(call, call.store.put("clients", client["client_id"], client)))


@operation("GET", "/clients/{id}/connections")
def enabled_connections(call: Call) -> Any:
    client = crud.asked(CLIENTS, call)
    enabled = [c for c in call.store.all("connections") if client["client_id"] in c.get("enabled_clients", ())]
    wanted = call.several("strategy")
    chosen = [c for c in enabled if not wanted or c["strategy"] in wanted]
    shown = [crud.shown(crud.KINDS["/connections"], call, connection) for connection in chosen]
    without = [{key: value for key, value in c.items() if key != "enabled_clients"} for c in shown]
    return crud.listed(call, without, "connections", "checkpoint")


crud.register(CLIENTS)
