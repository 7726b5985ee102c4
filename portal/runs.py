"""Background work: `request` writes a row and enqueues its id; a worker's `execute` runs the handler of its kind.

    queued ──> running ──> succeeded | failed | cancelled
       │          └──────> interrupted (its worker died)
       └──> cancelled

A kind is registered with `@handler("deployments.export")` in the app's `handlers` module. State moves are conditional
UPDATEs through `_move`, so two workers never run the same row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from portal import auth0
from portal.errors import Cancelled as Cancelled
from portal.errors import PortalError, Refused
from portal.models import Run, RunEvent, Tenant
from portal.redaction import clean, mask

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3
# A running row whose worker has been silent this long is taken for dead.
SILENCE_SECONDS = 20
LOST_IN_QUEUE_SECONDS = 30
# The task that calls `execute`, by its name: tasks know the rules, and no rule imports a task.
EXECUTE = "portal.tasks.execute_run"

Status = Run.Status
MOVES: dict[str, set[str]] = {
    Status.QUEUED: {Status.RUNNING, Status.CANCELLED},
    Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.INTERRUPTED},
}


@dataclass
class Kind:
    run: Callable[[Run, Progress], dict[str, Any] | None]
    # Called when the worker died half-way, to bring the app's own rows into a named state.
    interrupted: Callable[[Run], None] | None = None
    # The address of the page about what the run is for; "" where there is none (yet).
    page: Callable[[Run], str] = lambda run: ""


KINDS: dict[str, Kind] = {}
# Questions of the apps, answered on everybody's home page: (user) -> [{"title", "url", "detail"}]
WAITING: list[Callable[[Any], list[dict[str, str]]]] = []
# How long a refusal stands there for who asked.
REFUSAL_TOLD_FOR = timedelta(days=3)


@dataclass
class Progress:
    """What a handler reports to, and asks whether it should stop."""

    run: Run
    _cancel: threading.Event = field(default_factory=threading.Event)
    _on_cancel: list[Callable[[], None]] = field(default_factory=list)

    def say(self, message: str, *, level: str = RunEvent.Level.INFO, **data: Any) -> None:
        """Add a line to the run's page. Secrets are masked here."""
        RunEvent.objects.create(run=self.run, level=level, message=clean(message)[:2000], data=mask(data))

    def check(self) -> None:
        """Raise Cancelled where a person has asked to stop. Call it between steps."""
        if self._cancel.is_set():
            raise Cancelled

    @contextmanager
    def when_cancelled(self, act: Callable[[], None]) -> Iterator[None]:
        """While the block runs, a request to stop calls `act` at once (kill a child process)."""
        self._on_cancel.append(act)
        try:
            yield
        finally:
            self._on_cancel.remove(act)

    def _stop(self) -> None:
        self._cancel.set()
        for act in list(self._on_cancel):
            act()


def handler(kind: str, **more: Any) -> Callable[..., Any]:
    """Register the function that carries out runs of this kind: (run, progress) -> result as JSON data, or None.

    `more`: further fields of Kind.
    """

    def register(function: Callable[[Run, Progress], dict[str, Any] | None]) -> Callable[..., Any]:
        KINDS[kind] = Kind(function, **more)
        return function

    return register


def page_in(model: Any) -> Callable[[Run], str]:
    """For `Kind.page`: that of the row of this model whose `run` it is."""

    def page(run: Run) -> str:
        row = model.objects.filter(run=run).first()
        return row.get_absolute_url() if row else ""

    return page


def page_of(run: Run) -> str:
    return KINDS[run.kind].page(run) if run.kind in KINDS else ""


def request(kind: str, *, actor: Any, title: str, tenant: Tenant | None = None, **parameters: Any) -> Run:
    """Write a run and enqueue it when the transaction commits. `parameters` is JSON data without secrets."""
    if kind not in KINDS:
        raise LookupError(f"No handler for runs of kind {kind}")
    run = Run.objects.create(kind=kind, title=title, tenant=tenant, requested_by=actor, parameters=parameters)
    transaction.on_commit(partial(_enqueue, run.pk))
    return run


