"""What holds for every kind of resource that is a row of a table."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kinds import crud, registry, routes
from tests.sandbox.management import Management

registry.load()

ACTION = {
    "name": "Greet",
    "code": "exports.onExecutePostLogin = async () => {};",
    "supported_triggers": [{"id": "post-login", "version": "v3"}],
}
BODIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # path of the list: (what creates one, what changes it)
    "/actions/actions": (ACTION, {"name": "Greet again"}),
    "/actions/modules": ({"name": "greetings", "code": "module.exports = {};"}, {"code": "module.exports = {a: 1};"}),
    "/agents": ({"name": "Concierge", "external_agent_id": "c-1"}, {"name": "Butler"}),
    "/attack-protection/captcha/policies": (
        {"name": "Guests", "match": {}, "action": {}, "priority": 1},
        {"name": "Strangers"},
    ),
    "/branding/phone/providers": (
        {
            "name": "twilio",
            "configuration": {"sid": "AC1", "delivery_methods": ["text"]},
            "credentials": {"auth_token": "t"},
        },
        {"disabled": True},
    ),
    "/branding/phone/templates": (
        {"type": "otp_verify", "disabled": False, "content": {"body": {"text": "{{code}}", "voice": "{{code}}"}}},
        {"disabled": True},
    ),
    "/client-profiles": (
        {
            "name": "Partner",
            "client_configuration": {},
            "apply_policy": {"external_metadata_type": "cimd", "external_metadata_created_by": "client"},
        },
        {"name": "Guest"},
    ),
    "/clients": ({"name": "Till", "app_type": "regular_web"}, {"description": "At the door"}),
    "/connection-profiles": ({"name": "Partner"}, {"name": "Guest"}),
    "/connections": ({"name": "staff", "strategy": "auth0"}, {"display_name": "Staff"}),
    "/custom-domains": (
        {"domain": "login.larkspur.example", "type": "auth0_managed_certs"},
        {"tls_policy": "recommended"},
    ),
    "/event-streams": (
        {
            "name": "users",
            "subscriptions": [{"event_type": "user.created"}],
            "destination": {
                "type": "webhook",
                "configuration": {
                    "webhook_endpoint": "https://hooks.larkspur.example",
                    "webhook_authorization": {"method": "bearer", "token": "t"},
                },
            },
        },
        {"name": "customers"},
    ),
    "/flows": ({"name": "Ask"}, {"name": "Ask twice"}),
    "/flows/vault/connections": (
        {"name": "Mail", "app_id": "SENDGRID", "setup": {"type": "API_KEY", "api_key": "k"}},
        {"name": "Post"},
    ),
    "/forms": ({"name": "Address"}, {"name": "Addresses"}),
    "/hooks": (
        {"name": "check", "script": "module.exports = () => {};", "triggerId": "pre-user-registration"},
        {"enabled": True},
    ),
    "/log-streams": (
        {"name": "archive", "type": "http", "sink": {"httpEndpoint": "https://logs.larkspur.example"}},
        {"name": "archives"},
    ),
    "/network-acls": (
        {
            "description": "Home",
            "active": True,
            "priority": 1,
            "rule": {"action": {"block": True}, "match": {"geo_country_codes": ["AQ"]}, "scope": "tenant"},
        },
        {"active": False},
    ),
    "/organizations": ({"name": "harbourline"}, {"display_name": "Harbourline"}),
    "/resource-servers": ({"identifier": "https://api.larkspur.example", "name": "Orders"}, {"token_lifetime": 60}),
    "/roles": ({"name": "florist"}, {"description": "Binds bouquets"}),
    "/rules": ({"name": "old", "script": "function (user, context, callback) {}"}, {"enabled": False}),
    "/self-service-profiles": ({"name": "Partners"}, {"description": "For partners"}),
    "/user-attribute-profiles": (
        {
            "name": "Partners",
            "user_attributes": {
                "email": {"label": "E-mail", "description": "d", "profile_required": True, "auth0_mapping": "email"}
            },
        },
        {"name": "Guests"},
    ),
}
ONLY_WITH_OTHERS = {
    # tested where what they need is made
    "/branding/themes",
    "/client-grants",
    "/experimentation/experiments",
    "/experimentation/feature-flags",
    "/experimentation/segments",
    "/groups",
    "/keys/network-acls",
    "/rate-limit-policies",
    "/token-exchange-profiles",
    "/verifiable-credentials/verification/templates",
}


def test_every_row_is_tested() -> None:
    assert sorted({*BODIES, *ONLY_WITH_OTHERS}) == sorted(crud.KINDS)


def has(method: str, path: str) -> bool:
    return any(e.method == method and e.path == path for e in routes.endpoints())


def one(kind: Any) -> str:
    return next(
        e.path.rsplit("/", 1)[1]
        for e in routes.endpoints()
        if e.method == "DELETE"
        and e.path.startswith(f"{kind.path}/{{")
        and e.path.count("/") == kind.path.count("/") + 1
    )


@pytest.mark.parametrize("path", sorted(BODIES))
def test_what_is_created_can_be_read_listed_changed_and_deleted(management: Management, path: str) -> None:
    kind, (new, change) = crud.KINDS[path], BODIES[path]
    answer = management.ask("POST", path, new)
    assert answer.status_code == kind.create_status, answer.text
    id = answer.json()[kind.id_field]
    assert id.startswith(kind.id.prefix)

    read = management.get(f"{path}/{id}")
    assert read[kind.id_field] == id
    listed = management.get(path)
    items = listed if isinstance(listed, list) else listed[kind.envelope]
    assert id in [item[kind.id_field] for item in items]

    if has("PATCH", f"{path}/{one(kind)}"):
        changed = management.patch(f"{path}/{id}", change)
        assert changed | change == changed, "the change is in the answer"
        again = management.get(f"{path}/{id}")
        assert again | change == again, "the change is kept"

    management.delete(f"{path}/{id}")
    management.refused("GET", f"{path}/{id}", status=404)


@pytest.mark.parametrize("path", sorted(path for path in BODIES if crud.KINDS[path].unique))
def test_a_second_one_of_the_same_name_is_a_conflict(management: Management, path: str) -> None:
    management.post(path, BODIES[path][0])
    answer = management.refused("POST", path, BODIES[path][0], status=409)
    assert answer["error"] == "Conflict"


@pytest.mark.parametrize("path", sorted(BODIES))
def test_internal_keys_are_never_shown(management: Management, path: str) -> None:
    created = management.post(path, BODIES[path][0])
    listed = management.get(path)
    items = listed if isinstance(listed, list) else listed[crud.KINDS[path].envelope]
    for document in (created, *items):
        assert [key for key in document if key.startswith("_")] == []


@pytest.mark.parametrize("path", sorted(BODIES))
def test_read_only_properties_are_refused_or_ignored(management: Management, path: str) -> None:
    kind = crud.KINDS[path]
    created = management.post(path, BODIES[path][0])
    id = created[kind.id_field]
    if has("PATCH", f"{path}/{one(kind)}"):
        management.ask("PATCH", f"{path}/{id}", {**BODIES[path][1], kind.id_field: "mine"})
        assert management.get(f"{path}/{id}")[kind.id_field] == id


def test_the_fingerprint_of_what_the_vault_holds_changes_with_it(management: Management) -> None:
    body = BODIES["/flows/vault/connections"][0]
    created = management.post("/flows/vault/connections", body)
    assert "setup" not in created
    path = f"/flows/vault/connections/{created['id']}"
    assert management.patch(path, {"setup": body["setup"]})["fingerprint"] == created["fingerprint"]
    other = management.patch(path, {"setup": {**body["setup"], "api_key": "another"}})
    assert other["fingerprint"] != created["fingerprint"]
