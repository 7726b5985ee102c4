"""What reads differently in each tenant: its variables, and its own domain. Pure."""

from __future__ import annotations

import re

from deployments import fields
from deployments.plan import Content

# A value shorter than this would be found in places that mean something else.
SHORTEST_VARIABLE = 4


def replacements(source: dict[str, str], target: dict[str, str]) -> dict[str, str]:
    """Texts of the source tenant -> texts of the target, from the variables that both have. Longest first.

    Raises ValueError naming a variable that is too short to be told apart.
    """
    for name in source.keys() & target.keys():
        if len(str(source[name])) < SHORTEST_VARIABLE:
            raise ValueError(
                f"The variable {name} is too short to be found safely: use at least {SHORTEST_VARIABLE} characters."
            )
    pairs = {str(source[name]): str(target[name]) for name in source.keys() & target.keys()}
    return dict(sorted(pairs.items(), key=lambda pair: -len(pair[0])))


def replaced(content: Content, texts: dict[str, str], named: dict[str, str] | None = None) -> Content:
    """The source as it reads in the target: its texts replaced, and ##NAME## or @@NAME@@ filled in from `named`."""
    rules = {**texts, **{f"{mark}{n}{mark}": str(v) for n, v in (named or {}).items() for mark in ("##", "@@")}}
    if not rules:
        return content
    pattern = re.compile("|".join(re.escape(text) for text in sorted(rules, key=len, reverse=True)))

    def change(text: str) -> str:
        return pattern.sub(lambda found: rules[found.group()], text)

    return {
        kind: {change(name): fields.mapped(thing, change) for name, thing in things.items()}
        for kind, things in content.items()
    }
