"""From method and path to the endpoint, by a walk through a tree of path segments."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).with_name("endpoints.tsv")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of endpoints.tsv."""

    method: str
    path: str
    scopes: tuple[str, ...]
    """Any one of them suffices."""
    lifecycle: str
    """GA, EA, beta, or "scope-guessed" / "undocumented" where no public page names the scope."""

    names: tuple[str, ...]
    """The path's parameters, in order."""


@dataclass(slots=True)
class Node:
    literal: dict[str, Node] = field(default_factory=dict)
    variable: Node | None = None
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


@lru_cache(maxsize=1)
def endpoints() -> list[Endpoint]:
    with TABLE.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [
            Endpoint(row["method"], row["path"], tuple(row["scopes"].split()), row["lifecycle"], _names(row["path"]))
            for row in rows
        ]


def _names(path: str) -> tuple[str, ...]:
    return tuple(segment[1:-1] for segment in path.split("/") if segment.startswith("{"))


@lru_cache(maxsize=1)
def tree() -> Node:
    root = Node()
    for endpoint in endpoints():
        node = root
        for segment in endpoint.path.strip("/").split("/"):
            if segment.startswith("{"):
                node.variable = node.variable or Node()
                node = node.variable
            else:
                node = node.literal.setdefault(segment, Node())
        node.endpoints[endpoint.method] = endpoint
    return root


Found = tuple[Endpoint, list[str]]


def find(segments: list[str], method: str) -> Found | None:
    """The endpoint and the values of its path parameters; literal segments win over variable ones."""
    return _walk(tree(), segments, 0, method, [])


def _walk(
    node: Node, segments: list[str], at: int, method: str, values: list[str]
) -> tuple[Endpoint, list[str]] | None:
    if at == len(segments):
        endpoint = node.endpoints.get(method)
        return (endpoint, values) if endpoint else None
    literal = node.literal.get(segments[at])
    found = _walk(literal, segments, at + 1, method, values) if literal else None
    if found or node.variable is None or not segments[at]:
        return found
    return _walk(node.variable, segments, at + 1, method, [*values, segments[at]])
