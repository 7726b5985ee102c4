"""Programs that run together: started, watched, stopped, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.supervisor import Child, ChildFailedError, Stopped, Supervisor, free_port, taken_ports

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"


def program(folder: Path, code: str, name: str = "the program", **fields: object) -> Child:
    return Child(name, [sys.executable, "-c", code], folder / f"{name}.log", **fields)  # type: ignore[arg-type]


def said(child: Child, word: str) -> bool:
    return child.log.exists() and word in child.log.read_text()


def alive(pid: int) -> bool:
    """Whether a process still does something; a zombie that nobody has waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def eventually_gone(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_start_returns_when_each_program_answers(tmp_path):
    first, second = program(tmp_path, SLEEPER, "first"), program(tmp_path, SLEEPER, "second")
    first.answers, second.answers = lambda: said(first, "up"), lambda: said(second, "up")
    with Supervisor(signals=False) as programs:
        programs.start(first, second)
        assert said(first, "up") and said(second, "up")
        assert first.exit_code is second.exit_code is None
    assert first.exit_code == second.exit_code == -signal.SIGTERM


def test_a_program_that_ends_is_reported_by_name_with_its_last_lines(tmp_path):
    child = program(tmp_path, "print('line one'); raise SystemExit('no database')", "the worker", answers=lambda: False)
    with pytest.raises(ChildFailedError) as error, Supervisor(signals=False) as programs:
        programs.start(child)
    assert "the worker ended (exit code 1)" in str(error.value)
    assert "line one" in str(error.value) and "no database" in str(error.value)
    assert str(child.log) in str(error.value)


def test_a_program_that_is_killed_later_stops_the_others(tmp_path):
    victim, other = program(tmp_path, SLEEPER, "victim"), program(tmp_path, SLEEPER, "other")
    with (
        pytest.raises(ChildFailedError, match=r"victim ended \(signal SIGKILL\)"),
        Supervisor(signals=False) as programs,
    ):
        programs.start(victim, other)
        os.kill(victim.process.pid, signal.SIGKILL)
        programs.watch()
    assert other.exit_code == -signal.SIGTERM


def test_a_program_that_never_answers_is_named_after_the_wait(tmp_path):
    child = program(tmp_path, SLEEPER, "the web server", answers=lambda: False)
    late = pytest.raises(ChildFailedError, match="the web server did not answer within 0 seconds")
    with late, Supervisor(signals=False) as programs:
        programs.start(child, timeout_seconds=0.3)
    assert child.exit_code is not None


def test_a_program_that_does_its_work_and_ends_is_no_failure(tmp_path):
    done = program(tmp_path, "print('migrated')", "the preparation", finite=True)
    stays = program(tmp_path, SLEEPER, "the web server")
    with Supervisor(signals=False) as programs:
        programs.start(done)
        programs.start(stays)
        programs.check()
    assert done.exit_code == 0


def test_a_program_whose_work_fails_is_a_failure(tmp_path):
    broken = program(tmp_path, "raise SystemExit(3)", "the preparation", finite=True)
    with pytest.raises(ChildFailedError, match="exit code 3"), Supervisor(signals=False) as programs:
        programs.start(broken)


def test_programs_are_stopped_in_the_opposite_order_of_their_start(tmp_path):
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n open({order!r}, 'a').write({name!r} + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    children = [
        program(tmp_path, code.format(order=str(order), name=name), name) for name in ("cache", "web", "worker")
    ]
    for child in children:
        child.answers = lambda child=child: said(child, "up")
    with Supervisor(signals=False) as programs:
        programs.start(*children)
    assert order.read_text().split() == ["worker", "web", "cache"]


def test_what_a_program_started_ends_with_it(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)'])\n"
        "print('child', child.pid, flush=True); time.sleep(60)"
    )
    parent = program(tmp_path, code, "parent")
    parent.answers = lambda: said(parent, "child")
    with Supervisor(signals=False) as programs:
        programs.start(parent)
        grandchild = int(parent.log.read_text().split()[1])
        assert alive(grandchild)
    assert eventually_gone(grandchild)


def test_a_program_that_ignores_the_request_to_end_is_killed_after_its_time(tmp_path):
    stubborn = program(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
        "stubborn",
        stop_seconds=0.2,
    )
    stubborn.answers = lambda: said(stubborn, "up")
    with Supervisor(signals=False) as programs:
        programs.start(stubborn)
    assert stubborn.exit_code == -signal.SIGKILL


def test_a_signal_stops_everything_and_the_old_handlers_come_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    child = program(tmp_path, SLEEPER)
    with pytest.raises(Stopped), Supervisor() as programs:
        programs.start(child)
        os.kill(os.getpid(), signal.SIGTERM)
        programs.watch()
    assert child.exit_code is not None
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_children_end_when_the_supervisor_itself_is_killed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from portal.supervisor import Child, Supervisor\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with Supervisor() as programs:\n"
        f"    programs.start(Child('sleeper', [sys.executable, '-c', {SLEEPER!r}], folder / 'sleeper.log'))\n"
        "    print(programs.children[0].process.pid, flush=True)\n"
        "    programs.watch()\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with supervisor:
        sleeper = int(supervisor.stdout.readline())
        supervisor.kill()
    assert eventually_gone(sleeper)


def test_what_goes_to_standard_input_is_in_no_command_line(tmp_path):
    child = program(
        tmp_path, "import sys, time; print(sys.stdin.read()[::-1], flush=True); time.sleep(60)", stdin="secret"
    )
    child.answers = lambda: said(child, "terces")
    with Supervisor(signals=False) as programs:
        programs.start(child)
        assert b"secret" not in Path(f"/proc/{child.process.pid}/cmdline").read_bytes()
    assert "secret" not in repr(child)


def test_a_port_that_another_program_listens_on_is_taken():
    import socket

    free = free_port()
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert taken_ports([server.getsockname()[1], free]) == [server.getsockname()[1]]
