"""What each identity provider's connection holds beyond what was sent: tables by strategy, no network."""

from __future__ import annotations

from typing import Any

from sandbox.kinds.certificates import describe_signing
from sandbox.kinds.kind import merged
from sandbox.store import Document

ENTERPRISE = frozenset(
    ["ad", "adfs", "auth0-adldap", "google-apps", "ip", "oidc", "okta", "office365", "pingfederate", "samlp", "waad"]
)
TICKETED = frozenset(["ad", "adfs", "auth0-adldap", "google-apps", "pingfederate", "samlp", "waad", "office365"])
SCIM = frozenset(["samlp", "oidc", "okta", "waad"])
DIRECTORY = frozenset({"google-apps"})
SIGNED = frozenset(["samlp", "pingfederate"])
OPENID = {"oidc": "bind_all", "okta": "basic_profile"}
"""Strategy -> how attributes are mapped unless the connection says otherwise. PKCE is on for a new connection, and off
once options are sent that do not mention it."""

PASSWORD_OPTIONS = {
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
DATABASE_KEPT: Document = {
    "password_options": PASSWORD_OPTIONS,
    "brute_force_protection": True,
    "strategy_version": 2,
    "authentication_methods": {
        "password": {"enabled": True, "api_behavior": "required", "signup_behavior": "allow"},
        "passkey": {"enabled": False},
        "email_otp": {"enabled": False},
        "phone_otp": {"enabled": False},
    },
    "disable_self_service_change_password": False,
    "passkey_options": {
        "challenge_ui": "both",
        "progressive_enrollment_enabled": True,
        "local_enrollment_enabled": True,
    },
}

# Flag in the options -> OAuth scope that it asks the provider for, in the order in which they are sent.
GITHUB = {"email": "user:email"} | {
    flag: flag.replace("_", ":", 1)
    for flag in (
        [
            "read_user",
            "repo_status",
            "read_repo_hook",
            "write_repo_hook",
            "admin_repo_hook",
            "read_org",
            "admin_org",
            "read_public_key",
            "write_public_key",
            "admin_public_key",
            "write_org",
        ]
    )
}
GITHUB |= {"follow": "user:follow"} | {
    flag: flag for flag in ["public_repo", "repo", "repo_deployment", "delete_repo", "notifications", "gist"]
}
MICROSOFT = "https://graph.microsoft.com/"
WINDOWS_LIVE = {
    "graph_user": f"{MICROSOFT}User.Read",
    "graph_user_update": f"{MICROSOFT}User.ReadWrite",
    "graph_calendars": f"{MICROSOFT}Calendars.Read",
    "graph_calendars_update": f"{MICROSOFT}Calendars.ReadWrite",
    "graph_contacts": f"{MICROSOFT}Contacts.Read",
    "graph_contacts_update": f"{MICROSOFT}Contacts.ReadWrite",
    "graph_device": f"{MICROSOFT}Device.Read",
    "graph_device_command": f"{MICROSOFT}Device.Command",
    "graph_emails": f"{MICROSOFT}Mail.Read",
    "graph_emails_update": f"{MICROSOFT}Mail.ReadWrite",
    "graph_files": f"{MICROSOFT}Files.Read",
    "graph_files_update": f"{MICROSOFT}Files.ReadWrite",
    "graph_files_all": f"{MICROSOFT}Files.Read.All",
    "graph_files_all_update": f"{MICROSOFT}Files.ReadWrite.All",
    "graph_notes": f"{MICROSOFT}Notes.Read",
    "graph_notes_create": f"{MICROSOFT}Notes.Create",
    "graph_notes_update": f"{MICROSOFT}Notes.ReadWrite",
    "graph_tasks": f"{MICROSOFT}Tasks.Read",
    "graph_tasks_update": f"{MICROSOFT}Tasks.ReadWrite",
    "offline_access": "offline_access",
}
FACEBOOK = {
    flag: flag
    for flag in (
        [
            "email",
            "groups_access_member_info",
            "publish_to_groups",
            "user_age_range",
            "user_birthday",
            "ads_management",
            "ads_read",
            "allow_context_profile_field",
            "business_management",
            "leads_retrieval",
            "manage_notifications",
            "manage_pages",
            "pages_manage_cta",
            "pages_manage_instant_articles",
            "pages_messaging",
            "pages_messaging_phone_number",
            "pages_messaging_subscriptions",
            "pages_show_list",
            "public_profile",
            "publish_actions",
            "publish_pages",
            "publish_video",
            "read_audience_network_insights",
            "read_insights",
            "read_mailbox",
            "read_page_mailboxes",
            "read_stream",
            "user_events",
            "user_friends",
            "user_gender",
            "user_groups",
            "user_hometown",
            "user_likes",
            "user_link",
            "user_location",
            "user_managed_groups",
            "user_photos",
            "user_posts",
            "user_status",
            "user_tagged_places",
            "user_videos",
        ]
    )
}
APPLE = {"name": "name", "email": "email"}
GOOGLE = {"email": "email", "profile": "profile"}
SCOPES: dict[str, tuple[dict[str, str], str | None]] = {
    "github": (GITHUB, None),
    "windowslive": (WINDOWS_LIVE, None),
    "facebook": (FACEBOOK, ","),
    "apple": (APPLE, " "),
    "salesforce": ({}, None),
    "salesforce-community": ({}, None),
    "salesforce-sandbox": ({}, None),
}
"""Strategy -> flags, and what joins the scopes to a text (None: they stay a list)."""


def new_options(strategy: str, sent: Document) -> Document:
    """The options of a new connection."""
    if strategy == "auth0":
        first = {"mfa": {"active": True, "return_enroll_settings": True}, **_password_policy(sent)}
        return kept_options(strategy, merged(first, sent), {})
    if strategy in ("google-apps", "google-oauth2"):
        google: Document = {"email": True, "profile": True, "scope": list(GOOGLE.values())}
        if strategy == "google-apps":
            google["handle_login_from_social"] = True
        return {**google, **sent}
    if strategy in OPENID:
        sent = {"type": "back_channel", **sent}
    return kept_options(strategy, sent, {})


def kept_options(strategy: str, sent: Document, old: Document) -> Document:
    """Options replace the old ones whole, but for what the provider itself keeps or derives."""
    if strategy == "auth0":
        return _database(sent)
    if strategy == "google-apps":
        kept = ("email", "profile", "scope", "map_user_id_to_id", "handle_login_from_social")
        return {**{key: old[key] for key in kept if key in old}, **sent}
    if strategy in SCOPES:
        flags, joint = SCOPES[strategy]
        asked = [scope for flag, scope in _in_order(flags, sent) if sent.get(flag)]
        return {**sent, "scope": joint.join(asked) if joint else asked}
    if strategy in OPENID:
        return _openid(strategy, sent, pkce="disabled" if old else "auto")
    if strategy in SIGNED and sent.get("signingCert"):
        return {**{k: v for k, v in sent.items() if k != "signingCert"}, **describe_signing(sent["signingCert"])}
    return sent


def _in_order(flags: dict[str, str], sent: Document) -> list[tuple[str, str]]:
    """Scopes are asked for in the order in which the flags were sent."""
    return [(flag, flags[flag]) for flag in sent if flag in flags]


def _password_policy(sent: Document) -> Document:
    """The older policy stands beside password_options until the connection is set up in the newer way."""
    if "password_options" in sent:
        return {}
    return {"passwordPolicy": "good"}


def _database(sent: Document) -> Document:
    return merged(DATABASE_KEPT, sent)


def _openid(strategy: str, sent: Document, pkce: str) -> Document:
    below: dict[str, Any] = {
        "schema_version": "oidc-V4",
        "attribute_map": {"mapping_mode": OPENID[strategy]},
        "connection_settings": {"pkce": pkce},
    }
    options = merged(below, sent)
    known = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    if sent.get("discovery_url") and "oidc_metadata" not in sent:
        options["oidc_metadata"] = {key: sent[key] for key in known if sent.get(key)}
    metadata = options.get("oidc_metadata") or {}
    return {key: metadata.get(key) if value is None else value for key, value in options.items()}
