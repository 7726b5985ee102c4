"""Which Actions a trigger runs, and in which order. Pure."""

from __future__ import annotations

from typing import Any


def merged(before: list[Any], after: list[Any]) -> tuple[list[Any], tuple[str, ...]]:
    """The source's bindings in the source's order, with those that only the target has kept where they stood.

    Returns the list and the names of the kept ones. "Where they stood": after the same binding as before.
    """
    ours = {binding.get("action_name") for binding in after}
    result, previous = list(after), None
    kept = []
    for binding in before:
        name = binding.get("action_name")
        if name not in ours:
            at = next((i + 1 for i, b in enumerate(result) if b.get("action_name") == previous), 0)
            result.insert(at, binding)
            kept.append(name)
        previous = name
    return result, tuple(kept)
