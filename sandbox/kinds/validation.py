"""Does a request say what its endpoint understands? Rules from rules.json, worded as Auth0 words its refusals.

A rule: t type(s), e allowed values, r required, x 1 closed, p properties, a rule of other properties, i rule of items,
o one of these rules, l all of these rules, $ name of a definition; n/m length, g pattern, f format, ni/mi items, np/xp
properties, lo/hi range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from sandbox.errors import ApiError
from sandbox.kinds.formats import FORMATS

Rule = dict[str, Any]
RULES = Path(__file__).with_name("rules.json")
PAGING = frozenset(["page", "per_page", "include_totals", "from", "take", "fields", "include_fields"])
STRICT = "/actions/"
"""Endpoints below this path refuse paging parameters that they do not declare; the others ignore them."""
MOST_DEEP = 64
OBJECT: Rule = {"t": "object"}
"""What an endpoint takes of which nothing is known."""


class Mismatch(Exception):
    """The first thing that is wrong: a text, and the path of the property ("" for the whole)."""

    def __init__(self, text: str, at: str) -> None:
        super().__init__(text)
        self.at = at

    @property
    def sentence(self) -> str:
        return f"'{self}' on property {self.at}." if self.at else f"'{self}'."


@lru_cache(maxsize=1)
def _rules() -> tuple[dict[str, Rule], dict[str, Rule]]:
    loaded = orjson.loads(RULES.read_bytes())
    return loaded["definitions"], loaded["endpoints"]


def endpoint_rule(method: str, path: str) -> Rule:
    """{"path": {name: rule}, "query": {name: rule}, "needs": [names of the query], "body": rule}, each where there is
    one; {} where nothing is known of the endpoint."""
    return _rules()[1].get(f"{method} {path}", {})


def check_body(rule: Rule, body: Any, method: str) -> None:
    """Raises ApiError 400 invalid_body."""
    if "body" not in rule and rule:
        return
    if body is None:
        if _resolved(rule.get("body", OBJECT)).get("r") and method != "DELETE":
            raise ApiError(400, "Payload validation error: 'Expected type object but found type null'.", "invalid_body")
        return
    try:
        check(rule.get("body", OBJECT), body, "", lenient_null=True)
    except Mismatch as problem:
        raise ApiError(400, f"Payload validation error: {problem.sentence}", "invalid_body") from None


def check_path(rule: Rule, params: dict[str, str]) -> None:
    """Raises ApiError 400 invalid_uri."""
    for name, declared in rule.get("path", {}).items():
        try:
            check(declared, params[name], name, lenient_null=False)
        except Mismatch as problem:
            raise ApiError(400, f"Path validation error: {problem.sentence}", "invalid_uri") from None


def check_query(rule: Rule, queries: list[tuple[str, str]], path: str) -> None:
    """Raises ApiError 400 invalid_query_string."""
    sent = dict(queries)
    missing = [name for name in rule.get("needs", ()) if not sent.get(name)]
    if missing:
        raise _query_error(f"'Missing required property: {missing[0]}'.")
    declared = rule.get("query")
    if declared is None:
        return
    for name, text in queries:
        found = declared.get(name) or declared.get(name.removesuffix("[]"))
        if found is None:
            if name in PAGING and not path.startswith(STRICT):
                continue
            raise _query_error(f"'Additional properties not allowed: {name}'.")
        try:
            check(found, _typed(found, text), name, lenient_null=False)
        except Mismatch as problem:
            raise _query_error(problem.sentence) from None


def _query_error(sentence: str) -> ApiError:
    return ApiError(400, f"Query validation error: {sentence}", "invalid_query_string")


def _typed(rule: Rule, text: str) -> Any:
    """The text of a query as the type that its rule wants; unchanged where it can't be read so."""
    wanted = _resolved(rule).get("t")
    if wanted == "integer" and re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return int(text)
    if wanted == "number" and re.fullmatch(r"-?\d{1,15}(\.\d+)?", text, re.ASCII):
        return float(text)
    if wanted == "boolean" and text in ("true", "false"):
        return text == "true"
    if wanted == "array":
        return text.split(",")
    return text


def _resolved(rule: Rule) -> Rule:
    while "$" in rule:
        rule = _rules()[0][rule["$"]]
    return rule


