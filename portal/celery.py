"""The Celery app. The row of a Run is the truth and a message only a hint, so a message may come twice or late."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("castellan")
app.conf.update(
    # Results are Run rows; Celery's own would be a second truth.
    task_ignore_result=True,
    # Acknowledged when done: the message of a worker that was killed goes to the next one, which finds the Run.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # Cancelling kills the process of a task, which only this pool can do.
    worker_pool="prefork",
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # A person waits while a run is put on the queue. One that does not answer is given up: `runs.reap` sends it again.
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
    task_publish_retry=False,
    # name -> task by its dotted name and seconds (or a crontab) between two times; apps add theirs here.
    beat_schedule={
        "name dead runs and send lost ones again": {"task": "portal.tasks.reap_runs", "schedule": 10.0},
    },
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
