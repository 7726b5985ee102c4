"""What docs/sandbox.md shows can be copied and runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from runtime.node import node_binary
from tests.environment import free_ports

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sandbox.md").read_text()
AROUND = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_", "DJANGO"))}


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def indented(first_words: str) -> str:
    """The indented block after the line that begins with these words."""
    after = PAGE[PAGE.index(f"\n{first_words}") + 1 :].split("\n\n", 1)[1]
    return textwrap.dedent(re.match(r"(?: {4}.*\n|\n)+", after)[0])  # type: ignore[index]


def ran(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**AROUND, **environment}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_pytest_example_passes(tmp_path: Path) -> None:
    conftest, tests = fenced("python")
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_shop.py").write_text(tests)
    said = ran([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path, CASTELLAN=str(ROOT))
    assert f"{tests.count('def test_')} passed" in said


def test_the_node_example_passes(tmp_path: Path) -> None:
    (example,) = fenced("js")
    port = free_ports(2)
    file = tmp_path / "shop.test.mjs"
    file.write_text(example.replace("[19443, 19483]", f"[{port}, {port + 1}]"))
    assert "pass 1" in ran([node_binary(), "--test", str(file)], tmp_path, CASTELLAN=str(ROOT))


def adapted(example: str, sandbox: Any) -> str:
    """For the tenant that is running, where the page has one of its own."""
    dev = sandbox.tenant("dev")
    places = {"localhost:9443": dev.domain}
    places |= {'"machine"': f'"{dev.client_id}"', '"secret"': f'"{dev.client_secret}"'}
    places |= {"client_id=machine": f"client_id={dev.client_id}", "secret=secret": f"secret={dev.client_secret}"}
    for old, new in places.items():
        example = example.replace(old, new)
    return example


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_the_shell_example_lists_the_connections(sandbox: Any, tmp_path: Path) -> None:
    script = adapted(indented("From a shell:"), sandbox)
    authority = tmp_path / "var" / "ca" / "ca.pem"
    authority.parent.mkdir(parents=True)
    authority.write_bytes(sandbox.authority.read_bytes())
    assert "larkspur-customers" in ran(["sh", "-ec", script], tmp_path)


def test_the_python_example_makes_a_user(sandbox: Any, tmp_path: Path) -> None:
    script = adapted(indented("From Python, with"), sandbox)
    ran([sys.executable, "-c", script], tmp_path, SSL_CERT_FILE=str(sandbox.authority))
    assert sandbox.tenant("dev").user("ada@shop.example")


def test_the_node_sdk_example_lists_the_connections(sandbox: Any) -> None:
    script = adapted(indented("From Node, with"), sandbox)
    command = [node_binary(), "--input-type=module", "-e", script]
    assert "larkspur-customers" in ran(command, ROOT, NODE_EXTRA_CA_CERTS=str(sandbox.authority))
