"""Which scopes of the Management API reading and changing the kinds needs, worked out from the table of kinds."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.kinds import KINDS, SKIPPED_ALWAYS, Kind
from deployments.plan import CREATE, DELETE, UPDATE, Item

_BACK = {CREATE: DELETE, DELETE: CREATE, UPDATE: UPDATE}
_BY_METHOD = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def to_read(kind: Kind) -> tuple[str, ...]:
    """Without these the kind can't be read whole, so it is unknown."""
    return (f"read:{kind.scope}", *(scope for scope in kind.extra_scopes if _reads(scope)))


def to_write(kind: Kind, action: str) -> tuple[str, ...]:
    """What a create, update or delete needs. An object of a kind without POST is made by an update."""
    verb = (kind.creating or _making(kind)) if action == CREATE else action
    extra = () if action == DELETE else (scope for scope in kind.extra_scopes if not _reads(scope))
    return (f"{verb}:{kind.scope}", *extra)


def of_plan(items: Iterable[Item], *, back: bool = False) -> tuple[str, ...]:
    """What applying these changes needs at the target; with `back`, what undoing them needs."""
    wanted: dict[str, None] = {}
    for item in items:
        kind, action = KINDS[item.kind], _BACK[item.action] if back else item.action
        wanted |= dict.fromkeys((*to_read(kind), *to_write(kind, action)))
    return tuple(wanted)


def of_call(kind: Kind, method: str) -> tuple[str, ...]:
    """What a call of the Deploy CLI counts for, by the kind that it was made for."""
    return to_read(kind) if method == "GET" else (f"{_BY_METHOD[method]}:{kind.scope}",)


def endpoints() -> dict[str, tuple[str, ...]]:
    """The calls that promotions make besides the Deploy CLI, in the form of portal.auth0.endpoints."""
    apis = [kind for kind in KINDS.values() if kind.api]
    read = {f"GET {kind.api}/*": to_read(kind) for kind in apis}
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


def _read() -> Iterable[Kind]:
    return (kind for kind in KINDS.values() if kind.type not in SKIPPED_ALWAYS)


def _reads(scope: str) -> bool:
    return scope.startswith("read:")


def _making(kind: Kind) -> str:
    return "create" if any(w.startswith("POST ") and "{id}" not in w for w in kind.all_writes) else "update"
