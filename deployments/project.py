"""The Deploy CLI's directory format, read and written through the table of kinds.

Content is the canonical form: {kind: {name: object}}. A settings document is the one object named "settings"; bindings
are one list per trigger. A kind that is not there was not read: it is never the same as an empty one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from deployments import fields
from deployments.kinds import KEYED, KINDS, SETTINGS, SINGLE, File, Kind, Text
from portal.errors import Invalid

Content = dict[str, dict[str, Any]]

# Between the parts of a name that has several.
BETWEEN = " · "
_LITERAL = {file.path for kind in KINDS.values() for file in kind.files if not file.many}


def name_of(kind: Kind, thing: Any) -> str:
    """What identifies an object among its kind, in every tenant: its name, its audience, or several joined."""
    parts = [str(thing.get(key) or "") for key in kind.key] if isinstance(thing, dict) else []
    return BETWEEN.join(part for part in parts if part) or "(unnamed)"


def file_name(text: str) -> str:
    """A safe name for a file, as the Deploy CLI makes it: what a file system refuses becomes a hyphen."""
    safe = re.sub(r'[/?<>\\:*|"\x00-\x1f\x80-\x9f]', "-", text).rstrip(". ")
    return safe if safe.strip(".") else "-"


def by_name(kind: Kind, things: list[Any]) -> tuple[dict[str, Any], list[str]]:
    """Objects by name, and the names that several share: such objects can't be told apart between tenants."""
    named: dict[str, Any] = {}
    doubled: list[str] = []
    for thing in things:
        name = name_of(kind, thing)
        if name in named:
            doubled.append(name)
            name = f"{name} ({sum(1 for known in named if known.startswith(name)) + 1})"
        named[name] = thing
    return named, doubled


# Reading


def read(folder: Path, *, kinds: list[str] | None = None) -> tuple[Content, dict[str, list[str]]]:
    """A project's content, and {kind: names that several objects share}. Raises Invalid, naming the wrong file."""
    content: Content = {}
    doubled: dict[str, list[str]] = {}
    for kind in KINDS.values():
        if kinds is not None and kind.type not in kinds:
            continue
        found = _read_kind(folder, kind)
        if found is None:
            continue
        content[kind.type], twice = found
        if twice:
            doubled[kind.type] = twice
    return content, doubled


def _read_kind(folder: Path, kind: Kind) -> tuple[dict[str, Any], list[str]] | None:
    if kind.shape == KEYED:
        bindings = _load(folder, folder / kind.files[0].path) if (folder / kind.files[0].path).is_file() else None
        return None if bindings is None else (bindings, [])
    if kind.shape == SINGLE:
        document = _read_single(folder, kind)
        return None if document is None else ({SETTINGS: document}, [])
    things: list[Any] = []
    present = False
    for file in kind.files:
        found = paths(folder, file)
        present = present or bool(found) or _is_empty_folder(folder / PurePosixPath(file.path).parts[0])
        for path in found:
            loaded = _with_texts(folder, path, _load(folder, path), file.texts)
            things += loaded if isinstance(loaded, list) else [loaded]
    return by_name(kind, [thing for thing in things if thing]) if present else None


def _is_empty_folder(folder: Path) -> bool:
    """As the Deploy CLI sees it: a folder that is there and holds nothing means "there are none"."""
    return folder.is_dir() and not any(path.is_file() for path in folder.rglob("*"))


def _read_single(folder: Path, kind: Kind) -> dict[str, Any] | None:
    document: dict[str, Any] | None = None
    for file in kind.files:
        loaded = [_with_texts(folder, p, _load(folder, p), file.texts) for p in paths(folder, file)]
        if not loaded:
            continue
        document = document or {}
        if file.into:
            document[file.into] = loaded if file.many else loaded[0]
        else:
            document |= loaded[0]
    if document and kind.type == "prompts" and "partials" in document:
        document["partials"] = _partials_from_files(folder, document["partials"])
    return document


def paths(folder: Path, file: File) -> list[Path]:
    if not file.many:
        return [folder / file.path] if (folder / file.path).is_file() else []
    found = sorted(folder.glob(file.glob))
    return [path for path in found if path.relative_to(folder).as_posix() not in _LITERAL]


def _load(folder: Path, path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.relative_to(folder)} is not JSON: {error}. Mend the file and upload again.") from None


