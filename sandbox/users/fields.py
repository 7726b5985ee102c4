"""What of a user the search index knows: the fields by their names in a query, and how their values compare."""

from __future__ import annotations

from collections.abc import Iterable
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
        "phone_verified",
        "picture",
        "updated_at",
    )
)
LONGEST_METADATA_VALUE = 2048

Value = str


def values(user: Document, field: str) -> list[Value]:
    """The indexed values of a (dotted) field, normalized; empty where the user has none."""
    plain = user.get(field)
    if type(plain) is str and field[0] != "_":
        return [plain.lower() if field in CASE_INSENSITIVE else plain]
    if field in _COMPUTED:
        return [value.lower() for value in _COMPUTED[field](user) if value]
    found = [_text(value) for value in _dig(user, field.split("."))]
    if field.startswith(("user_metadata.", "app_metadata.")):
        found = [value for value in found if len(value) <= LONGEST_METADATA_VALUE]
    return [normalized(field, value) for value in found]


def normalized(field: str, value: str) -> str:
    return value.lower() if field in CASE_INSENSITIVE or field == "email.domain" else value


def words(field: str, value: Value) -> list[str]:
    """The single words that a field's value is found by, beside the whole."""
    return value.split() if field in _WORDS and " " in value else []


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
