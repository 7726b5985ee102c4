"""What each identity provider's connection holds beyond what was sent: tables by strategy, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.kinds import federation
from sandbox.kinds.kind import merged
from sandbox.kinds.provider_scopes import with_scope
from sandbox.store import Document

ENTERPRISE = frozenset(
    ["ad", "adfs", "auth0-adldap", "google-apps", "ip", "oidc", "okta", "office365", "pingfederate", "samlp", "waad"]
)
TICKETED = frozenset(["ad", "adfs", "auth0-adldap", "google-apps", "pingfederate", "samlp", "waad", "office365"])
SCIM = frozenset(["samlp", "oidc", "okta", "waad"])
DIRECTORY = frozenset({"google-apps"})
FEDERATED = frozenset(["samlp", "pingfederate", "adfs"])
KEPT = {"google-apps": ("map_user_id_to_id", "handle_login_from_social")}
"""Strategy -> options that stay when a change leaves them out."""


@dataclass(frozen=True, slots=True)
class OpenId:
    """How a strategy that speaks OpenID Connect is set up unless its connection says otherwise. PKCE is on for a new
    connection, and off once options are sent that do not mention it."""

    mapping: str
    channel: str


OPENID = {"oidc": OpenId("bind_all", "front_channel"), "okta": OpenId("basic_profile", "back_channel")}

PASSWORD_OPTIONS: Document = {
    "complexity": {
        "min_length": 15,
        "character_types": [],
        "character_type_rule": "all",
        "identical_characters": "allow",
        "sequential_characters": "allow",
        "max_length_exceeded": "error",
    },
    "profile_data": {
        "active": False,
        "blocked_fields": [
            "name",
            "username",
            "nickname",
            "email",
            "phone_number",
            "user_metadata.name",
            "user_metadata.first",
            "user_metadata.last",
        ],
    },
    "history": {"active": False, "size": 3},
    "dictionary": {"active": False, "custom": [], "default": "en_100k"},
}
DATABASE_FIRST: Document = {
    "mfa": {"active": True, "return_enroll_settings": True},
    "password_options": PASSWORD_OPTIONS,
    "strategy_version": 2,
    "disable_self_service_change_password": False,
}
"""What a new database holds; a change of its options that leaves one of these out removes it."""
DATABASE_KEPT: Document = {
    "brute_force_protection": True,
    "authentication_methods": {
        "password": {"enabled": True, "api_behavior": "required", "signup_behavior": "allow"},
        "passkey": {"enabled": False},
        "email_otp": {"enabled": False},
        "phone_otp": {"enabled": False},
    },
    "passkey_options": {
        "challenge_ui": "both",
        "progressive_enrollment_enabled": True,
        "local_enrollment_enabled": True,
    },
}


def new_options(strategy: str, sent: Document) -> Document:
    """The options of a new connection. Raises ApiError 400 where a certificate or metadata can't be read."""
    if strategy == "auth0":
        older = {} if "password_options" in sent else {"passwordPolicy": "good"}
        return kept_options(strategy, merged(merged(DATABASE_FIRST, older), sent), {})
    if strategy == "google-apps":
        sent = {"handle_login_from_social": True, **sent}
    if strategy in OPENID:
        sent = {"type": OPENID[strategy].channel, **sent}
    return kept_options(strategy, sent, {})


def kept_options(strategy: str, sent: Document, old: Document) -> Document:
    """Options replace the old ones whole, but for what the provider itself keeps or derives. Raises ApiError 400."""
    if strategy == "auth0":
        return merged(DATABASE_KEPT, sent)
    if strategy in OPENID:
        return _openid(strategy, sent, pkce="disabled" if old else "auto")
    if strategy in FEDERATED:
        return federation.described(strategy, sent)
    kept = {key: old[key] for key in KEPT.get(strategy, ()) if key in old}
    return with_scope(strategy, {**kept, **sent})


def _openid(strategy: str, sent: Document, pkce: str) -> Document:
    below: dict[str, Any] = {
        "schema_version": "oidc-V4",
        "attribute_map": {"mapping_mode": OPENID[strategy].mapping},
        "connection_settings": {"pkce": pkce},
    }
    options = merged(below, sent)
    known = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    if sent.get("discovery_url") and "oidc_metadata" not in sent:
        options["oidc_metadata"] = {key: sent[key] for key in known if sent.get(key)}
    metadata = options.get("oidc_metadata") or {}
    return {key: metadata.get(key) if value is None else value for key, value in options.items()}
