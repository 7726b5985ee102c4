"""Profiles: self-service set-up, token exchange, attributes of users, connections, rate limits."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import new_id

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
USER_ID = {
    "oidc_mapping": "sub",
    "saml_mapping": [f"{_CLAIMS}/nameidentifier", f"{_CLAIMS}/upn", f"{_CLAIMS}/name"],
    "scim_mapping": "externalId",
}


def _complete_user_id(call: Call, profile: Document) -> Document:
    return {**profile, "user_id": {**USER_ID, **(profile.get("user_id") or {})}}


USER_ATTRIBUTE_PROFILES = Kind(
    path="/user-attribute-profiles",
    store="user_attribute_profiles",
    envelope="user_attribute_profiles",
    id=Id("uap_", 22, BASE58),
    missing=("User attribute profile not found.", "inexistent_user_attribute_profile"),
    read_only=frozenset({"id"}),
    most=20,
    paging="checkpoint",
    before=_complete_user_id,
)
CONNECTION_PROFILES = Kind(
    path="/connection-profiles",
    store="connection_profiles",
    envelope="connection_profiles",
    id=Id("cop_", 22, BASE58),
    missing=("Connection profile not found.", "inexistent_connection_profile"),
    defaults={"connection_config": None, "strategy_overrides": None},
    keeps_null=frozenset({"connection_config", "strategy_overrides", "organization", "enabled_features"}),
    read_only=frozenset({"id"}),
    most=10,
    paging="checkpoint",
)


def _check_alone(call: Call, profile: Document, before: Document | None) -> None:
    if before is None and call.store.count("client_profiles"):
        raise ApiError(409, "A tenant may have one client profile only.", "client_profile_conflict")


CLIENT_PROFILES = Kind(
    path="/client-profiles",
    store="client_profiles",
    envelope="client_profiles",
    id=Id("clp_", 22, BASE58),
    missing=("Client profile not found.", "inexistent_client_profile"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    delete_twice=True,
    paging="checkpoint",
    check=_check_alone,
)
RATE_LIMIT_POLICIES = Kind(
    path="/rate-limit-policies",
    store="rate_limit_policies",
    envelope="rate_limit_policies",
    id=Id("rlp_", 22, BASE58),
    missing=("The rate limit policy does not exist.", "inexistent_rate_limit_policy"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    unique=(
        Unique(
            ("resource", "consumer", "consumer_selector"),
            "A rate limit policy with the same resource, consumer, and consumer_selector already exists.",
            "rate_limit_policy_conflict",
        ),
    ),
    filters=("resource", "consumer", "consumer_selector"),
    paging="checkpoint",
)


# --- token exchange --------------------------------------------------------------------------------------------------


def _check_token_exchange(call: Call, profile: Document, before: Document | None) -> None:
    action = call.store.get("actions", profile.get("action_id", "")) if profile.get("action_id") else None
    if profile.get("action_id") and action is None:
        raise ApiError(400, "That action does not exist.", "invalid_body")


TOKEN_EXCHANGE_PROFILES = Kind(
    path="/token-exchange-profiles",
    store="token_exchange_profiles",
    envelope="token_exchange_profiles",
    id=Id("tep_"),
    missing=("Token exchange profile not found.", None),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    unique=(
        Unique(
            ("subject_token_type",), "A profile for this subject_token_type already exists.", "token_exchange_conflict"
        ),
    ),
    most=100,
    paging="checkpoint",
    check=_check_token_exchange,
)


# --- self-service ----------------------------------------------------------------------------------------------------


def _forget_texts(call: Call, profile: Document) -> None:
    for text in call.store.find("self_service_texts", profile_id=profile["id"]):
        call.store.remove("self_service_texts", text["_key"])


SELF_SERVICE_PROFILES = Kind(
    path="/self-service-profiles",
    store="self_service_profiles",
    envelope="self_service_profiles",
    id=Id("ssp_", 22, BASE58),
    missing=("The self-service profile does not exist.", "inexistent_self_service_profile"),
    defaults={
        "user_attributes": [],
        "allowed_strategies": [
            "oidc",
            "samlp",
            "waad",
            "google-apps",
            "adfs",
            "okta",
            "auth0-samlp",
            "okta-samlp",
            "keycloak-samlp",
            "pingfederate",
        ],
    },
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    most=20,
    before=lambda call, profile: {"user_attributes": [], **profile},
    after_delete=_forget_texts,
)


def _text_key(call: Call) -> str:
    profile = crud.find(SELF_SERVICE_PROFILES, call, call.params["id"])
    return f"{profile['id']} {call.params['language']} {call.params['page']}"


@operation("GET", "/self-service-profiles/{id}/custom-text/{language}/{page}")
def read_text(call: Call) -> Document:
    return (call.store.get("self_service_texts", _text_key(call)) or {}).get("texts", {})


@operation("PUT", "/self-service-profiles/{id}/custom-text/{language}/{page}")
def replace_text(call: Call) -> Document:
    key = _text_key(call)
    call.store.put("self_service_texts", key, {"texts": call.body or {}, "profile_id": call.params["id"], "_key": key})
    return call.body or {}


@operation("POST", "/self-service-profiles/{id}/sso-ticket")
def create_ticket(call: Call) -> Reply:
    profile = crud.find(SELF_SERVICE_PROFILES, call, call.params["id"])
    ticket = new_id("", 32)
    call.store.put("sso_tickets", ticket, {"profile_id": profile["id"], "request": call.body or {}})
    return Reply(201, {"ticket": f"{call.tenant.issuer}self-service/connections-flow?ticket={ticket}"})


@operation("POST", "/self-service-profiles/{profile_id}/sso-ticket/{id}/revoke")
def revoke_ticket(call: Call) -> Reply:
    crud.find(SELF_SERVICE_PROFILES, call, call.params["profile_id"])
    call.store.remove("sso_tickets", call.params["id"])
    return Reply(202)


crud.register(
    USER_ATTRIBUTE_PROFILES,
    CONNECTION_PROFILES,
    CLIENT_PROFILES,
    RATE_LIMIT_POLICIES,
    TOKEN_EXCHANGE_PROFILES,
    SELF_SERVICE_PROFILES,
)
