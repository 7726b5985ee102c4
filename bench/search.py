"""User search among a hundred thousand people, over HTTP, in a tenant that took them over as one state."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench import servers
from bench.table import Aim, Row, most
from tests.local_tenants import LocalTenant
from tests.sandbox.web_login import CONNECTION

PEOPLE = 100_000
LIMIT_MS = 100
TIMES = 9
QUERIES = {
    "an address": 'email:"person.54321@example54321.example"',
    "a beginning": "email:person.777*",
    "a wildcard inside": "email:*54321@example*",
    "two conditions": "blocked:true AND app_metadata.plan:gold",
    "a range of dates": "last_login:[2026-03-01 TO 2026-03-31] AND NOT email_verified:true",
    "what is missing": "NOT _exists_:user_metadata.colour",
}


def measure(seconds: float) -> Iterator[Row]:
    del seconds  # searches are counted, not timed
    with tempfile.TemporaryDirectory(prefix="castellan-bench-") as name:
        child, tenant = servers.sandbox(Path(name), seed="factory")
        with tenant.http, servers.running(child):
            state = tenant.control("GET", "state")
            state["documents"]["users"] = {person["user_id"]: person for person in map(_person, range(PEOPLE))}
            headers = {"content-type": "application/json"}
            tenant.http.put("/_sandbox/state", content=orjson.dumps(state), headers=headers).raise_for_status()
            yield from _searches(tenant)


def _searches(tenant: LocalTenant) -> Iterator[Row]:
    first = 0.0
    for what, query in QUERIES.items():
        search = _search(tenant, query)
        first = max(first, servers.once_ms(search))
        yield most(f"search of {PEOPLE:,} users: {what}", servers.repeated_ms(search, TIMES), LIMIT_MS, "ms")
    changed = servers.repeated_ms(_change(tenant), TIMES)
    yield most(f"search of {PEOPLE:,} users after a change", changed, LIMIT_MS, "ms")
    yield Row("the slowest first search on a field", first, LIMIT_MS, "ms", "the limit", Aim.NONE)


def _search(tenant: LocalTenant, query: str) -> Any:
    def search() -> None:
        found = tenant.api("GET", "/users", q=query, include_totals="true", per_page=50)
        if not found["total"]:
            raise RuntimeError(f"Nobody was found by {query}")

    return search


def _change(tenant: LocalTenant) -> Any:
    """Names one of them anew and finds the new name."""
    numbers = iter(range(TIMES + 1))

    def change() -> None:
        number = next(numbers)
        tenant.api("PATCH", f"/users/auth0%7C{number:024x}", {"name": f"Renamed{number}"})
        _search(tenant, f"name:renamed{number}")()

    return change


def _person(number: int) -> dict[str, Any]:
    seen = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:15:30.123Z"
    address = f"person.{number}@example{number}.example"
    identity = {"connection": CONNECTION, "provider": "auth0", "user_id": f"{number:024x}", "isSocial": False}
    return {
        "user_id": f"auth0|{number:024x}",
        "email": address,
        "email_verified": number % 5 > 0,
        "name": f"Person {number}",
        "nickname": f"person.{number}",
        "picture": f"https://cdn.example/{number % 100}.png",
        "identities": [identity],
        "created_at": "2025-06-01T08:00:00.000Z",
        "updated_at": seen,
        "last_login": seen,
        "logins_count": number % 50,
        "app_metadata": {"plan": ("silver", "gold")[number % 2], "number": number},
        "user_metadata": {"colour": "blue"} if number % 4 else {},
        **({"blocked": True} if number % 200 == 1 else {}),
    }
