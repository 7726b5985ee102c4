"""Whatever is sent to any address beside the Management API: an answer, never a 500, and the next request is served."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from sandbox import app, passwords, seed, users
from sandbox.tenant import Tenant
from sandbox.users import imports, job_runs
from tests.sandbox.test_login_bad_input import NAMES as LOGIN_NAMES
from tests.sandbox.test_login_bad_input import TEXTS, VALUES

NAMES = [
    *LOGIN_NAMES,
    *("seed", "latency_ms", "rate_limit", "plan", "search_lag_seconds", "faults", "advance_seconds", "offset_seconds"),
    *("id", "format", "documents", "addresses", "to", "users", "connection_id"),
]
CONTENT_TYPES = [
    *("application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "text/plain", ""),
    *("multipart/form-data", "multipart/form-data; boundary=x", "application/xml", "\u00ff/\u00ff"),
]
HEADERS = {
    "host": ["localhost", "[::1]", "[", "evil.example", "", "localhost:99999", "\u00fc"],
    "authorization": ["Bearer x", "Bearer a.b.c", "Basic eA==", "Basic \u00ff", "Bearer", ""],
    "cookie": ["auth0-dev=%00", "auth0-dev=x; auth0-dev=y", "=;=", "did-dev=\u00ff"],
    "origin": ["null", "http://localhost:3000", "[", "https://evil.example"],
    "sec-fetch-site": ["cross-site", "same-origin", "x"],
    "content-length": ["-1", "x", "99999999999"],
    "accept-language": ["xx-XX;q=z", "de", ","],
    "user-agent": ["", "x" * 3000, "openid-client/6"],
    "auth0-forwarded-for": ["not an address", "203.0.113.9", ",,"],
    "x-sandbox-country": ["zzz", "DE"],
}


class World:
    """A whole tenant in this process, asked without a network: hundreds of requests a second."""

    def __init__(self) -> None:
        passwords.rounds = 4
        self.tenant = Tenant("dev", 9443, 9483, "machine", "secret")
        users.prepare(self.tenant)
        self.tenant.seed = "factory"
        seed.apply(self.tenant, "factory")
        self.application = app.create(self.tenant)
        assert isinstance(self.application, app.Front)
        routes = [*self.application.control.routes, *self.application.inner.router.routes]  # type: ignore[attr-defined]
        self.paths = sorted({route.path for route in routes if isinstance(route, Route)})

    async def ask(
        self, method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("localhost", 9483),
            "client": ("127.0.0.1", 50000),
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": query.encode(),
            "headers": headers,
        }
        sent: list[Any] = []
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            return next(given, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield World()


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, list[tuple[bytes, bytes]], bytes]:
    """Method, query, headers and body."""
    method = draw(st.sampled_from(["GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]))
    values = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
    texts = {name: str(value).encode("utf-8", "replace") for name, value in values.items()}
    headers = draw(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in HEADERS.items()}))
    kind = draw(st.sampled_from(CONTENT_TYPES))
    bodies = [json.dumps(values).encode(), urlencode(texts).encode(), b"{", b"[" * 3000, b"\xff\xfe", b""]
    content = draw(st.sampled_from(bodies) | st.binary(max_size=60))
    named = {"host": "localhost", "content-type": kind, **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    return method, urlencode(texts) if draw(st.booleans()) else "", raw, content


@settings(max_examples=300)
@given(request=requests(), where=st.integers(0, 10_000), part=TEXTS)
def test_no_request_breaks_an_address(world: World, request: Any, where: int, part: str) -> None:
    method, query, headers, body = request
    pattern = world.paths[where % len(world.paths)]
    path = re.sub(r"\{[^}]*\}", lambda match: part.encode("utf-8", "replace").decode(), pattern)

    async def act() -> list[int]:
        first, _ = await world.ask(method, path, query, headers, body)
        # What was asked for may be weather: the next request has to get through it.
        world.tenant.conditions = type(world.tenant.conditions)()
        second, _ = await world.ask("GET", "/.well-known/jwks.json", "", [(b"host", b"localhost")], b"")
        return [first, second]

    first, second = asyncio.run(act())
    assert 200 <= first < 500, (method, path, query, headers, body)
    assert second == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/oauth/token", "/oauth/revoke", "/oauth/device/code", "/mfa/challenge", "/passwordless/start"),
        *("/dbconnections/signup", "/dbconnections/change_password", "/_sandbox/reset", "/_sandbox/conditions"),
        *("/_sandbox/phones", "/_sandbox/clock"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "body", "statuses"),
    [
        ("application/json", b'{"grant_type": ', {400}),
        ("application/json", b"\xff\xfe", {400}),
        ("application/json", b"[" * 100_000, {400}),
        ("application/json", b"[1]", {400}),
        ("application/xml", b"<a/>", {400, 415}),
        ("application/json", b'{"email": "' + b"x" * 2_000_000 + b'"}', {413}),
        ("application/x-www-form-urlencoded", b"email=" + b"x" * 2_000_000, {413}),
    ],
    ids=["cut off", "no text", "deep", "a list", "XML", "2 MB", "2 MB form"],
)
def test_a_bad_body_is_refused_in_words(world: World, path: str, kind: str, body: bytes, statuses: set[int]) -> None:
    headers = [(b"host", b"localhost"), (b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    status, answered = asyncio.run(world.ask("POST", path, "", headers, body))
    assert status in statuses, answered
    error = json.loads(answered)
    assert any(len(str(error.get(name, ""))) > 5 for name in ("error", "error_description", "description"))
    assert b"Traceback" not in answered


USER_FIELDS = [
    *("email", "email_verified", "user_id", "username", "name", "phone_number", "blocked", "app_metadata", "nickname"),
    *("user_metadata", "password_hash", "custom_password_hash", "mfa_factors", "permissions", "picture", "x"),
]
USER_VALUES = VALUES | st.sampled_from(
    [
        *(
            "ada@larkspur.example",
            "+15550100123",
            {"algorithm": "md5", "hash": {"value": "x"}},
            {"algorithm": "bcrypt"},
        ),
        *([{"totp": {"secret": "x"}}], [{"phone": {"value": "1"}}, {"email": {"value": "\u0000"}}], {"a": {"b": [1]}}),
    ]
)


@settings(max_examples=120)
@given(
    people=st.lists(st.dictionaries(st.sampled_from(USER_FIELDS), USER_VALUES, max_size=5) | VALUES, max_size=6),
    upsert=st.booleans(),
)
def test_no_file_of_users_breaks_an_import(world: World, people: list[Any], upsert: bool) -> None:
    job = job_runs.create(world.tenant, "users_import")
    upload = imports.Upload(json.dumps(people).encode(), "con_x", upsert, None, send_completion_email=False)
    asyncio.run(imports.run(world.tenant, job["id"], "Username-Password-Authentication", upload))
    ended = job_runs.find(world.tenant, job["id"])
    assert ended is not None
    if ended["status"] == "completed":
        counted = ended["summary"]
        assert counted["failed"] + counted["inserted"] + counted["updated"] == counted["total"] == len(people)
        assert len(ended["_errors"] or ()) == counted["failed"]
    else:
        assert "valid JSON" in ended["status_details"]
