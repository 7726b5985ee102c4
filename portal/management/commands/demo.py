"""Run everything a newcomer needs: three local tenants, Valkey, the web server, a worker. Ctrl-C stops all."""

from __future__ import annotations

import fcntl
import shutil
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import demo as programs
from portal.demo import Demo
from portal.supervisor import Child, ChildFailedError, Stopped, Supervisor, taken_ports


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # the demo brings the settings they ask for

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=_port, default=8000, help="of the portal (default: 8000)")
        parser.add_argument("--https-port", type=_port, default=9443, help="of the first tenant; the next two follow")
        parser.add_argument("--http-port", type=_port, default=9483, help="of the first tenant; the next two follow")
        parser.add_argument("--fresh", action="store_true", help="throw the state of earlier demos away first")
        parser.add_argument("--reset", action="store_true", help="throw the state of earlier demos away, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        state = Path(settings.STATE_DIR)
        with _alone(state):
            if options["reset"] or options["fresh"]:
                _clear(state)
            if options["reset"]:
                self.stdout.write("The demo's state is gone; the next `make demo` starts afresh.")
                return
            self._run(Demo(state, options["port"], options["https_port"], options["http_port"]))

    def _run(self, demo: Demo) -> None:
        _check_ports(demo)
        started = time.monotonic()
        try:
            with Supervisor() as supervisor:
                try:
                    self._start(supervisor, demo)
                    self._tell(demo, time.monotonic() - started)
                    supervisor.watch()
                finally:
                    self._say("\nStopping ...")
        except Stopped:
            self._say("Stopped. The state is kept: `make demo` goes on with it, `make demo-reset` throws it away.")
        except ChildFailedError as error:
            raise CommandError(str(error)) from None

    def _start(self, supervisor: Supervisor, demo: Demo) -> None:
        first = [programs.sandbox(demo)]
        redis_url = programs.own_redis()
        if not redis_url:
            server, valkey = programs.valkey(demo)
            redis_url, first = server.url, [valkey, *first]
        around = programs.environment(demo, redis_url)
        self._begin(supervisor, "Local tenants, database", *first, programs.preparation(demo, around))
        self._begin(supervisor, "Web server, worker", programs.web(demo, around), programs.worker(demo, around))

    def _begin(self, supervisor: Supervisor, label: str, *children: Child) -> None:
        started = time.monotonic()
        self._say(f"  {label:<28}", ending="")
        supervisor.start(*children)
        self._say(f"{time.monotonic() - started:5.1f} s")

    def _tell(self, demo: Demo, seconds: float) -> None:
        accounts = [f"  {f'{name}@{programs.DOMAIN}':<32}{purpose}" for name, purpose in programs.ACCOUNTS]
        tenants = [
            f"  {name:<10}{demo.https(name):<26}mail, phones: {demo.http(name)}/_sandbox/" for name in programs.TENANTS
        ]
        lines = [
            "",
            f"Castellan runs at {demo.url} after {seconds:.0f} s; Ctrl-C stops it.",
            "",
            f"Sign in with the password {programs.PASSWORD} as",
            *accounts,
            "",
            "Local tenants",
            *tenants,
            "",
            f"What the programs say: {demo.log('*')}",
        ]
        self._say("\n".join(lines))

    def _say(self, text: str, ending: str = "\n") -> None:
        self.stdout.write(text, ending=ending)
        self.stdout.flush()


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True)
    with (state / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"A demo is already running with the state in {state}: stop it first (Ctrl-C)."
            ) from None
        yield


def _clear(state: Path) -> None:
    """Remove all but the locks: a file that is locked must stay the one that others look at."""
    for path in state.iterdir():
        if path.suffix == ".lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _check_ports(demo: Demo) -> None:
    taken = taken_ports(demo.ports)
    if not taken:
        return
    options = dict.fromkeys(demo.ports[port] for port in taken)
    plural = len(taken) > 1
    raise CommandError(
        f"{'Ports' if plural else 'Port'} {', '.join(map(str, taken))} {'are' if plural else 'is'} in use: stop the "
        f'program there, or choose others: make demo ARGS="{" ".join(f"{option} NUMBER" for option in options)}"'
    )


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65533:
        raise ValueError
    return number
