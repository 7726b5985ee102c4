"""auth0-python works on users unmodified: what it sends is taken, and its models fit what comes back."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from typing import Any

import pytest
from auth0.management import ManagementClient
from auth0.management.errors import NotFoundError

from tests.waiting import until


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


@pytest.fixture
def client(dev: Any) -> ManagementClient:
    return ManagementClient(domain=dev.domain, token=dev.token(), httpx_client=dev.http)


def first(pager: Any) -> Any:
    return next(islice(pager, 1), None)


@pytest.fixture
def user(client: ManagementClient) -> Any:
    fields = {"email": "sdk@postbox.example", "password": "Orchid-demo-1234", "email_verified": True}
    return client.users.create(connection="larkspur-customers", **fields)


def test_a_user_is_made_found_changed_and_deleted(client: ManagementClient, user: Any) -> None:
    assert client.users.get(user.user_id).email == "sdk@postbox.example"
    assert first(client.users.list(q="email:sdk@*", per_page=5)).user_id == user.user_id
    assert client.users.list_users_by_email(email="sdk@postbox.example")[0].user_id == user.user_id
    changed = client.users.update(user.user_id, blocked=True, app_metadata={"plan": "gold"})
    assert (changed.blocked, changed.app_metadata) == (True, {"plan": "gold"})
    client.users.delete(user.user_id)
    with pytest.raises(NotFoundError):
        client.users.get(user.user_id)


def test_all_pages_of_a_list_are_walked(client: ManagementClient) -> None:
    found = [user.user_id for user in client.users.list(q="blocked:true", per_page=7)]
    assert len(found) > 20
    assert len(set(found)) == len(found)
    events = [event.log_id for event in islice(client.logs.list(per_page=10), 25)]
    assert len(set(events)) == 25


def test_factors_access_and_blocks_parse(client: ManagementClient, user: Any) -> None:
    id, methods = user.user_id, client.users.authentication_methods
    made = methods.create(id, type="totp", totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert first(methods.list(id)).id == made.id
    assert client.users.enrollments.get(id)[0].auth_method == "authenticator"
    assert client.users.regenerate_recovery_code(id).recovery_code
    assert methods.get(id, made.id).confirmed is True
    methods.delete_all(id)
    assert first(methods.list(id)) is None
    assert first(client.users.sessions.list(id)) is None
    assert first(client.users.refresh_token.list(id)) is None
    client.users.revoke_access(id)
    assert client.user_blocks.list(id).blocked_for == []
    client.user_blocks.delete(id)
    assert client.guardian.enrollments.create_ticket(user_id=id, send_mail=True).ticket_url


def test_roles_permissions_and_what_follows_from_them_parse(client: ManagementClient, user: Any) -> None:
    role = next(role for role in client.roles.list() if role.name == "store-manager")
    client.users.roles.assign(user.user_id, roles=[role.id])
    assert first(client.users.roles.list(user.user_id)).id == role.id
    assert first(client.users.effective_roles.list(user.user_id)).sources == ["direct"]
    api = "https://orders.larkspur.example"
    effective = client.users.effective_permissions.list(user.user_id, resource_server_identifier=api)
    assert {permission.permission_name for permission in effective} == {"read:orders", "refund:orders"}
    assert first(client.users.organizations.list(user.user_id)) is None
    assert first(client.users.connected_accounts.list(user.user_id)) is None


def test_tickets_and_jobs_parse(dev: Any, client: ManagementClient, user: Any) -> None:
    assert client.tickets.change_password(user_id=user.user_id, ttl_sec=900).ticket
    assert client.tickets.verify_email(user_id=user.user_id).ticket
    assert client.jobs.verification_email.create(user_id=user.user_id).type == "verification_email"
    job = client.jobs.users_exports.create(format="json", limit=5)
    location = ended(client, job.id).location
    lines = gzip.decompress(dev.http.get(location).content).splitlines()
    assert len([json.loads(line) for line in lines]) == 5
    people = json.dumps([{"email": "one@postbox.example"}, {"email": "bad"}]).encode()
    connection = dev.named("connections", "larkspur-customers")["id"]
    job = client.jobs.users_imports.create(users=("users.json", people), connection_id=connection)
    summary = ended(client, job.id).summary
    assert (summary.inserted, summary.failed) == (1, 1)
    assert client.jobs.errors.get(job.id)[0].errors[0].code == "INVALID_FORMAT"


def ended(client: ManagementClient, id: str) -> Any:
    return until(lambda: job if (job := client.jobs.get(id)).status == "completed" else None, what="the end of the job")
