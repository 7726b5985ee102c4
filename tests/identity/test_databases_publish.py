"""Publishing database scripts to local tenants: what the tenant holds afterwards, and what happens in between."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from identity.databases import checks, drift, publish, scripts
from identity.databases.drift import Live
from identity.databases.models import DatabaseDraft, DatabasePublication, DatabaseVersion
from identity.databases.scripts import Content
from portal import runs
from portal.errors import Conflict, Invalid, Refused
from portal.models import AuditEvent, Run
from tests import people
from tests.identity.database_line import GENERATED, changed, draft, green, live, text

pytestmark = pytest.mark.django_db(transaction=True)
State = DatabasePublication.State
SECRET = "postgresql://scripts:Quite-Secret-7@db.example:5432/shop"


@pytest.fixture
def owner(tenants: Any) -> User:
    return people.account("databases", ["database-owner"])


@pytest.fixture
def other(tenants: Any) -> User:
    return people.account("release2", ["database-owner"])


@pytest.fixture
def dev(tenants: Any, sandbox: Any, owner: User) -> Live:
    return ready(live(tenants["dev"], sandbox.tenant("dev")), owner)


@pytest.fixture
def prod(tenants: Any, sandbox: Any, owner: User) -> Live:
    return ready(live(tenants["prod"], sandbox.tenant("prod")), owner)


def ready(found: Live, owner: User) -> Live:
    """A working copy with green tests and the setting that it reads; the seed's own setting is taken away."""
    draft(found, actor=owner)
    green(found)
    checks.keep_setting(found, "DATABASE_URL", SECRET, actor=owner)
    checks.remove_setting(found, "STORE_NAME", actor=owner)
    return found


def ask(found: Live, owner: User, content: Content = GENERATED, **more: Any) -> DatabasePublication:
    fields: dict[str, Any] = {"comment": "First", "reason": "Test", "expected": found.content.sha256} | more
    return publish.request(found, content, actor=owner, **fields)


def again(found: Live) -> Live:
    return drift.read(found.tenant, found.id)


# What publishing does


def test_publishing_writes_the_scripts_and_keeps_every_other_option(
    eager: None, sandbox: Any, dev: Live, owner: User
) -> None:
    publication = ask(dev, owner)
    publication.refresh_from_db()
    assert publication.state == State.LIVE
    now = sandbox.tenant("dev").api("GET", f"/connections/{dev.id}")
    assert now["options"]["customScripts"] == GENERATED.scripts
    replaced = ("customScripts", "configuration", "import_mode", "enabledDatabaseCustomization")
    kept = {name: value for name, value in dev.options.items() if name not in replaced}
    assert kept
    assert {name: now["options"].get(name) for name in kept} == kept
    assert now["enabled_clients"] == dev.document["enabled_clients"]
    assert again(dev).status == "live"


def test_settings_are_written_and_those_that_are_only_in_the_tenant_stay(
    eager: None, sandbox: Any, dev: Live, owner: User
) -> None:
    checks.keep_setting(dev, "STORE_NAME", "", actor=owner)
    checks.settings_of(dev.tenant, dev.id)[1].delete()
    ask(dev, owner, untested_reason="An unused setting stays")
    assert again(dev).configuration_keys == ["DATABASE_URL", "STORE_NAME"]
    state = sandbox.tenant("dev").control("GET", "state")["documents"]["connections"][dev.id]
    assert state["_configuration"] == {"DATABASE_URL": SECRET, "STORE_NAME": "larkspur-legacy"}


def test_a_removed_setting_leaves_the_tenant_and_is_forgotten(eager: None, dev: Live, owner: User) -> None:
    ask(dev, owner)
    assert again(dev).configuration_keys == ["DATABASE_URL"]
    assert [one.name for one in checks.settings_of(dev.tenant, dev.id)] == ["DATABASE_URL"]


def test_it_is_in_the_audit_trail_by_hash_and_difference_without_a_secret(
    eager: None, dev: Live, owner: User, caplog: Any
) -> None:
    ask(dev, owner, ticket="DB-7")
    event = AuditEvent.objects.get(verb="databases.publish")
    assert (event.actor, event.tenant, event.reason, event.ticket) == (owner.email, "dev", "Test", "DB-7")
    assert event.before["sha256"] == dev.content.sha256
    assert event.after["sha256"] == GENERATED.sha256
    assert event.after["settings"] == ["DATABASE_URL"]
    assert len(event.request_id.split()) == 1, "one write"
    assert "+async function login(" in event.after["difference"]
    run = Run.objects.get(kind="identity.publish_database")
    told = " ".join(run.events.values_list("message", flat=True))
    assert "Read back" in told
    everything = f"{event.before} {event.after} {event.detail} {told} {run.parameters} {caplog.text}"
    assert "Quite-Secret-7" not in everything


