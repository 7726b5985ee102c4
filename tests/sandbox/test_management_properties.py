"""Whatever is sent, an endpoint answers with its documented error or its answer: never a traceback, never a 500."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kinds import routes, validation
from tests.sandbox.in_process import World

ENDPOINTS = routes.endpoints()
STRANGE = ["", "null", "a|b", "%", "é", "\u0000", "x" * 300, "auth0|1", "../..", "con_xxxxxxxxxxxxxxxx", "🦊", "0"]
KNOWN = ["login", "en", "otp", "post-login", "verify_email", "default", "factory"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield World()


# The checks above the handlers stop most of what is random; this keeps to the rules often enough to get past them.
def fitting(rule: dict[str, Any], draw: st.DrawFn, depth: int = 0) -> Any:
    """A value that mostly keeps to the rule, so that handlers are reached and not only the check before them."""
    rule = validation._resolved(rule)
    if depth > 4 or draw(st.integers(0, 25)) == 0:
        return draw(JSON)
    if "e" in rule:
        return draw(st.sampled_from(rule["e"]))
    if "o" in rule:
        return fitting(draw(st.sampled_from(rule["o"])), draw, depth + 1)
    kind = rule.get("t", "object" if "p" in rule else "string")
    kind = kind if isinstance(kind, str) else draw(st.sampled_from(kind))
    if kind == "object":
        optional = [name for name in rule.get("p", {}) if draw(st.integers(0, 3)) == 0]
        return {
            name: fitting(rule.get("p", {}).get(name, {}), draw, depth + 1) for name in {*rule.get("r", ()), *optional}
        }
    if kind == "array":
        items = range(draw(st.integers(rule.get("ni", 0), rule.get("ni", 0) + 2)))
        return [fitting(rule.get("i", {}), draw, depth + 1) for _ in items]
    texts = ["staff", "https://a.example/x", "a@b.example", "name-1", "auth0", "#ffffff", "2026-01-01T00:00:00.000Z"]
    plain = {"string": st.sampled_from(texts), "boolean": st.booleans(), "null": st.none()}
    return draw(plain.get(kind, st.integers(rule.get("lo", 0), rule.get("hi", 1000) or 1000)))


@st.composite
def requests(draw: st.DrawFn) -> tuple[routes.Endpoint, list[str], str, Any]:
    endpoint = draw(st.sampled_from(ENDPOINTS))
    segments = [draw(st.sampled_from([*STRANGE, *KNOWN, "KNOWN ID"])) for _ in endpoint.names]
    rule = validation.endpoint_rule(endpoint.method, endpoint.path)
    names = st.sampled_from([*rule.get("query", {}), "page", "take", "from", "q"])
    query = draw(
        st.dictionaries(names, st.sampled_from(["0", "1", "true", "x", "", "-1", "é", "a:b", "name:1"]), max_size=2)
    )
    body = fitting(rule["body"], draw) if "body" in rule and draw(st.integers(0, 4)) else draw(JSON)
    return endpoint, segments, urlencode(query), body


@settings(max_examples=350)
@given(request=requests(), which=st.integers(0, 10_000))
def test_no_request_breaks_an_endpoint(world: World, request: Any, which: int) -> None:
    endpoint, segments, query, body = request
    ids = world.ids()
    values = iter(ids[which % len(ids)] if segment == "KNOWN ID" else segment for segment in segments)
    path = "/api/v2" + re.sub(r"\{[^}]*\}", lambda match: quote(next(values), safe=""), endpoint.path)
    answer = world.ask(endpoint.method, path, query, orjson.dumps(body))
    assert answer.status_code < 500, (endpoint, body)
    if answer.status_code >= 400:
        error = orjson.loads(answer.body)
        assert {"statusCode", "error", "message"} <= set(error)
        assert error["statusCode"] == answer.status_code
    if world.tenant.store.count("settings") == 0 or which % 50 == 0:
        world.tenant.store.load(world.first)
