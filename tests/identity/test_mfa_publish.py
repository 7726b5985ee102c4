"""Publishing to local tenants: what the tenant holds afterwards, and what happens when something is in the way."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from identity.mfa import applying, drafts, login_flow, publish
from identity.mfa.login_flow import ACTION_NAME
from identity.mfa.models import Policy, PolicyVersion, Publication
from identity.mfa.policy import PolicyRules, Rule
from portal import runs
from portal.errors import Conflict, Invalid, MissingScope, Refused
from portal.models import AuditEvent, Run
from tests import people

pytestmark = pytest.mark.django_db(transaction=True)
State, Kind = Publication.State, Publication.Kind


def rules(*domains: str, factors: tuple[str, ...] = ("otp",), **choices: str) -> PolicyRules:
    return PolicyRules((Rule("email_domains", {"domains": list(domains)}, factors),), **choices)


@pytest.fixture
def actor(tenants: Any) -> User:
    return people.account("security", ["security"])


@pytest.fixture
def policy(actor: User) -> Policy:
    return drafts.create("Partners", rules("harbourline.example"), actor=actor)


@pytest.fixture
def version(policy: Policy, actor: User) -> PolicyVersion:
    return drafts.version_of(policy, comment="First", actor=actor)


def bring(
    tenant: Any, version: PolicyVersion | None, actor: User, kind: str = Kind.PUBLISH, **more: Any
) -> Publication:
    """Ask for it against what is live now; with `eager` it is done when this returns."""
    live = login_flow.current_publication(tenant)
    expected = more.pop("expected", live.pk if live else None)
    asked = publish.request(tenant, version, kind=kind, actor=actor, expected=expected, reason="Test", **more)
    return Publication.objects.get(pk=asked.pk)


def flow(local: Any) -> list[str]:
    return [b["display_name"] for b in local.api("GET", "/actions/triggers/post-login/bindings")["bindings"]]


def action(local: Any) -> dict[str, Any]:
    (found,) = local.api("GET", "/actions/actions", actionName=ACTION_NAME)["actions"]
    return found


# What publishing does


def test_publishing_creates_deploys_and_binds_one_action_in_front_of_the_others(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    before = flow(sandbox.tenant("dev"))
    assert before
    publication = bring(tenants["dev"], version, actor)
    assert (publication.state, publication.run.error) == (State.LIVE, "")
    assert action(sandbox.tenant("dev"))["deployed_version"]["code"] == version.code
    assert flow(sandbox.tenant("dev")) == [ACTION_NAME, *before]
    assert flow(sandbox.tenant("staging")) == before
    assert login_flow.live(tenants["dev"]).status == "live"


def test_publishing_is_in_the_audit_trail_with_hashes_and_the_difference(
    eager: None, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    bring(tenants["dev"], version, actor, ticket="SEC-7")
    event = AuditEvent.objects.get(verb="mfa.publish")
    assert (event.actor, event.tenant, event.reason, event.ticket) == (actor.email, "dev", "Test", "SEC-7")
    assert event.before == {"version": None, "code_sha256": None, "place_in_login_flow": None}
    assert event.after["code_sha256"] == version.code_sha256
    assert event.after["place_in_login_flow"] == 1
    assert '+  "harbourline.example",' in event.after["difference"]
    assert len(set(event.request_id.split())) == 3, "create, deploy, bind"


def test_the_run_says_each_step(eager: None, tenants: Any, version: PolicyVersion, actor: User) -> None:
    said = " ".join(bring(tenants["dev"], version, actor).run.events.values_list("message", flat=True))
    for step in (
        "Looking at the MFA settings",
        "Created the Action",
        "Deployed it",
        "in front of the login flow",
        "Read back",
    ):
        assert step in said


def test_publishing_the_same_again_writes_nothing(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    bring(tenants["dev"], version, actor)
    sandbox.tenant("dev").forget_requests()
    again = bring(tenants["dev"], version, actor)
    assert again.state == State.LIVE
    wrote = [r for r in sandbox.tenant("dev").requests() if r["method"] != "GET" and r["path"].startswith("/api/")]
    assert wrote == []


def test_a_bound_action_keeps_its_place_and_the_others_theirs(
    eager: None, sandbox: Any, tenants: Any, policy: Policy, version: PolicyVersion, actor: User
) -> None:
    local = sandbox.tenant("dev")
    bring(tenants["dev"], version, actor)
    bound = local.api("GET", "/actions/triggers/post-login/bindings")["bindings"]
    moved = [*bound[1:], bound[0]]
    body = [{"ref": {"type": "binding_id", "value": b["id"]}, "display_name": b["display_name"]} for b in moved]
    local.api("PATCH", "/actions/triggers/post-login/bindings", {"bindings": body})
    saved = drafts.save(policy, "Partners", rules("other.example"), revision=1, actor=actor)
    second = drafts.version_of(saved, comment="", actor=actor)
    assert bring(tenants["dev"], second, actor).state == State.LIVE
    assert flow(local) == [b["display_name"] for b in moved]
    assert action(local)["deployed_version"]["code"] == second.code


@pytest.mark.postgres
def test_rolling_back_brings_the_earlier_version_and_its_own_verb(
    eager: None, sandbox: Any, tenants: Any, policy: Policy, version: PolicyVersion, actor: User
) -> None:
    first = bring(tenants["dev"], version, actor)
    saved = drafts.save(policy, "Partners", rules("other.example"), revision=1, actor=actor)
    second = drafts.version_of(saved, comment="", actor=actor)
    assert second.number == 2
    bring(tenants["dev"], second, actor)
    back = bring(tenants["dev"], version, actor, Kind.ROLL_BACK)
    first.refresh_from_db()
    assert (first.state, back.state) == (State.REPLACED, State.LIVE)
    assert action(sandbox.tenant("dev"))["deployed_version"]["code"] == version.code
    assert AuditEvent.objects.filter(verb="mfa.roll_back", outcome="succeeded").count() == 1


def test_taking_away_unbinds_the_action_and_leaves_the_others(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    before = flow(sandbox.tenant("dev"))
    live = bring(tenants["dev"], version, actor)
    removed = bring(tenants["dev"], None, actor, Kind.REMOVE)
    live.refresh_from_db()
    assert (removed.state, live.state) == (State.REMOVED, State.REMOVED)
    assert flow(sandbox.tenant("dev")) == before
    assert login_flow.live(tenants["dev"]).status == "not_bound"
    assert bring(tenants["dev"], version, actor).state == State.LIVE


def test_another_policy_takes_the_place_of_the_one_that_is_live(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    bring(tenants["dev"], version, actor)
    other = drafts.create("Everyone", rules("example.example"), actor=actor)
    bring(tenants["dev"], drafts.version_of(other, comment="", actor=actor), actor)
    assert flow(sandbox.tenant("dev")).count(ACTION_NAME) == 1
    assert Publication.objects.filter(tenant=tenants["dev"], state=State.LIVE).count() == 1


# What somebody else does meanwhile


def test_code_changed_in_the_dashboard_is_drift_and_publishing_mends_it(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    local = sandbox.tenant("dev")
    bring(tenants["dev"], version, actor)
    id = action(local)["id"]
    local.api("PATCH", f"/actions/actions/{id}", {"code": "exports.onExecutePostLogin = async () => {};"})
    local.api("GET", f"/actions/actions/{id}")
    local.api("POST", f"/actions/actions/{id}/deploy")
    live = login_flow.live(tenants["dev"])
    assert live.status == "drifted"
    assert "somebody changed it outside Castellan" in live.drift
    assert "-exports.onExecutePostLogin = async (event, api)" in live.difference
    bring(tenants["dev"], version, actor)
    assert login_flow.live(tenants["dev"]).drift == ""


def test_an_action_that_was_deleted_or_unbound_elsewhere_is_said(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    local = sandbox.tenant("dev")
    bring(tenants["dev"], version, actor)
    local.api("PATCH", "/actions/triggers/post-login/bindings", {"bindings": []})
    assert login_flow.live(tenants["dev"]).status == "not_bound"
    assert "nobody is asked" in login_flow.live(tenants["dev"]).drift
    local.api("DELETE", f"/actions/actions/{action(local)['id']}")
    assert "has been deleted" in login_flow.live(tenants["dev"]).drift
    assert bring(tenants["dev"], version, actor).state == State.LIVE
    assert flow(local) == [ACTION_NAME]


def test_a_promoted_action_is_recognised_by_its_code(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    body = {"name": ACTION_NAME, "supported_triggers": [login_flow.TRIGGER], "code": version.code, "deploy": True}
    sandbox.tenant("staging").api("POST", "/actions/actions", body)
    live = login_flow.live(tenants["staging"])
    assert (live.version, live.status, live.drift) == (version, "not_bound", "")


@pytest.mark.postgres
def test_two_people_publishing_at_once_do_not_overwrite_each_other(
    tenants: Any, version: PolicyVersion, actor: User
) -> None:
    colleague = people.account("release", ["security"])
    mine = bring(tenants["dev"], version, actor)
    with pytest.raises(Conflict, match="security@larkspur.example is changing the policy of Dev at this moment"):
        bring(tenants["dev"], version, colleague)
    assert list(Publication.objects.all()) == [mine]
    assert bring(tenants["staging"], version, colleague).state == State.RUNNING


def test_the_same_request_twice_is_one(tenants: Any, version: PolicyVersion, actor: User) -> None:
    assert bring(tenants["dev"], version, actor) == bring(tenants["dev"], version, actor)
    assert Run.objects.count() == 1


@pytest.mark.postgres
def test_two_workers_of_the_database_see_one_winner(tenants: Any, version: PolicyVersion) -> None:
    ends: list[Any] = []

    def ask(name: str) -> None:
        try:
            ends.append(bring(tenants["dev"], version, people.account(name, ["security"])))
        except Conflict as refusal:
            ends.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(f"person{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(end, Publication) for end in ends) == 1
    assert sum(isinstance(end, Conflict) for end in ends) == 3


def test_a_page_that_was_open_while_somebody_published_is_refused(
    eager: None, tenants: Any, policy: Policy, version: PolicyVersion, actor: User
) -> None:
    bring(tenants["dev"], version, actor)
    colleague = people.account("release", ["security"])
    with pytest.raises(Conflict, match="security@larkspur.example published Partners, version 1 to Dev while"):
        bring(tenants["dev"], version, colleague, expected=None)
    assert Publication.objects.count() == 1


@pytest.mark.postgres
def test_two_people_editing_do_not_overwrite_each_other(policy: Policy, actor: User) -> None:
    colleague = people.account("release", ["security"])
    drafts.save(policy, "Partners", rules("theirs.example"), revision=1, actor=colleague)
    with pytest.raises(Conflict, match="release@larkspur.example has saved this policy while you were writing"):
        drafts.save(policy, "Partners", rules("mine.example"), revision=1, actor=actor)
    policy.refresh_from_db()
    assert policy.content["rules"][0]["condition"]["domains"] == ["theirs.example"]
    assert policy.revision == 2


# What stops it


def test_a_worker_that_died_leaves_a_named_state_and_publishing_again_ends_it(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    """Killed after the Action was created, before it was deployed and bound."""
    dead = Publication.objects.create(tenant=tenants["dev"], version=version, requested_by=actor)
    long_ago = "2020-01-01T00:00:00Z"
    dead.run = Run.objects.create(
        kind=publish.RUN_KIND, title="x", tenant=tenants["dev"], status="running", heartbeat_at=long_ago
    )
    dead.save()
    body = {"name": ACTION_NAME, "supported_triggers": [login_flow.TRIGGER], "code": version.code}
    sandbox.tenant("dev").api("POST", "/actions/actions", body)
    runs.reap()
    dead.refresh_from_db()
    assert (dead.state, dead.run.status) == (State.INTERRUPTED, "interrupted")
    assert bring(tenants["dev"], version, actor).state == State.LIVE
    assert len(sandbox.tenant("dev").api("GET", "/actions/actions", actionName=ACTION_NAME)["actions"]) == 1


def test_a_worker_killed_half_way_frees_the_tenant(
    sandbox: Any, tenants: Any, version: PolicyVersion, actor: User, start_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.tenant("dev").conditions(latency_ms=700)
    worker = start_worker()
    publication = bring(tenants["dev"], version, actor)
    deadline = time.monotonic() + 30
    while not publication.run.events.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert publication.run.events.exists()
    worker.stop(patience_seconds=0)
    monkeypatch.setattr(runs, "SILENCE_SECONDS", 0)
    time.sleep(0.1)
    runs.reap()
    publication.refresh_from_db()
    assert publication.state == State.INTERRUPTED


def test_cancelling_before_it_began_frees_the_tenant(tenants: Any, version: PolicyVersion, actor: User) -> None:
    publication = bring(tenants["dev"], version, actor)
    runs.cancel(publication.run, actor=actor)
    publication.refresh_from_db()
    assert publication.state == State.CANCELLED
    assert bring(tenants["dev"], version, actor).pk != publication.pk


def test_a_run_that_was_told_to_stop_writes_nothing_more_and_frees_the_tenant(
    sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    publication = bring(tenants["dev"], version, actor)
    progress = runs.Progress(publication.run)
    progress._stop()
    with pytest.raises(runs.Cancelled):
        applying.carry_out(publication.run, progress)
    publication.refresh_from_db()
    assert publication.state == State.CANCELLED
    assert ACTION_NAME not in flow(sandbox.tenant("dev"))
    assert not sandbox.tenant("dev").api("GET", "/actions/actions", actionName=ACTION_NAME)["actions"]


@pytest.mark.parametrize("path", ["/api/v2/actions/actions", "/api/v2/guardian/factors"])
def test_a_tenant_that_fails_ends_the_act_with_its_sentence_and_nothing_is_live(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User, path: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("portal.auth0.transport.BACKGROUND_RETRIES", 1)
    sandbox.tenant("dev").conditions(faults=[{"method": "*", "path": path, "status": 500, "times": 20}])
    publication = bring(tenants["dev"], version, actor)
    assert publication.state == State.FAILED
    assert "Dev has a problem (status 500)" in publication.run.error
    assert AuditEvent.objects.get(verb="mfa.publish").outcome == "failed"
    sandbox.tenant("dev").conditions(faults=[])
    assert bring(tenants["dev"], version, actor).state == State.LIVE


@pytest.mark.parametrize("scope", ["create:actions", "update:actions", "read:tenant_settings"])
def test_a_missing_scope_is_named_before_anything_is_written(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User, scope: str
) -> None:
    local = sandbox.tenant("dev")
    (grant,) = local.api("GET", "/client-grants", client_id=local.client_id)
    local.api("PATCH", f"/client-grants/{grant['id']}", {"scope": [s for s in grant["scope"] if s != scope]})
    with pytest.raises(MissingScope, match=f"lacks the scope {scope}"):
        bring(tenants["dev"], version, actor)
    assert not Publication.objects.exists()
    assert ACTION_NAME not in flow(local)


def test_a_tenant_at_its_rate_limit_is_waited_for(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    faults = [{"method": "*", "path": "/api/v2/actions/actions", "status": 429, "times": 2}]
    sandbox.tenant("dev").conditions(faults=faults)
    assert bring(tenants["dev"], version, actor).state == State.LIVE


def test_what_did_not_reach_its_end_waits_for_whoever_may_publish(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    sandbox.tenant("dev").api("PUT", "/guardian/factors/otp", {"enabled": False})
    failed = bring(tenants["dev"], version, actor)
    (item,) = [i for i in runs.waiting_for(actor) if "mfa-policies" in i["url"]]
    assert item["title"] == "Publish Partners, version 1 (Dev) did not reach its end"
    assert item["url"].endswith(f"/publications/{failed.pk}/")
    assert not [i for i in runs.waiting_for(people.account("auditor", ["auditor"])) if "mfa-policies" in i["url"]]


def test_a_tenant_without_the_factors_is_refused(
    eager: None, sandbox: Any, tenants: Any, policy: Policy, version: PolicyVersion, actor: User
) -> None:
    sandbox.tenant("dev").api("PUT", "/guardian/factors/otp", {"enabled": False})
    publication = bring(tenants["dev"], version, actor)
    assert publication.state == State.FAILED
    assert "Rule 1: the tenant offers no first factor among an authenticator app" in publication.run.error
    assert ACTION_NAME not in flow(sandbox.tenant("dev"))


def test_the_switch_for_actions_is_needed_and_can_be_thrown_on_the_way(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    local = sandbox.tenant("dev")
    local.api("PATCH", "/tenants/settings", {"customize_mfa_in_postlogin_action": False})
    assert "“Customize MFA Factors using Actions” is off" in bring(tenants["dev"], version, actor).run.error
    assert bring(tenants["dev"], version, actor, customize=True).state == State.LIVE
    assert local.api("GET", "/tenants/settings")["customize_mfa_in_postlogin_action"] is True


def test_a_read_only_tenant_is_not_written_to(
    eager: None, sandbox: Any, tenants: Any, version: PolicyVersion, actor: User
) -> None:
    tenants["dev"].read_only = True
    tenants["dev"].save()
    publication = bring(tenants["dev"], version, actor)
    assert publication.state == State.FAILED
    assert "read only" in publication.run.error


def test_the_actor_is_not_locked_out_without_having_accepted_it(
    eager: None, sandbox: Any, tenants: Any, actor: User
) -> None:
    """The address of the actor is not verified, and the policy refuses enrolment under such an address."""
    local = sandbox.tenant("dev")
    me = local.user(actor.email)
    local.api("PATCH", f"/users/{me['user_id']}", {"email_verified": False})
    strict = drafts.create("Strict", rules("larkspur.example", unverified_email="deny"), actor=actor)
    version = drafts.version_of(strict, comment="", actor=actor)
    refused = bring(tenants["dev"], version, actor)
    assert refused.state == State.FAILED
    assert f"would be locked out. {actor.email}: Refused" in refused.run.error
    assert ACTION_NAME not in flow(local)
    assert bring(tenants["dev"], version, actor, accepted_lockouts=[me["user_id"]]).state == State.LIVE


def test_in_the_tenant_of_the_sign_in_all_staff_are_guarded(
    eager: None, sandbox: Any, tenants: Any, actor: User
) -> None:
    home = sandbox.tenant("prod")
    colleague = home.user("helpdesk@larkspur.example")
    people.account("helpdesk", ["helpdesk"], subject=colleague["user_id"])
    home.api("PATCH", f"/users/{colleague['user_id']}", {"email_verified": False})
    strict = drafts.create("Strict", rules("larkspur.example", unverified_email="deny"), actor=actor)
    version = drafts.version_of(strict, comment="", actor=actor)
    asked = bring(tenants["prod"], version, actor)
    publish.FOUR_EYES.approve(asked, actor=people.account("release2", ["security"]), sha256=version.code_sha256)
    assert "helpdesk@larkspur.example: Refused" in Publication.objects.get(pk=asked.pk).run.error
    assert bring(tenants["staging"], version, actor).state == State.LIVE


def test_a_reason_is_required(tenants: Any, version: PolicyVersion, actor: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        publish.request(tenants["dev"], version, kind=Kind.PUBLISH, actor=actor, expected=None, reason="  ")
    assert not Publication.objects.exists()


# Versions


def test_a_version_holds_its_code_and_the_same_draft_is_no_new_version(
    policy: Policy, version: PolicyVersion, actor: User
) -> None:
    assert drafts.version_of(policy, comment="", actor=actor) == version
    assert version.code.startswith('// MFA policy "Partners", version 1.')
    policy = drafts.save(policy, "Partners", rules("b.example"), revision=1, actor=actor)
    assert drafts.version_of(policy, comment="", actor=actor).number == 2


def test_a_policy_that_was_published_is_not_deleted(policy: Policy, version: PolicyVersion, actor: User) -> None:
    with pytest.raises(Refused, match="has versions that were published"):
        drafts.delete(policy, actor=actor)
    other = drafts.create("Other", rules("b.example"), actor=actor)
    drafts.delete(other, actor=actor)
    assert list(Policy.objects.all()) == [policy]