def _with_texts(folder: Path, path: Path, thing: Any, texts: tuple[Text, ...]) -> Any:
    for text in texts:
        for at, value in list(fields.find(thing, text.at)):
            if isinstance(value, str) and (body := _text(folder, path, value, text)) is not None:
                thing = fields.put(thing, at, body)
    return thing


def _text(folder: Path, path: Path, value: str, text: Text) -> str | None:
    """The text that a stored relative path means, or None where the value is the text itself."""
    base = folder if text.base == "root" else path.parent
    if "\n" in value or len(value) > 400:
        return None
    target = (base / value.replace("\\", "/")).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise Invalid(f"{path.relative_to(folder)} points outside the project: {value}")
    return target.read_text(encoding="utf-8") if target.is_file() else None


def _partials_from_files(folder: Path, stored: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for prompt, screens in stored.items():
        for screen, points in (screens[0] if isinstance(screens, list) else screens).items():
            for point in points:
                at, where = folder / "prompts" / "prompts.json", Text("", "")
                body = (_text(folder, at, point["template"], where) or "").strip()
                result.setdefault(prompt, {}).setdefault(screen, {})[point["name"]] = body
    return result


# Writing


def write(content: Content, folder: Path) -> list[str]:
    """Write the content as a Deploy CLI project. Returns relative paths. A kind without objects leaves no folder."""
    written = dict(pair for type_, things in content.items() for pair in _files(KINDS[type_], things))
    for path, body in written.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body, encoding="utf-8")
    return sorted(written)


def _files(kind: Kind, things: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if kind.shape == KEYED:
        if things:
            yield kind.files[0].path, _json(things)
        return
    if kind.shape == SINGLE:
        yield from (pair for thing in things.values() for pair in _single_files(kind, thing))
        return
    file = kind.files[0]
    if not file.many:
        if things:
            yield file.path, _json(list(things.values()))
        return
    yield from _many(file, list(things.values()))


def _many(file: File, things: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """One file per object. Two names that make one file name get different ones: nothing overwrites anything."""
    taken: set[str] = set()
    words = re.findall(r"\{(\w+)\}", file.path)
    for index, thing in enumerate(things):
        naming = {word: thing.get(word) for word in words} | {"index": index or ""}
        number = 2
        while _filled(file.path, naming).lower() in taken:
            naming[words[0]] = f"{thing.get(words[0])}-{number}"
            number += 1
        taken.add(_filled(file.path, naming).lower())
        yield from _object_files(file, thing, naming)


def _single_files(kind: Kind, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    inner = {file.into for file in kind.files if file.into}
    for file in kind.files:
        if not file.into:
            yield file.path, _json({key: value for key, value in document.items() if key not in inner})
        elif kind.type == "prompts" and file.into == "partials":
            yield from _partials_files(file, document.get("partials") or {})
        elif file.many:
            yield from _many(file, document.get(file.into) or [])
        elif file.into in document:
            yield file.path, _json(document[file.into])


def _object_files(file: File, thing: dict[str, Any], naming: dict[str, Any]) -> Iterator[tuple[str, str]]:
    path = _filled(file.path, naming)
    for text in file.texts:
        for at, value in list(fields.find(thing, text.at)):
            if not isinstance(value, str) or not value:
                continue
            relative = _filled(text.path, naming | {"key": fields.steps(at)[-1]}).removeprefix("./")
            thing = fields.put(thing, at, f"./{relative}")
            yield (relative if text.base == "root" else str(PurePosixPath(path).parent / relative)), value
    yield path, _json(thing)


def _partials_files(file: File, partials: dict[str, Any]) -> Iterator[tuple[str, str]]:
    stored: dict[str, Any] = {}
    for prompt, screens in partials.items():
        entries: dict[str, Any] = {}
        for screen, points in screens.items():
            for point, template in points.items():
                path = f"partials/{file_name(prompt)}/{file_name(screen)}/{file_name(point)}.liquid"
                entries.setdefault(screen, []).append({"name": point, "template": path})
                yield f"prompts/{path}", template
        stored[prompt] = [entries]
    yield file.path, _json(stored)


def _filled(template: str, naming: dict[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        word = found.group(1)
        return str(naming["index"]) if word == "index" else file_name(str(naming.get(word) or "undefined"))

    return re.sub(r"\{(\w+)\}", value, template)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
