"""Write docs/sandbox-conformance.md: how many recorded answers of real tenants the sandbox gives, and why not the rest.

python -m tests.sandbox.generate_conformance
"""

from __future__ import annotations

import collections
import sys
import tempfile
from pathlib import Path

from sandbox.kinds import routes
from tests.sandbox.conformance import Difference, Score, replayed
from tests.sandbox.conformance_reasons import REASONS, Reason, reason

TARGET = Path(__file__).resolve().parents[2] / "docs/sandbox-conformance.md"
HEAD = """# How close the sandbox comes to real tenants

Made by `python -m tests.sandbox.generate_conformance`; a test fails where this page and the program differ.

Public recordings of real tenants, most of them made by Auth0's own Terraform provider and Deploy CLI, are replayed
against the sandbox: each request is sent again, to a tenant that was new when its recording began, and the answer is
compared. Exact means the same status, every property with its type, and every value but ids, times, secrets and the
like. The recordings lie beside the project, not in it, and no rule of the sandbox is made for one of them.
"""
LEFT = """
## The rest

Each of the other {left} differs for a reason that no rule can remove: the answer depends on something that neither
the requests nor the defaults of a new tenant tell. The test decides the reason of every difference by program, and one
without a reason makes it fail. So what requests, the state that they made and defaults determine is answered exactly.
"""


def page(score: Score) -> str:
    groups: dict[Reason | None, list[Difference]] = collections.defaultdict(list)
    for difference in score.differences:
        groups[reason(difference)].append(difference)
    known = sorted((r for r in REASONS if r in groups), key=lambda r: -len(groups[r]))
    rows = [f"| {r.title} | {len(groups[r])} | {r.explanation} |" for r in known]
    table = ["| the answer depends on | interactions | |", "|---|---|---|", *rows]
    where = ["## Where", "", "| the answer depends on | endpoints |", "|---|---|", *_where(groups, known)]
    return (
        HEAD + _figures(score) + LEFT.format(left=len(score.differences)) + "\n".join(["", *table, "", *where]) + "\n"
    )


def _figures(score: Score) -> str:
    totals = score.totals
    shares = (
        ("interactions answered exactly", totals["exact"], totals["count"]),
        ("the same status", totals["status"], totals["count"]),
        ("properties that are there, with their type", totals["keys"], totals["keys_all"]),
        ("values that are the same", totals["values"], totals["values_all"]),
    )
    rows = [f"| {text} | {part:,} of {whole:,} | {100 * part / whole:.1f} % |" for text, part, whole in shares]
    return "\n".join(["", "| | | |", "|---|---|---|", *rows, ""])


def _where(groups: dict[Reason | None, list[Difference]], known: list[Reason]) -> list[str]:
    found = []
    for why in known:
        count = collections.Counter(_endpoint(difference) for difference in groups[why])
        places = [
            f"`{place}` {number}" for place, number in sorted(count.items(), key=lambda item: (-item[1], item[0]))
        ]
        found.append(f"| {why.title} | {', '.join(places)} |")
    return found


def _endpoint(difference: Difference) -> str:
    method = difference.row["method"]
    found = routes.find(difference.path.strip("/").split("/"), method)
    assert found is not None, difference.path
    return f"{method} {found[0].path}"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text(page(replayed(Path(folder))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
