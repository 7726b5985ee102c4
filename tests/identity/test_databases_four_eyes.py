"""Four eyes: on a protected tenant a second person looks at exactly what is written, and nothing else is written."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from identity.databases import checks, publish
from identity.databases.drift import Live
from identity.databases.models import DatabasePublication
from identity.databases.publish import FOUR_EYES
from portal import runs
from portal.errors import Conflict, Refused
from portal.models import AuditEvent, Run
from tests import people
from tests.identity.database_line import GENERATED, again, ask, meddle, text

pytestmark = pytest.mark.django_db(transaction=True)
State = DatabasePublication.State


def test_a_protected_tenant_waits_for_a_second_person(
    eager: None, sandbox: Any, prod: Live, owner: User, other: User
) -> None:
    asked = ask(prod, owner)
    assert (asked.state, asked.run) == (State.REQUESTED, None)
    assert again(prod).content == prod.content
    with pytest.raises(Refused, match="You asked for this yourself"):
        FOUR_EYES.approve(asked, actor=owner, sha256=asked.version.sha256)
    with pytest.raises(Conflict, match="not what you looked at"):
        FOUR_EYES.approve(asked, actor=other, sha256="0" * 64)
    FOUR_EYES.approve(asked, actor=other, sha256=asked.version.sha256, reason="Read")
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == (State.LIVE, other)
    assert again(prod).content == GENERATED
    with pytest.raises(Conflict, match="Somebody was faster: this is live already"):
        FOUR_EYES.approve(asked, actor=people.account("release", ["database-owner"]), sha256=asked.version.sha256)
    verbs = list(AuditEvent.objects.filter(tenant="prod").values_list("verb", "actor", "outcome"))
    assert ("databases.approve", other.email, "succeeded") in verbs
    assert ("databases.publish", owner.email, "succeeded") in verbs


def test_what_was_refused_or_withdrawn_writes_nothing_and_frees_the_connection(
    eager: None, prod: Live, owner: User, other: User
) -> None:
    first = ask(prod, owner)
    with pytest.raises(Refused, match="databases@larkspur.example has asked to publish"):
        ask(prod, other)
    FOUR_EYES.refuse(first, actor=other, reason="The comment says nothing")
    second = ask(prod, owner)
    with pytest.raises(Refused, match="Only who asked"):
        FOUR_EYES.withdraw(second, actor=other)
    FOUR_EYES.withdraw(second, actor=owner)
    assert [one.state for one in DatabasePublication.objects.order_by("pk")] == [State.REFUSED, State.WITHDRAWN]
    assert again(prod).content == prod.content


def test_of_two_who_approve_at_once_one_wins(eager: None, prod: Live, owner: User, other: User) -> None:
    third = people.account("release", ["database-owner"])
    asked = ask(prod, owner)
    barrier, ended = threading.Barrier(2), []

    def approve(person: User) -> None:
        mine = DatabasePublication.objects.get(pk=asked.pk)
        barrier.wait()
        try:
            FOUR_EYES.approve(mine, actor=person, sha256=mine.version.sha256)
            ended.append("approved")
        except Exception as error:
            ended.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(person,)) for person in (other, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ended.count("approved") == 1
    assert Run.objects.filter(kind="identity.publish_database").count() == 1
    assert again(prod).content == GENERATED


def test_a_change_in_the_tenant_after_the_request_stops_the_approved_act(
    eager: None, sandbox: Any, prod: Live, owner: User, other: User
) -> None:
    asked = ask(prod, owner)
    meddle(sandbox.tenant("prod"), prod)
    meddled = again(prod).content
    FOUR_EYES.approve(asked, actor=other, sha256=asked.version.sha256)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "Nothing was written" in Run.objects.get(kind="identity.publish_database").error
    assert again(prod).content == meddled


def test_a_setting_that_was_changed_after_the_request_stops_it(
    eager: None, prod: Live, owner: User, other: User, person: Any
) -> None:
    asked = ask(prod, owner)
    page = text(person("database-owner", "release2").get(asked.get_absolute_url()))
    assert "You can be that person" in page and "Approve…" in page
    assert "DATABASE_URL entered by databases@larkspur.example" in page
    assert "Removed STORE_NAME by databases@larkspur.example" in page
    checks.keep_setting(prod, "DATABASE_URL", "postgresql://thief@elsewhere.example/shop", actor=owner)
    with pytest.raises(Conflict, match="Settings were changed after this was asked for: DATABASE_URL"):
        FOUR_EYES.approve(asked, actor=other, sha256=asked.version.sha256)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == (State.REQUESTED, None)
    page = text(person("database-owner", "release2").get(asked.get_absolute_url()))
    assert "Settings were changed since: DATABASE_URL." in page
    assert "Approve…" not in page
    assert again(prod).document == prod.document


def test_a_setting_that_was_changed_between_approval_and_run_stops_the_run(
    prod: Live, owner: User, other: User
) -> None:
    asked = ask(prod, owner)
    FOUR_EYES.approve(asked, actor=other, sha256=asked.version.sha256)
    checks.remove_setting(prod, "DATABASE_URL", actor=owner)
    runs.execute(DatabasePublication.objects.get(pk=asked.pk).run_id)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "DATABASE_URL" in Run.objects.get(pk=asked.run_id).error
    assert again(prod).document == prod.document


def test_what_was_asked_for_and_withdrawn_is_nothing_to_roll_back_to(prod: Live, owner: User) -> None:
    asked = ask(prod, owner, comment="Found in the tenant")
    FOUR_EYES.withdraw(asked, actor=owner)
    with pytest.raises(Refused, match="never live"):
        publish.roll_back(prod, asked.version, actor=owner, reason="Quickly", expected=prod.content.sha256)


# The pages of it


def test_who_has_to_approve_sees_it_on_the_home_page(person: Any, prod: Live, owner: User) -> None:
    ask(prod, owner)
    assert "asks for approval" in text(person("database-owner", "release2").get("/"))
    assert "asks for approval" not in text(person("database-owner").get("/"))
    assert "asks for approval" not in text(person("helpdesk").get("/"))


def test_approving_by_the_pages_asks_for_the_tenant_s_name(eager: None, person: Any, prod: Live, owner: User) -> None:
    asked = ask(prod, owner)
    approver, url = person("database-owner", "release2"), f"/t/prod/databases/publications/{asked.pk}/"
    page = text(approver.get(url))
    assert "It waits for a second person" in page
    assert "+async function login(" in page
    sent = {"sha256": asked.version.sha256}
    assert approver.post(url + "approve/", {**sent, "typed_name": "dev"}).status_code == 400
    assert person("auditor").post(url + "approve/", {**sent, "typed_name": "prod"}).status_code == 403
    answer = approver.post(url + "approve/", {**sent, "typed_name": "prod"}, follow=True)
    assert "It is live." in text(answer)


def test_refusing_and_withdrawing_by_the_pages(person: Any, prod: Live, owner: User) -> None:
    approver, asker = person("database-owner", "release2"), person("database-owner")
    for someone, act, says in ((approver, "refuse", "Refused"), (asker, "withdraw", "Withdrawn")):
        asked = ask(prod, owner)
        url = f"/t/prod/databases/publications/{asked.pk}/"
        answer = someone.post(f"{url}{act}/", {"reason": "Not today"}, follow=True)
        assert answer.status_code == 200
        assert f"{says}. Nothing was written" in text(answer)
    assert again(prod).content == prod.content
