"""What is created in the furnished tenant through the API, and the bodies of calls that the rules alone don't tell."""

from __future__ import annotations

from typing import Any

from sandbox.store import Document
from tests.sandbox.places import (
    ACTION,
    API,
    CLIENT,
    CONNECTION,
    DATABASE,
    DIRECTORY,
    EXPERIMENT,
    FLAG,
    FLOW,
    GRANT,
    GROUP,
    LINKED_USER,
    MODULE,
    ORGANIZATION,
    OTHER_USER,
    PERMISSION,
    PUBLIC_KEY,
    ROLE,
    SEGMENT,
    STREAM,
    USER,
    VARIATION,
)

LEAST = "the least that the rules of the endpoint let pass"
CODE = "exports.onExecutePostLogin = async () => {};"

TWILIO = {
    "name": "twilio",
    "configuration": {"sid": "x", "delivery_methods": ["text"]},
    "credentials": {"auth_token": "x"},
}
MESSAGE = {"type": "otp_verify", "content": {"body": {"text": "x"}}}
PAGE = "{%- auth0:head -%}{%- auth0:widget -%}"
COLOR, BLUE = {"color": {"type": "string", "value": "red"}}, {"color": {"value": "blue"}}
TRIAL = {
    "feature_flag_id": FLAG,
    "authentication_flow": "authentication",
    "allocations": [{"variation_id": VARIATION, "weight": 100, "is_control": True}],
}

