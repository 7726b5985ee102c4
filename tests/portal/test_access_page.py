"""What a tenant's application may do, and how its credentials change without an outage."""

import pytest
from django.core.management import CommandError, call_command

from portal import auth0, scopes, tenants
from portal.access import PERMISSIONS
from portal.auth0 import tokens
from portal.errors import Invalid
from portal.models import AuditEvent, Tenant


@pytest.fixture
def dev(tenants):
    yield tenants["dev"]
    auth0.forget(tenants["dev"])


@pytest.fixture
def grant(sandbox, dev):
    """grant([...]) makes these the scopes of the portal's application at the dev tenant."""

    def only(wanted: list[str]) -> None:
        tenant = sandbox.tenant("dev")
        (row,) = [
            g for g in tenant.api("GET", "/client-grants", client_id=tenant.client_id) if g["audience"] == dev.audience
        ]
        tenant.api("PATCH", f"/client-grants/{row['id']}", {"scope": wanted})
        auth0.forget(dev)

    return only


def test_each_right_of_the_scope_table_exists_and_no_feature_asks_for_a_forbidden_scope():
    assert set(scopes.NEEDS) | set(scopes.IMPROVES) <= set(PERMISSIONS)
    assert not {"read:user_idp_tokens", "read:client_keys", "delete:users"} & set(scopes.needed())


def test_a_missing_scope_turns_off_its_features_alone(dev, grant):
    grant(["read:users", "update:users"])
    features = {f.permission: f for f in tenants.state(dev).features}
    assert features["users.block"].missing == []
    assert features["users.create_reset_link"].missing == ["create:user_tickets"]
    assert "read:logs" in features["users.view"].reduced


def test_the_page_names_each_missing_scope_and_the_dangerous_ones(dev, grant, person):
    grant(["read:users", "update:client_grants", "read:forms"])
    html = person("administrator").get("/tenants/dev/").content.decode()
    for expected in ("create:user_tickets", "update:client_grants", "raise its own rights", "read:forms"):
        assert expected in html


def test_an_act_whose_scope_is_missing_is_shown_off_with_the_reason(dev, grant, sandbox, person):
    grant(["read:users"])
    user = sandbox.tenant("dev").api("GET", "/users", per_page=1)[0]
    html = person("helpdesk").get(f"/t/dev/users/id/{user['user_id']}/").content.decode()
    assert "Off in this tenant" in html


def test_the_doctor_names_each_missing_scope_and_fails(dev, grant, capsys):
    grant(["read:users"])
    with pytest.raises(CommandError, match="to mend"):
        call_command("doctor", "dev")
    assert "users.block is off: missing update:users" in capsys.readouterr().out


def test_the_doctor_names_wrong_credentials_and_unknown_tenants(dev, capsys):
    Tenant.objects.filter(pk=dev.pk).update(client_id="nobody")
    with pytest.raises(CommandError):
        call_command("doctor", "dev", "nowhere")
    said = capsys.readouterr().out
    assert "client id or its secret is wrong" in said
    assert "no tenant nowhere is registered" in said


def test_the_doctor_is_content_with_a_whole_installation(tenants, capsys):
    call_command("doctor", "dev", "--plan")
    assert "All is well." in capsys.readouterr().out


def test_wrong_new_credentials_are_refused_and_the_old_ones_stay(dev, person):
    answer = person("administrator").post(
        "/tenants/dev/edit/",
        {
            "name": dev.name, "slug": "dev", "domain": dev.domain, "stage": dev.stage, "position": 0,
            "client_id": dev.client_id, "client_secret": "wrong", "ca_bundle": dev.ca_bundle, "variables": "{}",
        },
    )  # fmt: skip
    assert answer.status_code == 422
    assert "the old credentials stay in use" in answer.content.decode()
    stored = Tenant.objects.get(pk=dev.pk)
    assert stored.client_secret == dev.client_secret
    assert auth0.request(stored, "GET", "/clients")


def test_secrets_are_never_shown_and_an_empty_field_keeps_them(dev, person):
    admin = person("administrator")
    assert dev.client_secret not in admin.get("/tenants/dev/edit/").content.decode()
    form = {"name": "Renamed", "slug": "dev", "domain": dev.domain, "stage": dev.stage, "position": 0}
    form |= {"client_id": dev.client_id, "ca_bundle": dev.ca_bundle, "variables": "{}"}
    assert admin.post("/tenants/dev/edit/", form).status_code == 302
    stored = Tenant.objects.get(pk=dev.pk)
    assert (stored.name, stored.client_secret) == ("Renamed", dev.client_secret)
    assert dev.client_secret not in str(AuditEvent.objects.get().__dict__)


def test_a_key_pair_takes_over_only_after_it_has_worked(dev, person, sandbox):
    admin = person("administrator").user
    public = tenants.generate_key(dev, actor=admin)
    with pytest.raises(Invalid, match="old credentials stay in use"):
        tenants.use_new_key(dev, actor=admin)
    assert auth0.request(Tenant.objects.get(pk=dev.pk), "GET", "/clients")
    register(sandbox.tenant("dev"), public)
    tenants.use_new_key(Tenant.objects.get(pk=dev.pk), actor=admin)
    stored = Tenant.objects.get(pk=dev.pk)
    assert (bool(stored.private_key), stored.client_secret, stored.pending_private_key) == (True, "", "")
    assert auth0.request(stored, "GET", "/clients")
    assert "PRIVATE KEY" not in str([event.__dict__ for event in AuditEvent.objects.all()])


def register(tenant, pem: str) -> None:
    """As an administrator does in the dashboard."""
    credential = tenant.api(
        "POST",
        f"/clients/{tenant.client_id}/credentials",
        {"credential_type": "public_key", "name": "castellan", "pem": pem, "alg": "RS256"},
    )
    methods = {"private_key_jwt": {"credentials": [{"id": credential["id"]}]}}
    tenant.api(
        "PATCH",
        f"/clients/{tenant.client_id}",
        {"token_endpoint_auth_method": None, "client_authentication_methods": methods},
    )


def test_reads_use_the_reading_application_where_there_is_one(dev, sandbox, person):
    tenant = sandbox.tenant("dev")
    reader = tenant.api(
        "POST", "/clients", {"name": "Reader", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
    )
    body = {"client_id": reader["client_id"], "audience": dev.audience, "scope": ["read:users"]}
    tenant.api("POST", "/client-grants", body)
    dev.reader_client_id, dev.reader_client_secret = reader["client_id"], reader["client_secret"]
    tenants.save(dev, actor=person("administrator").user)
    assert tokens.current(dev, tokens.credentials(dev, writing=False)).scopes == {"read:users"}
    assert auth0.request(dev, "GET", "/users", params={"per_page": 1})
    from portal.errors import MissingScope

    with pytest.raises(MissingScope):
        auth0.request(dev, "GET", "/clients")
    assert auth0.request(dev, "POST", "/roles", json={"name": "written by the writer"})


def test_what_the_plan_has_is_asked_of_the_tenant(dev, person, sandbox):
    fault = {"method": "GET", "path": "/api/v2/log-streams", "status": 403, "times": 9}
    sandbox.tenant("dev").conditions(faults=[fault])
    found = dict(tenants.plan_features(dev))
    assert found["Organizations"] == ""
    assert found["Log streams"] != ""
    assert "Log streams" in person("administrator").get("/tenants/dev/?plan=1").content.decode()
