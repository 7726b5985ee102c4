"""The table of kinds is whole: every kind of the Deploy CLI is in it, with calls and scopes that exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from deployments import kinds, plan, scopes
from deployments.plan import CREATE, DELETE, UPDATE
from runtime import node
from sandbox.kinds.routes import endpoints

ROOT = Path(__file__).parents[2]
# Neither is a kind of its own: values of rules can't be read, credentials lie within their application.
NOT_KINDS = {"rulesConfigs", "clientAuthCredentials", "clientAuthCredentialsPre"}


def test_every_kind_of_the_deploy_cli_is_in_the_table_in_the_order_in_which_it_is_applied() -> None:
    script = """
    require("auth0-deploy-cli");
    const {default: handlers} = require("auth0-deploy-cli/lib/tools/auth0/handlers");
    const found = Object.values(handlers).map(({default: H}) => {
      const h = new H({client: {connections: {}, actions: {}}, config: () => undefined});
      return [h.type, Number(Object.getPrototypeOf(h).processChanges.order || 50)];
    });
    process.stdout.write(JSON.stringify(found));
    """
    done = subprocess.run([node.node_binary(), "-e", script], capture_output=True, check=True, timeout=60, cwd=ROOT)
    theirs = dict(json.loads(done.stdout))
    assert theirs.keys() - NOT_KINDS == kinds.KINDS.keys()
    places = [theirs[kind] for kind in kinds.KINDS]
    assert places == sorted(places)


def test_every_write_of_the_table_is_an_endpoint_of_the_management_api() -> None:
    known = {(e.method, re.sub(r"\{[^}]+\}", "*", e.path)) for e in endpoints()}
    for kind in kinds.KINDS.values():
        for write in () if kind.compare_only else kind.all_writes:
            method, path = write.split(" ")
            pattern = re.sub(r"\{[^}]+\}|\*", "[^/]+", path)
            assert any(m == method and re.fullmatch(pattern, p) for m, p in known), f"{kind.type}: {write}"


def test_the_scopes_of_a_kind_let_in_each_write_that_its_changes_may_make() -> None:
    known = {(e.method, re.sub(r"\{[^}]+\}", "*", e.path)): set(e.scopes) for e in endpoints()}
    for kind in kinds.KINDS.values():
        actions = [] if kind.compare_only else [CREATE, UPDATE, *([DELETE] if kind.deletable else [])]
        own = [(DELETE, f"DELETE {kind.api}/{{id}}")] if kind.deletable else []
        own += [(CREATE, f"POST {kind.api}"), (UPDATE, f"PATCH {kind.api}/{{id}}")] if kind.api else []
        for action, write in own if actions else []:
            assert takes(known, write) & set(scopes.to_write(kind, action)), f"{kind.type}: {write}"
        # What is created gets its parts by further calls, which an update makes as well.
        for write in kind.writes if actions else ():
            either = {*scopes.to_write(kind, CREATE), *scopes.to_write(kind, UPDATE)}
            for action in (CREATE, UPDATE):
                held = {*scopes.to_write(kind, action)} if "{id}" in write else either
                assert takes(known, write) & {*held, *kind.part_scopes}, f"{kind.type}, {action}: {write}"


def takes(known: dict[tuple[str, str], set[str]], write: str) -> set[str]:
    """The scopes that Auth0 would take for a write of the table."""
    method, path = write.split(" ")
    pattern = re.sub(r"\{[^}]+\}|\*", "[^/]+", path)
    return set().union(*(found for (m, p), found in known.items() if m == method and re.fullmatch(pattern, p)))


def test_the_scopes_of_each_kind_stand_in_the_docs() -> None:
    """Kinds that need the same stand in one row."""
    rows: dict[str, list[str]] = {}
    for kind in kinds.KINDS.values():
        if kind.type not in kinds.SKIPPED_ALWAYS:
            rows.setdefault(row(kind), []).append(kind.label)
    lines = ["| Kind | Read | Create | Change | Delete | Some objects need as well |", "|---|---|---|---|---|---|"]
    lines += [f"| {', '.join(labels)} | {scopes} |" for scopes, labels in rows.items()]
    assert "\n".join(lines) in (ROOT / "docs/access.md").read_text()


def row(kind: kinds.Kind) -> str:
    changes = () if kind.compare_only else scopes.to_write(kind, UPDATE)
    creates = () if kind.compare_only else scopes.to_write(kind, CREATE)
    deletes = scopes.to_write(kind, DELETE) if kind.deletable else ()
    cells = [scopes.to_read(kind), () if creates == changes else creates, changes, deletes, kind.part_scopes]
    return " | ".join(", ".join(f"`{scope}`" for scope in cell) for cell in cells)


def test_a_plan_needs_the_scopes_of_its_kinds_and_changes_and_undoing_it_those_of_the_way_back() -> None:
    made = plan.Item("actions", "Partner MFA", CREATE, (), None, {"name": "Partner MFA"})
    changed = plan.Item("clients", "Shop", UPDATE, (), {"name": "Shop"}, {"name": "Shop"})
    assert scopes.of_plan([made, changed]) == ("read:actions", "create:actions", "read:clients", "update:clients")
    assert scopes.of_plan([made], back=True) == ("read:actions", "delete:actions")


def test_the_parts_of_an_object_need_their_scopes_where_it_has_them_or_they_change() -> None:
    plain, full = {"name": "acme"}, {"name": "acme", "connections": [{"name": "shop"}], "clients": []}
    made = plan.Item("organizations", "acme", CREATE, (), None, plain)
    assert not [s for s in scopes.of_plan([made]) if s.startswith("create:organization_")]
    made = plan.Item("organizations", "acme", CREATE, (), None, full)
    assert [s for s in scopes.of_plan([made]) if ":organization_" in s and not s.startswith("read:")] == [
        "create:organization_connections"
    ]
    changed = plan.Item("organizations", "acme", UPDATE, (), plain, full)
    assert {"create:organization_connections", "delete:organization_connections"} <= {*scopes.of_plan([changed])}
    assert "delete:organization_connections" not in scopes.of_plan([made], back=True), "they go with the organization"


def test_references_name_kinds_of_the_table() -> None:
    for kind in kinds.KINDS.values():
        assert {name for reference in kind.references for name in reference.kinds} <= kinds.KINDS.keys()


def test_what_is_needed_to_read_a_kind_is_read_with_it() -> None:
    assert kinds.with_needed({"organizations"}) == ["resourceServers", "clients", "userAttributeProfiles",
        "connectionProfiles", "actions", "databases", "connections", "clientGrants", "organizations"]  # fmt: skip
