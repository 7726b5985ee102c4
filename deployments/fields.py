"""Paths into JSON documents, and what differs between two of them. Pure.

A path is text with slashes (`options/client_secret`); a slash or tilde within a key is written `~1` or `~0`, as in a
JSON Pointer. The empty path is the document itself.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

PLACEHOLDER = re.compile(r"(##|@@)[A-Za-z0-9_.-]+\1")


def canonical(value: Any) -> str:
    """One text for equal JSON values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_empty(value: Any) -> bool:
    """The API leaves out, or gives as null or empty, what is not set: these are one and the same."""
    return value is None or value == "" or value == [] or value == {}


def is_placeholder(value: Any) -> bool:
    """A whole value that stands for a secret, such as ##CONNECTIONS_OIDC_SECRET##."""
    return isinstance(value, str) and PLACEHOLDER.fullmatch(value) is not None


def step(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def steps(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")] if path else []


def label(path: str) -> str:
    """The path as a person reads it: options.client_secret."""
    return ".".join(steps(path)) or "(all)"


def matches(pattern: str, path: str) -> bool:
    """Whether the path, or one that it lies under, is what the pattern means. A lone `*` means every path."""
    if pattern == "*" or pattern == path:
        return True
    wanted, given = pattern.split("/") if pattern else [], path.split("/") if path else []
    return len(wanted) <= len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=False))


def any_matches(patterns: tuple[str, ...], path: str) -> bool:
    return any(matches(pattern, path) for pattern in patterns)


def get(document: Any, path: str) -> Any:
    """The value at the path, or None."""
    for key in steps(path):
        if isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document.get(key)
        else:
            return None
    return document


def put(document: Any, path: str, value: Any, *, erase: bool = True) -> Any:
    """A copy with the value at the path; objects on the way are made. None takes the key away, where `erase` is on."""
    if not path:
        return copy.deepcopy(value)
    result = copy.deepcopy(document) if document is not None else {}
    *way, last = steps(path)
    place = result
    for key in way:
        following = place[int(key)] if isinstance(place, list) else place.get(key)
        if not isinstance(following, (dict, list)):
            following = {}
            place[key] = following
        place = following
    if isinstance(place, list):
        place[int(last)] = value
    elif value is None and erase:
        place.pop(last, None)
    else:
        place[last] = copy.deepcopy(value)
    return result


def find(document: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    """Every (path, value) that the pattern means in this document."""
    found = [("", document)]
    for part in pattern.split("/") if pattern else []:
        found = [pair for path, value in found for pair in _into(path, value, part)]
    yield from found


def _into(path: str, value: Any, part: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        entries = [(k, v) for k, v in value.items() if part == "*" or part == step(k)]
    elif isinstance(value, list):
        entries = [(i, v) for i, v in enumerate(value) if part in ("*", str(i))]
    else:
        return
    for key, inner in entries:
        yield (f"{path}/{step(key)}" if path else step(key)), inner


def leaves(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of the document with its path."""
    if isinstance(document, (dict, list)) and document:
        for inner_path, inner in _into(path, document, "*"):
            yield from leaves(inner, inner_path)
    else:
        yield path, document


def mapped(document: Any, change: Callable[[str], str]) -> Any:
    """The document with every text value run through `change`; keys are left alone."""
    if isinstance(document, dict):
        return {key: mapped(value, change) for key, value in document.items()}
    if isinstance(document, list):
        return [mapped(value, change) for value in document]
    return change(document) if isinstance(document, str) else document


def same(before: Any, after: Any, *, ordered: bool = False) -> bool:
    """Equal as configuration: unset and empty are one; lists are sets unless their order matters."""
    if is_empty(before) and is_empty(after):
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return all(same(before.get(key), after.get(key), ordered=ordered) for key in {*before, *after})
    if isinstance(before, list) and isinstance(after, list):
        return _same_lists(before, after, ordered)
    if is_placeholder(before) and is_placeholder(after):
        return True
    return before == after and (type(before) is type(after) or (_number(before) and _number(after)))


def diff(
    before: Any, after: Any, *, path: str = "", ordered: tuple[str, ...] = (), skip: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of each field that differs. Objects are walked; a list is one field. None means not set."""
    if skip and any_matches(skip, path):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}/{step(key)}" if path else step(key)
            yield from diff(before.get(key), after.get(key), path=inner, ordered=ordered, skip=skip)
    elif not same(before, after, ordered=any_matches(ordered, path)):
        yield path, before, after


def _same_lists(before: list[Any], after: list[Any], ordered: bool) -> bool:
    if len(before) != len(after):
        return False
    if not ordered:
        before, after = sorted(before, key=_sort_key), sorted(after, key=_sort_key)
    return all(same(b, a, ordered=ordered) for b, a in zip(before, after, strict=True))


def _sort_key(value: Any) -> str:
    return canonical(_without_empty(value))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_empty(v) for k, v in value.items() if not is_empty(v)}
    if isinstance(value, list):
        return sorted((_without_empty(v) for v in value), key=canonical)
    return value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
