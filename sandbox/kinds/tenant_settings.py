"""The tenant's own settings."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds import settings
from sandbox.kinds.kind import merged
from sandbox.kinds.operations import Call
from sandbox.kinds.settings import Setting
from sandbox.store import Document

FLAGS = {
    "allow_changing_enable_sso": False,
    "disable_impersonation": True,
    "enable_sso": True,
    "new_universal_login_experience_enabled": True,
    "universal_login": True,
    "revoke_refresh_token_grant": False,
    "disable_clickjack_protection_headers": False,
    "enable_apis_section": False,
    "enable_client_connections": False,
    "enable_custom_domain_in_emails": False,
    "enable_dynamic_client_registration": True,
    "enable_legacy_logs_search_v2": False,
    "enable_public_signup_user_exists_error": True,
    "enable_pipeline2": False,
    "allow_legacy_delegation_grant_types": True,
    "allow_legacy_ro_grant_types": True,
    "allow_legacy_tokeninfo_endpoint": False,
    "allow_other_legacy_grant_types": True,
    "change_pwd_flow_v1": False,
    "disable_management_api_sms_obfuscation": False,
    "enable_adfs_waad_email_verification": False,
    "enable_idtoken_api2": False,
    "enable_legacy_profile": False,
    "use_scope_descriptions_for_consent": False,
    "no_disclose_enterprise_connections": False,
    "dashboard_log_streams_next": False,
    "disable_fields_map_fix": False,
    "mfa_show_factor_list_on_enrollment": False,
    "remove_alg_from_jwks": False,
    "non_oidc_conformant_updated_at": False,
    "cannot_change_enforce_client_authentication_on_passwordless_start": True,
    "enforce_client_authentication_on_passwordless_start": True,
}
FACTORY: Document = {
    "allowed_logout_urls": [],
    "acr_values_supported": [],
    "change_password": {"enabled": False, "html": ""},
    "default_audience": "",
    "default_directory": "Username-Password-Authentication",
    "enabled_locales": ["en"],
    "error_page": {"html": "", "show_log_link": False, "url": ""},
    "flags": FLAGS,
    "friendly_name": "My Company",
    "guardian_mfa_page": {"enabled": False, "html": ""},
    "idle_session_lifetime": 72,
    "session_lifetime": 168,
    "ephemeral_session_lifetime": 72,
    "idle_ephemeral_session_lifetime": 24,
    "picture_url": "",
    "support_email": "",
    "support_url": "",
    "sandbox_version": "22",
    "sandbox_versions_available": ["22", "18"],
    "sessions": {"oidc_logout_prompt_enabled": True},
    "oidc_logout": {"rp_logout_end_session_endpoint_discovery": True},
    "universal_login": {
        "colors": {"primary": "#2A2E35", "page_background": "#FF4F40"},
        "passwordless": {"allow_magiclink_verify_without_session": True},
    },
    "resource_parameter_profile": "audience",
    "mtls": {"enable_endpoint_aliases": False},
    "client_id_metadata_document_supported": True,
    "dynamic_client_registration_security_mode": "permissive",
    "phone_consolidated_experience": False,
    "pushed_authorization_requests_supported": False,
    "allow_organization_name_in_authentication_api": False,
    "customize_mfa_in_postlogin_action": False,
    "authorization_response_iss_parameter_supported": False,
    "skip_non_verifiable_callback_uri_confirmation_prompt": False,
    "enable_ai_guide": True,
    "session_cookie": {"mode": "persistent"},
}
EMPTY_WHEN_NULL = {
    "default_audience": "",
    "default_directory": "",
    "friendly_name": "",
    "picture_url": "",
    "support_email": "",
    "support_url": "",
}
MERGED = frozenset(
    {"flags", "change_password", "guardian_mfa_page", "error_page", "sessions", "oidc_logout", "session_cookie"}
)
IN_MINUTES = (
    "session_lifetime",
    "idle_session_lifetime",
    "ephemeral_session_lifetime",
    "idle_ephemeral_session_lifetime",
)


def change(call: Call, old: Document, sent: Document) -> Document:
    if sent.get("default_directory") and not call.store.first("connections", name=sent["default_directory"]):
        raise ApiError(400, f"The connection {sent['default_directory']} does not exist.", "invalid_body")
    new = dict(old)
    for key, value in sent.items():
        if value is None:
            new.pop(key, None)
            if key in EMPTY_WHEN_NULL:
                new[key] = EMPTY_WHEN_NULL[key]
        elif key in MERGED and isinstance(value, dict):
            new[key] = settings.without_nulls(merged(old.get(key) or {}, value))
        else:
            new[key] = value
    for name in IN_MINUTES:
        if f"{name}_in_minutes" in sent:
            new[name] = sent[f"{name}_in_minutes"] / 60
            new.pop(f"{name}_in_minutes", None)
    return new


def shown(call: Call, document: Document) -> Document:
    """A changed tenant is answered with what its login page is made of."""
    if call.method == "GET":
        return document
    page = {
        "identifier_first": settings.value(call.store, "/prompts").get("identifier_first", False),
        "is_custom_theme_set": call.store.count("branding_themes") > 0,
        "is_custom_template_set": bool(settings.value(call.store, "/branding/templates/universal-login")),
    }
    return {**document, "universal_login": {**(document.get("universal_login") or {}), **page}}


settings.register(Setting("/tenants/settings", FACTORY, change=change, shown=shown))