def test_what_was_live_becomes_a_version_and_one_act_returns_to_it(
    eager: None, sandbox: Any, dev: Live, owner: User
) -> None:
    ask(dev, owner)
    before = DatabaseVersion.objects.get(number=1)
    assert before.comment.startswith("Found in the tenant")
    now = again(dev)
    back = publish.roll_back(now, before, actor=owner, reason="It broke", expected=now.content.sha256)
    back.refresh_from_db()
    assert back.state == State.LIVE
    assert again(dev).content == dev.content
    assert [one.state for one in DatabasePublication.objects.order_by("pk")] == [State.REPLACED, State.LIVE]
    assert DatabaseVersion.objects.count() == 2


def test_a_version_that_was_never_live_is_nothing_to_roll_back_to(dev: Live, owner: User) -> None:
    place = {"id": dev.id, "name": dev.name}
    never = scripts.version_of(dev.tenant, place, GENERATED, actor=owner, comment="", configuration_keys=[])
    with pytest.raises(Refused, match="never live"):
        publish.roll_back(dev, never, actor=owner, reason="Try", expected=dev.content.sha256)


# Preflight


def test_errors_of_the_linter_stand_in_the_way(dev: Live, owner: User, sandbox: Any) -> None:
    broken = changed(
        login=GENERATED.scripts["login"].replace(
            "return callback(null, {", "callback(null);\n    return callback(null, {", 1
        )
    )
    with pytest.raises(Refused, match="linter finds 3 errors to mend"):
        ask(dev, owner, broken)
    assert again(dev).content == dev.content


def test_scripts_whose_tests_are_not_green_need_a_written_reason(eager: None, dev: Live, owner: User) -> None:
    untested = changed(verify=GENERATED.scripts["verify"] + "// new\n")
    with pytest.raises(Invalid, match="Say why"):
        ask(dev, owner, untested)
    publication = ask(dev, owner, untested, untested_reason="The test database is being moved")
    publication.refresh_from_db()
    assert (publication.state, publication.untested_reason) == (State.LIVE, "The test database is being moved")


