"""What a promotion changes, field by field. Pure: no database, no network, no clock; preview and apply use one object.

    compare(source, target)  every difference, as items
    choose(items, picks)     the items that somebody picked, with what their objects shall be afterwards
    digest(items)            the hash by which an approved plan is frozen

Content is {kind: {name: object}} (see deployments.project). A kind missing on either side was not read: it is not
compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from deployments import bindings, fields, project
from deployments.kinds import KEYED, KINDS, SYSTEM_API, Kind, order

Content = dict[str, dict[str, Any]]
CREATE, UPDATE, DELETE = "create", "update", "delete"


@dataclass(frozen=True)
class Change:
    """One field. None is "not set". The value of a secret is never here: it is a placeholder or hidden."""

    path: str
    before: Any
    after: Any
    secret: bool = False

    @property
    def label(self) -> str:
        return fields.label(self.path)


@dataclass(frozen=True)
class Item:
    """One object that differs. `before` is the target's, `after` what it shall be; None means not there."""

    kind: str
    name: str
    action: str
    changes: tuple[Change, ...] = ()
    before: Any = None
    after: Any = None
    # Names of objects that it refers to: (kind, name), and those of them that the target lacks.
    needs: tuple[tuple[str, str], ...] = ()
    # Bindings of the target's own Actions, which stay unless `exact` is picked.
    own: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}|{self.name}"

    @property
    def label(self) -> str:
        return KINDS[self.kind].label


@dataclass(frozen=True)
class Pick:
    """What somebody chose of one item: fields that keep the target's value; bindings exactly as in the source."""

    key: str
    keep: frozenset[str] = field(default_factory=frozenset)
    exact: bool = False


def compare(source: Content, target: Content) -> list[Item]:
    """Every object that differs, in the order of applying; deletions last, and never picked by themselves."""
    items = [
        item
        for kind in KINDS.values()
        if kind.type in source and kind.type in target
        for item in _compare_kind(kind, source, target)
    ]
    return sorted(items, key=_place)


def not_compared(source: Content, target: Content) -> list[str]:
    """Kinds that only one side could be read for."""
    return [kind for kind in KINDS if (kind in source) != (kind in target)]


def choose(items: Iterable[Item], picks: Iterable[Pick]) -> list[Item]:
    """The picked items, each with its final `changes` and `after`. Raises KeyError for an item that is not there."""
    known = {item.key: item for item in items}
    chosen = [_settled(known[pick.key], pick) for pick in picks]
    return sorted((item for item in chosen if item.changes), key=_place)


def what_it_needs(items: Iterable[Item], picks: Iterable[str]) -> list[str]:
    """Keys of further items, to any depth: what the picked ones refer to and the target lacks, and the bindings without
    which a new Action would never run."""
    known = {item.key: item for item in items}
    picked, todo = set(picks), list(picks)
    added: list[str] = []
    while todo:
        item = known.get(todo.pop())
        for key in _needed_by(item, known) if item else ():
            if key not in picked:
                picked.add(key)
                added.append(key)
                todo.append(key)
    return added


def _needed_by(item: Item, known: dict[str, Item]) -> Iterator[str]:
    for kind, name in item.needs:
        yield from (key for key in _possible(kind, name, known) if known[key].action == CREATE)
    if item.kind == "actions" and item.action == CREATE:
        for other in known.values():
            if other.kind == "triggers" and ("actions", item.name) in other.needs:
                yield other.key


def unresolved(items: Iterable[Item], target: Content) -> list[tuple[Item, str, str]]:
    """(item, kind, name) of each reference that neither the target nor the plan itself can satisfy."""
    items = list(items)
    made = {(item.kind, item.name) for item in items if item.action == CREATE}
    gone = {(item.kind, item.name) for item in items if item.action == DELETE}
    result = []
    for item in items:
        for kinds, name in references(item.kind, item.after):
            there = any((k, name) in made or (_has(target, k, name) and (k, name) not in gone) for k in kinds)
            readable = any(k in target for k in kinds)
            if not there and readable:
                result.append((item, kinds[0], name))
    return result


