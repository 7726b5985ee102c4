"""The official Python SDK works against a local tenant as it is."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from auth0.authentication import GetToken
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from tests.sandbox.management import Management


@pytest.fixture
def client(management: Management, sandbox: Any) -> Iterator[ManagementClient]:
    tenant = management.tenant
    trust = ssl.create_default_context(cafile=str(sandbox.authority))
    with httpx.Client(verify=trust, trust_env=False, timeout=30) as transport:
        yield ManagementClient(domain=tenant.domain, token=tenant.token(), httpx_client=transport)


def test_tokens_come_from_the_token_endpoint(
    management: Management, monkeypatch: pytest.MonkeyPatch, sandbox: Any
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.authority))
    tenant = management.tenant
    tokens = GetToken(tenant.domain, tenant.client_id, client_secret=tenant.client_secret)
    answer = tokens.client_credentials(f"{tenant.url}/api/v2/")
    assert management.ask("GET", "/clients", token=answer["access_token"]).status_code == 200


def test_an_application_lives_its_life(client: ManagementClient) -> None:
    created = client.clients.create(name="Till", app_type="regular_web", callbacks=["https://till.example/cb"])
    assert created.client_id
    assert client.clients.get(created.client_id).callbacks == ["https://till.example/cb"]
    assert client.clients.update(created.client_id, description="At the door").description == "At the door"
    assert "Till" in [item.name for item in client.clients.list()]
    client.clients.delete(created.client_id)
    with pytest.raises(ApiError) as caught:
        client.clients.get(created.client_id)
    assert caught.value.status_code == 404


def test_pagers_walk_through_pages_and_checkpoints(client: ManagementClient) -> None:
    for number in range(5):
        client.organizations.create(name=f"store-{number}")
        client.roles.create(name=f"role {number}")
    assert len(list(client.organizations.list(take=2))) == 5
    assert len(list(client.roles.list(per_page=2))) == 5


def test_an_action_is_built_deployed_and_bound(client: ManagementClient) -> None:
    created = client.actions.create(
        name="Greet",
        code="exports.onExecutePostLogin = async () => {};",
        supported_triggers=[{"id": "post-login", "version": "v3"}],
    )
    assert client.actions.get(created.id).status == "built"
    client.actions.deploy(created.id)
    reference = {"type": "action_id", "value": created.id}
    client.actions.triggers.bindings.update_many("post-login", bindings=[{"ref": reference, "display_name": "Greet"}])
    (binding,) = client.actions.triggers.bindings.list("post-login")
    assert binding.action.id == created.id


def test_the_answers_of_a_new_tenant_fit_the_models(client: ManagementClient) -> None:
    assert client.tenants.settings.get().friendly_name == "My Company"
    assert client.prompts.get_settings().universal_login_experience == "new"
    assert client.branding.get().colors is not None
    assert client.attack_protection.brute_force_protection.get().max_attempts == 10
    assert {factor.name for factor in client.guardian.factors.list()} >= {"otp", "sms", "email"}
    assert client.guardian.policies.list() == []
    assert [connection.name for connection in client.connections.list()] == ["Username-Password-Authentication"]
    assert next(iter(client.resource_servers.list())).is_system is True
    assert client.keys.signing.list()
    assert client.log_streams.list() == []
    assert list(client.forms.list()) == []
    assert list(client.flows.list()) == []
    assert client.network_acls.list().items in ([], None)
