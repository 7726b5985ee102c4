"""What the installed SDK (auth0-python) knows of each endpoint: query, body, answer; read from its source and types."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import typing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pydantic
from auth0 import management

from sandbox.kinds import routes

ANSWER = re.compile(r"HttpResponse|SyncPager|AsyncPager|Iterator")


@dataclass
class Known:
    """One endpoint as the SDK calls it."""

    query: dict[str, Any] = field(default_factory=dict)
    """Name of the parameter -> annotation, or None."""
    body: dict[str, Any] = field(default_factory=dict)
    """Property of the JSON body -> annotation; {} where the body is not an object of named properties."""
    answer: Any = None
    """The type of the answer; a list type where a pager walks over bare lists."""


@lru_cache(maxsize=1)
def endpoints() -> dict[tuple[str, str], Known]:
    """(method, path as in endpoints.tsv) -> what the SDK knows."""
    found: dict[tuple[str, str], Known] = {}
    for module in pkgutil.walk_packages(management.__path__, "auth0.management."):
        if module.name.endswith("raw_client"):
            _read_module(importlib.import_module(module.name), found)
    return found


def _read_module(module: ModuleType, found: dict[tuple[str, str], Known]) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    clients = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.startswith("Raw")]
    for client in clients:
        for function in client.body:
            call = _request(function)
            place = _place(call) if call else None
            if call and place and isinstance(function, ast.FunctionDef):
                found[place] = _known(getattr(getattr(module, client.name), function.name), call)


def _request(function: ast.AST) -> ast.Call | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "request":
            return node
    return None


def _place(call: ast.Call) -> tuple[str, str] | None:
    parts = call.args[0]
    if isinstance(parts, ast.Constant):
        path = str(parts.value)
    elif isinstance(parts, ast.JoinedStr):
        path = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts.values)
    else:
        return None
    method = next(ast.literal_eval(k.value) for k in call.keywords if k.arg == "method")
    wanted = "/" + path.strip("/")
    for endpoint in routes.endpoints():
        if endpoint.method == method and re.sub(r"\{[^}]*\}", "{}", endpoint.path) == wanted:
            return method, endpoint.path
    return None


def _known(function: Any, call: ast.Call) -> Known:
    hints = typing.get_type_hints(function)
    known = Known(answer=_answer(hints.get("return")))
    for keyword in call.keywords:
        if keyword.arg == "params" and isinstance(keyword.value, ast.Dict):
            known.query = _named(keyword.value, hints)
        if keyword.arg == "json" and isinstance(keyword.value, ast.Dict):
            known.body = _named(keyword.value, hints)
    return known


def _named(node: ast.Dict, hints: dict[str, Any]) -> dict[str, Any]:
    """{"name": name} -> {"name": annotation of the parameter of that name}."""
    result = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
            result[str(key.value)] = next((hints[n] for n in names if n in hints), None)
    return result


def _answer(annotation: Any) -> Any:
    """HttpResponse[X] -> X; SyncPager[Item, X] -> X."""
    arguments = typing.get_args(annotation)
    return arguments[-1] if arguments and ANSWER.search(str(annotation)) else None


def optional(annotation: Any) -> bool:
    return annotation is None or type(None) in typing.get_args(annotation)


@lru_cache(maxsize=1)
def models() -> dict[str, type[pydantic.BaseModel]]:
    """All models of the SDK by lower-case name."""
    from auth0.management import types

    names = [name for name in dir(types) if not name.startswith("_")]
    found = {name.lower(): getattr(types, name) for name in names}
    return {
        name: value for name, value in found.items() if inspect.isclass(value) and issubclass(value, pydantic.BaseModel)
    }


def properties(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Name on the wire -> annotation."""
    return {_wire_name(name, info): info.annotation for name, info in model.model_fields.items()}


def _wire_name(name: str, info: Any) -> str:
    for extra in info.metadata:
        alias = getattr(extra, "alias", None)
        if alias:
            return str(alias)
    return str(info.alias or name)