def references(kind: str, thing: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """(possible kinds, name) of each object that this one names."""
    if thing is None:
        return
    for reference in KINDS[kind].references:
        for _, value in fields.find(thing, reference.at):
            name = project.name_of(KINDS[reference.kinds[0]], value) if isinstance(value, dict) else value
            if isinstance(name, str) and name and not fields.is_placeholder(name) and not _is_of_the_system(name):
                yield reference.kinds, name


def _is_of_the_system(name: str) -> bool:
    """An API that every tenant has, or a grant for one."""
    return bool(SYSTEM_API.match(name.rpartition(project.BETWEEN)[2]))


def secrets_needed(item: Item) -> list[str]:
    """Paths of secrets that the target does not have yet: each needs a value before the item can be applied."""
    if item.after is None:
        return []
    paths = [
        path
        for path, value in fields.leaves(item.after)
        if fields.is_placeholder(value) and is_secret_path(item.kind, path) and not _own_secret(item, path)
    ]
    if item.kind in ("actions", "actionModules"):
        had = {entry.get("name") for entry in (item.before or {}).get("secrets") or []}
        paths += [
            f"secrets/{fields.step(e['name'])}" for e in item.after.get("secrets") or [] if e.get("name") not in had
        ]
    return paths


def is_secret_path(kind: str, path: str) -> bool:
    return KINDS[kind].holds_secrets or fields.any_matches(KINDS[kind].secrets, path)


def applied(target: Content, items: Iterable[Item]) -> Content:
    """The target's content after these items: what a reading must show once they are applied."""
    result = {kind: dict(things) for kind, things in target.items()}
    for item in items:
        things = result.setdefault(item.kind, {})
        if item.after is None:
            things.pop(item.name, None)
        else:
            things[item.name] = item.after
    return result


def digest(items: Iterable[Item]) -> str:
    """SHA-256 over the canonical text of the items: the same for the same plan, whatever the order of keys."""
    return hashlib.sha256(fields.canonical([as_data(item) for item in items]).encode()).hexdigest()


def as_data(item: Item) -> dict[str, Any]:
    """The item as JSON data; `from_data` reads it back."""
    data = asdict(item)
    return data | {
        "changes": [asdict(change) for change in item.changes],
        "needs": [list(need) for need in item.needs],
        "own": list(item.own),
    }


def from_data(data: dict[str, Any]) -> Item:
    return Item(
        **{
            **data,
            "changes": tuple(Change(**change) for change in data["changes"]),
            "needs": tuple((kind, name) for kind, name in data["needs"]),
            "own": tuple(data["own"]),
        }
    )


def _place(item: Item) -> tuple[bool, int, str]:
    """Deletions come last, and backwards: what refers goes before what it refers to."""
    deletes = item.action == DELETE
    return deletes, -order(item.kind) if deletes else order(item.kind), item.name.lower()


def _compare_kind(kind: Kind, source: Content, target: Content) -> Iterator[Item]:
    ours, theirs = source[kind.type], target[kind.type]
    for name, after in ours.items():
        item = _compared(kind, name, theirs.get(name), after)
        # Bindings that only the target has are a difference too, though it is undone only on request.
        if item.changes or item.own:
            yield replace(item, needs=_lacking(kind.type, item.after, target))
    for name, before in theirs.items():
        if name not in ours and not fields.is_empty(before):
            yield Item(kind.type, name, DELETE, (Change("", before, None),), before, None)


def _compared(kind: Kind, name: str, before: Any, after: Any) -> Item:
    own: tuple[str, ...] = ()
    if kind.shape == KEYED:
        after, own = bindings.merged(before or [], after)
    if before is None:
        after = without_volatile(kind, after)
        return Item(kind.type, name, CREATE, (Change("", None, after),), None, after, own=own)
    changes = tuple(_changes(kind, before, after))
    return Item(kind.type, name, UPDATE, changes, before, _with(before, changes), own=own)


def _changes(kind: Kind, before: Any, after: Any) -> Iterator[Change]:
    for path, old, new in fields.diff(before, after, ordered=kind.ordered, skip=kind.volatile):
        if fields.is_placeholder(old) and new is None:
            continue  # only the target has this secret: it keeps it
        secret = any(fields.is_placeholder(value) for value in (old, new)) or fields.any_matches(kind.secrets, path)
        yield Change(path, old, new, secret)


def _settled(item: Item, pick: Pick) -> Item:
    if item.action != UPDATE:
        return _exact(item) if pick.exact else item
    if pick.exact:
        item = _exact(item)
    changes = tuple(change for change in item.changes if change.path not in pick.keep)
    return replace(item, changes=changes, after=_with(item.before, changes))


def _exact(item: Item) -> Item:
    """Bindings become exactly the source's: the target's own are unbound."""
    if not item.own:
        return item
    after = [binding for binding in item.after if binding.get("action_name") not in item.own]
    return replace(item, changes=(Change("", item.before, after),), after=after, own=())


def _with(before: Any, changes: Iterable[Change]) -> Any:
    after = before
    for change in changes:
        after = fields.put(after, change.path, change.after)
    return after


def without_volatile(kind: Kind, thing: Any) -> Any:
    for pattern in kind.volatile:
        for path, _ in list(fields.find(thing, pattern)):
            if path:
                thing = fields.put(thing, path, None)
    return thing


def _lacking(kind: str, thing: Any, target: Content) -> tuple[tuple[str, str], ...]:
    found = [
        (kinds[0], name) for kinds, name in references(kind, thing) if not any(_has(target, k, name) for k in kinds)
    ]
    return tuple(dict.fromkeys(found))


def _has(content: Content, kind: str, name: str) -> bool:
    return name in content.get(kind, {})


def _possible(kind: str, name: str, known: dict[str, Item]) -> list[str]:
    kinds = ("databases", "connections") if kind in ("databases", "connections") else (kind,)
    return [key for key in (f"{k}|{name}" for k in kinds) if key in known]


def _own_secret(item: Item, path: str) -> bool:
    return fields.is_placeholder(fields.get(item.before, path)) if item.before is not None else False
