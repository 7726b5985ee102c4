"""User search syntax v3: Auth0's part of Lucene's, parsed by luqum and answered with sets of users."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from luqum import tree
from luqum.exceptions import ParseError
from luqum.parser import parser

from sandbox.users import fields
from sandbox.users.index import Ids, Index

MOST_SECONDS = 2.0
_FEWEST_LITERALS = 3
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DATES = frozenset(
    ("date", "created_at", "updated_at", "last_login", "last_password_reset", "multifactor_last_modified")
)


class InvalidQueryError(Exception):
    """The text says what is wrong with the query."""


class TooSlowError(Exception):
    """The query takes longer than it may."""


def find(index: Index, text: str, seconds: float = MOST_SECONDS) -> Ids | None:
    """The ids of the users whom the query matches; None for all. Raises InvalidQueryError, TooSlowError."""
    if not text.strip() or text.strip() == "*":
        return None
    try:
        return _Evaluation(index, time.monotonic() + seconds).of(parser.parse(text), None)
    except ParseError as problem:
        raise InvalidQueryError(f"Failed parsing query: {problem}") from None
    except RecursionError:
        raise InvalidQueryError("The query is nested too deeply") from None


class _Evaluation:
    def __init__(self, index: Index, deadline: float) -> None:
        self.index = index
        self.deadline = deadline
        self.acts: dict[type, Callable[[Any, str | None], Ids]] = {
            tree.SearchField: self._field,
            tree.Group: lambda node, field: self.of(node.expr, field),
            tree.FieldGroup: lambda node, field: self.of(node.expr, field),
            tree.AndOperation: self._and,
            tree.OrOperation: lambda node, field: self._either(node.children, field),
            tree.UnknownOperation: self._side_by_side,
            tree.Not: self._not,
            tree.Prohibit: self._not,
            tree.Plus: lambda node, field: self.of(node.a, field),
            tree.Word: self._word,
            tree.Phrase: self._phrase,
            tree.Range: self._range,
            tree.From: lambda node, field: self._open(node, field, low=True),
            tree.To: lambda node, field: self._open(node, field, low=False),
        }

    def of(self, node: Any, field: str | None) -> Ids:
        if time.monotonic() > self.deadline:
            raise TooSlowError
        act = self.acts.get(type(node))
        if act is None:
            raise InvalidQueryError(f"{type(node).__name__} is not supported in user search: {str(node).strip()}")
        return act(node, field)

    def _field(self, node: tree.SearchField, field: str | None) -> Ids:
        if field is not None:
            raise InvalidQueryError(f"A field within a field: {field}:{node.name}. Put values with colons in quotes")
        if node.name == "_exists_":
            return self._exists(node.expr)
        return self.of(node.expr, node.name)

    def _exists(self, node: Any) -> Ids:
        if not isinstance(node, (tree.Word, tree.Phrase)):
            raise InvalidQueryError("_exists_ needs the name of a field")
        return self.index.having(_plain(node))

    def _and(self, node: tree.AndOperation, field: str | None) -> Ids:
        first, *others = node.children
        found = self.of(first, field)
        for other in others:
            found = found & self.of(other, field)
        return found

    def _either(self, nodes: Any, field: str | None) -> Ids:
        found: Ids = set()
        for node in nodes:
            found |= self.of(node, field)
        return found

    def _side_by_side(self, node: tree.UnknownOperation, field: str | None) -> Ids:
        """Without an operator any word may match, unless + or - say what must and must not."""
        musts = [child for child in node.children if isinstance(child, (tree.Plus, tree.Prohibit, tree.Not))]
        others = [child for child in node.children if child not in musts]
        wanted = [child for child in musts if isinstance(child, tree.Plus)]
        if wanted:
            found = self._and(tree.AndOperation(*wanted), field) if len(wanted) > 1 else self.of(wanted[0], field)
        else:
            found = self._either(others, field) if others else self.index.everyone()
        for child in musts:
            if not isinstance(child, tree.Plus):
                found = found & self.of(child, field)
        return found

    def _not(self, node: Any, field: str | None) -> Ids:
        return self.index.everyone() - self.of(node.a, field)

    def _word(self, node: tree.Word, field: str | None) -> Ids:
        text = str(node.value)
        if text in ("&&", "||") or text.startswith("!"):
            raise InvalidQueryError("Write AND, OR and NOT in upper case instead of &&, || and !")
        if node.has_wildcard():
            return self._everywhere(field, lambda name: self._wildcard(name, text))
        value = _ESCAPED.sub(r"\1", text)
        return self._everywhere(field, lambda name: self._exact(name, value, by_word=True))

    def _phrase(self, node: tree.Phrase, field: str | None) -> Ids:
        value = _plain(node)
        return self._everywhere(field, lambda name: self._exact(name, value, by_word=False))

    def _exact(self, name: str, value: str, *, by_word: bool) -> Ids:
        if name in _DATES:
            return self.index.where(name, lambda found: found.startswith(value.removesuffix("Z")))
        return self.index.exact(name, value, by_word=by_word)

    def _everywhere(self, field: str | None, act: Callable[[str], Ids]) -> Ids:
        if field is not None:
            return act(field)
        found: Ids = set()
        for name in self.index.bare:
            found |= act(name)
        return found

    def _wildcard(self, name: str, text: str) -> Ids:
        if name.startswith("user_metadata."):
            raise InvalidQueryError("Wildcards are not supported on user_metadata")
        if text == "*":
            return self.index.having(name)
        if text[0] in "*?" and len(re.sub(r"\\(.)|[*?]", r"\1", text)) < _FEWEST_LITERALS:
            raise InvalidQueryError(f"A leading wildcard needs at least {_FEWEST_LITERALS} other characters: {text}")
        if text.endswith("*") and not re.search(r"[*?\\]", text[:-1]):
            return self.index.starting_with(name, text[:-1])
        return self.index.where(name, _matcher(fields.normalized(name, text)))

    def _range(self, node: tree.Range, field: str | None) -> Ids:
        name = _ranged(field)
        low, high = _bound(node.low), _bound(node.high)
        inclusive = {"with_low": node.include_low, "with_high": node.include_high}
        return self.index.where(name, lambda value: fields.in_range(value, low, high, **inclusive))

    def _open(self, node: Any, field: str | None, *, low: bool) -> Ids:
        name, bound = _ranged(field), _bound(node.a)
        ends = (bound, "*") if low else ("*", bound)
        inclusive = {"with_low": node.include, "with_high": node.include}
        return self.index.where(name, lambda value: fields.in_range(value, *ends, **inclusive))


def _ranged(field: str | None) -> str:
    if field is None:
        raise InvalidQueryError("A range needs a field")
    if field.startswith("user_metadata."):
        raise InvalidQueryError("Ranges are not supported on user_metadata")
    return field


def _bound(node: Any) -> str:
    if not isinstance(node, (tree.Word, tree.Phrase)):
        raise InvalidQueryError(f"A range can't end at {str(node).strip()}")
    return _plain(node)


def _plain(node: Any) -> str:
    text = str(node.value)
    return _ESCAPED.sub(r"\1", text[1:-1] if isinstance(node, tree.Phrase) else text)


def _matcher(text: str) -> Callable[[str], Any]:
    """*middle* and *end without a regular expression: they are looked for in every value."""
    literal = text.strip("*")
    if literal and not re.search(r"[*?\\]", literal) and text.startswith("*"):
        return (lambda value: literal in value) if text.endswith("*") else (lambda value: value.endswith(literal))
    return _pattern(text).fullmatch


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)
