"""What --state keeps: every change in order, whole states, and nothing lost where the disk fails for a while."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox import app, seed, serving, users
from sandbox.journal import MOST_CHANGES, Journal
from sandbox.store import Store
from sandbox.tenant import Tenant

FULL = "pragma max_page_count = 1"  # SQLite makes of it what the file has now
ROOM = "pragma max_page_count = 1000000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dev.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    found = Journal(path, Store())
    found.watch()
    found.store.load({"roles": {}})
    found.commit()
    yield found
    found.database.close()


def kept(journal: Journal, path: Path) -> dict[str, dict[str, dict[str, object]]]:
    """What a process that starts after this one was killed reads."""
    journal.database.close()
    later = Journal(path, Store())
    found = later.read()
    later.database.close()
    assert found is not None
    return found


def test_changes_come_back_in_their_order(journal: Journal, path: Path) -> None:
    for number in range(3):
        journal.store.put("roles", f"r{number}", {"id": f"r{number}"})
    journal.store.put("roles", "r0", {"id": "r0", "name": "changed"})
    journal.store.remove("roles", "r1")
    journal.commit()
    journal.store.put("roles", "r9", {"id": "r9"})  # nobody was told of it
    assert kept(journal, path) == {"roles": {"r0": {"id": "r0", "name": "changed"}, "r2": {"id": "r2"}}}


def test_so_many_changes_are_written_as_one_state(journal: Journal, path: Path) -> None:
    for number in range(MOST_CHANGES + 2):
        journal.store.put("roles", f"r{number % 10}", {"number": number})
        if number % 1000 == 0:
            journal.commit()
    journal.commit()
    journal.store.put("roles", "last", {})
    journal.commit()
    assert journal.changes <= 2
    found = kept(journal, path)["roles"]
    assert len(found) == 11
    assert found["r1"] == {"number": MOST_CHANGES + 1}


def test_what_a_full_disk_refused_is_written_once_there_is_room(journal: Journal, path: Path) -> None:
    journal.database.execute(FULL)
    journal.store.put("roles", "large", {"name": "x" * 100_000})
    for _ in range(2):
        with pytest.raises(sqlite3.Error):
            journal.commit()
    journal.store.put("roles", "small", {})
    journal.database.execute(ROOM)
    journal.commit()
    assert list(kept(journal, path)["roles"]) == ["large", "small"]


def test_a_seed_that_a_full_disk_refused_is_written_once_there_is_room(journal: Journal, path: Path) -> None:
    seed = {"roles": {"seeded": {"name": "x" * 100_000}}}
    journal.database.execute(FULL)
    journal.store.load(seed)
    journal.started_from("large", seed)
    with pytest.raises(sqlite3.Error):
        journal.commit()
    journal.database.execute(ROOM)
    journal.commit()
    assert kept(journal, path) == seed


def test_a_change_that_can_not_be_kept_is_not_acknowledged(
    journal: Journal, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = Tenant("dev", 9443, 9483, "machine", "secret", store=journal.store)
    users.prepare(tenant)

    async def act() -> list[int]:
        transport = httpx.ASGITransport(app.create(tenant, journal.commit))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9483") as http:
            journal.database.execute(FULL)
            journal.store.put("roles", "large", {"name": "x" * 100_000})
            refused = await http.post("/_sandbox/clock", json={"offset_seconds": 60})
            journal.database.execute(ROOM)
            return [refused.status_code, (await http.get("/_sandbox/clock")).status_code]

    assert asyncio.run(act()) == [500, 200]
    assert "full" in capsys.readouterr().err
    assert kept(journal, path)["sandbox"]["clock"] == {"offset_seconds": 60}


def test_a_kept_state_follows_its_tenant_to_other_ports(tmp_path: Path) -> None:
    callbacks = []
    for port in (9443, 19443, 19443):
        tenant = Tenant("dev", port, port + 40, "machine", "secret")
        users.prepare(tenant)
        journal = serving._open_journal(tmp_path, tenant)
        assert [api["identifier"] for api in tenant.store.all("resource_servers")] == [tenant.management_audience]
        callbacks.append((tenant.store.get("clients", "shop") or {}).get("callbacks"))
        seed.apply(tenant, "factory")  # what a reset does
        assert [api["identifier"] for api in tenant.store.all("resource_servers")] == [tenant.management_audience]
        tenant.store.put("clients", "shop", {"client_id": "shop", "callbacks": [f"{tenant.browser_url}callback"]})
        journal.close()
    assert callbacks == [None, ["http://localhost:19483/callback"], ["http://localhost:19483/callback"]]
