"""From a bare machine to packages that run: bootstrap.py, the locks, and what is said about them."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).resolve().parent.parent.parent
NOWHERE = "http://127.0.0.1:9/"


def test_a_second_setup_has_nothing_to_do_and_needs_no_network():
    subprocess.run([sys.executable, "bootstrap.py", "demo"], cwd=ROOT, check=True)
    unreachable = {name: NOWHERE for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry")}
    done = subprocess.run(
        [sys.executable, "bootstrap.py", "demo"],
        cwd=ROOT,
        env={**os.environ, **unreachable},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_old_python_can_read_as_far_as_the_sentence_that_sends_it_away(monkeypatch):
    source = (ROOT / "bootstrap.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "bootstrap.py"))
    assert str(end.value).startswith("Castellan needs Python 3.11 or newer, and this is 3.9.")
    assert "\n" not in str(end.value)


@pytest.mark.skipif(not shutil.which("python3.12") and not shutil.which("python3.13"), reason="no newer Python here")
def test_an_old_python_hands_over_to_a_newer_one_where_there_is_one(monkeypatch, capfd):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(sys, "argv", [str(ROOT / "bootstrap.py"), "nonsense"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "bootstrap.py"))
    assert end.value.code == 1
    assert "say `sandbox`, `demo` or `test`, not `nonsense`" in capfd.readouterr().err


@pytest.mark.parametrize(
    "said",
    [
        "error: Failed to fetch: `https://index/simple/uv/`\n  Caused by: dns error",
        "npm error code ENOTFOUND\nnpm error network request failed",
        "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno 111]",
    ],
)
def test_without_a_network_setup_says_so_in_one_line(said, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    with pytest.raises(bootstrap.SetupError, match="no connection to the package index") as error:
        bootstrap._run([sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"])
    assert "\n" not in str(error.value)
    assert said in (tmp_path / "var" / "log" / "setup.log").read_text()


def test_another_failure_is_told_by_its_last_line(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    with pytest.raises(bootstrap.SetupError, match="failed: THESE PACKAGES DO NOT MATCH THE HASHES"):
        bootstrap._run([sys.executable, "-c", "raise SystemExit('one\\nTHESE PACKAGES DO NOT MATCH THE HASHES\\n')"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_told_in_one_line(tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    assert "run it as the person who owns this folder" in str(bootstrap.main(["demo"]))


def test_a_missing_or_changed_node_package_is_installed_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    ran = tmp_path / "ran"
    for name, script in [("node", "echo v24.0.0"), ("npm", f'echo "$@" > {ran}')]:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    locked = {
        "": {"name": "castellan"},
        "node_modules/pg": {"integrity": "sha512-new"},
        "node_modules/axe-core": {"integrity": "sha512-axe", "dev": True},
        "node_modules/fsevents": {"integrity": "sha512-mac", "optional": True},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": locked}))
    written = tmp_path / "node_modules" / ".package-lock.json"
    written.parent.mkdir()
    for installed, purpose, expected in [
        (None, "demo", True),
        ({"node_modules/pg": {"integrity": "sha512-old"}}, "demo", True),
        ({"node_modules/pg": {"integrity": "sha512-new"}}, "demo", False),
        ({"node_modules/pg": {"integrity": "sha512-new"}}, "test", True),
    ]:
        written.unlink(missing_ok=True)
        if installed is not None:
            written.write_text(json.dumps({"packages": installed}))
        ran.unlink(missing_ok=True)
        bootstrap.install_node_packages(purpose)
        assert ran.exists() is expected, (installed, purpose)
        if expected:
            words = ran.read_text().split()
            assert words[0] == "ci" and ("--omit=dev" in words) is (purpose == "demo")


def test_the_locks_name_hashes_and_no_address():
    for name in bootstrap.LOCKS.values():
        text = (ROOT / name).read_text()
        assert "://" not in text
        entries = re.split(r"\n(?=\S)", text.strip())
        assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package and "resolved" not in package for path, package in packages.items() if path)


def test_each_lock_holds_the_smaller_one():
    def pins(name: str) -> set[str]:
        return {line.split(" ")[0] for line in (ROOT / name).read_text().splitlines() if line[:1] not in (" ", "#")}

    smaller, *others = (pins(lock) for lock in bootstrap.LOCKS.values())
    for larger in others:
        assert smaller
        assert smaller <= larger
        smaller = larger


def test_the_sandbox_alone_has_every_package_that_its_code_imports():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["sandbox"]
    wanted = {re.split(r"[\[<>=; ]", requirement)[0].lower() for requirement in named}
    owners = packages_distributions()
    imported = {
        module.split(".")[0]
        for folder in ("sandbox", "runtime")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for module in _modules(node)
    }
    used = {owners[module][0].lower() for module in imported if module in owners and not (ROOT / module).exists()}
    assert len(used) > 12
    assert used <= wanted


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_each_direct_dependency_has_its_reason_in_the_docs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    python = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    node = json.loads((ROOT / "package.json").read_text())
    wanted = [re.split(r"[\[<>=; ]", requirement)[0] for requirement in python]
    wanted += [*node["dependencies"], *node["devDependencies"]]
    told = re.findall(r"^\| (\S+) \| .+ \|$", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    assert sorted(wanted) == sorted(name for name in told if name != "package")


def test_make_lists_its_targets_and_each_of_the_promised_ones_is_there():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "demo", "demo-reset", "sandbox", "test", "lint", "bench", "check"):
        assert re.search(rf"^  make {target} +\S", listed, re.MULTILINE), target
