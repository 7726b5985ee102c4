"""A tenant that holds one of everything, and the least that each endpoint accepts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.responses import Response

from sandbox import logs
from sandbox.kinds import routes, validation
from sandbox.store import Document
from tests.sandbox.fullest import passes
from tests.sandbox.furniture import ABSENT, BODIES, FORM_TYPE, LEAST, MADE, QUERIES
from tests.sandbox.in_process import World, body_of
from tests.sandbox.places import (
    ACTION,
    API,
    CLIENT,
    CONNECTION,
    DATABASE,
    ELSEWHERE,
    FIXED,
    FLAG,
    GROUP,
    HOUR_AGO,
    IN_AN_HOUR,
    KEPT,
    NEWEST,
    PERMISSION,
    PUBLIC_KEY,
    ROLE,
    SAME,
    USER,
    VARIATION,
)

PARAMETER = re.compile(r"\{[^}]*\}")
ID_KEYS = ("id", "agent_id", "kid", "custom_domain_id", "themeId", "token_id", "user_id", "client_id", "connection_id")
SAMPLES = (
    "sample",
    "sample-name",
    "https://a.example/x",
    "a@b.example",
    "a.example",
    "#ffffff",
    "2026-01-01T00:00:00Z",
    "simplified/1.0",
    "aamva",
    "123",
    "",
)
BY_NAME: Document = {
    "client_id": CLIENT,
    "connection_id": CONNECTION,
    "user_id": USER,
    "roles": [ROLE],
    "users": [USER],
    "members": [USER],
    "permissions": [PERMISSION],
    "audience": API,
    "action_id": ACTION,
    "feature_flag_id": FLAG,
    "variation_id": VARIATION,
    "domain": "b.example",
}
"""Properties whose values must be those of something that is there."""


def public_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, kind).decode()


class Furnished:
    """`answer = furnished.answer(endpoint)`: what the endpoint answers to the least valid call, in a fresh tenant."""

    def __init__(self) -> None:
        self.world = World()
        self.ids: Document = dict(FIXED)
        self.ids[PUBLIC_KEY] = public_key()
        self.ids[HOUR_AGO] = self.world.tenant.timestamp(self.world.tenant.now() - 3600)
        self.ids[IN_AN_HOUR] = self.world.tenant.timestamp(self.world.tenant.now() + 3600)
        for place, call, body in MADE:
            method, _, path = call.rpartition(" ")
            content = self.least("POST", path) if body == LEAST else self.with_ids(body)
            answer = self.world.send(method or "POST", self.filled(path), content)
            assert answer.status_code < 300, (path, content, answer.body)
            if place:
                made = body_of(answer)
                self.ids[place] = next(made[key] for key in ID_KEYS if key in made)
        self._keep()

    def _keep(self) -> None:
        store, tenant = self.world.tenant.store, self.world.tenant
        self.ids[GROUP] = store.ids("groups")[0]
        for kind, document in KEPT.items():
            store.put(kind, document.get("id") or document["_key"], self.with_ids(document))
        logs.write(tenant, "s", user_id=self.ids[USER], user_name="ada@example.com", ip="10.0.0.1", user_agent="x")
        self.ids |= {place: store.ids(kind)[-1] for place, kind in NEWEST.items()}
        signing = body_of(self.world.send("GET", "/keys/signing"))
        self.ids["/keys/signing/{}"] = signing[0]["kid"]
        self.ids["previous key"] = next(key["kid"] for key in signing if not key["current"] and not key["next"])
        self.ids["/guardian/enrollments/{}"] = self.ids["/users/{}/authentication-methods/{}"]
        self.world.token = self.world.token_of(self.ids[USER])
        self.documents = store.dump()

    def answer(self, endpoint: routes.Endpoint, **query: str) -> Response:
        """What the endpoint answers to the least valid call, asked of the furnished tenant as it was at first."""
        self.world.tenant.store.load(self.documents)
        place = f"{endpoint.method} {endpoint.path}"
        for id in self.world.tenant.store.ids(ABSENT.get(place, "")):
            self.world.tenant.store.remove(ABSENT[place], id)
        body = self.with_ids(BODIES[place]) if place in BODIES else self.least(endpoint.method, endpoint.path)
        queries = urlencode({**self.with_ids(QUERIES.get(place, {})), **query})
        if isinstance(body, bytes):
            content, type = body % self.ids[DATABASE].encode(), FORM_TYPE
        else:
            content, type = b"" if body is None else orjson.dumps(body), "application/json"
        return self.world.ask(endpoint.method, f"/api/v2{self.filled(endpoint.path)}", queries, content, type)

    def filled(self, path: str) -> str:
        """The path with ids in place of its parameters."""
        result = open_path = PARAMETER.sub("{}", path)
        instead = next((pair for start, pair in ELSEWHERE.items() if open_path.startswith(start)), (None, None))
        for match in re.finditer(r"\{\}", open_path):
            place = open_path[: match.end()]
            id = self.ids[instead[1] if place == instead[0] else SAME.get(place, place)]
            result = result.replace("{}", quote(str(id), safe=""), 1)
        return result

    def with_ids(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.with_ids(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.with_ids(item) for item in value]
        return self.ids.get(value, value) if isinstance(value, str) else value

    def least(self, method: str, path: str) -> Any:
        rule = validation.endpoint_rule(method, path).get("body")
        return None if rule is None else self.fitting(rule, "")

    def fitting(self, rule: validation.Rule, name: str) -> Any:
        rule = validation._resolved(rule)
        known = self.with_ids(BY_NAME[name]) if name in BY_NAME else None
        if known is not None and passes(rule, known):
            return known
        if "e" in rule:
            return next(value for value in rule["e"] if value is not None)
        if "o" in rule:
            return self.fitting(rule["o"][0], name)
        kinds = rule.get("t", "object" if "p" in rule else "string")
        kind = kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")
        if kind == "object":
            named = rule.get("p", {})
            names = [*rule.get("r", ()), *named, "sample"][: max(len(rule.get("r", ())), rule.get("np", 0))]
            return {name: self.fitting(named.get(name, rule.get("a", {})), name) for name in dict.fromkeys(names)}
        if kind == "array":
            return [self.fitting(rule.get("i", {}), name) for _ in range(rule.get("ni", 0))]
        if kind == "string":
            return next(sample for sample in SAMPLES if passes(rule, sample))
        return {"boolean": False, "null": None}.get(kind, rule.get("lo", 1))
