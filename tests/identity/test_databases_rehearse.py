"""Rehearsals on a local tenant: who moves, who can't and why, and a tenant that is afterwards as it was before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from identity.databases import drift, publish, rehearse
from identity.databases.migrating import Migration
from identity.databases.models import DatabaseRehearsal
from identity.databases.putting_back import Memory
from identity.databases.rehearsal_report import rows_of
from identity.databases.signing_in import Evidence, application
from portal import auth0, runs
from portal.errors import Conflict, Refused
from portal.models import AuditEvent, Run
from portal.runs import Progress
from tests.identity.database_line import GENERATED, live, text
from tests.identity.rehearsing import GET_USER, LOGIN, customers, outcomes, state, users

pytestmark = pytest.mark.django_db(transaction=True)
DEMO_PASSWORD = "Larkspur-demo-1"


# The whole of it


@pytest.mark.parametrize("import_mode", [False, True])
def test_a_sample_moves_signs_in_again_without_import_mode_and_the_tenant_is_put_back(
    eager: None, local: Any, with_script: Any, owner: User, import_mode: bool
) -> None:
    found = with_script(import_mode=import_mode)
    assert {"passwordPolicy", "password_options"} <= set(found.options), "a write may hold one of the two"
    before = state(local)
    sample = users("ann", "bob", "old", "down", "ghost", "fickle", "wrong", wrong="Another-1")
    rehearsal = rehearse.request(found, sample, actor=owner)
    assert outcomes(rehearsal) == {
        "ann": ("moved", "signed_in"),
        "bob": ("moved", "signed_in"),
        "old": ("unknown_hash", ""),
        "down": ("failed", ""),
        "ghost": ("unknown_user", ""),
        "fickle": ("moved", "failed"),
        "wrong": ("wrong_password", ""),
    }
    words = {row.identifier.partition("@")[0]: row.words + row.later_words for row in rows_of(rehearsal)}
    assert words["old"] == "login finds this user and can't read the stored hash: no password will do."
    assert words["down"] == "The store is away."
    assert words["ghost"] == "login finds nobody of this name."
    assert words["fickle"].endswith("login knows this user, and says that the password is another one.")
    assert state(local) == before
    run = Run.objects.get()
    assert (run.status, run.result["moved"], run.result["stuck"]) == ("succeeded", 3, 5)
    told = [event.message for event in run.events.order_by("pk")]
    assert [line.split(". ")[0] for line in told] == [
        "Import mode is on",
        "Moved: 3",
        "Import mode is off",
        "Signed in again: 2",
        "Dev is as it was before.",
    ]


def test_import_mode_is_really_switched(eager: None, local: Any, with_script: Any, owner: User) -> None:
    found = with_script()
    local.forget_requests()
    rehearse.request(found, users("ann"), actor=owner)
    done = [(one["method"], one["path"]) for one in local.requests() if one["method"] != "GET"]
    switch = ("PATCH", f"/api/v2/connections/{found.id}")
    assert [step for step in done if step in (switch, ("POST", "/oauth/token"))] == [
        switch, ("POST", "/oauth/token"), switch, ("POST", "/oauth/token"),
    ]  # fmt: skip


def test_who_shares_an_id_is_told_whether_with_the_sample_or_with_the_tenant(
    eager: None, local: Any, with_script: Any, owner: User
) -> None:
    found = with_script()
    other = {"connection": "Username-Password-Authentication", "user_id": "shop|9", "email": "kay@larkspur.example"}
    local.api("POST", "/users", {**other, "password": "Long-enough-1"})
    before = state(local)
    rehearsal = rehearse.request(found, users("ann", "twin", "copy"), actor=owner)
    assert {name: outcome for name, (outcome, _) in outcomes(rehearsal).items()} == {
        "ann": "duplicate",
        "twin": "duplicate",
        "copy": "duplicate",
    }
    words = {row.identifier.partition("@")[0]: row.words for row in rows_of(rehearsal)}
    assert words["ann"] == "Has the same user_id as twin@ferry.example: one user in Auth0."
    assert words["copy"] == "Has the user_id of kay@larkspur.example, who was in the tenant before."
    assert state(local) == before


def test_who_has_signed_in_before_moves_too_and_who_has_moved_is_not_asked_for_again(
    eager: None, sandbox: Any, tenants: Any, owner: User
) -> None:
    """The demo's own customers: a record each, and no password in the tenant before one of them has moved."""
    local, found = sandbox.tenant("dev"), live(tenants["dev"], sandbox.tenant("dev"))
    addresses = [local.user_by_id(f"auth0|legacy-store-000{number}")["email"] for number in (1, 2)]
    local.change_options(found.id, import_mode=True)
    found = drift.read(found.tenant, found.id)
    assert rehearse.sign_in(found, addresses[0], DEMO_PASSWORD, actor=owner).outcome == "moved"
    before = state(local)
    rehearsal = rehearse.request(found, [(one, DEMO_PASSWORD) for one in addresses], actor=owner)
    rehearsal.refresh_from_db()
    assert [row.outcome for row in rows_of(rehearsal)] == ["had_moved", "moved"]
    assert state(local) == before


