"""Attack protection, risk assessment, Guardian factors and policies: settings with their factory values."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, settings
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.settings import Setting
from sandbox.store import Document

FACTORS = ("sms", "push-notification", "otp", "email", "duo", "webauthn-roaming", "webauthn-platform", "recovery-code")
DAY_SECONDS = 86_400
CAPTCHA_SECRETS = ("secret", "api_key")
ENROLLMENT = (
    "{{code}} is your verification code for {{tenant.friendly_name}}. Please enter this code to verify your enrollment."
)
VERIFICATION = "{{code}} is your verification code for {{tenant.friendly_name}}"

SETTINGS = (
    Setting(
        "/attack-protection/brute-force-protection",
        {
            "enabled": True,
            "shields": ["block", "user_notification"],
            "mode": "count_per_identifier_and_ip",
            "allowlist": [],
            "max_attempts": 10,
        },
    ),
    Setting(
        "/attack-protection/suspicious-ip-throttling",
        {
            "enabled": True,
            "shields": ["admin_notification", "block"],
            "allowlist": [],
            "stage": {
                "pre-login": {"max_attempts": 100, "rate": 864000},
                "pre-user-registration": {"max_attempts": 50, "rate": 1200},
                "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600000},
            },
        },
    ),
    Setting(
        "/attack-protection/breached-password-detection",
        {
            "enabled": False,
            "shields": [],
            "admin_notification_frequency": [],
            "method": "standard",
            "stage": {"pre-user-registration": {"shields": []}, "pre-change-password": {"shields": []}},
        },
    ),
    Setting(
        "/attack-protection/bot-detection",
        {
            "challenge_password_policy": "never",
            "challenge_passwordless_policy": "never",
            "challenge_password_reset_policy": "never",
            "allowlist": [],
            "bot_detection_level": "medium",
            "monitoring_mode_enabled": False,
        },
        feature="bot detection",
    ),
    Setting(
        "/attack-protection/captcha",
        {
            "active_provider_id": "auth_challenge",
            "simple_captcha": {},
            "auth_challenge": {"fail_open": False},
            "recaptcha_v2": {"site_key": ""},
            "recaptcha_enterprise": {"site_key": "", "project_id": ""},
            "hcaptcha": {"site_key": ""},
            "friendly_captcha": {"site_key": ""},
            "arkose": {
                "site_key": "",
                "client_subdomain": "client-api",
                "verify_subdomain": "verify-api",
                "fail_open": False,
            },
        },
        feature="bot detection",
        shown=lambda call, document: _without_captcha_secrets(document),
    ),
    Setting("/attack-protection/phone-provider-protection", {"type": "none"}),
    Setting("/risk-assessments/settings", {"enabled": False}),
    Setting("/risk-assessments/settings/new-device", {"remember_for": 30}),
    Setting("/supplemental-signals", {"akamai_enabled": False}, feature="Akamai Signals"),
    Setting(
        "/guardian/settings",
        {
            "remember_me_default_value": False,
            "display_remember_me_checkbox": True,
            "mfa_session_inactivity_timeout": 7 * DAY_SECONDS,
            "mfa_session_overall_timeout": 30 * DAY_SECONDS,
        },
        put_replaces=False,
    ),
    Setting("/guardian/factors/phone/message-types", {"message_types": []}),
    Setting("/guardian/factors/phone/selected-provider", {"provider": "auth0"}),
    Setting(
        "/guardian/factors/phone/templates", {"enrollment_message": ENROLLMENT, "verification_message": VERIFICATION}
    ),
    Setting("/guardian/factors/phone/providers/twilio", {}),
    Setting("/guardian/factors/phone/settings", {"otp_length": 6, "otp_expiration_time": 300}, put_replaces=False),
    Setting("/guardian/factors/email/settings", {"otp_length": 6, "otp_expiration_time": 300}, put_replaces=False),
    Setting("/guardian/factors/sms/selected-provider", {"provider": "auth0"}),
    Setting(
        "/guardian/factors/sms/templates", {"enrollment_message": ENROLLMENT, "verification_message": VERIFICATION}
    ),
    Setting("/guardian/factors/sms/providers/twilio", {}),
    Setting("/guardian/factors/duo/settings", {}),
    Setting("/guardian/factors/push-notification/selected-provider", {"provider": "guardian"}),
    Setting(
        "/guardian/factors/push-notification/providers/sns",
        {},
        shown=lambda call, document: _unless(call.method == "GET", document, "aws_secret_access_key"),
    ),
    Setting(
        "/guardian/factors/push-notification/providers/apns",
        {},
        shown=lambda call, document: _apns(call, document),
    ),
    Setting("/guardian/factors/push-notification/providers/fcm", {}, shown=lambda call, document: {}),
    Setting("/guardian/factors/push-notification/providers/fcmv1", {}, shown=lambda call, document: {}),
    Setting(
        "/guardian/factors/webauthn-roaming/settings",
        {"userVerification": "preferred", "overrideRelyingParty": False},
        put_replaces=False,
    ),
    Setting(
        "/guardian/factors/webauthn-platform/settings",
        {"overrideRelyingParty": False},
        put_replaces=False,
    ),
)


def _unless(hide: bool, document: Document, *names: str) -> Document:
    return {key: value for key, value in document.items() if not (hide and key in names)}


def _apns(call: Call, document: Document) -> Document:
    answer = _unless(True, document, "p12")
    if call.method == "GET" and document:
        answer["enabled"] = True
    return answer


def _with_captcha_secrets(call: Call, policy: Document) -> Document:
    """A secret that a changed provider leaves out is kept."""
    old = (call.store.get("captcha_policies", policy["id"]) or policy)["action"]
    action = dict(policy["action"])
    for name, provider in action.items():
        if isinstance(provider, dict) and isinstance(old.get(name), dict):
            kept = {key: value for key, value in old[name].items() if key in CAPTCHA_SECRETS}
            action[name] = {**kept, **provider}
    return {**policy, "action": action}


def _without_captcha_secrets(document: Document) -> Document:
    return {
        name: _unless(isinstance(value, dict), value, *CAPTCHA_SECRETS) if isinstance(value, dict) else value
        for name, value in document.items()
    }


CAPTCHA_POLICIES = Kind(
    path="/attack-protection/captcha/policies",
    store="captcha_policies",
    envelope="policies",
    id=Id("cap_", 22, BASE58),
    missing=("The CAPTCHA policy does not exist.", "inexistent_captcha_policy"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    unique=(Unique(("priority",), "A CAPTCHA policy with this priority already exists.", "captcha_policy_conflict"),),
    paging="bare",
    before=_with_captcha_secrets,
    shown=lambda call, policy: {**policy, "action": _without_captcha_secrets(policy["action"])},
    order=lambda policy: policy["priority"],
)


# --- factors and policies --------------------------------------------------------------------------------------------


@operation("GET", "/guardian/factors")
def list_factors(call: Call) -> list[Document]:
    return [
        {
            "name": name,
            "enabled": bool(settings.value(call.store, f"/guardian/factors/{name}").get("enabled")),
            "trial_expired": False,
        }
        for name in FACTORS
    ]


@operation("PUT", "/guardian/factors/{name}")
def enable_factor(call: Call) -> Document:
    name, enabled = call.params["name"], (call.body or {}).get("enabled", False)
    if name not in FACTORS:
        raise ApiError(400, f"Path validation error: 'No enum match for: {name}' on property name.", "invalid_uri")
    settings.put(call.store, f"/guardian/factors/{name}", {"name": name, "enabled": enabled, "trial_expired": False})
    return {"enabled": enabled}


@operation("GET", "/guardian/policies")
def read_policies(call: Call) -> Any:
    return settings.value(call.store, "/guardian/policies").get("policies", [])


@operation("PUT", "/guardian/policies")
def replace_policies(call: Call) -> Reply:
    policies = call.body or []
    settings.put(call.store, "/guardian/policies", {"policies": policies})
    return Reply(200, policies)


settings.register(*SETTINGS)
crud.register(CAPTCHA_POLICIES)
