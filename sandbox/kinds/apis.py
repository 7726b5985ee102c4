"""APIs (resource servers), and the grants by which applications call them."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits
from sandbox.kinds.certificates import thumbprint_sha256
from sandbox.kinds.kind import HEX, Id, Kind, Unique
from sandbox.kinds.operations import Call
from sandbox.store import Document


def check_grant(call: Call, grant: Document, before: Document | None) -> None:
    if before is not None:
        return
    if not call.store.get("clients", grant.get("client_id", "")):
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
        Unique(
            ("client_id", "audience", "subject_type"),
            "A resource with the same identifier already exists",
            "client_grant_conflict",
        ),
    ),
    filters=("audience", "client_id", "subject_type", "allow_any_organization"),
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
    thumbprint, kid = thumbprint_sha256(key["pem"]), key.get("kid") or secrets.token_urlsafe(32)
    shown = {**kept, "thumbprint_sha256": thumbprint, "kid": kid}
    return {**api, "token_encryption": {**encryption, "encryption_key": shown}}


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
        {"value": f"{verb}:me:connected_accounts", "description": f"{verb.title()} Connected Accounts"}
        for verb in ("create", "read", "delete")
    ],
}
"""The API that a tenant gets once somebody creates one with the identifier https://TENANT/me/."""


def check_api(call: Call, api: Document, before: Document | None) -> None:
    if len(api.get("scopes") or ()) > limits.SCOPES_PER_API:
        raise limits.too_many()
    if before and before.get("is_system") and before.get("identifier") == call.tenant.management_audience:
        changed = set(call.body or {}) - {
            "token_lifetime",
            "token_lifetime_for_web",
            "skip_consent_for_verifiable_first_party_clients",
        }
        if changed & {"scopes", "name", "signing_alg", "signing_secret"}:
            raise ApiError(400, "Auth0 Management API cannot be modified.", "operation_not_supported")


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


crud.register(CLIENT_GRANTS, RESOURCE_SERVERS)
