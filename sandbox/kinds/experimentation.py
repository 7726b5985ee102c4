"""What experiments try out, on whom: feature flags with their variations, and segments of visitors.

No recording shows them: the rules are those of the SDK's descriptions and of Auth0's OpenAPI description.
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

PER_PAGE = 25
FEWEST_VARIATIONS = 2
TRANSITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "experiments": {
        "draft": ("active", "archived"),
        "active": ("paused", "completed"),
        "paused": ("active", "completed"),
        "completed": ("archived",),
    },
    "feature_flags": {"draft": ("active", "archived"), "active": ("archived",)},
    "segments": {"active": ("archived",)},
}


def row(path: str, store: str, prefix: str, noun: str, **more: Any) -> Kind:
    name = noun.lower()
    return Kind(
        path=f"/experimentation/{path}",
        store=store,
        envelope=store,
        id=Id(prefix, 22, BASE58),
        missing=(f"{noun} not found.", f"inexistent_{name.replace(' ', '_')}"),
        created_at="created_at",
        updated_at="updated_at",
        unique=(Unique(("name",), f"A {name} with this name already exists.", f"{name.replace(' ', '_')}_conflict"),),
        paging="checkpoint",
        per_page=PER_PAGE,
        **more,
    )


def check_transition(store: str, new: Document, before: Document | None) -> None:
    old = before["status"] if before else new["status"]
    if new["status"] != old and new["status"] not in TRANSITIONS[store].get(old, ()):
        raise ApiError(400, f"Status transition from {old} to {new['status']} is not allowed.", "invalid_body")


# --- feature flags and their variations -------------------------------------------------------------------------------


def _check_flag(call: Call, flag: Document, before: Document | None) -> None:
    check_transition("feature_flags", flag, before)
    activated = before is not None and before["status"] != "active" == flag["status"]
    if activated and len(variations_of(call, flag)) < FEWEST_VARIATIONS:
        raise ApiError(400, f"A flag needs at least {FEWEST_VARIATIONS} variations to be active.", "invalid_body")


FLAGS = row(
    "feature-flags",
    "feature_flags",
    "flg_",
    "Feature flag",
    defaults={"type": "self", "status": "draft"},
    read_only=frozenset({"id", "type"}),
    filters=("type", "status"),
    check=_check_flag,
)
VARIATIONS = Kind(
    path="/experimentation/feature-flags/{id}/variations",
    store="variations",
    envelope="variations",
    id=Id("var_", 22, BASE58),
    missing=("Variation not found.", "inexistent_variation"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    unique=(
        Unique(
            ("feature_flag_id", "name"),
            "A variation with this name already exists on this feature flag.",
            "variation_conflict",
        ),
    ),
    check=lambda call, variation, before: _check_overrides(call, variation),
)
_ONE_FLAG, _ONE_VARIATION = f"{FLAGS.path}/{{id}}", f"{VARIATIONS.path}/{{vid}}"


def _check_overrides(call: Call, variation: Document) -> None:
    flag = crud.find(FLAGS, call, variation["feature_flag_id"])
    unknown = sorted(set(variation["overrides"]) - set(flag.get("parameters") or {}))
    if unknown:
        raise ApiError(400, f"The feature flag has no parameter {unknown[0]}.", "invalid_body")


def variations_of(call: Call, flag: Document) -> list[Document]:
    return call.store.find("variations", feature_flag_id=flag["id"])


def _experiments(call: Call) -> list[Document]:
    """Those that are not archived."""
    return [experiment for experiment in call.store.all("experiments") if experiment["status"] != "archived"]


def _allocating(call: Call, field: str, id: str) -> bool:
    """Does an experiment give a share to it?"""
    return any(share.get(field) == id for experiment in _experiments(call) for share in experiment["allocations"])


def _flag(call: Call) -> Document:
    return crud.find(FLAGS, call, call.params["id"])


def _variation(call: Call) -> Document:
    flag, found = _flag(call), crud.find(VARIATIONS, call, call.params["vid"])
    if found["feature_flag_id"] != flag["id"]:
        raise ApiError(404, *VARIATIONS.missing)
    return found


@operation("DELETE", _ONE_FLAG)
def delete_flag(call: Call) -> Reply:
    """Deleting what is not there succeeds, too."""
    flag = call.store.get("feature_flags", call.params["id"])
    if flag is not None:
        if any(experiment["feature_flag_id"] == flag["id"] for experiment in _experiments(call)):
            raise ApiError(409, "Feature flag is in use by one or more experiments.", "feature_flag_in_use")
        for variation in variations_of(call, flag):
            crud.remove(VARIATIONS, call, variation)
        crud.remove(FLAGS, call, flag)
    return Reply(204)


@operation("GET", VARIATIONS.path)
def list_variations(call: Call) -> Document:
    return {"variations": variations_of(call, _flag(call))}


@operation("POST", VARIATIONS.path)
def create_variation(call: Call) -> Reply:
    return Reply(201, crud.insert(VARIATIONS, call, {**call.body, "feature_flag_id": _flag(call)["id"]}))


@operation("GET", _ONE_VARIATION)
def read_variation(call: Call) -> Document:
    return _variation(call)


@operation("PATCH", _ONE_VARIATION)
def change_variation(call: Call) -> Document:
    return crud.update(VARIATIONS, call, _variation(call), call.body or {})


@operation("DELETE", _ONE_VARIATION)
def delete_variation(call: Call) -> Reply:
    flag, variation = _flag(call), call.store.get("variations", call.params["vid"])
    if variation is not None and variation["feature_flag_id"] == flag["id"]:
        if _allocating(call, "variation_id", variation["id"]):
            raise ApiError(409, "Variation is in use by one or more non-archived allocations.", "variation_in_use")
        if len(variations_of(call, flag)) == 1:
            raise ApiError(400, "Feature flag must have at least one variation.", "invalid_body")
        crud.remove(VARIATIONS, call, variation)
    return Reply(204)


# --- segments --------------------------------------------------------------------------------------------------------

SEGMENTS = row(
    "segments",
    "segments",
    "seg_",
    "Segment",
    defaults={"type": "self", "status": "active"},
    read_only=frozenset({"id", "type"}),
    filters=("type",),
    check=lambda call, segment, before: check_transition("segments", segment, before),
)


@operation("DELETE", f"{SEGMENTS.path}/{{id}}")
def delete_segment(call: Call) -> Reply:
    segment = call.store.get("segments", call.params["id"])
    if segment is not None:
        if _allocating(call, "segment_id", segment["id"]):
            raise ApiError(409, "Segment is in use by one or more non-archived experiments.", "segment_in_use")
        crud.remove(SEGMENTS, call, segment)
    return Reply(204)


def transition(kind: Kind) -> None:
    """Answer the endpoint that does nothing but set the status."""

    @operation("POST", f"{kind.path}/{{id}}/status")
    def handler(call: Call) -> Reply:
        return Reply(200, crud.change(kind, call))


transition(FLAGS)
crud.register(FLAGS, SEGMENTS)
