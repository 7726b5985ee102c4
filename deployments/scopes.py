"""Which scopes of the Management API reading and changing the kinds needs, worked out from the table of kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deployments.kinds import KINDS, SKIPPED_ALWAYS, Kind, with_needed
from deployments.plan import CREATE, DELETE, UPDATE, Item
from portal.scopes import Feature

_BACK = {CREATE: DELETE, DELETE: CREATE, UPDATE: UPDATE}
# scope to delete -> what that does, where it is worse than usual
_WORSE = {
    "delete:clients": "Breaks an application at once.",
    "delete:connections": "Deletes a connection with all its users; a database, never.",
}
_BY_METHOD = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def to_read(kind: Kind) -> tuple[str, ...]:
    """Without these the kind can't be read whole: its own, and those of the kinds that are read with it."""
    together = [KINDS[name] for name in with_needed({kind.type})]
    wanted = dict.fromkeys((*_own(kind), *(f"read:{one.scope}" for one in together)))
    optional = {scope for one in together for scope in one.part_scopes}
    return tuple(scope for scope in wanted if scope not in optional)


def to_write(kind: Kind, action: str) -> tuple[str, ...]:
    """What a create, update or delete needs. An object of a kind without POST is made by an update."""
    verb = (kind.creating or _making(kind)) if action == CREATE else action
    extra = () if action == DELETE else (scope for scope in kind.extra_scopes if not _reads(scope))
    return tuple(dict.fromkeys((f"{verb}:{kind.scope}", *extra)))


def of_plan(items: Iterable[Item], *, back: bool = False) -> tuple[str, ...]:
    """What applying these changes needs at the target; with `back`, what undoing them needs."""
    wanted: dict[str, None] = {}
    for item in items:
        kind, action = KINDS[item.kind], _BACK[item.action] if back else item.action
        wanted |= dict.fromkeys((*to_read(kind), *to_write(kind, action), *_to_write_parts(kind, item, action)))
    return tuple(wanted)


def of_call(kind: Kind, method: str) -> tuple[str, ...]:
    """What a call of the Deploy CLI counts for, by the kind that it was made for."""
    return _own(kind) if method == "GET" else (f"{_BY_METHOD[method]}:{kind.scope}",)


def endpoints() -> dict[str, tuple[str, ...]]:
    """The calls that promotions make besides the Deploy CLI, in the form of portal.auth0.endpoints."""
    apis = [kind for kind in KINDS.values() if kind.api]
    read = {f"GET {kind.api}/*": _own(kind) for kind in apis}
    return read | {f"DELETE {kind.api}/*": to_write(kind, DELETE) for kind in apis if kind.deletable}


def reading() -> set[str]:
    """For a snapshot of everything that is read."""
    return {scope for kind in _read() for scope in (*to_read(kind), *filter(_reads, kind.part_scopes))}


def writing() -> set[str]:
    """For every change that a promotion may hold."""
    found: set[str] = set()
    for kind in _read():
        if not kind.compare_only:
            actions = (CREATE, UPDATE, DELETE) if kind.deletable else (CREATE, UPDATE)
            found |= {scope for action in actions for scope in to_write(kind, action)}
            found |= {scope for scope in kind.part_scopes if not _reads(scope)}
    return found


def features() -> dict[str, Feature]:
    """In the form of portal.scopes. Nothing is needed always: it depends on the kinds of objects."""
    read = tuple(sorted(reading()))
    promotion = Feature((), (*read, *sorted(writing())), by_one=True)
    acts = ("request", "approve", "apply", "roll_back")
    return {"snapshots.export": Feature((), read)} | {f"promotions.{act}": promotion for act in acts}


def dangerous() -> dict[str, str]:
    """{scope: why} of what deletes, in the form of portal.scopes."""
    only = "The portal deletes only what an approved promotion names: grant it where promotions shall delete."
    deleting = sorted(scope for scope in writing() if scope.startswith("delete:"))
    return {scope: f"{_WORSE.get(scope, 'Deletes at once.')} {only}" for scope in deleting}


def _to_write_parts(kind: Kind, item: Item, action: str) -> Iterator[str]:
    """What the parts that an object has, or that change, need; a delete takes them along."""
    before, after = item.before or {}, item.after or {}
    changed = {name for field, name in kind.parts if (before.get(field) or None) != (after.get(field) or None)}
    for scope in kind.part_scopes if action != DELETE else ():
        verb, _, name = scope.partition(":")
        if name in changed and (action == UPDATE or verb == CREATE or f"{CREATE}:{name}" not in kind.part_scopes):
            yield scope


def _own(kind: Kind) -> tuple[str, ...]:
    return (f"read:{kind.scope}", *filter(_reads, kind.extra_scopes))


def _read() -> Iterable[Kind]:
    return (kind for kind in KINDS.values() if kind.type not in SKIPPED_ALWAYS)


def _reads(scope: str) -> bool:
    return scope.startswith("read:")


def _making(kind: Kind) -> str:
    return "create" if any(w.startswith("POST ") and "{id}" not in w for w in kind.all_writes) else "update"
