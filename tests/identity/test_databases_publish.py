"""Publishing database scripts to local tenants: what the tenant holds afterwards, and what happens in between."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from identity.databases import checks, publish, scripts
from identity.databases.drift import Live
from identity.databases.models import DatabaseDraft, DatabasePublication, DatabaseVersion
from portal import runs
from portal.errors import Conflict, Invalid, Refused
from portal.models import AuditEvent, Run
from tests.identity.database_line import CLOSED, GENERATED, SECRET, again, ask, changed, draft, meddle, text

pytestmark = pytest.mark.django_db(transaction=True)
State = DatabasePublication.State
# The demo's database shows it beside password_options.
OLDER = ("passwordPolicy",)


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
    kept = {name: value for name, value in dev.options.items() if name not in (*replaced, *OLDER)}
    assert kept["password_options"]
    assert {name: now["options"].get(name) for name in kept} == kept
    assert now["enabled_clients"] == dev.document["enabled_clients"]
    assert again(dev).status == "live"


def test_a_policy_that_the_tenant_shows_in_two_ways_is_written_in_the_one_that_is_in_force(
    eager: None, dev: Live, owner: User, person: Any
) -> None:
    assert {*OLDER, "password_options"} <= set(dev.options)
    told = "Left out: passwordPolicy."
    assert told in text(person("database-owner").get(f"/t/dev/databases/{dev.id}/publish/"))
    before = ask(dev, owner)
    now = again(dev)
    assert not set(OLDER) & set(now.options)
    assert now.options["password_options"] == dev.options["password_options"]
    said = " ".join(Run.objects.get(pk=before.run_id).events.values_list("message", flat=True))
    assert "Left out passwordPolicy" in said
    assert "changed meanwhile" not in said


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


def test_the_last_setting_leaves_the_tenant_too(eager: None, dev: Live, owner: User) -> None:
    checks.settings_of(dev.tenant, dev.id)[0].delete()
    assert dev.configuration_keys == ["STORE_NAME"]
    ask(dev, owner, CLOSED, untested_reason="It closes")
    assert again(dev).configuration_keys == []
    assert not checks.settings_of(dev.tenant, dev.id)


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


def test_rolling_back_leaves_the_settings_of_the_tenant_alone(
    eager: None, sandbox: Any, dev: Live, owner: User, person: Any
) -> None:
    ask(dev, owner)
    checks.keep_setting(dev, "DATABASE_URL", "postgresql://thief@elsewhere.example/shop", actor=owner)
    url = f"/t/dev/databases/{dev.id}/versions/1/roll-back/"
    assert "Dev had STORE_NAME too" in text(person("database-owner").get(url))
    now = again(dev)
    publish.roll_back(
        now, DatabaseVersion.objects.get(number=1), actor=owner, reason="Back", expected=now.content.sha256
    )
    state = sandbox.tenant("dev").control("GET", "state")["documents"]["connections"][dev.id]
    assert state["_configuration"]["DATABASE_URL"] == SECRET


def test_a_version_that_was_never_live_is_nothing_to_roll_back_to_whatever_its_comment_says(
    dev: Live, owner: User
) -> None:
    place = {"id": dev.id, "name": dev.name}
    comment = "Found in the tenant, 2026-11-01"
    never = scripts.version_of(dev.tenant, place, GENERATED, actor=owner, comment=comment, configuration_keys=[])
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


@pytest.mark.parametrize(("after", "state"), [(True, State.LIVE), (False, State.FAILED)])
def test_a_write_without_an_answer_is_judged_by_what_the_tenant_holds(
    eager: None, sandbox: Any, dev: Live, owner: User, after: bool, state: str
) -> None:
    fault = {"method": "PATCH", "path": f"/api/v2/connections/{dev.id}", "status": 504, "times": 1, "after": after}
    sandbox.tenant("dev").conditions(faults=[fault])
    publication = ask(dev, owner)
    publication.refresh_from_db()
    assert publication.state == state
    assert (again(dev).content == GENERATED) is after
    told = " ".join(Run.objects.get(pk=publication.run_id).events.values_list("message", flat=True))
    assert ("The answer was lost" if after else "has a problem (status 504)") in told


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
    sandbox.tenant("dev").change_options(dev.id, customScripts=without)
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


def test_what_changes_while_the_page_is_open_is_shown_and_what_was_typed_stays(
    sandbox: Any, person: Any, dev: Live, owner: User
) -> None:
    someone, url = person("database-owner"), f"/t/dev/databases/{dev.id}/publish/"
    given = {"expected": dev.content.sha256, "revision": 1, "comment": "", "reason": "The shop moves"}
    draft(dev, actor=owner, revision=1)
    meddle(sandbox.tenant("dev"), dev)
    answer = someone.post(url, given)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "has changed while it was open" in page
    assert 'value="The shop moves"' in page
    assert 'name="revision" value="2"' in page and f'name="expected" value="{again(dev).content.sha256}"' in page
    assert not DatabasePublication.objects.exists()


def test_the_page_says_that_somebody_else_has_asked_already(person: Any, prod: Live, owner: User) -> None:
    ask(prod, owner)
    page = text(person("database-owner", "release2").get(f"/t/prod/databases/{prod.id}/publish/"))
    assert "databases@larkspur.example has asked to publish to legacy-store already" in page
    assert "Ask for approval" not in page
