"""Forms that Actions show with api.prompt.render: their steps one after the other, without flows and conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.store import Document

_INPUTS = {
    "TEXT": "text",
    "EMAIL": "email",
    "NUMBER": "number",
    "PASSWORD": "password",
    "TEL": "tel",
    "URL": "url",
    "DATE": "date",
    "BOOLEAN": "checkbox",
    "LEGAL": "checkbox",
    "CHOICE": "select",
    "CARDS": "select",
    "DROPDOWN": "select",
}
_ENDING = "$ending"
_PLACEHOLDER = re.compile(r"\{\{\s*(vars|fields)\.([\w.-]+)\s*\}\}")
_TAG = re.compile(r"<[^>]*>")
_LONGEST_VALUE = 2000


@dataclass(frozen=True)
class Field:
    """input: an HTML input's type, "select", or "text-block" for words of the form."""

    id: str
    input: str
    label: str
    hint: str = ""
    required: bool = False
    value: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)


def steps(form: Document) -> list[Document]:
    """The steps on the way from start to end. Flows are passed by; of a router the fallback is taken."""
    nodes = {node["id"]: node for node in form.get("nodes") or [] if isinstance(node, dict) and node.get("id")}
    at, found = (form.get("start") or {}).get("next_node"), []
    while at in nodes and at != _ENDING:
        node = nodes.pop(at)
        config = node.get("config") or {}
        if node.get("type") == "STEP":
            found.append(node)
        at = config.get("fallback") if node.get("type") == "ROUTER" else config.get("next_node")
    return found


def hidden(form: Document) -> dict[str, Any]:
    listed = (form.get("start") or {}).get("hidden_fields") or []
    return {one["key"]: one.get("value", "") for one in listed if isinstance(one, dict) and one.get("key")}


def fields(step: Document, filled: Mapping[str, Any], variables: Mapping[str, Any]) -> list[Field]:
    """What a step shows. filled: values of fields so far; variables: of api.prompt.render."""
    known = {"vars": variables, "fields": filled}
    components = [c for c in (step.get("config") or {}).get("components") or [] if isinstance(c, dict)]
    return [found for component in components if (found := _field(component, filled, known))]


def _field(component: Document, filled: Mapping[str, Any], known: dict[str, Mapping[str, Any]]) -> Field | None:
    id, config = str(component.get("id") or ""), component.get("config") or {}
    if component.get("type") == "RICH_TEXT":
        return Field(id, "text-block", _said(_TAG.sub(" ", str(config.get("content") or "")), known))
    input = _INPUTS.get(str(component.get("type")))
    if input is None or component.get("category") != "FIELD":
        return None
    label = component.get("label") or (_TAG.sub(" ", str(config.get("text") or "")) if input == "checkbox" else "")
    value = filled.get(id, config.get("default_value"))
    return Field(
        id,
        input,
        _said(str(label or id), known),
        _said(str(component.get("hint") or ""), known),
        bool(component.get("required")),
        _said("" if value is None else str(value), known),
        [(str(option["value"]), str(option["label"])) for option in config.get("options") or []]
        if input == "select"
        else [],
    )


def _said(text: str, known: dict[str, Mapping[str, Any]]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(known[found[1]].get(found[2], "")), text).strip()


def answers(shown: list[Field], typed: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The values of a sent step, and what is wrong with them ("" when nothing is)."""
    values: dict[str, Any] = {}
    for one in shown:
        if one.input == "text-block":
            continue
        value = str(typed.get(one.id) or "")[:_LONGEST_VALUE].strip()
        values[one.id] = value == "true" if one.input == "checkbox" else value
        if one.required and not values[one.id]:
            return values, f"Please fill in: {one.label}"
        if one.input == "select" and value and value not in [option for option, _ in one.options]:
            return values, f"Please choose one of the values: {one.label}"
    return values, ""
