"""Deploy CLI projects as zip files: downloaded, and uploaded by people who may pack anything."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from deployments.kinds import KINDS
from deployments.project import Content, write
from portal.errors import Invalid

LARGEST_FILE_BYTES = 5_000_000
LARGEST_PROJECT_BYTES = 50_000_000
MOST_FILES = 20_000
_SYMBOLIC_LINK = 0o120000


def archive(content: Content) -> bytes:
    """The content as a zip file of a Deploy CLI project."""
    with tempfile.TemporaryDirectory() as name:
        paths = write(content, Path(name))
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as pack:
            for path in paths:
                pack.writestr(zipfile.ZipInfo(path), (Path(name) / path).read_bytes())
    return box.getvalue()


def unpack(data: bytes, folder: Path) -> Path:
    """Unpack an uploaded zip file; returns the project's root. Raises Invalid for what is no sound project."""
    try:
        pack = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        raise Invalid("This is not a zip file. Pack the folder that holds tenant.json and its neighbours.") from None
    entries = [entry for entry in pack.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_PROJECT_BYTES:
        raise Invalid(f"The project is too large: at most {MOST_FILES} files, {LARGEST_PROJECT_BYTES // 1_000_000} MB.")
    for entry in entries:
        _unpack_one(pack, entry, folder)
    return _root(folder)


def _unpack_one(pack: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise Invalid(f"The zip file holds a path that leads outside: {entry.filename}")
    if entry.file_size > LARGEST_FILE_BYTES:
        raise Invalid(f"{entry.filename} is larger than {LARGEST_FILE_BYTES // 1_000_000} MB.")
    link = (entry.external_attr >> 16) & 0o170000 == _SYMBOLIC_LINK
    if link or "__MACOSX" in path.parts:
        return
    target = folder.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pack.read(entry))


def _root(folder: Path) -> Path:
    """The folder itself, or the single folder within it: people zip both ways."""
    inner = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    known = {file.path.split("/")[0].split("{")[0] for kind in KINDS.values() for file in kind.files}
    if any(entry.name in known for entry in inner):
        return folder
    if len(inner) == 1 and inner[0].is_dir():
        return _root(inner[0])
    raise Invalid("No Deploy CLI project was found in the zip file: it holds none of tenant.json, clients, actions ...")
