"""APIs (resource servers), and the grants by which applications call them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits
from sandbox.kinds.certificates import thumbprint_sha256
from sandbox.kinds.kind import HEX, Id, Kind, Unique
from sandbox.kinds.operations import Call, operation
from sandbox.store import Document


def check_grant(call: Call, grant: Document, before: Document | None) -> None:
    if (call.body or {}).get("allow_all_scopes") and (call.body or {}).get("scope"):
        raise ApiError(400, "scope cannot be set when allow_all_scopes is true", "invalid_body")
    if before is not None:
        return
    if bool(grant.get("client_id")) is bool(grant.get("default_for")):
        raise ApiError(400, "Exactly one of client_id and default_for must be set", "invalid_body")
    if grant.get("client_id") and not call.store.get("clients", grant["client_id"]):
        raise ApiError(404, "The client does not exist", "inexistent_client")
    if not call.store.first("resource_servers", identifier=grant.get("audience")):
        raise ApiError(404, f"Resource server not found: {grant.get('audience')}", "inexistent_resource_server")


def shown_grant(call: Call, grant: Document) -> Document:
    if grant.get("allow_all_scopes"):
        return {key: value for key, value in grant.items() if key != "scope"}
    return grant


def forget_grant(call: Call, grant: Document) -> None:
    for link in call.store.find("organization_client_grants", grant_id=grant["id"]):
        call.store.remove("organization_client_grants", link["_key"])


CLIENT_GRANTS = Kind(
    path="/client-grants",
    store="client_grants",
    envelope="client_grants",
    delete_twice=True,
    id=Id("cgr_"),
    missing=("The client grant does not exist", "inexistent_client_grant"),
    defaults={"scope": [], "subject_type": "client"},
    read_only=frozenset({"id"}),
    unique=(
        *(
            Unique(
                (holder, "audience", "subject_type"),
                "A resource with the same identifier already exists",
                "client_grant_conflict",
            )
            for holder in ("client_id", "default_for")
        ),
    ),
    filters=("audience", "client_id", "subject_type", "allow_any_organization", "default_for"),
    paging="both",
    check=check_grant,
    shown=shown_grant,
    after_delete=forget_grant,
)


# --- APIs ------------------------------------------------------------------------------------------------------------


def complete_api(call: Call, api: Document) -> Document:
    if urlsplit(api["identifier"]).path == "/me/" and not call.store.get("resource_servers", api["id"]):
        api = {**api, **MY_ACCOUNT}
    if isinstance(call.body, dict) and "scopes" in call.body:
        _forget_permissions(call, api["identifier"], {scope["value"] for scope in api.get("scopes") or ()})
    if api.get("signing_alg") == "HS256" and not api.get("signing_secret"):
        api = {**api, "signing_secret": secrets.token_urlsafe(24)}
    return _with_encryption_key(api)


def _with_encryption_key(api: Document) -> Document:
    """The key to which tokens are encrypted is shown by its thumbprint."""
    encryption = api.get("token_encryption") or {}
    key = encryption.get("encryption_key") or {}
    if "pem" not in key:
        return api
    kept = {name: value for name, value in key.items() if name != "pem"}
    shown = {**kept, "thumbprint_sha256": thumbprint_sha256(key["pem"])}
    return {**api, "token_encryption": {**encryption, "encryption_key": shown}}


SYSTEM_MAY_CHANGE = frozenset(
    [
        "token_lifetime",
        "token_lifetime_for_web",
        "skip_consent_for_verifiable_first_party_clients",
        "proof_of_possession",
        "subject_type_authorization",
        "authorization_policy",
    ]
)
"""Of an API that is Auth0's own; the rest stays."""
MY_ACCOUNT: Document = {
    "name": "Auth0 My Account API",
    "is_system": True,
    "allow_offline_access": True,
    "skip_consent_for_verifiable_first_party_clients": True,
    "subject_type_authorization": {"client": {"policy": "deny_all"}, "user": {"policy": "require_client_grant"}},
    "token_lifetime": 600,
    "token_lifetime_for_web": 600,
    "proof_of_possession": {"mechanism": "dpop", "required": False},
    "scopes": [
        {"value": f"{verb}:me:{thing.replace(' ', '_')}", "description": f"{verb} {thing}".title()}
        for verb, thing in (
            ("create", "connected accounts"),
            ("read", "connected accounts"),
            ("delete", "connected accounts"),
            ("read", "authentication methods"),
            ("delete", "authentication methods"),
            ("update", "authentication methods"),
            ("read", "factors"),
            ("create", "authentication methods"),
        )
    ],
}
"""The API that a tenant gets once somebody creates one with the identifier https://TENANT/me/."""


def check_api(call: Call, api: Document, before: Document | None) -> None:
    if len(api.get("scopes") or ()) > limits.SCOPES_PER_API:
        raise limits.too_many()
    if before is None or not before.get("is_system"):
        return
    if any(value != before.get(key) for key, value in (call.body or {}).items() if key not in SYSTEM_MAY_CHANGE):
        raise ApiError(400, f"{before['name']} cannot be modified.", "operation_not_supported")


def forget_api(call: Call, api: Document) -> None:
    """Grants and permissions for an API go with it."""
    for grant in call.store.find("client_grants", audience=api["identifier"]):
        crud.remove(CLIENT_GRANTS, call, grant)
    _forget_permissions(call, api["identifier"], set())


def _forget_permissions(call: Call, identifier: str, left: set[str]) -> None:
    for kind in ("role_permissions", "user_permissions"):
        for row in call.store.find(kind, resource_server_identifier=identifier):
            if row["permission_name"] not in left:
                call.store.remove(kind, row["_key"])


RESOURCE_SERVERS = Kind(
    path="/resource-servers",
    store="resource_servers",
    envelope="resource_servers",
    id=Id("", 24, HEX),
    missing=("The resource server does not exist", "inexistent_resource_server"),
    defaults={
        "allow_offline_access": False,
        "skip_consent_for_verifiable_first_party_clients": False,
        "subject_type_authorization": {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}},
        "token_lifetime": 86400,
        "token_lifetime_for_web": 7200,
        "signing_alg": "RS256",
    },
    also="identifier",
    read_only=frozenset({"id", "is_system", "client_id"}),
    merged=frozenset({"subject_type_authorization"}),
    unique=(
        Unique(
            ("identifier",), "A resource server with the same identifier already exists", "resource_server_conflict"
        ),
    ),
    paging="both",
    check=check_api,
    before=complete_api,
    after_delete=forget_api,
)


@operation("GET", "/resource-servers")
def list_apis(call: Call) -> Any:
    wanted = call.several("identifiers")
    found = [api for api in call.store.all("resource_servers") if not wanted or api["identifier"] in wanted]
    return crud.listed(call, found, "resource_servers", "both")


crud.register(CLIENT_GRANTS, RESOURCE_SERVERS)
