"""The table of kinds is whole: every kind of the Deploy CLI is in it, with calls and scopes that exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from deployments import kinds, plan, scopes
from deployments.plan import CREATE, DELETE, UPDATE
from portal.scopes import FEATURES
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
        held = {scope for action in actions for scope in scopes.to_write(kind, action)} | set(kind.part_scopes)
        own = [(DELETE, f"DELETE {kind.api}/{{id}}")] if kind.deletable else []
        own += [(CREATE, f"POST {kind.api}"), (UPDATE, f"PATCH {kind.api}/{{id}}")] if kind.api else []
        for action, write in own if actions else []:
            assert takes(known, write) & set(scopes.to_write(kind, action)), f"{kind.type}: {write}"
        for write in kind.writes if actions else ():
            assert takes(known, write) & held, f"{kind.type}: {write}"


def takes(known: dict[tuple[str, str], set[str]], write: str) -> set[str]:
    """The scopes that Auth0 would take for a write of the table."""
    method, path = write.split(" ")
    pattern = re.sub(r"\{[^}]+\}|\*", "[^/]+", path)
    return set().union(*(found for (m, p), found in known.items() if m == method and re.fullmatch(pattern, p)))


def test_the_features_of_the_portal_name_the_scopes_of_all_kinds() -> None:
    assert set(FEATURES["snapshots.export"].improves) == scopes.reading()
    assert set(FEATURES["promotions.apply"].improves) == scopes.reading() | scopes.writing()


def test_a_plan_needs_the_scopes_of_its_kinds_and_changes_and_undoing_it_those_of_the_way_back() -> None:
    made = plan.Item("actions", "Partner MFA", CREATE, (), None, {"name": "Partner MFA"})
    changed = plan.Item("clients", "Shop", UPDATE, (), {"name": "Shop"}, {"name": "Shop"})
    assert scopes.of_plan([made, changed]) == ("read:actions", "create:actions", "read:clients", "update:clients")
    assert scopes.of_plan([made], back=True) == ("read:actions", "delete:actions")


def test_references_name_kinds_of_the_table() -> None:
    for kind in kinds.KINDS.values():
        assert {name for reference in kind.references for name in reference.kinds} <= kinds.KINDS.keys()


def test_what_is_needed_to_read_a_kind_is_read_with_it() -> None:
    assert kinds.with_needed({"organizations"}) == ["resourceServers", "clients", "userAttributeProfiles",
        "connectionProfiles", "actions", "databases", "connections", "clientGrants", "organizations"]  # fmt: skip
