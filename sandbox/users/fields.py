"""What of a user the search index knows: the fields by their names in a query, and how their values compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sandbox.store import Document

CASE_INSENSITIVE = frozenset(("email", "name", "display_name", "given_name", "family_name", "nickname"))
# Matched by a word of the value as well as by the whole.
_WORDS = frozenset(("description", "name", "display_name", "given_name", "family_name", "nickname"))
BARE = ("email", "name", "given_name", "family_name", "nickname", "username", "phone_number", "user_id")
_COMPUTED = {"email.domain": lambda user: [str(user.get("email") or "").rpartition("@")[2]]}
# Never an object, so that _exists_ needs no second look.
SCALARS = frozenset(
    (
        *BARE,
        "blocked",
        "created_at",
        "email.domain",
        "email_verified",
        "last_ip",
        "last_login",
        "last_password_reset",
        "logins_count",
        "organization_id",
        "phone_verified",
        "picture",
        "updated_at",
    )
)
LONGEST_METADATA_VALUE = 2048

Value = str
Read = Callable[[Document], Sequence[Value]]


def values(user: Document, field: str) -> Sequence[Value]:
    """The indexed values of a (dotted) field, normalized; empty where the user has none."""
    return reader(field)(user)


@lru_cache(maxsize=1000)
def reader(field: str) -> Read:
    """`values` of this one field, the usual cases first: an index reads it from a hundred thousand users."""
    if field in _COMPUTED:
        return lambda user: [value.lower() for value in _COMPUTED[field](user) if value]
    path = field.split(".")
    if len(path) > 2 or any(not part or part[0] == "_" for part in path):
        return lambda user: _searched(user, field, path)
    holder, name = (path[0], path[1]) if len(path) == 2 else ("", path[0])
    folded = field in CASE_INSENSITIVE

    def read(user: Document) -> Sequence[Value]:
        held = user.get(holder) if holder else user
        value: Any = held.get(name) if type(held) is dict else held
        if value is None:
            return ()
        kind = type(value)
        if kind is str and len(value) <= LONGEST_METADATA_VALUE:
            return (value.lower() if folded else value,)
        return (_text(value),) if kind is bool or kind is int else _searched(user, field, path)

    return read


def _searched(user: Document, field: str, path: list[str]) -> list[Value]:
    found = [_text(value) for value in _dig(user, path)]
    if path[0] in ("user_metadata", "app_metadata"):
        found = [value for value in found if len(value) <= LONGEST_METADATA_VALUE]
    return [normalized(field, value) for value in found]


def normalized(field: str, value: str) -> str:
    return value.lower() if field in CASE_INSENSITIVE or field == "email.domain" else value


def has_words(field: str) -> bool:
    return field in _WORDS


def words(value: Value) -> list[str]:
    """The single words that a value is found by, beside the whole."""
    return value.split() if " " in value else []


def _dig(value: Any, path: list[str]) -> Iterable[Any]:
    """Walk into objects and (as the search ignores array levels) into each element of an array."""
    if isinstance(value, list):
        for item in value:
            yield from _dig(item, path)
    elif not path:
        if isinstance(value, (str, int, float, bool)):
            yield value
    elif isinstance(value, dict):
        whole = ".".join(path)
        if len(path) > 1 and whole in value:
            yield from _dig(value[whole], [])
        elif not path[0].startswith("_"):
            yield from _dig(value.get(path[0]), path[1:])


def holds_object(user: Document, field: str) -> bool:
    """Whether the field is an object or a list with something in it: neither has a value, both exist."""
    return any(_objects(user, field.split(".")))


def _objects(value: Any, path: list[str]) -> Iterable[Any]:
    if not path:
        yield value if isinstance(value, (dict, list)) else None
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item, path)
    elif isinstance(value, dict) and not path[0].startswith("_"):
        yield from _objects(value.get(path[0]), path[1:])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def in_range(value: Value, low: str, high: str, *, with_low: bool, with_high: bool) -> bool:
    """Numbers compare as numbers, all else as text; a partial date means all of its day, month or year."""
    return _above(value, low, with_low) and _below(value, high, with_high)


def _above(value: Value, bound: str, inclusive: bool) -> bool:
    if bound == "*":
        return True
    order = _compare(value, bound)
    return order > 0 or (inclusive and order == 0)


def _below(value: Value, bound: str, inclusive: bool) -> bool:
    if bound == "*":
        return True
    order = _compare(value, bound)
    return order < 0 or (inclusive and order == 0)


def _compare(value: Value, bound: str) -> int:
    try:
        left, right = float(value), float(bound)
        return (left > right) - (left < right)
    except ValueError:
        pass
    bound = bound.removesuffix("Z")
    text = value[: len(bound)] if bound[:4].isdigit() and bound[4:5] in ("-", "") else value
    return (text > bound) - (text < bound)
