"""Background runs: the row is the truth; no run hangs, none is carried out twice."""

import time
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from portal import runs, verification
from portal.errors import Invalid, Refused
from portal.models import Run

Status = Run.Status


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Any:
    """kind(function) registers it as what runs of kind "test" do."""

    def register(function: Any, **more: Any) -> None:
        monkeypatch.setitem(runs.KINDS, "test", runs.Kind(function, **more))

    return register


def queued(**fields: Any) -> Run:
    return Run.objects.create(kind="test", title="A test", **fields)


@pytest.mark.django_db
def test_a_run_reports_its_progress_and_keeps_its_result(kind):
    def work(run: Run, progress: runs.Progress) -> dict[str, int]:
        progress.say("Half-way", client_secret="s3cret")
        return {"count": 3}

    kind(work)
    run = queued()
    runs.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.result) == (Status.SUCCEEDED, {"count": 3})
    event = run.events.get()
    assert (event.message, event.data) == ("Half-way", {"client_secret": "********"})


@pytest.mark.django_db
def test_a_refusal_ends_the_run_with_its_sentence(kind):
    def work(run: Run, progress: runs.Progress) -> None:
        raise Invalid("The domain list is empty.")

    kind(work)
    run = queued()
    runs.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == (Status.FAILED, "The domain list is empty.")


@pytest.mark.django_db
def test_an_unexpected_error_names_its_kind_and_hides_its_text(kind, caplog):
    def work(run: Run, progress: runs.Progress) -> None:
        raise RuntimeError("password=hunter2hunter2")

    kind(work)
    run = queued()
    runs.execute(run.pk)
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "RuntimeError" in run.error
    assert "hunter2" not in run.error + "".join(run.events.values_list("message", flat=True))


@pytest.mark.django_db
def test_a_message_that_comes_twice_carries_the_run_out_once(kind):
    times = []
    kind(lambda run, progress: times.append(run.pk))
    run = queued()
    runs.execute(run.pk)
    runs.execute(run.pk)
    assert times == [run.pk]


@pytest.mark.django_db
def test_a_queued_run_is_cancelled_at_once_and_its_app_is_told(kind):
    told = []
    kind(lambda run, progress: None, interrupted=lambda run: told.append(run.status))
    run = queued()
    runs.cancel(run, actor=None)
    runs.execute(run.pk)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert told == [Status.CANCELLED]


@pytest.mark.django_db
def test_the_page_of_a_run_leads_to_what_it_is_about(kind, person):
    kind(lambda run, progress: None, page=lambda run: f"/about/{run.pk}/")
    run = queued()
    assert f'href="/about/{run.pk}/"' in person("helpdesk").get(run.get_absolute_url()).content.decode()


def test_every_kind_of_run_has_a_page_to_go_to():
    assert [name for name, kind in runs.KINDS.items() if kind.page is runs.Kind.page] == [verification.RUN_KIND]


@pytest.mark.django_db
def test_a_run_that_no_worker_takes_says_so_on_its_page(kind, person):
    run = queued()
    page = person("helpdesk").get(run.get_absolute_url())
    assert "No worker has taken it yet" not in page.content.decode()
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    page = person("helpdesk").get(run.get_absolute_url())
    assert "No worker has taken it yet" in page.content.decode()


@pytest.mark.django_db
def test_a_run_that_has_ended_cannot_be_cancelled(kind):
    kind(lambda run, progress: None)
    run = queued()
    runs.execute(run.pk)
    with pytest.raises(Refused, match="already ended"):
        runs.cancel(run, actor=None)


@pytest.mark.django_db
def test_a_run_whose_worker_is_silent_is_named_interrupted_and_its_app_is_told(kind):
    told = []
    kind(lambda run, progress: None, interrupted=lambda run: told.append(run.pk))
    long_ago = timezone.now() - timedelta(seconds=runs.SILENCE_SECONDS + 1)
    dead = queued(status=Status.RUNNING, heartbeat_at=long_ago)
    alive = queued(status=Status.RUNNING, heartbeat_at=timezone.now())
    runs.reap()
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.status, alive.status, told) == (Status.INTERRUPTED, Status.RUNNING, [dead.pk])
    assert "worker" in dead.error


@pytest.mark.django_db
def test_states_move_only_along_the_drawn_lines():
    with pytest.raises(LookupError):
        runs._move(1, Status.QUEUED, Status.SUCCEEDED)


def test_the_task_that_carries_a_run_out_is_known_by_its_name():
    assert runs.EXECUTE in current_app.tasks


def test_an_unknown_kind_is_refused_before_a_row_is_written():
    with pytest.raises(LookupError):
        runs.request("no.such.kind", actor=None, title="x")


def test_a_running_run_stops_when_a_person_asks(kind, eager, monkeypatch):
    monkeypatch.setattr(runs, "HEARTBEAT_SECONDS", 0.05)
    killed = []

    def work(run: Run, progress: runs.Progress) -> None:
        runs.cancel(run, actor="release@larkspur.example")
        with progress.when_cancelled(lambda: killed.append(True)):
            deadline = time.monotonic() + 5
            while not killed and time.monotonic() < deadline:
                time.sleep(0.02)
        progress.check()

    kind(work)
    run = queued()
    runs.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, killed) == (Status.CANCELLED, [True])
