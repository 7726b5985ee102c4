"""The pages of contract tests and of the checklist: what they show, keep and refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from identity.databases import checklist
from identity.databases.models import ChecklistTick, DatabaseTest
from identity.databases.scripts import Content
from portal.models import Run
from tests.identity.database_line import GENERATED, changed, draft, form_fields, green, text

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/t/dev/databases/"


# Contract tests


def test_contract_tests_run_and_show_what_was_sent_and_what_came_back(
    eager: None, writer: Any, found: Any, sandbox: Any
) -> None:
    few = Content(True, True, {name: GENERATED.scripts[name] for name in ("login", "get_user")})
    draft(found, few, actor=writer.user)
    answer = writer.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True)
    page = text(answer)
    assert "Every case that could be tried has passed" in page
    assert "WrongUsernameOrPasswordError" in page
    test = DatabaseTest.objects.get()
    assert (test.passed, test.sha256, Run.objects.get().status) == (True, few.sha256, "succeeded")
    assert len(test.verdicts) >= 40
    assert "Passed" in text(writer.get(f"{BASE}{found.id}/"))
    draft(found, replace(few, import_mode=False), actor=writer.user, revision=1)
    assert "Stale" in text(writer.get(f"{BASE}{found.id}/"))
    assert "The scripts have changed since" in text(writer.get(test.get_absolute_url()))


def test_a_failing_case_stands_first(eager: None, writer: Any, found: Any) -> None:
    login = "function login(userNameOrEmail, password, callback) { return callback(null, {user_id: 'x'}); }"
    draft(found, Content(True, True, {"login": login, "get_user": GENERATED.scripts["get_user"]}), actor=writer.user)
    page = text(writer.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True))
    assert "Some cases failed" in page
    verdicts = page[page.index("Cases Case Verdict") :]
    assert verdicts.index("Failed") < verdicts.index("Passed")
    assert DatabaseTest.objects.get().passed is False


def test_scripts_that_take_their_process_with_them_fail_the_tests_and_nothing_else(
    eager: None, writer: Any, found: Any, sandbox: Any
) -> None:
    killer = "function getUser(email, callback) { process.kill(process.pid, 'SIGKILL'); }"
    draft(found, Content(True, True, {"login": "//" + "x" * 100_000, "get_user": killer}), actor=writer.user)
    sandbox.tenant("dev").forget_requests()
    page = text(writer.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True))
    assert "The script is larger than 100 kB, which Auth0 does not take." in page
    assert "The code's process was ended by SIGKILL." in page
    assert (DatabaseTest.objects.get().passed, Run.objects.get().status) == (False, "succeeded")
    assert {request["method"] for request in sandbox.tenant("dev").requests()} == {"GET"}


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("nonsense", "no connection string"),
        ("postgresql://u:Hidden-1@/shop", "Name one server"),
        ("host=/var/run/postgresql user=u password=Hidden-1 dbname=x", "Name one server"),
        ("host=a,b user=u password=Hidden-1 dbname=x", "Name one server"),
        ("postgresql://u:Hidden-1@db.example/x?sslkey=/etc/passwd", "Leave out sslkey"),
        ("postgresql://u:Hidden-1@db.example", "Name the user and the database"),
        ("mongodb+srv://u:Hidden-1@db.example/x", "no connection string"),
        ("mongodb://u:Hidden-1@a,b/x", "Name one server"),
        ("mongodb://u:Hidden-1@a/x?tlsCertificateKeyFile=/etc/passwd", "Leave out tlscertificatekeyfile"),
        ("mysql://u:Hidden-1@db.example:port/x", "Name one server"),
    ],
)
def test_a_wrong_connection_string_is_refused_without_showing_it(
    writer: Any, found: Any, dsn: str, says: str, caplog: Any
) -> None:
    store = next((name for name in ("mongodb", "mysql") if dsn.startswith(name)), "postgresql")
    answer = writer.post(f"{BASE}{found.id}/tests/", form_fields(dsn=dsn, store=store))
    assert answer.status_code == 422
    assert says in text(answer)
    assert "Hidden-1" not in answer.content.decode() + caplog.text
    assert not DatabaseTest.objects.exists()


def test_a_database_that_does_not_answer_ends_the_run_and_its_password_is_forgotten(
    eager: None, writer: Any, found: Any, caplog: Any
) -> None:
    draft(found, actor=writer.user)
    dsn = "postgresql://scripts:Hidden-1@127.0.0.1:9/shop"
    page = writer.post(f"{BASE}{found.id}/tests/", form_fields(dsn=dsn), follow=True)
    assert "The tests did not run to their end" in text(page)
    assert "127.0.0.1:9/shop" in text(page)
    test = DatabaseTest.objects.get()
    run = Run.objects.get()
    assert (test.dsn, test.passed, run.status) == ("", None, "failed")
    told = " ".join(run.events.values_list("message", flat=True)) + run.error
    assert "Hidden-1" not in page.content.decode() + told + caplog.text


# The checklist


def test_a_tick_carries_name_date_and_note_and_goes_stale_when_a_script_changes(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    url = f"{BASE}{found.id}/checklist/"
    mark = checklist.fingerprint(GENERATED.scripts)
    given = {"item": "firewall", "fingerprint": mark, "note": "Client certificate asked for"}
    page = text(writer.post(url, given, follow=True))
    assert "databases@larkspur.example" in page
    assert "Client certificate asked for" in page
    draft(found, changed(verify=""), actor=writer.user, revision=1)
    assert "The scripts have changed since. databases@larkspur.example" in text(writer.get(url))
    overtaken = writer.post(url, given | {"note": "Looked at the rules"})
    assert overtaken.status_code == 409
    assert "The scripts have changed since this page was opened" in text(overtaken)
    assert 'value="Looked at the rules"' in overtaken.content.decode()
    assert ChecklistTick.objects.count() == 1


def test_a_tick_needs_a_note_and_a_program_s_point_is_not_ticked(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    url, mark = f"{BASE}{found.id}/checklist/", checklist.fingerprint(GENERATED.scripts)
    assert writer.post(url, {"item": "firewall", "fingerprint": mark, "note": ""}).status_code == 400
    assert writer.post(url, {"item": "injection", "fingerprint": mark, "note": "Looks good"}).status_code == 400
    assert not ChecklistTick.objects.exists()


def test_the_checklist_is_exported_for_an_audit(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    green(found)
    markdown = writer.get(f"{BASE}{found.id}/checklist.md")
    assert markdown.headers["Content-Disposition"].startswith('attachment; filename="checklist-dev-legacy-store-')
    told = markdown.content.decode()
    assert checklist.fingerprint(GENERATED.scripts) in told
    assert "exported by databases@larkspur.example" in told
    assert "The scripts are those of the working copy; others are live." in told
    html = writer.get(f"{BASE}{found.id}/checklist.html")
    assert "No two users share an e-mail address" in text(html)
    assert "<script" not in html.content.decode()
