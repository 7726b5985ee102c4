"""The benchmarks run, and say so when an aim is missed."""

from __future__ import annotations

import subprocess
import sys

from bench.table import Aim, Row, most


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, timeout=110)


def test_an_aim_is_missed_on_the_wrong_side_of_the_other_figure() -> None:
    assert Row("rate", 10, 20, "1/s", "peer").verdict == "MISSED (>= 1)"
    assert Row("rate", 20, 10, "1/s", "peer").verdict == "met (>= 1)"
    assert most("time", 20, 10, "ms").verdict == "MISSED (<= 1)"
    assert most("time", 10, 20, "ms").verdict == "met (<= 1)"


def test_a_figure_for_information_is_never_missed() -> None:
    row = Row("time", 20, 10, "ms", "peer", Aim.NONE)
    assert row.met
    assert row.verdict == "-"
    assert "2.00x" in str(row)


def test_the_table_has_one_row_per_measure_and_names_what_was_missed() -> None:
    done = ran("portal", "--seconds", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "preview of an MFA policy for 10,000 users" in done.stdout
    assert "missed: " in done.stdout.splitlines()[-1]


def test_a_subject_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    done = ran("weather")
    assert done.returncode == 2
    assert "no such subject: weather; there are sandbox, search, databases, portal" in done.stderr


def test_a_length_that_is_none_is_refused() -> None:
    assert "'0' is no number of seconds from 1 to 600" in ran("--seconds", "0").stderr
