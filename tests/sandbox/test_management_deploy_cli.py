"""The official Deploy CLI exports a local tenant, imports it again, and finds it unchanged."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from runtime.node import node_binary
from tests.local_tenants import LocalTenant, LocalTenants

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/sandbox/deploy_cli.cjs"


def run(tenant: LocalTenant, authority: Path, action: str, folder: Path) -> str:
    config = {
        "AUTH0_DOMAIN": tenant.domain,
        "AUTH0_CLIENT_ID": tenant.client_id,
        "AUTH0_CLIENT_SECRET": tenant.client_secret,
        "AUTH0_ALLOW_DELETE": False,
        "AUTH0_EXCLUDED": ["prompts"],
    }
    environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(authority), "HOME": str(folder)}
    done = subprocess.run(
        [node_binary(), str(SCRIPT), action, str(folder)],
        input=json.dumps(config),
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def exported(running_sandbox: LocalTenants, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo tenant's project."""
    folder = tmp_path_factory.mktemp("exported")
    run(running_sandbox.tenant("dev"), running_sandbox.authority, "export", folder)
    assert len(files(folder)) > 60
    return folder


def test_an_export_imported_into_the_emptied_tenant_exports_the_same(
    sandbox: LocalTenants, exported: Path, tmp_path: Path
) -> None:
    tenant = sandbox.tenant("dev")
    tenant.reset("factory")
    run(tenant, sandbox.authority, "import", exported)
    run(tenant, sandbox.authority, "export", tmp_path)
    assert files(tmp_path) == files(exported)


NAMED = ("clients", "connections", "roles", "organizations", "resource-servers", "actions/actions", "log-streams")


def test_an_export_of_one_tenant_makes_another_like_it(sandbox: LocalTenants, exported: Path, tmp_path: Path) -> None:
    """Its own address is the one thing that the project has to name anew."""
    dev, prod = sandbox.tenant("dev"), sandbox.tenant("prod")
    prod.reset("factory")
    for path, text in files(exported).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(dev.domain, prod.domain))
    run(prod, sandbox.authority, "import", tmp_path)
    for kind in NAMED:
        assert names(prod, kind) == names(dev, kind), kind
    assert bound(prod) == bound(dev)
    assert prod.api("GET", "/guardian/policies") == dev.api("GET", "/guardian/policies")


def names(tenant: LocalTenant, kind: str) -> list[str]:
    found = tenant.api("GET", f"/{kind}", per_page=100) if kind != "log-streams" else tenant.api("GET", f"/{kind}")
    return sorted(item["name"] for item in (found["actions"] if kind == "actions/actions" else found))


def bound(tenant: LocalTenant) -> list[str]:
    bindings = tenant.api("GET", "/actions/triggers/post-login/bindings")["bindings"]
    return [binding["action"]["name"] for binding in bindings]