def test_failed_sign_ins_of_a_rehearsal_block_nobody(eager: None, local: Any, with_script: Any, owner: User) -> None:
    """Neither those who fail in it nor others on this machine, from whose address it works."""
    local.api("PATCH", "/attack-protection/suspicious-ip-throttling", {"stage": {"pre-login": {"max_attempts": 3}}})
    found = with_script()
    rehearsal = rehearse.request(found, users("ghost", "ghost+2", "ghost+3", "ghost+4", "ghost+5"), actor=owner)
    rehearsal.refresh_from_db()
    assert {row.outcome for row in rows_of(rehearsal)} == {"unknown_user"}
    assert rehearse.sign_in(found, *users("ann")[0], actor=owner).outcome == "signed_in"


def test_mfa_or_an_action_after_the_move_is_a_remark(eager: None, local: Any, with_script: Any, owner: User) -> None:
    found = with_script()
    code = "exports.onExecutePostLogin = async (event, api) => { api.access.deny('Closed for stocktaking'); };"
    body = {"name": "Closed", "code": code, "supported_triggers": [{"id": "post-login", "version": "v3"}]}
    local.api("POST", "/actions/actions", body | {"runtime": "node22", "deploy": True})
    closed = [{"ref": {"type": "action_name", "value": "Closed"}, "display_name": "Closed"}]
    local.api("PATCH", "/actions/triggers/post-login/bindings", {"bindings": closed})
    before = state(local)
    rehearsal = rehearse.request(found, users("ann"), actor=owner)
    [row] = rows_of(DatabaseRehearsal.objects.get(pk=rehearsal.pk))
    assert row.outcome == "moved"
    assert row.words.endswith("Then the tenant stopped the sign-in: Closed for stocktaking")
    assert state(local) == before


# Nothing private is kept


def test_no_password_is_kept_or_told(eager: None, with_script: Any, owner: User, person: Any, caplog: Any) -> None:
    found = with_script()
    rehearsal = rehearse.request(found, users("ann", "wrong", wrong="Another-1"), actor=owner)
    rehearsal.refresh_from_db()
    assert (rehearsal.sample, rehearsal.before) == ("", "")
    page = person("database-owner").get(rehearsal.get_absolute_url())
    events = [f"{event.before} {event.after} {event.detail}" for event in AuditEvent.objects.all()]
    told = list(Run.objects.get().events.values_list("message", "data"))
    everything = (
        f"{page.content.decode()} {events} {told} {rehearsal.report} {Run.objects.get().parameters} {caplog.text}"
    )
    assert "Secret-of-ann" not in everything and "Another-1" not in everything


