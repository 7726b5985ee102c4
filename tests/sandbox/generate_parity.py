"""Write docs/sandbox-parity.md: for each endpoint of the Management API, what its answer rests on.

python -m tests.sandbox.generate_parity
"""

from __future__ import annotations

import collections
import csv
import sys
from functools import lru_cache
from pathlib import Path

from sandbox.kinds import routes
from tests.sandbox import sdk_models

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "docs/sandbox-parity.md"
GO_SDK = frozenset(
    [
        ("PUT", "/guardian/factors/webauthn-platform/settings"),
        ("GET", "/guardian/factors/webauthn-roaming/settings"),
        ("PUT", "/guardian/factors/webauthn-roaming/settings"),
    ]
)
"""What Auth0's Go SDK alone declares (go-auth0, MultiFactorWebAuthnSettings)."""
HEAD = """# The sandbox's Management API, endpoint by endpoint

Made by `python -m tests.sandbox.generate_parity`; a test fails where this page and the program differ.

- **recorded**: real tenants were recorded at this endpoint, and the recordings are replayed against the sandbox.
- **shape**: no recording shows it. Status and shape of the answer are those that Auth0's own SDKs or its OpenAPI
  description declare, and a test compares them; an answer that is declared to be empty counts, too.
- **none**: neither of them tells what the answer is.

Every endpoint is routed, checks the token, its scope, the path, the query and the body, and is answered from the state
of the tenant: no answer is made up from its shape.

"""


@lru_cache(maxsize=1)
def recorded() -> frozenset[tuple[str, str]]:
    return frozenset((row["method"], row["path"]) for row in _rows("recorded_endpoints.tsv"))


@lru_cache(maxsize=1)
def documented() -> dict[tuple[str, str], dict[int, str]]:
    """(method, path) -> {status of a success: content type, or "-" for an empty answer}, by the OpenAPI description."""
    found: dict[tuple[str, str], dict[int, str]] = {}
    for row in _rows("documented_answers.tsv"):
        found.setdefault((row["method"], row["path"]), {})[int(row["status"])] = row["content"]
    return found


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def proof(endpoint: routes.Endpoint) -> str:
    place = (endpoint.method, endpoint.path)
    if place in recorded():
        return "recorded"
    known = sdk_models.endpoints().get(place)
    declared = (known is not None and known.answer is not None) or place in documented() or place in GO_SDK
    return "shape" if declared else "none"


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
