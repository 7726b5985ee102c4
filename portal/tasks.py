"""What the queue carries: ids. The rules are in portal.runs."""

from celery import shared_task

from portal import runs


@shared_task(ignore_result=True)
def execute_run(pk: int) -> None:
    runs.execute(pk)


@shared_task(ignore_result=True)
def reap_runs() -> None:
    runs.reap()
