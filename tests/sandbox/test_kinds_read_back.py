"""Whatever a valid request holds is answered and read back, but for what is named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.kinds import crud, registry, routes, settings, tenant_settings
from sandbox.kinds.validation import endpoint_rule
from tests.sandbox.certificates import certificate_pem
from tests.sandbox.fullest import bodies, lost
from tests.sandbox.management import Management

registry.load()

CERTIFICATE = certificate_pem(datetime(2040, 1, 1, tzinfo=UTC))
TRIGGERS = [{"id": "post-login", "version": "v3"}]


@dataclass(frozen=True)
class Row:
    own: dict[str, Any] = field(default_factory=dict)
    """Property of the body -> the value to send, with a number for {}; None leaves it out."""
    known: dict[str, Any] = field(default_factory=dict)
    """The same for properties at any depth, without numbers."""
    change: dict[str, Any] = field(default_factory=dict)
    """Like `own`, for changes alone."""
    hidden: frozenset[str] = frozenset()
    """Places at which something else is shown than was sent."""
    made: frozenset[str] = frozenset()
    """Places that only the answer to the creation shows, or shows so."""


def places(*names: str) -> frozenset[str]:
    return frozenset(names)


CREDENTIAL = [{"credential_type": "public_key", "name": "key", "pem": CERTIFICATE}]
HOLDERS = ("signed_request_object", "token_vault_privileged_access")
SECRETS = ("token", "password", "value")
ROWS: dict[str, Row] = {
    "/actions/actions": Row(
        {"name": "action {}", "supported_triggers": TRIGGERS, "modules": None},
        hidden=places("secrets[].value", "deploy"),
        made=places("status"),
    ),
    "/actions/modules": Row({"name": "module {}"}, hidden=places("secrets[].value", "publish")),
    "/branding/phone/providers": Row(hidden=places("credentials")),
    "/branding/phone/templates": Row(),
    "/branding/themes": Row(),
    "/clients": Row(
        {"name": "client {}", "token_endpoint_auth_method": None, "client_authentication_methods": None},
        {"credentials": CREDENTIAL, "default_organization": None, "resource_server_identifier": None},
        change=dict.fromkeys(HOLDERS),
        hidden=places(
            "oidc_backchannel_logout.backchannel_logout_initiators",
            "oidc_backchannel_logout.backchannel_logout_session_metadata",
            *(f"{holder}.credentials[].{name}" for holder in HOLDERS for name in CREDENTIAL[0]),
        ),
        made=places("encrypted", "signing_keys[].key"),
    ),
    "/connection-profiles": Row(),
    "/custom-domains": Row({"domain": "d{}.larkspur.example"}),
    "/event-streams": Row(
        change={"destination": None},
        hidden=places(*(f"destination.configuration.webhook_authorization.{name}" for name in SECRETS)),
    ),
    "/flows": Row(),
    "/flows/vault/connections": Row(hidden=places("setup")),
    "/forms": Row(),
    "/hooks": Row({"name": "hook-{}"}),
    "/log-streams": Row({"name": "stream {}"}),
    "/network-acls": Row(),
    "/organizations": Row({"name": "organization-{}", "enabled_connections": None}),
    "/rate-limit-policies": Row(),
    "/resource-servers": Row(
        {"identifier": "https://a{}.larkspur.example"},
        {"pem": CERTIFICATE},
        hidden=places("token_encryption.encryption_key.pem"),
    ),
    "/roles": Row({"name": "role {}"}),
    "/rules": Row({"name": "rule {}"}),
    "/self-service-profiles": Row(),
    "/user-attribute-profiles": Row(),
}


def change_of(path: str) -> tuple[str, str]:
    """Method and path by which one is changed; empty where none is."""
    for endpoint in routes.endpoints():
        below = endpoint.path.startswith(f"{path}/{{") and endpoint.path.count("/") == path.count("/") + 1
        if below and endpoint.method in ("PATCH", "PUT"):
            return endpoint.method, endpoint.path
    raise LookupError(path)


@pytest.mark.parametrize("path", ROWS)
def test_what_is_made_shows_all_that_it_was_made_of(management: Management, path: str) -> None:
    row, wrong = ROWS[path], []
    for body in sent("POST", path, row):
        made = management.post(path, body)
        wrong += [f"made {at}" for at in lost(body, made) if at not in row.hidden]
        wrong += [f"read {at}" for at in lost(made, management.get(one(path, made))) if at not in row.made]
        management.ask("DELETE", one(path, made))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ROWS)
def test_what_is_changed_shows_all_that_it_was_changed_to(management: Management, path: str) -> None:
    row, wrong = ROWS[path], []
    place = one(path, management.post(path, next(sent("POST", path, row))))
    method, changes = change_of(path)
    for body in sent(method, changes, replace(row, own=row.own | row.change)):
        changed = management.patch(place, body) if method == "PATCH" else management.put(place, body)
        wrong += [f"changed {at}" for at in lost(body, changed) if at not in row.hidden]
        wrong += [f"read {at}" for at in lost(changed, management.get(place)) if at not in row.made]
    assert not wrong, "\n".join(wrong)


def one(path: str, made: dict[str, Any]) -> str:
    return f"{path}/{quote(made[crud.KINDS[path].id_field], safe='')}"


def sent(method: str, path: str, row: Row) -> Iterator[dict[str, Any]]:
    for number, body in enumerate(bodies(method, path, row.known)):
        own = {name: value.format(number) if isinstance(value, str) else value for name, value in row.own.items()}
        yield {name: value for name, value in {**body, **own}.items() if value is not None}


# Settings

PUSH = "/guardian/factors/push-notification/providers"
WRITTEN_ONLY: dict[str, frozenset[str]] = {
    "/attack-protection/captcha": places(
        *(f"{provider}.secret" for provider in ("arkose", "hcaptcha", "friendly_captcha", "recaptcha_v2")),
        "recaptcha_enterprise.api_key",
    ),
    f"{PUSH}/apns": places("p12"),
    f"{PUSH}/sns": places("aws_secret_access_key"),
}
SETTINGS = [
    (method, path)
    for path in settings.SETTINGS
    for method in ("PATCH", "PUT")
    if endpoint_rule(method, path).get("body") and ("GET", path) in {(e.method, e.path) for e in routes.endpoints()}
]
TENANT = {
    "default_directory": "Username-Password-Authentication",
    **{f"{name}_in_minutes": None for name in tenant_settings.IN_MINUTES},
}
"""The lifetimes can be said in two ways."""


EMAIL = {"credentials": None, "settings": {"message": {"view_content_link": True}}}


@pytest.mark.parametrize(("method", "path"), SETTINGS, ids=[" ".join(setting) for setting in SETTINGS])
def test_a_setting_is_read_as_it_was_written(management: Management, method: str, path: str) -> None:
    if path == "/emails/provider":
        management.post(path, {"name": "sendgrid", "credentials": {"api_key": "k"}})
    row = Row({"/tenants/settings": TENANT, "/emails/provider": EMAIL}.get(path, {}))
    wrong = []
    for body in sent(method, path, row):
        management.patch(path, body) if method == "PATCH" else management.put(path, body)
        wrong += [at for at in lost(body, management.get(path)) if at not in WRITTEN_ONLY.get(path, ())]
    assert not wrong, "\n".join(wrong)