def test_a_reason_is_needed(dev: Live, owner: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        ask(dev, owner, reason=" ")


def test_a_change_in_the_tenant_since_the_page_was_opened_is_a_conflict(sandbox: Any, dev: Live, owner: User) -> None:
    meddle(sandbox.tenant("dev"), dev)
    with pytest.raises(Conflict, match="has changed while this page was open"):
        publish.request(again(dev), GENERATED, actor=owner, comment="", reason="Test", expected=dev.content.sha256)


def meddle(local: Any, found: Live, **scripts_changed: str) -> None:
    """Somebody saves other scripts in the dashboard."""
    written = {
        **found.content.scripts,
        "login": "function login(a, b, callback) { callback(null); }",
        **scripts_changed,
    }
    local.api("PATCH", f"/connections/{found.id}", {"options": {**found.options, "customScripts": written}})


# Four eyes


def test_a_protected_tenant_waits_for_a_second_person(
    eager: None, sandbox: Any, prod: Live, owner: User, other: User
) -> None:
    asked = ask(prod, owner)
    assert (asked.state, asked.run) == (State.REQUESTED, None)
    assert again(prod).content == prod.content
    with pytest.raises(Refused, match="You asked for this yourself"):
        publish.approve(asked, actor=owner, sha256=asked.version.sha256)
    with pytest.raises(Conflict, match="not the scripts that you looked at"):
        publish.approve(asked, actor=other, sha256="0" * 64)
    publish.approve(asked, actor=other, sha256=asked.version.sha256, reason="Read")
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == (State.LIVE, other)
    assert again(prod).content == GENERATED
    verbs = list(AuditEvent.objects.filter(tenant="prod").values_list("verb", "actor", "outcome"))
    assert ("databases.approve", other.email, "succeeded") in verbs
    assert ("databases.publish", owner.email, "succeeded") in verbs


def test_what_was_refused_or_withdrawn_writes_nothing_and_frees_the_connection(
    eager: None, prod: Live, owner: User, other: User
) -> None:
    first = ask(prod, owner)
    with pytest.raises(Conflict, match="has asked to publish"):
        ask(prod, other)
    publish.refuse(first, actor=other, reason="The comment says nothing")
    second = ask(prod, owner)
    with pytest.raises(Refused, match="Only who asked"):
        publish.withdraw(second, actor=other)
    publish.withdraw(second, actor=owner)
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
            publish.approve(mine, actor=person, sha256=mine.version.sha256)
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
    publish.approve(asked, actor=other, sha256=asked.version.sha256)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "Nothing was written" in Run.objects.get(kind="identity.publish_database").error
    assert again(prod).content == meddled


# Trouble on the way


def test_a_write_that_is_refused_leaves_what_was_live(eager: None, sandbox: Any, dev: Live, owner: User) -> None:
    faults = [{"method": "PATCH", "path": f"/api/v2/connections/{dev.id}", "status": 400, "times": 1}]
    sandbox.tenant("dev").conditions(faults=faults)
    publication = ask(dev, owner)
    publication.refresh_from_db()
    assert publication.state == State.FAILED
    assert again(dev).content == dev.content
    assert AuditEvent.objects.filter(verb="databases.publish", outcome="failed").exists()
    assert ask(dev, owner).state in (State.RUNNING, State.LIVE)


def test_a_dead_worker_leaves_a_named_state_and_the_act_can_be_asked_again(
    sandbox: Any, dev: Live, owner: User
) -> None:
    publication = ask(dev, owner)
    assert publication.run is not None
    Run.objects.filter(pk=publication.run.pk).update(status="running", heartbeat_at="2020-01-01T00:00:00Z")
    runs.reap()
    publication.refresh_from_db()
    assert publication.state == State.INTERRUPTED
    assert ask(dev, owner).pk != publication.pk


def test_a_run_that_is_cancelled_before_it_begins_frees_the_connection(dev: Live, owner: User) -> None:
    publication = ask(dev, owner)
    assert publication.run is not None
    runs.cancel(publication.run, actor=owner)
    publication.refresh_from_db()
    assert publication.state == State.CANCELLED


# Drift


def test_drift_is_said_with_what_differs_and_why_change_email_goes(
    eager: None, sandbox: Any, dev: Live, owner: User, person: Any
) -> None:
    ask(dev, owner)
    now = again(dev)
    without = {name: code for name, code in now.content.scripts.items() if name != "change_email"}
    body = {"options": {**now.options, "customScripts": without}}
    sandbox.tenant("dev").api("PATCH", f"/connections/{dev.id}", body)
    drifted = again(dev)
    assert drifted.status == "drifted"
    assert "The dashboard removes change_email" in drifted.drift
    assert "-async function changeEmail" in drifted.difference
    assert "Drifted" in text(person("auditor").get("/t/dev/databases/"))


# The pages of it


def test_publishing_by_the_pages_with_a_mistake_first(eager: None, person: Any, dev: Live) -> None:
    someone = person("database-owner")
    url = f"/t/dev/databases/{dev.id}/publish/"
    page = text(someone.get(url))
    assert "cases passed against an embedded PostgreSQL" in page
    given = {"expected": dev.content.sha256, "revision": DatabaseDraft.objects.get().revision, "comment": "First"}
    assert someone.post(url, given).status_code == 422
    answer = someone.post(url, {**given, "reason": "The shop moves"}, follow=True)
    assert "It is live." in text(answer)
    overview = text(someone.get(f"/t/dev/databases/{dev.id}/"))
    assert "Roll back to version 1" in overview
    rolled = someone.post(
        f"/t/dev/databases/{dev.id}/versions/1/roll-back/",
        {"expected": GENERATED.sha256, "reason": "Back"},
        follow=True,
    )
    assert "It is live." in text(rolled)
    assert again(dev).content == dev.content


def test_a_working_copy_that_was_saved_meanwhile_is_not_published(person: Any, dev: Live, owner: User) -> None:
    someone = person("database-owner")
    draft(dev, actor=owner, revision=1)
    given = {"expected": dev.content.sha256, "revision": 1, "comment": "", "reason": "Test"}
    answer = someone.post(f"/t/dev/databases/{dev.id}/publish/", given)
    assert answer.status_code == 409
    assert not DatabasePublication.objects.exists()


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
