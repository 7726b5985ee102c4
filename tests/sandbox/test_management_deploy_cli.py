"""The official Deploy CLI exports a local tenant, imports it again, and finds it unchanged."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runtime.node import node_binary
from tests.local_tenants import LocalTenant

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


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    return first, second


def test_an_export_imported_into_an_empty_tenant_exports_the_same(sandbox: Any, folders: tuple[Path, Path]) -> None:
    tenant, (first, second) = sandbox.tenant("dev"), folders
    run(tenant, sandbox.authority, "export", first)
    assert len(files(first)) > 60
    tenant.reset("factory")
    run(tenant, sandbox.authority, "import", first)
    run(tenant, sandbox.authority, "export", second)
    assert files(second) == files(first)
