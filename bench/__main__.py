"""python -m bench [SUBJECT ...]: measure and print the table."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback

from bench.table import Row

# The portal comes last: it points this process's environment at tenants of its own.
SUBJECTS = ("sandbox", "search", "databases", "portal")


def main() -> int:
    options = _options()
    started = time.monotonic()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the start\n\n{Row.HEADER}", flush=True)
    rows, broken = 0, 0
    missed: list[str] = []
    for subject in options.subjects or SUBJECTS:
        print(subject, flush=True)
        try:
            for row in importlib.import_module(f"bench.{subject}").measure(options.seconds):
                print(row, flush=True)
                rows += 1
                missed += [] if row.met else [row.name]
        except Exception:
            traceback.print_exc()
            print(f"  {subject}: the rest could not be measured", flush=True)
            broken += 1
    print(f"\n{rows} rows in {time.monotonic() - started:.0f} s; load {os.getloadavg()[0]:.1f} at the end")
    print(f"missed: {'; '.join(missed) if missed else 'none'}")
    return 1 if broken or (missed and options.strict) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--seconds", type=_seconds, default=10, help="of load for each figure (10)")
    parser.add_argument("--strict", action="store_true", help="end with 1 when an aim is missed")
    options = parser.parse_args()
    unknown = set(options.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    return options


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
