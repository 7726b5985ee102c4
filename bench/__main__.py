"""python -m bench [SUBJECT ...]: measure, print the table, and end with 1 when an aim was missed."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable

import bench
from bench.table import Row

PARTS = {"__main__", "table", "load", "servers"}


def main() -> int:
    subjects = sorted({module.name for module in pkgutil.iter_modules(bench.__path__)} - PARTS)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(subjects)}; all when none is named"
    )
    parser.add_argument("--seconds", type=float, default=10, help="of load for each figure (10)")
    options = parser.parse_args()
    unknown = set(options.subjects) - set(subjects)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the start\n", flush=True)
    missed = sum(_measure(subject, options.seconds) for subject in options.subjects or subjects)
    return 1 if missed else 0


def _measure(subject: str, seconds: float) -> int:
    rows: Iterable[Row] = importlib.import_module(f"bench.{subject}").measure(seconds)
    print(f"{subject}\n{Row.HEADER}", flush=True)
    missed = 0
    for row in rows:
        print(row, flush=True)
        missed += not row.met
    print()
    return missed


if __name__ == "__main__":
    sys.exit(main())
