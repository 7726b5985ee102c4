"""Endpoints that no recording shows: stateful where a row does it, else answered in the shape that the SDK declares.

shapes.json: "s" text, "i" whole number, "n" number, "b" boolean, "o" anything, [shape] a list, {name: shape} an object;
a name that ends in "?" may be missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from sandbox.errors import ApiError
from sandbox.kinds import crud, routes
from sandbox.kinds.kind import BASE58, Id, Kind
from sandbox.kinds.operations import OPERATIONS, Call, Operation, Reply, operation
from sandbox.store import Document

SHAPES = Path(__file__).with_name("shapes.json")
PLAIN: dict[str, Any] = {"s": "", "i": 0, "n": 0, "b": False, "o": {}}


@lru_cache(maxsize=1)
def shapes() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(SHAPES.read_bytes())
    return found


def complete(shape: Any, value: Any) -> Any:
    """The value with what its shape requires and it lacks."""
    if isinstance(shape, dict):
        known = value if isinstance(value, dict) else {}
        needed = {name: complete(inner, None) for name, inner in shape.items() if not name.endswith("?")}
        return {**needed, **known}
    if isinstance(shape, list):
        return value if isinstance(value, list) else []
    return PLAIN[shape] if value is None else value


def _shown(call: Call, document: Document) -> Document:
    completed: Document = complete(shapes().get(f"{call.method} {call.route}", {}), document)
    return completed


def _row(path: str, store: str, envelope: str, prefix: str, noun: str, **more: Any) -> Kind:
    return Kind(
        path=path,
        store=store,
        envelope=envelope,
        id=Id(prefix, 22, BASE58),
        missing=(f"The {noun} does not exist.", f"inexistent_{store.rstrip('s')}"),
        created_at="created_at",
        updated_at="updated_at",
        **{"read_only": frozenset({"id"}), "paging": "checkpoint", "shown": _shown, "listed": _as_is, **more},
    )


def _as_is(call: Call, document: Document) -> Document:
    return document


def _fingerprint(call: Call, key: Document) -> Document:
    """A public key is shown by its fingerprint."""
    pem = str(key.get("public_key") or key.get("pem") or "")
    digest = hashlib.sha256(pem.encode()).hexdigest()
    rest = {name: value for name, value in key.items() if name not in ("public_key", "pem")}
    return {"alg": "RS256", **rest, "fingerprint": key.get("fingerprint") or digest, "_pem": key.get("_pem") or pem}


crud.register(
    _row("/agents", "agents", "agents", "agt_", "agent", id_field="agent_id", read_only=frozenset({"agent_id"})),
    _row("/attack-protection/captcha/policies", "captcha_policies", "policies", "cap_", "policy", paging="bare"),
    _row("/experimentation/experiments", "experiments", "experiments", "exp_", "experiment"),
    _row("/experimentation/feature-flags", "feature_flags", "feature_flags", "ff_", "feature flag"),
    _row("/experimentation/segments", "segments", "segments", "seg_", "segment"),
    _row("/verifiable-credentials/verification/templates", "vdcs_templates", "templates", "vct_", "template"),
    _row("/keys/network-acls", "network_acl_keys", "keys", "ack_", "key", paging="envelope", before=_fingerprint),
)


def _set_status(path: str) -> Callable[[Call], Reply]:
    def handler(call: Call) -> Reply:
        kind = crud.KINDS[path]
        return Reply(200, crud.update(kind, call, crud.asked(kind, call), {"status": (call.body or {}).get("status")}))

    return handler


for _path in ("/experimentation/experiments", "/experimentation/feature-flags"):
    operation("POST", f"{_path}/{{id}}/status")(_set_status(_path))


# --- variations of a feature flag -------------------------------------------------------------------------------------

VARIATIONS = "/experimentation/feature-flags/{id}/variations"


def _flag(call: Call) -> str:
    return str(crud.find(crud.KINDS["/experimentation/feature-flags"], call, call.params["id"])["id"])


def _variation(call: Call) -> Document:
    found = call.store.get("variations", call.params["vid"])
    if found is None or found["feature_flag_id"] != _flag(call):
        raise ApiError(404, "The variation does not exist.", "inexistent_variation")
    return found


@operation("GET", VARIATIONS)
def list_variations(call: Call) -> Document:
    return {"variations": call.store.find("variations", feature_flag_id=_flag(call))}


@operation("POST", VARIATIONS)
def create_variation(call: Call) -> Reply:
    id, now = Id("var_", 22, BASE58).new(), call.tenant.timestamp()
    document = {"id": id, "feature_flag_id": _flag(call), "overrides": {}, "created_at": now, "updated_at": now}
    return Reply(201, call.store.put("variations", id, {**document, **(call.body or {})}))


@operation("GET", VARIATIONS + "/{vid}")
def read_variation(call: Call) -> Document:
    return _variation(call)


@operation("PATCH", VARIATIONS + "/{vid}")
def change_variation(call: Call) -> Document:
    new = {**_variation(call), **(call.body or {}), "updated_at": call.tenant.timestamp()}
    return call.store.put("variations", new["id"], new)


@operation("DELETE", VARIATIONS + "/{vid}")
def delete_variation(call: Call) -> Reply:
    call.store.remove("variations", _variation(call)["id"])
    return Reply(204)


# --- search ----------------------------------------------------------------------------------------------------------


def _search(store: str, *fields: str) -> Callable[[Call], Any]:
    """Documents in which any of the fields holds the words of q (a field name before a colon is allowed)."""

    def handler(call: Call) -> Any:
        words = [word.rpartition(":")[2].strip('"*').lower() for word in call.query.get("q", "").split()]
        found = [
            {key: value for key, value in document.items() if key not in ("client_secret", "signing_secret")}
            for document in call.store.all(store)
            if all(any(word in str(document.get(field, "")).lower() for field in fields) for word in words)
        ]
        return crud.listed(call, found, store, "checkpoint")

    return handler


operation("GET", "/clients/search")(_search("clients", "name", "client_id", "description"))
operation("GET", "/organizations/search")(_search("organizations", "name", "display_name", "id"))
operation("GET", "/resource-servers/search")(_search("resource_servers", "name", "identifier", "id"))
operation("GET", "/client-grants/search")(_search("client_grants", "client_id", "audience", "id"))


# --- events ----------------------------------------------------------------------------------------------------------


@operation("GET", "/events")
def events(call: Call) -> Reply:
    """A stream of server-sent events, of which the sandbox has none."""
    return Reply(200, None, {"content-type": "text/event-stream"})


# --- the rest --------------------------------------------------------------------------------------------------------


def _by_shape(endpoint: routes.Endpoint) -> Callable[[Call], Any]:
    shape = shapes().get(f"{endpoint.method} {endpoint.path}", {})
    one = endpoint.method == "GET" and endpoint.path.endswith("}")

    def handler(call: Call) -> Any:
        if one:
            raise ApiError(404, "Not Found")
        if endpoint.method == "DELETE":
            return Reply(204)
        return complete(shape, call.body if isinstance(call.body, dict) else None)

    return handler


for _endpoint in routes.endpoints():
    OPERATIONS.setdefault((_endpoint.method, _endpoint.path), Operation(_by_shape(_endpoint)))
