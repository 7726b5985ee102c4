"""What the furnished tenant is made of: names of its places, what lives there from the start or lives as elsewhere.

A place is a path with its parameters left open: "/clients/{}" is where one application lives. In the paths and bodies
of the tables a place stands for the id of what lives there.
"""

from __future__ import annotations

from sandbox.store import Document

CLIENT, ROLE, GROUP = "/clients/{}", "/roles/{}", "/groups/{}"
USER, OTHER_USER, LINKED_USER = "/users/{}", "other user", "linked user"
CONNECTION, DATABASE, DIRECTORY = "/connections/{}", "database", "directory"
ORGANIZATION, GRANT = "/organizations/{}", "/client-grants/{}"
ACTION, MODULE, FLOW, STREAM = "/actions/actions/{}", "/actions/modules/{}", "/flows/{}", "/event-streams/{}"
FLAG, VARIATION = "/experimentation/feature-flags/{}", "/experimentation/feature-flags/{}/variations/{}"
EXPERIMENT, SEGMENT = "/experimentation/experiments/{}", "/experimentation/segments/{}"
API, PUBLIC_KEY, HOUR_AGO, IN_AN_HOUR = "https://orders.example", "a public key", "an hour ago", "in an hour"
PERMISSION = {"resource_server_identifier": API, "permission_name": "read:orders"}
FIXED: Document = {
    "/actions/triggers/{}": "post-login",
    "/anomaly/blocks/ips/{}": "10.0.0.1",
    "/email-templates/{}": "verify_email",
    "/guardian/factors/{}": "otp",
    "/organizations/name/{}": "acme",
    "/organizations/{}/discovery-domains/name/{}": "acme.example",
    "/connection-profiles/templates/{}": "cop_template_default",
    "/user-attribute-profiles/templates/{}": "uap_template_default",
    "/prompts/{}": "login",
    "/prompts/{}/custom-text/{}": "en",
    "/prompts/{}/screen/{}": "login",
    "/rules-configs/{}": "KEY",
    "/self-service-profiles/{}/custom-text/{}": "en",
    "/self-service-profiles/{}/custom-text/{}/{}": "get-started",
    "/self-service-profiles/{}/sso-ticket/{}": "unknown",
    "/users/{}/identities/{}": "auth0",
    "/users/{}/multifactor/{}": "google-authenticator",
}

SAME: Document = {
    "/organizations/{}/members/{}": USER,
    "/organizations/{}/roles/{}": ROLE,
    "/organizations/{}/groups/{}": GROUP,
    "/organizations/{}/connections/{}": CONNECTION,
    "/organizations/{}/enabled_connections/{}": CONNECTION,
    "/organizations/{}/client-grants/{}": GRANT,
    "/organizations/{}/clients/{}": CLIENT,
    "/event-streams/{}/redeliver/{}": "/event-streams/{}/deliveries/{}",
    "/user-blocks/{}": USER,
    "/users/{}/identities/{}/{}": LINKED_USER,
}
"""Places where the same thing lives as elsewhere."""
ELSEWHERE = {
    "/connections/{}/directory-provisioning": (CONNECTION, DIRECTORY),
    "/connections/{}/users": (CONNECTION, DATABASE),
    "/experimentation/experiments/{}/advance-ramp": (EXPERIMENT, "running experiment"),
    "/keys/signing/{}/revoke": ("/keys/signing/{}", "previous key"),
}
"""Paths that need another thing at a place than its usual one."""

DEVICE = {"initial_user_agent": "x", "initial_ip": "10.0.0.1", "last_user_agent": "x", "last_ip": "10.0.0.1"}
KEPT: dict[str, Document] = {
    "sessions": {
        "id": "ses_1",
        "user_id": USER,
        "created_at": HOUR_AGO,
        "updated_at": HOUR_AGO,
        "authenticated_at": HOUR_AGO,
        "last_interacted_at": HOUR_AGO,
        "idle_expires_at": IN_AN_HOUR,
        "expires_at": IN_AN_HOUR,
        "device": DEVICE,
        "clients": [{"client_id": CLIENT}],
        "authentication": {"methods": [{"name": "pwd", "timestamp": HOUR_AGO}]},
        "cookie": {"mode": "persistent"},
    },
    "refresh_tokens": {
        "id": "rt_1",
        "user_id": USER,
        "created_at": HOUR_AGO,
        "idle_expires_at": None,
        "expires_at": None,
        "device": DEVICE,
        "client_id": CLIENT,
        "session_id": "ses_1",
        "rotating": True,
        "resource_servers": [{"audience": API, "scopes": "read:orders"}],
        "last_exchanged_at": None,
    },
    "grants": {"id": "grant_1", "clientID": CLIENT, "user_id": USER, "audience": API, "scope": ["openid"]},
    "device_credentials": {
        "id": "dcr_1",
        "user_id": USER,
        "device_name": "phone",
        "device_id": "1",
        "type": "public_key",
        "client_id": CLIENT,
    },
    "group_members": {"_key": "group_1", "group_id": GROUP, "user_id": USER, "created_at": HOUR_AGO},
    "group_roles": {"_key": "group_role_1", "group_id": GROUP, "role_id": ROLE, "created_at": HOUR_AGO},
    "user_blocks": {"id": "block_1", "user_id": USER, "identifier": "ada@example.com", "connection": "people"},
    "blocked_addresses": {"id": "10.0.0.1"},
    "federated_tokensets": {
        "id": "tokens_1",
        "user_id": USER,
        "connection": "oidc",
        "scope": "openid",
        "expires_at": None,
        "issued_at": HOUR_AGO,
        "last_used_at": None,
    },
    "connected_accounts": {
        "id": "cac_1",
        "user_id": USER,
        "connection": "oidc",
        "connection_id": CONNECTION,
        "strategy": "oidc",
        "access_type": "offline",
        "scopes": ["openid"],
        "created_at": HOUR_AGO,
    },
    "flow_executions": {
        "id": "exec_1",
        "flow_id": FLOW,
        "trace_id": "trace_1",
        "status": "COMPLETED",
        "created_at": HOUR_AGO,
        "updated_at": HOUR_AGO,
    },
    "action_executions": {
        "id": "execution_1",
        "trigger_id": "post-login",
        "status": "final",
        "results": [{"action_name": "a", "started_at": HOUR_AGO, "ended_at": HOUR_AGO}],
        "created_at": HOUR_AGO,
        "updated_at": HOUR_AGO,
    },
}
"""What no call creates but a login does, a directory or a flow: kind -> document."""
NEWEST = {
    "/actions/executions/{}": "action_executions",
    "/device-credentials/{}": "device_credentials",
    "/flows/{}/executions/{}": "flow_executions",
    "/grants/{}": "grants",
    GROUP: "groups",
    "/logs/{}": "logs",
    "/refresh-tokens/{}": "refresh_tokens",
    "/sessions/{}": "sessions",
    "/users/{}/federated-connections-tokensets/{}": "federated_tokensets",
}
"""Places where the newest document of a kind lives."""
