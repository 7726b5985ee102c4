"""Write docs/sandbox-parity.md: for each endpoint of the Management API, what its answer rests on.

python -m tests.sandbox.generate_parity
"""

from __future__ import annotations

import collections
import sys
from pathlib import Path

from sandbox.kinds import routes, shaped
from tests.sandbox.generate_shapes import recorded

TARGET = Path(__file__).resolve().parents[2] / "docs/sandbox-parity.md"
HEAD = """# The sandbox's Management API, endpoint by endpoint

Made by `python -m tests.sandbox.generate_parity`; a test fails where this page and the program differ.

- **recorded**: real tenants were recorded at this endpoint, and the recordings are replayed against the sandbox.
- **shape**: no recording shows it; the answer has the shape that Auth0's own SDK declares.
- **none**: neither a recording nor a model of the SDK tells what the answer is.

Every endpoint is routed and checks the token, its scope, the query and the body.

"""


def proof(endpoint: routes.Endpoint) -> str:
    if (endpoint.method, endpoint.path) in recorded():
        return "recorded"
    answered = f"{endpoint.method} {endpoint.path}" in shaped.shapes() or endpoint.method == "DELETE"
    return "shape" if answered else "none"


def page() -> str:
    proofs = {endpoint: proof(endpoint) for endpoint in routes.endpoints()}
    count = collections.Counter(proofs.values())
    total = ", ".join(f"{count[name]} {name}" for name in ("recorded", "shape", "none"))
    rows = [
        f"| {e.method} | `{e.path}` | {', '.join(f'`{scope}`' for scope in e.scopes)} | {e.lifecycle} | {found} |"
        for e, found in proofs.items()
    ]
    table = ["| method | path | any of these scopes | lifecycle | proof |", "|---|---|---|---|---|", *rows]
    return f"{HEAD}{len(proofs)} endpoints: {total}.\n\n" + "\n".join(table) + "\n"


def main() -> int:
    TARGET.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
