"""Derive sandbox/kinds/rules.json (what a request may hold) from Auth0's OpenAPI description of the Management API.

    python -m tests.sandbox.generate_rules management-api-oas.json

and beside it documented_answers.tsv (with which status an endpoint answers, and with what kind of content).

The description is public (github.com/auth0/docs-v2, main/docs/oas/management/v2). Kept are types, required
properties, closed objects, enumerations, lengths, ranges, patterns and formats, in one-letter keys (see
sandbox/kinds/validation.py); texts, examples and answers are not. What the installed SDK sends beyond the
description is taken, too.
"""

from __future__ import annotations

import json
import re
import sys
import typing
from collections import abc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from sandbox.kinds import routes
from sandbox.kinds.tenant_settings import FLAGS
from tests.sandbox import sdk_models

TARGET = Path(__file__).resolve().parents[2] / "sandbox/kinds/rules.json"
ANSWERS = Path(__file__).with_name("documented_answers.tsv")
KEYS = {
    "type": "t",
    "required": "r",
    "enum": "e",
    "minLength": "n",
    "maxLength": "m",
    "pattern": "g",
    "format": "f",
    "minItems": "ni",
    "maxItems": "mi",
    "minimum": "lo",
    "maximum": "hi",
    "minProperties": "np",
    "maxProperties": "xp",
}
TEXT = {"t": "string"}
EXTRA: dict[str, dict[str, Any]] = {
    "ConnectionPropertiesOptions": {
        **dict.fromkeys(["signingCert", "metadataXml", "fedMetadataXml", "adfs_server"], TEXT),
        "freeform_scopes": {"t": "array", "i": TEXT},
        "oidc_metadata": {"t": "object"},
        "strategy_version": {"t": "integer"},
    },
    "EventStreamWebhookBasicAuth": {"password": TEXT},
    "EventStreamWebhookBearerAuth": {"token": TEXT},
    "EventStreamWebhookCustomHeaderAuth": {"header_value": TEXT, "value": TEXT},
    "TenantSettingsFlags": dict.fromkeys(FLAGS, {"t": "boolean"}),
    "UpdateTenantSettingsRequestContent": {"universal_login": {"t": "object"}},
    "ClientTokenVaultPrivilegedAccessWithCredentialId": {"grants": {"t": "array"}},
    "ClientTokenVaultPrivilegedAccessWithPublicKey": {"grants": {"t": "array"}},
    "SynchronizedGroupPayload": {"name": TEXT, "email": {"t": "string", "f": "email"}},
}
"""Definition -> properties that the description leaves out (write-only ones above all) and real tenants take."""
NOT_SENT = frozenset(["id", "created_at", "updated_at", "tenant", "tenant_name", "global", "signing_keys", "client_id"])
"""Properties of answers that nobody may send; whatever else an answer shows may be sent back."""
PARAMETER = re.compile(r"\{([^}]*)\}")
MORE_THAN_DESCRIBED = frozenset(["triggerId"])
"""Parameters of paths for which real tenants take values that the description lacks; their handlers know which."""
METHODS = ("get", "post", "put", "patch", "delete")


MOST_DEEP = 5
PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number"}


