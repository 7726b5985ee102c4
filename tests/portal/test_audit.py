"""The audit trail: whole, append-only, without secrets."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from portal import audit, auth0, verification
from portal.errors import Cancelled, Invalid, Missing, Unknown
from portal.models import AuditEvent, AuditHead, Run
from tests.trail import unguarded

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def act(verb: str = "users.block", **fields: object) -> AuditEvent:
    with audit.recorded(None, verb, target="auth0|1", **fields) as entry:
        entry.after = {"blocked": True}
    return entry.event


def test_an_act_that_worked_is_recorded_as_succeeded():
    event = act(reason="left the company", ticket="HD-1")
    assert (event.outcome, event.reason, event.ticket, event.after) == (
        "succeeded",
        "left the company",
        "HD-1",
        {"blocked": True},
    )


def test_an_act_that_failed_is_recorded_with_its_sentence_and_the_error_goes_on():
    with pytest.raises(Missing), audit.recorded(None, "users.block"):
        raise Missing("No such user.", request_id="abc")
    event = AuditEvent.objects.get()
    assert (event.outcome, event.detail, event.request_id) == ("failed", "No such user.", "abc")


def test_an_act_carries_the_request_ids_of_its_writes_and_of_the_call_that_failed():
    with pytest.raises(Missing), audit.recorded(None, "users.remove_mfa"):
        auth0.note_write("first")
        auth0.note_write("second")
        raise Missing("No such factor.", request_id="refused")
    assert AuditEvent.objects.get().request_id == "first second refused"


def test_of_more_request_ids_than_fit_the_newest_are_kept():
    with audit.recorded(None, "promotions.apply"):
        for number in range(100):
            auth0.note_write(f"request-{number:02}")
    kept = AuditEvent.objects.get().request_id.split()
    assert kept == [f"request-{number:02}" for number in range(100 - len(kept), 100)]
    assert len(kept) == 18


def test_a_write_whose_answer_was_lost_is_recorded_as_not_known():
    with pytest.raises(Unknown), audit.recorded(None, "users.block"):
        raise Unknown("It took too long.")
    assert AuditEvent.objects.get().outcome == "unknown"


def test_an_unexpected_error_leaves_its_kind_in_the_trail_and_not_its_text():
    with pytest.raises(RuntimeError), audit.recorded(None, "users.block"):
        raise RuntimeError("password=hunter2")
    assert AuditEvent.objects.get().detail == "Unexpected RuntimeError"


def test_an_act_that_a_person_stopped_half_way_says_so():
    with pytest.raises(Cancelled), audit.recorded(None, "promotions.apply"):
        raise Cancelled
    event = AuditEvent.objects.get()
    assert (event.outcome, event.detail) == ("failed", "Stopped half-way, as asked.")


def test_secrets_in_fields_and_in_free_text_are_masked():
    with audit.recorded(None, "tenants.manage", reason="token eyJhbGciOi.eyJzdWIiOiIxIn0.c2lnbmF0dXJl") as entry:
        entry.before = {"client_secret": "s3cret", "nested": [{"password": "hunter2"}]}
        entry.detail = "https://x.example/reset?ticket=abcdef"
    event = AuditEvent.objects.get()
    stored = f"{event.before} {event.detail} {event.reason}"
    assert not any(secret in stored for secret in ("s3cret", "hunter2", "abcdef", "eyJzdWIiOiIxIn0"))


def test_the_database_refuses_to_change_or_remove_an_entry():
    act()
    for write in (AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(actor="somebody else")):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
    assert AuditEvent.objects.get().actor == "Castellan"


def test_a_whole_chain_is_proven_sound():
    for _ in range(3):
        act()
    assert audit.verify() == (3, "")
    call_command("verify_audit")


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE portal_auditevent SET actor = 'mallory' WHERE id = %s", "was changed"),
        ("DELETE FROM portal_auditevent WHERE id = %s", "does not follow"),
    ],
)
def test_an_entry_changed_or_removed_behind_the_triggers_is_found(damage: str, finding: str):
    events = [act() for _ in range(3)]
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(damage, [events[1].pk])
    assert finding in audit.verify()[1]
    with pytest.raises(CommandError, match=finding):
        call_command("verify_audit")


def test_entries_cut_off_at_the_end_are_missed():
    events = [act() for _ in range(2)]
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM portal_auditevent WHERE id = %s", [events[1].pk])
    assert "end of the trail is missing" in audit.verify()[1]


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_moment_make_one_chain():
    def many() -> None:
        for _ in range(5):
            act()
        connection.close()

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.verify() == (20, "")
    assert AuditHead.objects.get().count == 20


def test_acts_while_the_chain_is_walked_are_no_damage(monkeypatch):
    monkeypatch.setattr(audit, "TELL_EVERY", 1)
    act()
    assert audit.verify(lambda count: bool(act()))[1] == ""
    assert AuditEvent.objects.count() > 1
    assert audit.verify()[1] == ""


def test_an_entry_added_behind_the_head_is_found():
    event = act()
    forged = AuditEvent(at=event.at, actor="mallory", verb="users.unblock", outcome="succeeded")
    forged.previous_hash = event.hash
    forged.hash = audit.hash_of(forged)
    forged.save(force_insert=True)
    assert "written last" in audit.verify()[1]


def test_the_chain_is_verified_in_the_background_and_the_page_shows_the_verdict(eager, person):
    for _ in range(3):
        act()
    auditor = person("auditor")
    assert "The chain is intact" not in auditor.get("/audit/").content.decode()
    html = auditor.post("/audit/verify/", follow=True).content.decode()
    assert "The chain is intact.</strong> All 3 entries follow each other unchanged." in html
    assert "auditor@larkspur.example" in html


def test_a_broken_chain_fails_the_run_and_the_page_says_where(eager, person):
    events = [act() for _ in range(2)]
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("UPDATE portal_auditevent SET actor = 'mallory' WHERE id = %s", [events[1].pk])
    html = person("auditor").post("/audit/verify/", follow=True).content.decode()
    assert f"Entry {events[1].pk} was changed after it was written." in html
    assert Run.objects.get().status == "failed"


def test_a_proof_that_is_under_way_is_not_begun_twice_and_its_progress_is_shown(person):
    auditor = person("auditor")
    run = Run.objects.create(kind=verification.RUN_KIND, title="Verify the audit trail", status="running")
    run.events.create(message="5000 of 7000 entries are sound.")
    html = auditor.post("/audit/verify/", follow=True).content.decode()
    assert Run.objects.get() == run
    assert "5000 of 7000 entries are sound." in html
    assert 'hx-get="/audit/verdict/"' in html
    assert "5000 of 7000" in auditor.get("/audit/verdict/").content.decode()


def test_the_page_of_an_entry_shows_each_request_id(person):
    with audit.recorded(None, "users.remove_mfa") as entry:
        auth0.note_write("one-of-two")
        auth0.note_write("two-of-two")
    html = person("auditor").get(entry.event.get_absolute_url()).content.decode()
    assert "<code>one-of-two</code>" in html
    assert "<code>two-of-two</code>" in html


@pytest.mark.parametrize(
    "asked",
    [
        {"target": "wanda.hart@"},
        {"target": "auth0|w"},
        {"why": "HD-7"},
        {"why": "lost the phone"},
        {"verb": "users.remove_mfa"},
        {"actor": "castell", "tenant": "dev", "outcome": "succeeded"},
        {"target": "WANDA", "why": "phone", "since": "2020-01-01", "until": "2999-12-31"},
    ],
)
def test_an_entry_is_found_by_whatever_the_list_shows_of_it(person, tenants, asked):
    act("users.block")
    about = {"target": "auth0|wanda", "target_label": "wanda.hart@harbourline.example", "tenant": tenants["dev"]}
    with audit.recorded(None, "users.remove_mfa", reason="She lost the phone", ticket="HD-7", **about) as entry:
        pass
    found = person("auditor").get("/audit/", asked)
    assert [event.pk for event in found.context["page"]] == [entry.event.pk]


@pytest.mark.parametrize("asked", [{"until": "2020-01-01"}, {"since": "2999-01-01"}, {"why": "HD-8"}])
def test_what_does_not_fit_is_not_found(person, asked):
    act(ticket="HD-7")
    assert list(person("auditor").get("/audit/", asked).context["page"]) == []


@pytest.mark.parametrize("asked", [{"since": "yesterday"}, {"verb": "users.frobnicate"}, {"outcome": "maybe"}])
def test_a_filter_that_can_not_be_understood_finds_nothing_and_says_why(person, asked):
    act()
    page = person("auditor").get("/audit/", asked)
    assert list(page.context["page"]) == []
    assert 'aria-invalid="true"' in page.content.decode()


def test_a_reason_is_asked_for_where_the_installation_requires_one(settings):
    with pytest.raises(Invalid, match="reason"):
        audit.required_reason("   ")
    settings.REASON_REQUIRED = False
    assert audit.required_reason("") == ""
