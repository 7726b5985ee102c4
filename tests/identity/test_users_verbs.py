"""What the helpdesk does to a user, seen at the tenant afterwards."""

import re

import pytest

from identity.users import records, verbs
from portal import auth0
from portal.errors import Denied, Invalid, Missing, MissingScope, NotConnected, ReadOnly, Refused, Unavailable, Unknown
from portal.models import AuditEvent

DATABASE = "Username-Password-Authentication"


@pytest.fixture
def dev(tenants):
    return tenants["dev"]


@pytest.fixture
def agent(person):
    return person("helpdesk").user


def act(function, tenant, user, agent, **more):
    return function(tenant, user["user_id"], actor=agent, reason="The caller asked.", **more)


def test_a_reset_mail_arrives_with_a_link_and_is_recorded(dev, sandbox, caller, agent):
    outcome = act(verbs.send_password_reset, dev, caller, agent, ticket="HD-42")
    (mail,) = sandbox.tenant("dev").mail(to=caller["email"])
    assert "http" in mail["text"]
    event = AuditEvent.objects.get()
    assert outcome.event == event
    assert (event.verb, event.outcome, event.actor, event.target_label, event.ticket) == (
        "users.send_password_reset", "succeeded", "helpdesk@larkspur.example", caller["email"], "HD-42",
    )  # fmt: skip


def test_a_reset_link_lasts_fifteen_minutes_and_is_nowhere_in_the_trail(dev, sandbox, caller, agent):
    outcome = act(verbs.create_reset_link, dev, caller, agent)
    assert outcome.secret.startswith("http")
    secret = re.search(r"ticket=([^&#]+)", outcome.secret).group(1)
    event = AuditEvent.objects.get()
    assert secret not in f"{event.__dict__}"
    (request,) = [
        r for r in sandbox.tenant("dev").control("GET", "requests") if r["path"].endswith("/tickets/password-change")
    ]
    assert request["status"] == 201
    assert sandbox.tenant("dev").mail(to=caller["email"]) == []


def test_a_blocked_user_is_blocked_at_the_tenant_and_can_be_unblocked(dev, sandbox, caller, agent):
    outcome = act(verbs.block, dev, caller, agent)
    assert sandbox.tenant("dev").user_by_id(caller["user_id"])["blocked"] is True
    assert (outcome.event.before, outcome.event.after) == ({"blocked": False}, {"blocked": True})
    act(verbs.unblock, dev, caller, agent)
    assert not sandbox.tenant("dev").user_by_id(caller["user_id"]).get("blocked")


def enrol(sandbox, user, *types):
    path = f"/users/{auth0.segment(user['user_id'])}/authentication-methods"
    bodies = {
        "totp": {"type": "totp", "name": "Phone app", "totp_secret": "JBSWY3DPEHPK3PXP"},
        "phone": {
            "type": "phone",
            "name": "Mobile",
            "phone_number": "+4915123456789",
            "preferred_authentication_method": "sms",
        },
        "email": {"type": "email", "name": "Mail", "email": "other@larkspur.example"},
    }
    for name in types:
        sandbox.tenant("dev").api("POST", path, bodies[name])


def kinds(dev, user):
    return sorted(m["type"] for m in records.methods(dev, user["user_id"]) if m["is_factor"])


def test_removing_mfa_removes_every_factor_one_by_one(dev, sandbox, caller, agent):
    enrol(sandbox, caller, "totp", "phone", "email")
    outcome = act(verbs.remove_mfa, dev, caller, agent)
    assert kinds(dev, caller) == []
    assert len(outcome.event.after["removed"]) == 3
    assert len(set(outcome.event.request_id.split())) == 4, "three removals, and the remembered browsers"


def test_one_chosen_factor_is_removed_and_the_others_stay(dev, sandbox, caller, agent):
    enrol(sandbox, caller, "totp", "phone")
    (phone,) = [m for m in records.methods(dev, caller["user_id"]) if m["type"] == "phone"]
    act(verbs.remove_mfa, dev, caller, agent, method=phone["id"])
    assert kinds(dev, caller) == ["totp"]


def test_removing_mfa_from_a_user_without_factors_says_so(dev, caller, agent):
    with pytest.raises(Invalid, match="nothing to remove"):
        act(verbs.remove_mfa, dev, caller, agent)


def test_a_failure_half_way_records_what_was_removed_until_then(dev, sandbox, caller, agent):
    enrol(sandbox, caller, "totp", "phone")
    first, second = [m for m in records.methods(dev, caller["user_id"]) if m["is_factor"]]
    path = f"/api/v2/users/{caller['user_id']}/authentication-methods/{second['id']}"
    sandbox.tenant("dev").conditions(faults=[{"method": "DELETE", "path": path, "status": 500, "times": 9}])
    with pytest.raises(Unavailable):
        act(verbs.remove_mfa, dev, caller, agent)
    event = AuditEvent.objects.get()
    assert event.outcome == "failed"
    assert [row.split()[0] for row in event.after["removed"]] == [first["type"]]
    assert len(set(event.request_id.split())) == 2, "the one that worked, and the one that failed"