MADE: tuple[tuple[str, str, Any], ...] = (
    (CLIENT, "/clients", {"name": "App", "app_type": "regular_web"}),
    ("other application", "/clients", {"name": "Other", "app_type": "non_interactive"}),
    ("/resource-servers/{}", "/resource-servers", {"identifier": API, "scopes": [{"value": "read:orders"}]}),
    (GRANT, "/client-grants", {"client_id": CLIENT, "audience": API, "scope": [], "organization_usage": "allow"}),
    (
        "/clients/{}/credentials/{}",
        "/clients/{}/credentials",
        {"credential_type": "public_key", "name": "key", "pem": PUBLIC_KEY},
    ),
    (DATABASE, "/connections", {"name": "people", "strategy": "auth0", "enabled_clients": [CLIENT]}),
    (CONNECTION, "/connections", {"name": "oidc", "strategy": "oidc", "options": {"client_id": "x", "type": "back"}}),
    (DIRECTORY, "/connections", {"name": "workspace", "strategy": "google-apps", "options": {"client_id": "x"}}),
    ("", "/connections/{}/scim-configuration", None),
    ("", "/connections/{}/directory-provisioning", {"synchronize_groups": "selected"}),
    ("", "/connections/{}/directory-provisioning/synchronized-groups", {"groups": [{"id": "staff"}]}),
    ("", "/connections/{}/directory-provisioning/synchronizations", None),
    ("/connections/{}/scim-configuration/tokens/{}", "/connections/{}/scim-configuration/tokens", {}),
    (USER, "/users", {"connection": "people", "email": "ada@example.com", "password": "a-Long-pass-7"}),
    (OTHER_USER, "/users", {"connection": "people", "email": "bob@example.com", "password": "a-Long-pass-7"}),
    (LINKED_USER, "/users", {"connection": "people", "email": "cyd@example.com", "password": "a-Long-pass-7"}),
    ("", "/users/{}/identities", {"provider": "auth0", "user_id": LINKED_USER}),
    (
        "/users/{}/authentication-methods/{}",
        "/users/{}/authentication-methods",
        {"type": "phone", "phone_number": "+15551234567", "name": "phone"},
    ),
    (ROLE, "/roles", {"name": "Reader"}),
    ("", "/roles/{}/permissions", {"permissions": [PERMISSION]}),
    ("", "/users/{}/roles", {"roles": [ROLE]}),
    ("", "/users/{}/permissions", {"permissions": [PERMISSION]}),
    (ORGANIZATION, "/organizations", {"name": "acme", "display_name": "Acme"}),
    ("", "/organizations/{}/connections", {"connection_id": CONNECTION}),
    ("", "/organizations/{}/client-grants", {"grant_id": GRANT}),
    ("", "/organizations/{}/clients", {"clients": [{"client_id": CLIENT, "use_for_member_access": True}]}),
    ("/organizations/{}/discovery-domains/{}", "/organizations/{}/discovery-domains", {"domain": "acme.example"}),
    ("", "/organizations/{}/members", {"members": [USER]}),
    ("", "/organizations/{}/members/{}/roles", {"roles": [ROLE]}),
    (
        "/organizations/{}/invitations/{}",
        "/organizations/{}/invitations",
        {"inviter": {"name": "Ada"}, "invitee": {"email": "eve@example.com"}, "client_id": CLIENT},
    ),
    (ACTION, "/actions/actions", {"name": "a", "supported_triggers": [{"id": "post-login"}], "code": CODE}),
    ("/actions/actions/{}/versions/{}", "/actions/actions/{}/deploy", None),
    (MODULE, "/actions/modules", {"name": "m", "code": "module.exports = {};"}),
    ("/actions/modules/{}/versions/{}", "/actions/modules/{}/versions", None),
    ("/agents/{}", "/agents", {"name": "agent"}),
    (
        "/attack-protection/captcha/policies/{}",
        "/attack-protection/captcha/policies",
        {"name": "p", "priority": 1, "match": {"geo_country_codes": ["DE"]}, "action": {}},
    ),
    ("/branding/phone/providers/{}", "/branding/phone/providers", TWILIO),
    ("/branding/phone/templates/{}", "/branding/phone/templates", MESSAGE),
    ("/branding/themes/{}", "/branding/themes", LEAST),
    ("/client-profiles/{}", "/client-profiles", LEAST),
    ("/custom-domains/{}", "/custom-domains", {"domain": "login.acme.example", "type": "auth0_managed_certs"}),
    ("", "PUT /branding/templates/universal-login", {"template": PAGE}),
    (
        STREAM,
        "/event-streams",
        {
            "name": "s",
            "subscriptions": [{"event_type": "user.created"}],
            "destination": {
                "type": "webhook",
                "configuration": {
                    "webhook_endpoint": "https://a.example/",
                    "webhook_authorization": {"method": "bearer", "token": "x"},
                },
            },
        },
    ),
    ("/event-streams/{}/deliveries/{}", "/event-streams/{}/test", {"event_type": "user.created"}),
    (FLAG, "/experimentation/feature-flags", {"name": "flag in use", "parameters": COLOR}),
    ("", "/experimentation/feature-flags/{}/variations", {"name": "red", "overrides": {}}),
    (VARIATION, "/experimentation/feature-flags/{}/variations", {"name": "blue", "overrides": BLUE}),
    ("", "/experimentation/feature-flags/{}/status", {"status": "active"}),
    (EXPERIMENT, "/experimentation/experiments", {"name": "running", "levels": [10, 50], **TRIAL}),
    ("running experiment", "/experimentation/experiments/{}/status", {"status": "active"}),
    (EXPERIMENT, "/experimentation/experiments", {"name": "planned", **TRIAL}),
    (FLAG, "/experimentation/feature-flags", {"name": "flag", "parameters": COLOR}),
    ("", "/experimentation/feature-flags/{}/variations", {"name": "red", "overrides": {}}),
    (VARIATION, "/experimentation/feature-flags/{}/variations", {"name": "blue", "overrides": BLUE}),
    (SEGMENT, "/experimentation/segments", {"name": "segment", "rules": [{"match": {"client_id": [CLIENT]}}]}),
    (FLOW, "/flows", {"name": "flow"}),
    (
        "/flows/vault/connections/{}",
        "/flows/vault/connections",
        {"name": "v", "app_id": "HTTP", "setup": {"type": "BEARER", "token": "x"}},
    ),
    ("/forms/{}", "/forms", {"name": "form"}),
    ("", "/emails/provider", {"name": "mailgun", "credentials": {"api_key": "x", "domain": "a.example"}}),
    ("/hooks/{}", "/hooks", {"name": "hook", "script": "x", "triggerId": "pre-user-registration"}),
    ("", "/hooks/{}/secrets", {"SECRET": "old"}),
    ("/jobs/{}", "/jobs/verification-email", {"user_id": USER}),
    ("/keys/encryption/{}", "/keys/encryption", {"type": "customer-provided-root-key"}),
    ("", "/keys/encryption/{}/wrapping-key", None),
    ("", "PUT /keys/custom-signing", {"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}),
    ("/keys/network-acls/{}", "/keys/network-acls", {"name": "k", "alg": "hmac-sha256", "value": "eHh4"}),
    ("", "/keys/signing/rotate", None),
    ("/log-streams/{}", "/log-streams", LEAST),
    ("/network-acls/{}", "/network-acls", LEAST),
    ("/connection-profiles/{}", "/connection-profiles", {"name": "profile"}),
    ("/user-attribute-profiles/{}", "/user-attribute-profiles", LEAST),
    ("/rate-limit-policies/{}", "/rate-limit-policies", LEAST),
    ("/rules/{}", "/rules", {"name": "rule", "script": "function (user, context, callback) {}"}),
    ("/self-service-profiles/{}", "/self-service-profiles", {"name": "profile"}),
    (
        "/token-exchange-profiles/{}",
        "/token-exchange-profiles",
        {
            "name": "profile",
            "subject_token_type": "https://a.example/t",
            "action_id": ACTION,
            "type": "custom_authentication",
        },
    ),
    ("/verifiable-credentials/verification/templates/{}", "/verifiable-credentials/verification/templates", LEAST),
)
"""What is created, in order: the place where it lives then, the path it is posted to, the body."""

IMPORT = (
    b'--x\r\nContent-Disposition: form-data; name="connection_id"\r\n\r\n%s\r\n'
    b'--x\r\nContent-Disposition: form-data; name="users"; filename="u.json"\r\n\r\n[]\r\n--x--\r\n'
)
BODIES: Document = {
    "POST /actions/modules/{id}/rollback": {"module_version_id": "/actions/modules/{}/versions/{}"},
    "POST /attack-protection/captcha/policies": {"name": "q", "priority": 2, "match": {}, "action": {}},
    "POST /branding/phone/providers": TWILIO,
    "POST /branding/phone/templates": MESSAGE,
    "PUT /branding/templates/universal-login": {"template": PAGE},
    "POST /client-grants": {"client_id": "other application", "audience": API, "scope": []},
    "POST /clients/{client_id}/credentials": {"credential_type": "public_key", "pem": PUBLIC_KEY},
    "POST /connections/{id}/keys": None,
    "PATCH /custom-domains/default": {"domain": "localhost:9443"},
    "POST /event-streams/{id}/redeliver": {},
    "PATCH /experimentation/experiments/{id}": {"description": "what it is about"},
    "POST /experimentation/experiments/{id}/advance-ramp": {"target_level": 50},
    "POST /experimentation/experiments/{id}/status": {"status": "active"},
    "PATCH /experimentation/feature-flags/{id}": {"description": "what it is about"},
    "PATCH /hooks/{id}/secrets": {"SECRET": "new"},
    "DELETE /hooks/{id}/secrets": ["SECRET"],
    "POST /jobs/users-imports": IMPORT,
    "POST /keys/network-acls": {"name": "other", "alg": "hmac-sha256", "value": "eHh4"},
    "POST /organizations/{id}/client-grants": {"grant_id": GRANT},
    "POST /organizations/{id}/connections": {"connection_id": DATABASE},
    "POST /organizations/{id}/enabled_connections": {"connection_id": DATABASE},
    "POST /refresh-tokens/revoke": {"user_id": USER},
    "DELETE /roles/{id}/groups": {"groups": [GROUP]},
    "POST /roles/{id}/groups": {"groups": [GROUP]},
    "POST /tickets/password-change": {"user_id": USER},
    "POST /users": {"connection": "people", "email": "new@example.com", "password": "a-Long-pass-7"},
    "POST /users/{id}/authentication-methods": {"type": "email", "email": "ada@example.com"},
    "POST /users/{id}/identities": {"provider": "auth0", "user_id": OTHER_USER},
    "POST /users/{id}/risk-assessments/clear": {"connection": "people", "assessors": ["new-device"]},
}
"""Where the rules alone don't tell what is valid."""
QUERIES: dict[str, Document] = {
    "DELETE /connections/{id}/users": {"email": "ada@example.com"},
    "DELETE /grants": {"user_id": USER},
    "GET /organizations/{id}/members/{user_id}/effective-roles/sources/groups": {"role_id": ROLE},
    "GET /refresh-tokens": {"user_id": USER},
    "GET /user-blocks": {"identifier": "ada@example.com"},
    "DELETE /user-blocks": {"identifier": "ada@example.com"},
    "GET /users-by-email": {"email": "ada@example.com"},
    "GET /users/{id}/effective-permissions": {"resource_server_identifier": API},
    "GET /users/{id}/effective-permissions/sources/effective-roles": PERMISSION,
    "GET /users/{id}/effective-roles/sources/groups": {"role_id": ROLE},
}
ABSENT = {
    "POST /branding/phone/providers": "phone_providers",
    "POST /branding/phone/templates": "phone_templates",
    "POST /branding/themes": "branding_themes",
    "POST /actions/modules/{id}/versions": "action_module_versions",
    "POST /client-profiles": "client_profiles",
    "POST /connections/{id}/directory-provisioning": "directory_provisionings",
    "POST /connections/{id}/scim-configuration": "scim_configurations",
    "POST /email-templates": "email_templates",
    "POST /emails/provider": "settings",
    "POST /keys/encryption": "encryption_keys",
    "POST /rate-limit-policies": "rate_limit_policies",
    "POST /verifiable-credentials/verification/templates": "vdcs_templates",
}
"""Endpoints that create something of which there can't be another -> the kind to empty first."""
FORM_TYPE = "multipart/form-data; boundary=x"