class Generator:
    def __init__(self, description: dict[str, Any]) -> None:
        self.schemas = description["components"]["schemas"]
        self.paths = description["paths"]
        self.definitions: dict[str, Any] = {}

    def rules(self) -> dict[str, Any]:
        endpoints = {}
        for path, methods in sorted(self.paths.items()):
            for method in METHODS:
                if method in methods:
                    endpoints[f"{method.upper()} {named(path)}"] = self.endpoint(path, methods[method])
        for (method, path), known in sorted(sdk_models.endpoints().items()):
            self.widen(method, path, endpoints.setdefault(f"{method} {path}", {}), known)
        for name, definition in self.definitions.items():
            self.widen_definition(name, definition)
        return {"definitions": self.definitions, "endpoints": endpoints}

    def widen(self, method: str, path: str, rule: dict[str, Any], known: sdk_models.Known) -> None:
        """Take what the SDK sends, which may be newer than the description, and what the endpoint itself shows."""
        for name, annotation in known.query.items():
            rule.setdefault("query", {}).setdefault(name, self.from_annotation(annotation))
        if method == "GET" or not known.body:
            return
        if "body" not in rule:
            rule["body"] = self.from_properties(known.body)
        body = rule["body"]
        body = self.definitions[body["$"]] if "$" in body else body
        if "o" in body or "l" in body:
            return
        if "r" in body:
            body["r"] = [name for name in body["r"] if self.still_needed(name, body, known)]
        for name, annotation in known.body.items():
            body.setdefault("p", {}).setdefault(name, self.from_annotation(annotation))
        for name in self.shown(known.answer):
            body.setdefault("p", {}).setdefault(name, {})

    def still_needed(self, name: str, body: dict[str, Any], known: sdk_models.Known) -> bool:
        """Not what a newer SDK leaves out; but where null is allowed, it is optional to the SDK and yet required."""
        nullable = "null" in body["p"].get(name, {}).get("t", "")
        return nullable or (name in known.body and not sdk_models.optional(known.body[name]))

    def shown(self, answer: Any) -> list[str]:
        if not (isinstance(answer, type) and issubclass(answer, pydantic.BaseModel)):
            return []
        return [name for name in sdk_models.properties(answer) if name not in NOT_SENT]

    def widen_definition(self, name: str, definition: dict[str, Any]) -> None:
        if "p" not in definition:
            return
        model = sdk_models.models().get(name.lower())
        known = sdk_models.properties(model) if model else {}
        for extra, rule in EXTRA.get(name, {}).items():
            definition["p"].setdefault(extra, rule)
        for extra in known:
            definition["p"].setdefault(extra, {})

    def from_annotation(self, annotation: Any) -> dict[str, Any]:
        """Plain types, lists, and models that the description defines; the rest is left open."""
        parts = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Union else (annotation,)
        choices = [part for part in parts if part is not type(None)]
        if len(choices) != 1:
            return {}
        only = choices[0]
        if typing.get_origin(only) in (list, abc.Sequence):
            return {"t": "array", "i": self.from_annotation(typing.get_args(only)[0])}
        if isinstance(only, type) and issubclass(only, pydantic.BaseModel):
            return {"$": only.__name__} if only.__name__ in self.definitions else {"t": "object"}
        return {"t": PLAIN[only]} if only in PLAIN else {}

    def from_properties(self, properties: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """A closed object, for what the SDK alone knows."""
        needed = [name for name, annotation in properties.items() if not sdk_models.optional(annotation)]
        named = {name: self.in_depth(annotation, depth + 1) for name, annotation in properties.items()}
        return {"t": "object", "p": named, "x": 1, "r": needed}

    def in_depth(self, annotation: Any, depth: int) -> dict[str, Any]:
        """With the models that the description does not define, and with enumerations."""
        choices = [part for part in typing.get_args(annotation) if part is not type(None)]
        if typing.get_origin(annotation) is typing.Union and len(choices) == 1:
            return self.in_depth(choices[0], depth)
        values = [value for part in choices if typing.get_origin(part) is typing.Literal for value in part.__args__]
        if values:
            return {"t": "string", "e": values}
        described = getattr(annotation, "__name__", "") in self.definitions
        model = isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)
        if model and not described and depth < MOST_DEEP:
            return self.from_properties(sdk_models.properties(annotation), depth)
        return self.from_annotation(annotation)

    def endpoint(self, path: str, operation: dict[str, Any]) -> dict[str, Any]:
        rule: dict[str, Any] = {}
        parameters = [p for p in operation.get("parameters", []) if p["in"] == "query"]
        if parameters:
            rule["query"] = {p["name"]: self.node(p["schema"]) for p in parameters}
        needed = [p["name"] for p in parameters if p.get("required")]
        if needed:
            rule["needs"] = needed
        names = dict(zip(PARAMETER.findall(path), PARAMETER.findall(named(path)), strict=True))
        limited = {
            names[p["name"]]: node
            for p in operation.get("parameters", [])
            if p["in"] == "path" and p["name"] not in MORE_THAN_DESCRIBED and (node := self.node(p["schema"])) != TEXT
        }
        if limited:
            rule["path"] = limited
        body = operation.get("requestBody", {})
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        if schema:
            rule["body"] = self.node(schema)
        return rule

    def node(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return {"$": self.define(schema["$ref"].rsplit("/", 1)[1])}
        node = {short: schema[name] for name, short in KEYS.items() if name in schema}
        if "const" in schema:
            node["e"] = [schema["const"]]
        if "properties" in schema:
            node["p"] = {name: self.node(value) for name, value in schema["properties"].items()}
        if "items" in schema:
            node["i"] = self.node(schema["items"])
        for name, short in (("oneOf", "o"), ("anyOf", "o"), ("allOf", "l")):
            if name in schema:
                node[short] = [self.node(part) for part in schema[name]]
        return node | self.others(schema.get("additionalProperties"))

    def others(self, additional: Any) -> dict[str, Any]:
        """Whether, and which, properties are allowed that are not named."""
        if additional is False:
            return {"x": 1}
        return {"a": self.node(additional)} if isinstance(additional, dict) else {}

    def define(self, name: str) -> str:
        if name not in self.definitions:
            self.definitions[name] = {}
            node = self.node(self.schemas[name])
            self.definitions[name] = node
        return name


def named(path: str) -> str:
    """The path with its parameters named as in endpoints.tsv."""
    bare = PARAMETER.sub("{}", path)
    return next((e.path for e in routes.endpoints() if PARAMETER.sub("{}", e.path) == bare), path)


def answers(description: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Method, path, status and content type ("-" for an empty answer) of each success that is described."""
    for path, methods in sorted(description["paths"].items()):
        for method in METHODS:
            for status, answer in methods.get(method, {}).get("responses", {}).items():
                if status.startswith("2"):
                    yield method.upper(), named(path), status, next(iter(answer.get("content", {})), "-")


def main() -> int:
    description = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rules = Generator(description).rules()
    TARGET.write_text(json.dumps(rules, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    rows = [("method", "path", "status", "content"), *answers(description)]
    ANSWERS.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
