"""Derive sandbox/kinds/shapes.json from the installed SDK's models: what an answer holds where no recording shows it.

    python -m tests.sandbox.generate_shapes

A shape is "s" text, "i" whole number, "n" number, "b" boolean, "o" anything, [shape] a list, {name: shape} an object;
a name that ends in "?" may be missing.
"""

from __future__ import annotations

import csv
import json
import sys
import typing
from collections import abc
from datetime import datetime
from pathlib import Path
from typing import Any

import pydantic

from tests.sandbox import sdk_models

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "sandbox/kinds/shapes.json"
PLAIN = {str: "s", int: "i", float: "n", bool: "b", datetime: "s"}
MOST_DEEP = 5


def recorded() -> set[tuple[str, str]]:
    with (HERE / "recorded_endpoints.tsv").open(encoding="utf-8") as file:
        return {(row["method"], row["path"]) for row in csv.DictReader(file, delimiter="\t")}


def shape(annotation: Any, depth: int = 0) -> Any:
    if annotation in PLAIN:
        return PLAIN[annotation]
    if depth >= MOST_DEEP:
        return "o"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (list, abc.Sequence):
        return [shape(arguments[0], depth + 1)]
    if origin is typing.Union:
        return shape(next(part for part in arguments if part is not type(None)), depth)
    if origin is typing.Literal:
        return "s"
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return model_shape(annotation, depth)
    return "o"


def model_shape(model: type[pydantic.BaseModel], depth: int) -> dict[str, Any]:
    return {
        f"{name}?" if sdk_models.optional(annotation) else name: shape(annotation, depth + 1)
        for name, annotation in sdk_models.properties(model).items()
    }


def main() -> int:
    shapes = {
        f"{method} {path}": shape(known.answer)
        for (method, path), known in sorted(sdk_models.endpoints().items())
        if (method, path) not in recorded() and known.answer not in (None, type(None))
    }
    TARGET.write_text(json.dumps(shapes, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