def execute(pk: int) -> None:
    """Carry out one queued run; what a worker does. Does nothing where another worker has it, or it was cancelled."""
    now = timezone.now()
    if not _move(pk, Status.QUEUED, Status.RUNNING, started_at=now, heartbeat_at=now):
        return
    run = Run.objects.get(pk=pk)
    progress = Progress(run)
    with _heartbeat(progress), auth0.in_background():
        status, fields = _outcome(run, progress)
    _move(pk, Status.RUNNING, status, finished_at=timezone.now(), **fields)


def cancel(run: Run, *, actor: Any) -> None:
    """Ask a run to stop: at once where it is still queued, at its next step (children killed) where it runs."""
    now = timezone.now()
    if _move(run.pk, Status.QUEUED, Status.CANCELLED, finished_at=now, cancel_requested_at=now):
        _tell_interrupted(run)
        return
    if not Run.objects.filter(pk=run.pk, status=Status.RUNNING).update(cancel_requested_at=now):
        raise Refused("This run has already ended.")
    RunEvent.objects.create(run=run, level=RunEvent.Level.WARNING, message=f"{actor} asked to stop.")


def reap() -> None:
    """Name the dead and re-send the lost; called by the schedule, and harmless at any time."""
    now = timezone.now()
    silent = Run.objects.filter(status=Status.RUNNING, heartbeat_at__lt=now - timedelta(seconds=SILENCE_SECONDS))
    for run in silent:
        error = "The worker that carried this out has died. What it had done by then is listed above."
        if _move(run.pk, Status.RUNNING, Status.INTERRUPTED, finished_at=now, error=error):
            _tell_interrupted(run)
    lost = Run.objects.filter(status=Status.QUEUED, created_at__lt=now - timedelta(seconds=LOST_IN_QUEUE_SECONDS))
    for pk in lost.values_list("pk", flat=True):
        _enqueue(pk)


def waiting_for(user: Any) -> list[dict[str, str]]:
    """What waits for this person: [{"title", "url", "detail"}], from each app's registered question."""
    return [item for question in WAITING for item in question(user)]


def _outcome(run: Run, progress: Progress) -> tuple[str, dict[str, Any]]:
    try:
        return Status.SUCCEEDED, {"result": KINDS[run.kind].run(run, progress) or {}}
    except Cancelled:
        progress.say("Stopped, as asked.", level=RunEvent.Level.WARNING)
        return Status.CANCELLED, {}
    except PortalError as error:
        progress.say(error.message, level=RunEvent.Level.ERROR)
        return Status.FAILED, {"error": clean(error.message)}
    except Exception as error:
        logger.exception("Run %s (%s) failed unexpectedly", run.pk, run.kind)
        progress.say(f"Unexpected error: {type(error).__name__}", level=RunEvent.Level.ERROR)
        return Status.FAILED, {"error": f"Unexpected {type(error).__name__}. The worker's log has the details."}


def _move(pk: int, old: str, new: str, **fields: Any) -> bool:
    """The one door of a run's state."""
    if new not in MOVES[old]:
        raise LookupError(f"A run does not go from {old} to {new}")
    return bool(Run.objects.filter(pk=pk, status=old).update(status=new, **fields))


def _enqueue(pk: int) -> None:
    try:
        current_app.signature(EXECUTE, (pk,)).delay()
    except Exception as error:  # the broker is away: the row waits, and `reap` sends it again
        logger.warning("Run %s could not be enqueued (%s); it will be sent again", pk, type(error).__name__)


def _tell_interrupted(run: Run) -> None:
    kind = KINDS.get(run.kind)
    if kind and kind.interrupted:
        run.refresh_from_db()
        kind.interrupted(run)


@contextmanager
def _heartbeat(progress: Progress) -> Iterator[None]:
    """A thread that says "alive" and listens for a request to stop, while the handler is busy."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            _beat_once(progress)
        connection.close()

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat-{progress.run.pk}")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat_once(progress: Progress) -> None:
    try:
        close_old_connections()
        mine = Run.objects.filter(pk=progress.run.pk)
        mine.update(heartbeat_at=timezone.now())
        if not progress._cancel.is_set() and mine.filter(cancel_requested_at__isnull=False).exists():
            progress._stop()
    except Exception:
        logger.exception("The heartbeat of run %s failed once", progress.run.pk)