def check(rule: Rule, value: Any, at: str, *, lenient_null: bool, depth: int = 0) -> None:
    """Raises Mismatch. `lenient_null`: null passes for any property, as it removes the property."""
    rule = _resolved(rule)
    if value is None and at and lenient_null:
        return
    if depth > MOST_DEEP:
        raise Mismatch("The value is nested too deeply", at)
    for step in (_check_type, _check_enum, _check_text, _check_number, _check_list, _check_object):
        step(rule, value, at)
    for place, inner, part in _parts(rule, value, at):
        check(inner, part, place, lenient_null=lenient_null, depth=depth + 1)
    for part_rule in rule.get("l", ()):
        check(part_rule, value, at, lenient_null=lenient_null, depth=depth + 1)
    if "o" in rule:
        _check_alternatives(rule["o"], value, at, lenient_null, depth)


def _check_alternatives(rules: list[Rule], value: Any, at: str, lenient_null: bool, depth: int) -> None:
    for alternative in rules:
        try:
            return check(alternative, value, at, lenient_null=lenient_null, depth=depth + 1)
        except Mismatch:
            continue
    raise Mismatch("Data does not match any schemas from 'oneOf'", at)


def _parts(rule: Rule, value: Any, at: str) -> Iterator[tuple[str, Rule, Any]]:
    if isinstance(value, dict):
        properties, others = rule.get("p", {}), rule.get("a")
        for name, item in value.items():
            inner = properties.get(name, others)
            if inner is not None:
                yield (f"{at}.{name}" if at else name), inner, item
    elif isinstance(value, list) and "i" in rule:
        for index, item in enumerate(value):
            yield f"{at}[{index}]", rule["i"], item


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) or _whole(value),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number", type(None): "null"}
    return names.get(type(value), "object")


def _check_type(rule: Rule, value: Any, at: str) -> None:
    wanted = rule.get("t")
    if wanted is None:
        return
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if not any(TYPES[kind](value) for kind in kinds):
        raise Mismatch(f"Expected type {','.join(kinds)} but found type {_name(value)}", at)


def _check_enum(rule: Rule, value: Any, at: str) -> None:
    allowed = rule.get("e")
    if allowed is not None and value not in allowed:
        raise Mismatch(f"No enum match for: {value}", at)


def _check_text(rule: Rule, value: Any, at: str) -> None:
    if not isinstance(value, str):
        return
    if len(value) < rule.get("n", 0):
        raise Mismatch(f"String is too short ({len(value)} chars), minimum {rule['n']}", at)
    if "m" in rule and len(value) > rule["m"]:
        raise Mismatch(f"String is too long ({len(value)} chars), maximum {rule['m']}", at)
    if "g" in rule and not _pattern(rule["g"])(value):
        raise Mismatch(f"String does not match pattern {rule['g']}: {value}", at)
    name = rule.get("f")
    if name in FORMATS and not FORMATS[name](value):
        raise Mismatch(f"Object didn't pass validation for format {name}: {value}", at)


@lru_cache(maxsize=512)
def _pattern(text: str) -> Callable[[str], Any]:
    """JavaScript's pattern in Python; one that Python can't read passes everything."""
    try:
        return re.compile(text.replace("\\d", "[0-9]").replace("(?<", "(?P<") if "(?<" in text else text).search
    except re.error:
        return lambda value: True


def _check_number(rule: Rule, value: Any, at: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if "lo" in rule and value < rule["lo"]:
        raise Mismatch(f"Value {value} is less than minimum {rule['lo']}", at)
    if "hi" in rule and value > rule["hi"]:
        raise Mismatch(f"Value {value} is greater than maximum {rule['hi']}", at)


def _check_list(rule: Rule, value: Any, at: str) -> None:
    if not isinstance(value, list):
        return
    if len(value) < rule.get("ni", 0):
        raise Mismatch(f"Array is too short ({len(value)}), minimum {rule['ni']}", at)
    if "mi" in rule and len(value) > rule["mi"]:
        raise Mismatch(f"Array is too long ({len(value)}), maximum {rule['mi']}", at)


def _check_object(rule: Rule, value: Any, at: str) -> None:
    if not isinstance(value, dict):
        return
    for name in rule.get("r", ()):
        if name not in value:
            raise Mismatch(f"Missing required property: {name}", at)
    unknown = [name for name in value if name not in rule.get("p", {})] if rule.get("x") else []
    if unknown:
        raise Mismatch(f"Additional properties not allowed: {unknown[0]}", at)
    if len(value) < rule.get("np", 0):
        raise Mismatch(f"Too few properties defined ({len(value)}), minimum {rule['np']}", at)
    if "xp" in rule and len(value) > rule["xp"]:
        raise Mismatch(f"Too many properties defined ({len(value)}), maximum {rule['xp']}", at)
