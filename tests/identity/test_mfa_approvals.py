"""MFA policies on a protected tenant: a second person decides, and an emergency waits for nobody."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from identity.mfa import drafts, login_flow, publish
from identity.mfa.models import PolicyVersion, Publication
from identity.mfa.policy import PolicyRules, Rule
from portal import runs
from portal.errors import Conflict, Invalid, Refused
from portal.models import AuditEvent, Run
from tests import people
from tests.identity.test_mfa_pages import confirm, text
from tests.identity.test_mfa_publish import bring, flow

pytestmark = pytest.mark.django_db(transaction=True)
State, Kind, FOUR_EYES = Publication.State, Publication.Kind, publish.FOUR_EYES


@pytest.fixture
def actor(tenants: Any) -> User:
    return people.account("security", ["security"])


@pytest.fixture
def other(tenants: Any) -> User:
    return people.account("release2", ["security"])


@pytest.fixture
def versions(actor: User) -> list[PolicyVersion]:
    """Two of one policy."""
    found, policy = [], None
    for domain in ("harbourline.example", "second.example"):
        rules = PolicyRules((Rule("email_domains", {"domains": [domain]}, ("otp",)),))
        policy = (
            drafts.save(policy, "Partners", rules, revision=1, actor=actor)
            if policy
            else drafts.create("Partners", rules, actor=actor)
        )
        found.append(drafts.version_of(policy, comment=f"For {domain}", actor=actor))
    return found


@pytest.fixture
def asked(tenants: Any, versions: list[PolicyVersion], actor: User) -> Publication:
    return bring(tenants["prod"], versions[0], actor)


def approve(publication: Publication, actor: User, **more: Any) -> Publication:
    given = {"sha256": publication.version.code_sha256, "reason": "Read"} | more
    FOUR_EYES.approve(publication, actor=actor, **given)
    return Publication.objects.get(pk=publication.pk)


def test_a_protected_tenant_waits_for_a_second_person(
    eager: None, sandbox: Any, asked: Publication, actor: User, other: User
) -> None:
    assert (asked.state, asked.run) == (State.REQUESTED, None)
    assert login_flow.ACTION_NAME not in flow(sandbox.tenant("prod"))
    with pytest.raises(Refused, match="You asked for this yourself"):
        approve(asked, actor)
    with pytest.raises(Conflict, match="not what you looked at"):
        approve(asked, other, sha256="0" * 64)
    done = approve(asked, other)
    assert (done.state, done.decided_by, done.decision_reason) == (State.LIVE, other, "Read")
    assert flow(sandbox.tenant("prod"))[0] == login_flow.ACTION_NAME
    trail = list(AuditEvent.objects.order_by("pk").values_list("verb", "actor", "outcome", "detail"))
    assert ("mfa.publish", actor.email, "succeeded", "Asked for approval") in trail
    assert [entry[:3] for entry in trail if entry[0] == "mfa.approve"] == [
        ("mfa.approve", actor.email, "failed"),
        ("mfa.approve", other.email, "failed"),
        ("mfa.approve", other.email, "succeeded"),
    ]
    assert ("mfa.publish", actor.email, "succeeded", "") in trail


def test_the_database_lets_nobody_approve_the_own_request(asked: Publication, actor: User) -> None:
    with pytest.raises(IntegrityError, match="policy_four_eyes"):
        Publication.objects.filter(pk=asked.pk).update(decided_by=actor)


def test_it_waits_on_the_home_page_of_whoever_may_approve(asked: Publication, actor: User, other: User) -> None:
    def waiting(person: User) -> list[str]:
        return [item["title"] for item in runs.waiting_for(person)]

    assert waiting(other) == ["Publish Partners, version 1 (Prod)"]
    assert waiting(actor) == waiting(people.account("auditor", ["auditor"])) == []
    FOUR_EYES.refuse(asked, actor=other, reason="Whose domain is that?")
    assert waiting(other) == []
    (told,) = runs.waiting_for(actor)
    assert told["detail"] == f"Refused by {other.email}: Whose domain is that?"


def test_one_request_waits_per_tenant_and_the_same_one_twice_is_one(
    tenants: Any, versions: list[PolicyVersion], asked: Publication, actor: User, other: User
) -> None:
    assert bring(tenants["prod"], versions[0], actor) == asked
    with pytest.raises(Conflict, match="security@larkspur.example has asked to publish to Prod already"):
        bring(tenants["prod"], versions[1], other)
    FOUR_EYES.refuse(asked, actor=other, reason="The wrong domain")
    second = bring(tenants["prod"], versions[1], actor)
    with pytest.raises(Refused, match="Only who asked"):
        FOUR_EYES.withdraw(second, actor=other)
    FOUR_EYES.withdraw(second, actor=actor)
    assert [one.state for one in Publication.objects.order_by("pk")] == [State.REFUSED, State.WITHDRAWN]
    assert not Run.objects.exists()
    with pytest.raises(Conflict, match="this is withdrawn already"):
        approve(second, other)


def test_a_refusal_needs_a_reason(asked: Publication, other: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        FOUR_EYES.refuse(asked, actor=other, reason=" ")
    asked.refresh_from_db()
    assert asked.state == State.REQUESTED


def test_an_emergency_waits_neither_for_a_second_person_nor_for_a_request(
    eager: None, sandbox: Any, tenants: Any, versions: list[PolicyVersion], asked: Publication, actor: User, other: User
) -> None:
    approve(asked, other)
    approve(bring(tenants["prod"], versions[1], actor), other)
    waits = bring(tenants["prod"], drafts_of_another_domain(actor), actor)
    assert waits.state == State.REQUESTED
    assert bring(tenants["prod"], versions[0], actor, Kind.ROLL_BACK).state == State.LIVE
    with pytest.raises(Conflict, match="has changed since this was asked for"):
        approve(waits, other)
    waits.refresh_from_db()
    assert (waits.state, waits.decided_by) == (State.REQUESTED, None)
    assert bring(tenants["prod"], None, actor, Kind.REMOVE).state == State.REMOVED
    assert login_flow.ACTION_NAME not in flow(sandbox.tenant("prod"))


def drafts_of_another_domain(actor: User) -> PolicyVersion:
    rules = PolicyRules((Rule("email_domains", {"domains": ["third.example"]}, ("otp",)),))
    return drafts.version_of(drafts.create("Third", rules, actor=actor), comment="", actor=actor)


def test_an_approval_while_another_act_runs_is_told_to_wait(
    tenants: Any, asked: Publication, actor: User, other: User
) -> None:
    bring(tenants["prod"], None, actor, Kind.REMOVE)
    with pytest.raises(Conflict, match="Another act on Prod is under way"):
        approve(asked, other)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, asked.run) == (State.REQUESTED, None, None)


@pytest.mark.postgres
def test_of_two_who_approve_at_once_one_wins(asked: Publication, other: User) -> None:
    third = people.account("release", ["security"])
    barrier, ended = threading.Barrier(2), []

    def decide(person: User) -> None:
        mine = Publication.objects.get(pk=asked.pk)
        barrier.wait()
        try:
            approve(mine, person)
            ended.append("approved")
        except Conflict:
            ended.append("too late")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(person,)) for person in (other, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == ["approved", "too late"]
    assert Run.objects.count() == 1


def test_the_approver_must_stay_able_to_sign_in_too(
    eager: None, sandbox: Any, tenants: Any, actor: User, other: User
) -> None:
    tenants["dev"].protected = True
    tenants["dev"].save()
    local = sandbox.tenant("dev")
    local.api("PATCH", f"/users/{local.user(other.email)['user_id']}", {"email_verified": False})
    strict = PolicyRules((Rule("email_domains", {"domains": ["larkspur.example"]}, ("otp",)),), unverified_email="deny")
    policy = drafts.create("Strict", strict, actor=actor)
    asked = bring(tenants["dev"], drafts.version_of(policy, comment="", actor=actor), actor)
    failed = approve(asked, other)
    assert failed.state == State.FAILED
    assert f"would be locked out. {other.email}: Refused" in failed.run.error


def test_the_pages_ask_then_show_the_second_person_all_that_was_confirmed(
    eager: None, person: Any, versions: list[PolicyVersion], other: User
) -> None:
    asker, approver = person("security"), person("security", "release2")
    path = f"/t/prod/mfa-policies/{versions[0].policy_id}/versions/1/publish/"
    page = text(asker.get(path))
    assert "Somebody else has to approve it." in page
    assert "Ask for approval" in page
    url = confirm(asker, path, typed_name="prod").url
    own = text(asker.get(url))
    assert "It waits for a second person" in own
    assert "Withdraw" in own
    assert "Approve" not in own
    page = text(approver.get(url))
    for said in (
        "You can be that person",
        "For harbourline.example",
        "What will be live",
        "People who must stay able",
        other.email,
        "Approve…",
    ):
        assert said in page
    sent = {"sha256": versions[0].code_sha256}
    assert approver.post(url + "approve/", {**sent, "typed_name": "dev"}).status_code == 400
    assert person("auditor").post(url + "approve/", {**sent, "typed_name": "prod"}).status_code == 403
    assert asker.post(url + "approve/", {**sent, "typed_name": "prod"}).status_code == 403
    answer = approver.post(url + "approve/", {**sent, "typed_name": "prod"}, follow=True)
    assert "It is live." in text(answer)
    assert f"Decided by {other.email}" in text(answer)
    run = Run.objects.get()
    assert f'href="{url}"' in approver.get(run.get_absolute_url()).content.decode()


def test_refusing_and_withdrawing_by_the_pages(person: Any, tenants: Any, versions: list[PolicyVersion]) -> None:
    asker, approver = person("security"), person("security", "release2")
    for someone, act, says in ((approver, "refuse", "Refused"), (asker, "withdraw", "Withdrawn")):
        url = bring(tenants["prod"], versions[0], asker.user).get_absolute_url()
        answer = someone.post(f"{url}{act}/", {"reason": "Not today"}, follow=True)
        assert f"{says}. Nothing was written" in text(answer)


def test_nobody_approves_without_having_seen_the_tenant(sandbox: Any, person: Any, asked: Publication) -> None:
    sandbox.tenant("prod").conditions(faults=[{"method": "GET", "path": "/api/v2/*", "status": 503, "times": 50}])
    page = text(person("security", "release2").get(asked.get_absolute_url()))
    assert "What is live could not be read" in page
    assert "Refuse…" in page
    assert "Approve…" not in page