def test_brute_force_blocks_are_shown_and_removed(dev, sandbox, caller, agent):
    tenant = sandbox.tenant("dev")
    wrong = {
        "grant_type": "http://auth0.com/oauth/grant-type/password-realm",
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "realm": DATABASE,
        "username": caller["email"],
        "password": "wrong",
    }
    for _ in range(11):
        tenant.http.post("/oauth/token", json=wrong)
    (block,) = records.blocks(dev, caller["user_id"])
    assert block["identifier"] == caller["email"]
    act(verbs.clear_blocks, dev, caller, agent)
    assert records.blocks(dev, caller["user_id"]) == []


def test_an_unknown_user_is_refused_before_anything_is_written(dev, agent):
    with pytest.raises(Missing, match="no user"):
        verbs.block(dev, "auth0|000000000000000000000000", actor=agent, reason="x")
    assert not AuditEvent.objects.exists()


def test_a_user_without_an_email_address_gets_advice_instead_of_a_mail(dev, sandbox, agent):
    body = {"connection": DATABASE, "username": "nomail", "password": "Long-enough-1"}
    user = sandbox.tenant("dev").api("POST", "/users", body)
    with pytest.raises(Invalid, match="one-time reset link"):
        act(verbs.send_password_reset, dev, user, agent)


def test_the_password_of_a_social_user_is_said_to_live_elsewhere(dev, sandbox, agent):
    (user, *_) = sandbox.tenant("dev").api(
        "GET", "/users", q='identities.connection:"google-oauth2"', search_engine="v3"
    )
    with pytest.raises(Refused, match="google-oauth2"):
        act(verbs.send_password_reset, dev, user, agent)


def test_a_reason_is_required(dev, caller, agent):
    with pytest.raises(Invalid, match="reason"):
        verbs.block(dev, caller["user_id"], actor=agent, reason="  ")


@pytest.fixture
def home(tenants, settings):
    settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN = tenants["dev"].domain
    return tenants["dev"]


def test_nobody_acts_on_the_own_account(home, sandbox, person):
    own = sandbox.tenant("dev").user("helpdesk@larkspur.example")
    agent = person("helpdesk", subject=own["user_id"]).user
    with pytest.raises(Refused, match="your own account"):
        act(verbs.block, home, own, agent)


def test_the_helpdesk_does_not_act_on_staff_and_security_does(home, sandbox, person):
    staff = sandbox.tenant("dev").user("release@larkspur.example")
    person("release-manager", subject=staff["user_id"])
    with pytest.raises(Denied):
        act(verbs.block, home, staff, person("helpdesk").user)
    act(verbs.block, home, staff, person("security").user)
    assert sandbox.tenant("dev").user_by_id(staff["user_id"])["blocked"] is True


def test_wrong_credentials_of_the_application_are_named(dev, caller, agent):
    dev.client_secret = "wrong"
    dev.save()
    with pytest.raises(NotConnected, match="client id or its secret is wrong"):
        act(verbs.block, dev, caller, agent)


def test_a_missing_scope_is_named(dev, sandbox, caller, agent):
    tenant = sandbox.tenant("dev")
    (grant,) = [
        g for g in tenant.api("GET", "/client-grants", client_id=tenant.client_id) if g["audience"] == dev.audience
    ]
    reads = [scope for scope in grant["scope"] if scope != "update:users"]
    tenant.api("PATCH", f"/client-grants/{grant['id']}", {"scope": reads})
    auth0.forget(dev)
    with pytest.raises(MissingScope) as caught:
        act(verbs.block, dev, caller, agent)
    assert "update:users" in caught.value.scopes
    assert AuditEvent.objects.get().outcome == "failed"


def test_a_tenant_set_to_read_only_takes_no_write(dev, caller, agent):
    dev.read_only = True
    dev.save()
    with pytest.raises(ReadOnly):
        act(verbs.block, dev, caller, agent)


@pytest.mark.parametrize(("status", "error"), [(429, Unavailable), (500, Unavailable)])
def test_a_tenant_in_trouble_is_said_to_be_and_nothing_is_half_done(dev, sandbox, caller, agent, status, error):
    faults = [{"method": "PATCH", "path": "/api/v2/users/*", "status": status, "times": 9}]
    sandbox.tenant("dev").conditions(faults=faults)
    with pytest.raises(error):
        act(verbs.block, dev, caller, agent)
    assert AuditEvent.objects.get().outcome == "failed"


def test_a_write_whose_answer_never_comes_is_not_known(dev, sandbox, caller, agent, settings):
    settings.AUTH0_TIMEOUT_SECONDS = 0.5
    auth0.forget(dev)
    faults = [{"method": "PATCH", "path": "/api/v2/users/*", "hang_seconds": 2, "times": 1}]
    sandbox.tenant("dev").conditions(faults=faults)
    with pytest.raises(Unknown, match="not known"):
        act(verbs.block, dev, caller, agent)
    assert AuditEvent.objects.get().outcome == "unknown"
    auth0.forget(dev)