def test_the_sample_is_encrypted_while_it_waits(with_script: Any, owner: User) -> None:
    rehearse.request(with_script(), users("ann"), actor=owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sample FROM identity_databaserehearsal")
        [stored] = cursor.fetchone()
    assert stored and "Secret-of-ann" not in stored


# What goes wrong on the way


def test_a_failure_half_way_puts_the_tenant_back(eager: None, local: Any, with_script: Any, owner: User) -> None:
    found = with_script(import_mode=True)
    before = state(local)
    faults = [{"method": "PATCH", "path": f"/api/v2/connections/{found.id}", "status": 400, "times": 1}]
    local.conditions(faults=faults)
    rehearsal = rehearse.request(found, users("ann"), actor=owner)
    assert outcomes(rehearsal) == {"ann": ("moved", "")}
    assert rehearsal.put_back_at is not None
    assert Run.objects.get().status == "failed"
    assert state(local) == before


def test_a_rehearsal_that_is_cancelled_before_it_begins_leaves_nothing(with_script: Any, owner: User) -> None:
    rehearsal = rehearse.request(with_script(), users("ann"), actor=owner)
    runs.cancel(Run.objects.get(), actor=owner)
    rehearsal.refresh_from_db()
    assert (rehearsal.sample, rehearsal.put_back_at is not None) == ("", True)
    assert outcomes(rehearsal) == {"ann": ("waiting", "")}


SLOW = LOGIN.replace("{", "{ if (/^bob/.test(userNameOrEmail)) { setTimeout(() => callback(null), 3000); return; }", 1)
WORKER = "import django; django.setup(); from portal import runs; runs.execute({})"


def test_a_killed_worker_is_noticed_and_the_tenant_put_back(local: Any, with_script: Any, owner: User) -> None:
    found = with_script(login=SLOW)
    before = state(local)
    rehearsal = rehearse.request(found, users("ann", "bob"), actor=owner)
    database = {"DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}"}
    database["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    command = [sys.executable, "-c", WORKER.format(Run.objects.get().pk)]
    with subprocess.Popen(command, env={**os.environ, **database}) as worker:
        until(lambda: local.api("GET", "/users-by-email", email="ann@ferry.example"))
        worker.kill()
    left = state(local)
    assert left["connections"][found.id]["options"]["import_mode"] and left["clients"] != before["clients"]
    Run.objects.update(heartbeat_at="2020-01-01T00:00:00Z")
    runs.reap()
    rehearsal.refresh_from_db()
    assert (rehearsal.sample, rehearsal.before, rehearsal.put_back_at is not None) == ("", "", True)
    assert state(local) == before


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def left(local: Any, with_script: Any, owner: User) -> DatabaseRehearsal:
    """What a dead worker leaves where the tenant can't be written to when it is noticed: import mode off, ann moved."""
    found = with_script(import_mode=True)
    rehearsal = rehearse.request(found, users("ann", "bob"), actor=owner)
    assert rehearsal.run is not None
    documents = auth0.local_documents(found.tenant)
    memory = Memory(rehearsal, documents, found)
    with application(found) as app:
        memory.application(app.client_id)
        Migration(rehearsal, app, memory, Evidence(documents, app), Progress(rehearsal.run)).move()
    local.change_options(found.id, import_mode=False)
    found.tenant.read_only = True
    found.tenant.save()
    Run.objects.update(status="running", heartbeat_at="2020-01-01T00:00:00Z")
    runs.reap()
    found.tenant.read_only = False
    found.tenant.save()
    rehearsal.refresh_from_db()
    assert (rehearsal.sample, rehearsal.put_back_at) == ("", None)
    assert customers(local) == {"auth0|shop|1", "auth0|shop|2"}
    return rehearsal


def test_what_could_not_be_put_back_is_said_and_one_act_does_it(
    left: DatabaseRehearsal, local: Any, person: Any
) -> None:
    someone = person("database-owner")
    for url in (left.get_absolute_url(), f"/t/dev/databases/{left.connection_id}/rehearse/"):
        assert "Dev is not as it was before the rehearsal of" in text(someone.get(url))
    answer = someone.post(f"{left.get_absolute_url()}put-back/", follow=True)
    assert "Dev is as it was before the rehearsal." in text(answer)
    assert not customers(local)
    assert local.api("GET", f"/connections/{left.connection_id}")["options"]["import_mode"] is True
    assert AuditEvent.objects.filter(detail="Put the tenant back as it was before a rehearsal.").exists()


def test_what_others_did_since_is_not_undone(left: DatabaseRehearsal, local: Any, owner: User) -> None:
    found = drift.read(left.tenant, left.connection_id)
    scripts = {**found.content.scripts, "get_user": GET_USER + " // newer"}
    local.change_options(found.id, customScripts=scripts)
    local.api("DELETE", "/users/auth0|shop|2")
    rehearse.put_back(left, actor=owner)
    now = drift.read(left.tenant, left.connection_id)
    assert (now.content.scripts, now.content.import_mode) == (scripts, True)
    assert not customers(local)


def test_the_next_rehearsal_puts_back_first(left: DatabaseRehearsal, local: Any, owner: User) -> None:
    again = rehearse.request(drift.read(left.tenant, left.connection_id), users("bob"), actor=owner)
    assert not customers(local)
    runs.execute(again.run_id)
    assert outcomes(again) == {"bob": ("moved", "signed_in")}
    left.refresh_from_db()
    assert left.put_back_at is not None
    assert not customers(local)


def test_nothing_is_published_where_a_rehearsal_has_left_its_traces(left: DatabaseRehearsal, owner: User) -> None:
    found = drift.read(left.tenant, left.connection_id)
    with pytest.raises(Refused, match="put the tenant back first"):
        publish.request(
            found, GENERATED, actor=owner, comment="", reason="Test", expected=found.content.sha256, untested_reason="x"
        )


def test_two_rehearsals_of_a_connection_do_not_meet(with_script: Any, owner: User) -> None:
    found = with_script()
    rehearsal = rehearse.request(found, users("ann"), actor=owner)
    with pytest.raises(Conflict, match="is being rehearsed at this moment"):
        rehearse.request(found, users("bob"), actor=owner)
    with pytest.raises(Conflict, match="still running"):
        rehearse.put_back(rehearsal, actor=owner)
