"""The parity page is the program's own, and what it says of shapes is true."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kinds import routes, shaped
from tests.sandbox import generate_parity, sdk_models
from tests.sandbox.generate_shapes import recorded, shape
from tests.sandbox.management import Management

KINDS = {"s": str, "i": (int, float), "n": (int, float), "b": bool}


def test_the_parity_page_is_up_to_date() -> None:
    written = generate_parity.TARGET.read_text(encoding="utf-8")
    assert written == generate_parity.page(), "run: python -m tests.sandbox.generate_parity"


def test_the_recorded_endpoints_are_all_routed() -> None:
    known = {(endpoint.method, endpoint.path) for endpoint in routes.endpoints()}
    assert recorded() <= known


def test_every_endpoint_of_the_installed_sdk_is_routed() -> None:
    known = {(endpoint.method, endpoint.path) for endpoint in routes.endpoints()}
    assert set(sdk_models.endpoints()) <= known


def test_the_shapes_are_those_of_the_installed_sdk() -> None:
    for place, expected in shaped.shapes().items():
        method, path = place.split(" ", 1)
        assert shape(sdk_models.endpoints()[method, path].answer) == expected, (
            "run: python -m tests.sandbox.generate_shapes"
        )


def fits(value: Any, wanted: Any, at: str) -> None:
    if value is None or wanted == "o":
        return
    if isinstance(wanted, list):
        assert isinstance(value, list), f"{at} is no list: {value}"
        for item in value:
            fits(item, wanted[0], f"{at}[]")
    elif isinstance(wanted, dict):
        assert isinstance(value, dict), f"{at} is no object: {value}"
        for name, inner in wanted.items():
            assert name.endswith("?") or name in value, f"{at}.{name} is missing"
            fits(value.get(name.rstrip("?")), inner, f"{at}.{name}")
    else:
        assert isinstance(value, KINDS[wanted]), f"{at} is {value!r}"


NEED_MORE = ("/users-by-email", "/user-blocks", "/refresh-tokens", "/stats/active-users", "/keys/custom-signing")
"""Endpoints that answer nothing unless asked for somebody, or unless something was there before."""
LISTS = [
    endpoint.path
    for endpoint in routes.endpoints()
    if endpoint.method == "GET"
    and not endpoint.names
    and f"GET {endpoint.path}" in shaped.shapes()
    and endpoint.path not in NEED_MORE
]


@pytest.mark.parametrize("path", LISTS)
def test_an_answer_that_was_never_recorded_has_the_declared_shape(management: Management, path: str) -> None:
    query = {"q": "a"} if path.endswith("/search") else {}
    answer = management.get(path, **query)
    wanted = shaped.shapes()[f"GET {path}"]
    if isinstance(answer, list) and isinstance(wanted, dict):
        answer = {next(name for name, inner in wanted.items() if isinstance(inner, list)).rstrip("?"): answer}
    fits({**answer} if isinstance(answer, dict) else answer, wanted, path)
