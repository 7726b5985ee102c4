"""Third-party browser files: copied from node_modules to static/vendor/ by `python -m portal.vendor`.

Pages load nothing from other machines, so every file a browser needs is named here. Icons are cut from the Tabler
set into one sprite that holds only those in ICONS.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
NODE_MODULES = BASE_DIR / "node_modules"
TARGET = BASE_DIR / "static" / "vendor"

# What (a glob below node_modules) goes to which folder of static/vendor.
FILES: list[tuple[str, str]] = [
    ("@tabler/core/dist/css/tabler.min.css", "tabler"),
    ("@tabler/core/dist/js/tabler.min.js", "tabler"),
    ("ace-builds/src-min-noconflict/ace.js", "ace"),
    ("ace-builds/src-min-noconflict/ext-searchbox.js", "ace"),
    ("ace-builds/src-min-noconflict/mode-javascript.js", "ace"),
    ("ace-builds/src-min-noconflict/mode-json.js", "ace"),
    ("ace-builds/src-min-noconflict/mode-sql.js", "ace"),
    ("ace-builds/src-min-noconflict/worker-javascript.js", "ace"),
    ("ace-builds/src-min-noconflict/worker-json.js", "ace"),
    ("ace-builds/src-min-noconflict/theme-github_dark.js", "ace"),
    ("ace-builds/src-min-noconflict/theme-github_light_default.js", "ace"),
    ("ace-builds/css/ace.css", "ace/css"),
    ("ace-builds/css/main-*", "ace/css"),
    ("ace-builds/css/github_dark-*", "ace/css"),
    ("ace-builds/css/github_light_default-*", "ace/css"),
    ("ace-builds/css/theme/github_dark.css", "ace/css/theme"),
    ("ace-builds/css/theme/github_light_default.css", "ace/css/theme"),
    ("diff2html/bundles/css/diff2html.min.css", "diff2html"),
    ("diff2html/bundles/js/diff2html.min.js", "diff2html"),
]

# Names of https://tabler.io/icons (outline). A test compares this table with what the templates use.
ICON_NAMES = """
    activity adjustments alert-circle alert-octagon alert-triangle api api-app apps archive arrow-back-up arrow-down
    arrow-left arrow-narrow-right arrow-right arrow-up arrows-diff arrows-exchange arrows-left-right arrows-sort at
    ban bell binary-tree bolt book box braces brand-auth0 briefcase broadcast browser bucket bug building
    building-community calendar calendar-event camera certificate chart-bar chart-line chart-pie check checkbox
    checklist checks chevron-down chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-dot
    circle-minus circle-x clipboard clipboard-check clipboard-list clock clock-pause clock-play cloud cloud-lock
    cloud-off code code-dots columns command compass copy corner-down-left cpu database database-export
    database-import database-off device-desktop device-floppy device-laptop device-mobile devices dots dots-vertical
    download edit exclamation-circle exclamation-mark external-link eye eye-off file file-code file-description
    file-diff file-export file-import file-text filter filter-off fingerprint flag flask folder folders forms
    git-branch git-commit git-compare git-merge git-pull-request globe grid-dots hand-stop hash heartbeat help
    help-circle hierarchy history home hourglass id id-badge inbox info-circle json key keyboard language
    layers-subtract layout-dashboard layout-sidebar license lifebuoy link list list-check list-details list-search
    loader loader-2 lock lock-access lock-open lock-password lock-question login logout mail mail-forward
    mail-opened map-pin menu-2 message message-circle minus mood-empty moon network note notes package password
    password-fingerprint password-mobile-phone password-user pencil phone photo pin player-pause player-play
    player-stop plug plug-connected plug-connected-x plus point power presentation progress progress-check qrcode
    question-mark receipt refresh refresh-alert refresh-dot repeat replace report-search restore robot rocket rotate
    rotate-clockwise route ruler-2 scale scan scan-eye script search section select send server server-2 server-cog
    server-off settings shield shield-bolt shield-check shield-exclamation shield-half shield-lock shield-off
    shield-question shield-x sitemap sort-ascending sort-descending sparkles square-check stack-2 stack-3 stairs
    star stethoscope sun sun-moon switch-horizontal table table-export tag tags target template terminal terminal-2
    test-pipe ticket timeline tool tools transform trash trash-x tree trending-up unlink upload user user-bolt
    user-cancel user-check user-circle user-cog user-edit user-exclamation user-minus user-off user-pin user-plus
    user-question user-scan user-search user-shield user-star user-x users users-group users-minus users-plus
    variable versions wand webhook wifi-off world world-www writing x zoom-check zoom-code zoom-question
"""
ICONS = tuple(ICON_NAMES.split())

SOURCE_MAP = re.compile(rb"(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)")
SHAPES = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)
FRAME = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" />')


def copy(target: Path = TARGET, node_modules: Path = NODE_MODULES) -> list[Path]:
    """Write the browser files to `target` and answer their paths.

    Raises FileNotFoundError naming the missing package file: then `npm ci` has not been run.
    """
    written = [_copy_file(source, target / folder) for source, folder in _sources(node_modules)]
    return [*written, _write_sprite(target / "icons.svg", node_modules / "@tabler/icons/icons/outline")]


def _sources(node_modules: Path) -> list[tuple[Path, str]]:
    pairs = []
    for pattern, folder in FILES:
        found = sorted(node_modules.glob(pattern))
        if not found:
            raise FileNotFoundError(f"{node_modules / pattern} is missing. Run `npm ci` first.")
        pairs += [(path, folder) for path in found]
    return pairs


def _copy_file(source: Path, folder: Path) -> Path:
    content = source.read_bytes()
    if source.suffix in {".css", ".js"}:
        # The maps are not shipped, and the hashed static storage refuses a reference to a missing file.
        content = SOURCE_MAP.sub(b"", content)
    return _write(folder / source.name, content)


def _write_sprite(path: Path, icons: Path) -> Path:
    symbols = [_symbol(name, icons) for name in ICONS]
    return _write(path, f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'.encode())


def _symbol(name: str, icons: Path) -> str:
    shapes = SHAPES.search((icons / f"{name}.svg").read_text())
    if shapes is None:
        raise ValueError(f"The Tabler icon {name} is not an SVG drawing.")
    drawing = " ".join(FRAME.sub("", shapes.group(1)).split())
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
    )


def _write(path: Path, content: bytes) -> Path:
    """Leave an unchanged file alone, so that a server that watches the folder does not start again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    return path


if __name__ == "__main__":
    files = copy()
    sys.stdout.write(f"{len(files)} browser files in {TARGET}\n")
