"""The engine: one Node process per job that leaks nothing, refuses what is not planned, and names what goes wrong."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from deployments import plan, project, scopes, snapshots
from deployments.engines import deploy_cli, writes
from deployments.engines.deploy_cli import Job
from deployments.models import Snapshot
from portal import runs
from portal.auth0 import tokens
from portal.errors import Invalid, MissingScope, NotConnected, ReadOnly, Refused, Unavailable
from portal.models import Run, ScopeUse
from portal.runs import Cancelled, Progress
from sandbox.kinds.routes import find
from tests.deployments.line import reading_of

pytestmark = pytest.mark.django_db(transaction=True)
ROLE = {"roles": {"Auditors": {"name": "Auditors", "description": "Read only"}}}


@pytest.fixture
def run(tenants: dict[str, Any]) -> Run:
    return Run.objects.create(kind="deployments.export", title="Export", tenant=tenants["dev"])


def read(run: Run, *kinds: str) -> snapshots.Reading:
    return snapshots.read(run.tenant, Progress(run), kinds=set(kinds))


def write(
    tenant: Any, folder: Path, content: project.Content, allow: list[Any], events: list[Any] | None = None
) -> Any:
    project.write(content, folder)
    told = events if events is not None else []
    return deploy_cli.run(tenant, Job("import", folder, list(content), allow=allow), on_event=told.append)


def created(content: project.Content) -> list[Any]:
    items = plan.compare(content, {kind: {} for kind in content})
    return writes.allowed(items, {})


def test_a_whole_tenant_is_read_and_a_second_reading_is_the_same(tenants: Any, run: Run, sandbox: Any) -> None:
    sandbox.tenant("dev").grant(scopes.reading())  # with exactly these it works
    first = snapshots.read(run.tenant, Progress(run))
    assert first.unknown == {}
    assert first.states["prompts"]["state"] == "skipped"
    assert len(first.content["clients"]) >= 12
    assert "Management API" not in str(list(first.content["resourceServers"]))
    assert "Castellan" in first.content["clients"]
    assert {"client_id", "client_secret"}.isdisjoint(first.content["clients"]["Castellan"])
    second = reading_of(
        run.tenant, {"clients", "connections", "databases", "triggers", "organizations", "clientGrants"}
    )
    left = {kind: first.content[kind] for kind in second.content}
    assert plan.compare(left, second.content) == []
    stored = snapshots.store(run.tenant, first, source=Snapshot.Source.EXPORT, taken_by=None)
    assert snapshots.content_of(stored) == first.content
    assert snapshots.ids_of(stored)["clients"]["Castellan"] == "castellanPortalLocalDemoOnly0001"
    assert not any("secret-0001" in str(thing) for thing in first.content.values())
    asked = [r for r in sandbox.tenant("dev").requests() if r["path"].startswith("/api/v2/")]
    assert {r["method"] for r in asked} == {"GET"}
    # Every scope that the Deploy CLI was asked for is in the table, and on record as used.
    used, taken = set(ScopeUse.objects.values_list("scope", flat=True)), set[str]()
    for request in asked:
        endpoint = find([unquote(part) for part in request["path"].removeprefix("/api/v2/").split("/")], "GET")
        assert endpoint, request["path"]
        wanted = set(endpoint[0].scopes)
        assert wanted & used & scopes.reading(), (request["path"], wanted)
        taken |= wanted
    # The rest is for what this tenant has not, for options that come with their connection, and for login texts.
    assert scopes.reading() - taken <= {
        *("read:self_service_profile_custom_texts", "read:scim_config", "read:connections_options", "read:prompts")
    }


def test_the_child_has_an_empty_environment_and_no_token_in_its_arguments(
    run: Run, sandbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "topsecret-of-the-worker")
    sandbox.tenant("dev").conditions(latency_ms=150)
    seen: list[tuple[str, str]] = []

    def look(event: Any) -> None:
        if not seen:
            seen.extend(_children())

    deploy_cli.run(run.tenant, Job("export", tmp_path, ["roles"]), on_event=look)
    assert len(seen) == 1
    arguments, environment = seen[0]
    names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
    assert names == {"HOME", "TMPDIR", "LANG", "NODE_NO_WARNINGS", "NODE_EXTRA_CA_CERTS"}
    assert "ey" not in arguments.replace("key", "") or "eyJ" not in arguments
    assert "topsecret" not in environment + arguments


def test_a_text_that_looks_like_a_keyword_is_not_filled_from_the_environment(
    run: Run, sandbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "topsecret-of-the-worker")
    content = {"roles": {"Auditors": {"name": "Auditors", "description": "uses ##DB_PASSWORD##"}}}
    with pytest.raises(Refused, match="marker"):
        write(run.tenant, tmp_path, content, created(content))
    assert "Auditors" not in str(sandbox.tenant("dev").api("GET", "/roles"))


def test_a_write_that_is_not_in_the_plan_is_refused_at_the_wire(run: Run, sandbox: Any, tmp_path: Path) -> None:
    other = created({"roles": {"Somebody else": {"name": "Somebody else"}}})
    sandbox.tenant("dev").forget_requests()
    with pytest.raises(Refused, match="POST /api/v2/roles is not in the plan"):
        write(run.tenant, tmp_path, ROLE, other)
    assert [r for r in sandbox.tenant("dev").requests() if r["method"] == "POST" and r["path"] == "/api/v2/roles"] == []


def test_an_update_may_touch_its_own_id_alone(run: Run, tmp_path: Path) -> None:
    ids = read(run, "roles").ids
    name, other = sorted(ids["roles"])[:2]
    item = plan.Item("roles", name, plan.UPDATE, before={"name": name}, after={"name": name, "description": "new"})
    wrong = writes.allowed([item], {"roles": {name: ids["roles"][other]}})
    with pytest.raises(Refused, match="is not in the plan"):
        write(run.tenant, tmp_path, {"roles": {name: item.after}}, wrong)
    events: list[Any] = []
    write(run.tenant, tmp_path, {"roles": {name: item.after}}, writes.allowed([item], ids), events)
    sent = {(e["method"], e["path"]) for e in events if e["ev"] == "write"}
    assert sent == {("PATCH", f"/api/v2/roles/{ids['roles'][name]}")}


def test_a_read_only_tenant_is_read_but_not_written(run: Run, tmp_path: Path) -> None:
    run.tenant.read_only = True
    run.tenant.save()
    with pytest.raises(ReadOnly):
        write(run.tenant, tmp_path, ROLE, created(ROLE))
    assert read(run, "roles").unknown == {}


def test_a_project_that_the_schema_refuses_is_named_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    content = {"roles": {"Auditors": {"name": "Auditors", "permissions": "all of them"}}}
    with pytest.raises(Invalid, match="permissions"):
        write(run.tenant, tmp_path, content, created(content))


def test_wrong_credentials_are_told_as_such(run: Run) -> None:
    run.tenant.client_secret = "wrong"
    run.tenant.save()
    with pytest.raises(NotConnected, match="client id or its secret is wrong"):
        read(run, "roles")


def test_a_certificate_that_is_not_trusted_is_told_as_such(run: Run, settings: Any, tmp_path: Path) -> None:
    tokens.fetch(run.tenant)  # it is kept
    run.tenant.ca_bundle = ""
    run.tenant.save()
    settings.CA_BUNDLE = ""
    with pytest.raises(NotConnected, match="certificate"):
        read(run, "roles")


def test_a_scope_that_is_missing_makes_its_kind_unknown_and_never_empty(run: Run, sandbox: Any) -> None:
    _without_scopes(sandbox.tenant("dev"), run, {"read:organizations", "read:organizations_summary", "read:roles"})
    reading = read(run, "organizations", "roles", "clients")
    assert {"organizations", "roles"} <= reading.unknown.keys()
    assert "read:organizations" in reading.unknown["organizations"]
    assert "organizations" not in reading.content
    assert reading.states["clients"]["state"] == "read"


def test_a_scope_that_is_missing_for_a_write_is_named(run: Run, sandbox: Any, tmp_path: Path) -> None:
    _without_scopes(sandbox.tenant("dev"), run, {"create:roles"})
    with pytest.raises(MissingScope, match="create:roles"):
        write(run.tenant, tmp_path, ROLE, created(ROLE))


def test_a_kind_that_is_refused_or_vanishes_half_way_is_unknown_and_spoils_no_other(run: Run, sandbox: Any) -> None:
    sandbox.tenant("dev").conditions(
        faults=[
            {"method": "GET", "path": "/api/v2/roles", "status": 403, "times": 9},
            {"method": "GET", "path": "/api/v2/organizations/*", "status": 404, "times": 1},
            {"method": "GET", "path": "/api/v2/clients", "status": 500, "times": 1},
        ]
    )
    reading = read(run, "roles", "organizations")
    assert set(reading.unknown) == {"roles", "organizations"}
    assert "404" in reading.unknown["organizations"]
    assert "organizations" not in reading.content
    # An error that a second try got over is none.
    assert reading.states["clients"]["state"] == "read"


def test_two_applications_of_one_name_make_the_kind_unknown(run: Run, sandbox: Any) -> None:
    for _ in range(2):
        sandbox.tenant("dev").api("POST", "/clients", {"name": "Twin"})
    assert "files" in read(run, "clients").unknown["clients"] or "name" in read(run, "clients").unknown["clients"]


def test_stopping_a_run_kills_its_process_group(run: Run, sandbox: Any) -> None:
    sandbox.tenant("dev").conditions(latency_ms=1000)
    progress = Progress(run)
    threading.Timer(2.0, progress._stop).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        snapshots.read(run.tenant, progress, kinds={"clients", "organizations", "actions"})
    assert time.monotonic() - begun < 8
    assert _children() == []


def test_an_export_that_fails_ends_its_run_with_the_reason(tenants: Any, run: Run, release: Any, sandbox: Any) -> None:
    tenants["dev"].client_secret = "wrong"
    tenants["dev"].save()
    queued = snapshots.request_export(tenants["dev"], actor=release.user)
    runs.execute(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, Snapshot.objects.count()) == ("failed", 0)
    assert "secret is wrong" in queued.error


def test_a_worker_that_is_killed_takes_its_node_with_it(
    tenants: Any, release: Any, sandbox: Any, start_worker: Any
) -> None:
    sandbox.tenant("dev").conditions(latency_ms=1500)
    worker = start_worker()
    queued = snapshots.request_export(tenants["dev"], actor=release.user)
    _until(lambda: _children(), 30)
    for pid in [*_below(worker.process.pid), worker.process.pid]:
        if not _is_bridge(pid):
            os.kill(pid, 9)
    _until(lambda: not _children(), 15)
    Run.objects.filter(pk=queued.pk).update(heartbeat_at="2026-01-01T00:00:00Z")
    runs.reap()
    queued.refresh_from_db()
    assert queued.status == "interrupted"


def _without_scopes(tenant: Any, run: Run, scopes: set[str]) -> None:
    """A machine-to-machine application of its own, that lacks these."""
    audience = f"{tenant.url}/api/v2/"
    known = [
        s["value"]
        for api in tenant.api("GET", "/resource-servers")
        if api["identifier"] == audience
        for s in api["scopes"]
    ]
    client = tenant.api(
        "POST", "/clients", {"name": "Narrow", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
    )
    granted = [scope for scope in known if scope not in scopes]
    tenant.api("POST", "/client-grants", {"client_id": client["client_id"], "audience": audience, "scope": granted})
    run.tenant.client_id, run.tenant.client_secret = client["client_id"], client["client_secret"]
    run.tenant.save()


def _is_bridge(pid: int) -> bool:
    try:
        return "bridge.cjs" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def _below(pid: int) -> list[int]:
    """The processes that this one started, and theirs."""
    try:
        own = [int(p) for t in Path(f"/proc/{pid}/task").iterdir() for p in (t / "children").read_text().split()]
    except OSError:
        return []
    return [inner for child in own for inner in [*_below(child), child]]


def _children() -> list[tuple[str, str]]:
    """(arguments, environment) of each bridge that this test, or a worker of it, has started."""
    found = []
    for pid in _below(os.getpid()):
        if _is_bridge(pid):
            try:
                found.append((Path(f"/proc/{pid}/cmdline").read_text(), Path(f"/proc/{pid}/environ").read_text()))
            except OSError:
                continue
    return found


def _until(there: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_a_lost_connection_is_unavailable(run: Run, tmp_path: Path) -> None:
    tokens.fetch(run.tenant)
    run.tenant.domain = "localhost:1"
    with pytest.raises((Unavailable, NotConnected)):
        deploy_cli.run(run.tenant, Job("export", tmp_path, ["roles"]), on_event=lambda event: None)
