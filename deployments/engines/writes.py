"""Which calls a plan may make: the list that the bridge holds every write of an import against."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from deployments import plan
from deployments.kinds import KINDS, LIST, Kind

Ids = dict[str, dict[str, str]]


def allowed(items: list[plan.Item], ids: Ids) -> list[dict[str, Any]]:
    """Rules {"method", "path" (regular expression below /api/v2), "kind", "names", "id", "then"} for the plan's items.

    `ids` is {kind: {name: id}} of the target. An update is allowed on its own id alone; a create only with its own name
    in the body, and what it creates becomes allowed (`then`) once its id is known.
    """
    rules: list[dict[str, Any]] = []
    for item in items:
        if item.action != plan.DELETE:
            rules += _rules(KINDS[item.kind], item, ids.get(item.kind, {}).get(item.name, ""))
    return rules


def _rules(kind: Kind, item: plan.Item, id_: str) -> list[dict[str, Any]]:
    rules = []
    own = [write for write in kind.all_writes if "{id}" in write]
    for write in kind.all_writes:
        method, _, path = write.partition(" ")
        if "{id}" in path:
            if id_:
                rules.append(_rule(kind, method, path, id_=id_, name=item.name))
        elif not (kind.shape == LIST and kind.api) or item.action == plan.CREATE:
            rule = _rule(kind, method, path, name=item.name)
            if kind.shape == LIST and kind.api:
                rule |= {"names": [_key_values(kind, item)], "id": kind.id, "then": _after_create(kind, own)}
            rules.append(rule)
    return rules


def _after_create(kind: Kind, own: list[str]) -> list[dict[str, Any]]:
    return [_rule(kind, *write.split(" ", 1), id_="{id}") for write in own]


def _rule(kind: Kind, method: str, path: str, *, id_: str = "", name: str = "") -> dict[str, Any]:
    return {"method": method, "path": _expression(path, id_, name), "kind": kind.type}


def _expression(path: str, id_: str, name: str) -> str:
    def part(segment: str) -> str:
        if segment == "*":
            return "[^/]+"
        if segment == "{id}":
            return id_ if id_ == "{id}" else re.escape(quote(id_, safe=""))
        if segment == "{name}":
            return re.escape(quote(name, safe=""))
        return re.escape(segment)

    return "^" + "/".join(part(segment) for segment in path.split("/")) + "$"


def _key_values(kind: Kind, item: plan.Item) -> dict[str, Any]:
    """What the body of a create must hold. Fields that name other objects are ids on the wire, so they are left out."""
    referring = {reference.at for reference in kind.references}
    return {key: None if key in referring and key != "audience" else item.after.get(key) for key in kind.key}
