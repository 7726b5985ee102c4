"""Experiments: which share of the visitors sees which variation of a feature flag."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.experimentation import FLAGS, check_transition, row, transition, variations_of
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

WHOLE_PERCENT = 100
ENDED = frozenset({"completed", "archived"})
EDITABLE: dict[str, tuple[str, ...]] = {
    "draft": ("name", "description", "authentication_flow", "allocations", "levels"),
    "active": ("name", "description"),
    "paused": ("name", "description", "allocations"),
}
"""By the status of an experiment; one that has ended can't be changed."""


def _check_experiment(call: Call, experiment: Document, before: Document | None) -> None:
    crud.find(FLAGS, call, experiment["feature_flag_id"])
    levels = experiment.get("levels")
    if levels is not None and any(next <= level for level, next in zip(levels, levels[1:], strict=False)):
        raise ApiError(400, "The levels must be strictly increasing.", "invalid_body")
    check_transition("experiments", experiment, before)
    if before is None:
        return
    changed = {key for key in {*experiment, *before} if experiment.get(key) != before.get(key)}
    changed -= {"updated_at", "status"}
    fixed = sorted(changed - set(EDITABLE.get(before["status"], ())))
    if fixed:
        raise ApiError(400, f"{fixed[0]} can't be modified while the experiment is {before['status']}.", "invalid_body")
    if experiment["status"] == "active" != before["status"]:
        problems = _problems(call, experiment)
        if problems:
            raise ApiError(400, f"The experiment is not ready: {problems[0]['message']}", "invalid_body")


def _timed(call: Call, experiment: Document) -> Document:
    """When it began and ended, and the first level of its ramp."""
    now, status = call.tenant.timestamp(), experiment["status"]
    if status == "active" and "started_at" not in experiment:
        ramp = {"current_level": experiment["levels"][0]} if experiment.get("levels") else {}
        return {**experiment, "started_at": now, **ramp}
    if status in ENDED and "ended_at" not in experiment:
        return {**experiment, "ended_at": now}
    return experiment


def _problems(call: Call, experiment: Document) -> list[Document]:
    """What stands against running the experiment."""
    shares, flag = experiment["allocations"], crud.find(FLAGS, call, experiment["feature_flag_id"])
    known = {variation["id"] for variation in variations_of(call, flag)}
    weighed = experiment["allocation_strategy"] == "percentage"
    tests = (
        (flag["status"] == "active", "feature_flag_not_active", "The feature flag must be active."),
        (bool(shares), "no_allocations", "The experiment has no allocations."),
        (
            {share["variation_id"] for share in shares} <= known,
            "unknown_variation",
            "An allocation names a variation that the feature flag does not have.",
        ),
        (
            sum(bool(share["is_control"]) for share in shares) == 1,
            "control_required",
            "Exactly one allocation must be the control.",
        ),
        (
            not weighed or sum(share.get("weight", 0) for share in shares) == WHOLE_PERCENT,
            "invalid_weights",
            f"The weights of the allocations must sum up to {WHOLE_PERCENT}.",
        ),
        (
            experiment["authentication_flow"] != "all" or not _others_active(call, experiment),
            "not_alone",
            "An experiment on all flows must be the only active one.",
        ),
    )
    return [{"code": code, "message": message} for holds, code, message in tests if not holds]


def _others_active(call: Call, experiment: Document) -> bool:
    return any(other["id"] != experiment["id"] for other in call.store.find("experiments", status="active"))


def _shown(call: Call, experiment: Document) -> Document:
    flag = call.store.get("feature_flags", experiment["feature_flag_id"]) or {}
    return {
        **experiment,
        "feature_flag_name": flag.get("name"),
        "is_valid": bool(flag) and not _problems(call, experiment),
        "allocations": [_named(call, share) for share in experiment["allocations"]],
        "editable_fields": list(EDITABLE.get(experiment["status"], ())),
    }


def _named(call: Call, share: Document) -> Document:
    """A share with the names of what it gives to whom."""
    names = {}
    for kind in ("variation", "segment"):
        found = call.store.get(f"{kind}s", share.get(f"{kind}_id", ""))
        if found is not None:
            names[f"{kind}_name"] = found["name"]
    return {**share, **names}


EXPERIMENTS = row(
    "experiments",
    "experiments",
    "exp_",
    "Experiment",
    defaults={
        "allocation_strategy": "percentage",
        "allocations": [],
        "assignment_config": {"subject": "device"},
        "status": "draft",
    },
    read_only=frozenset({"id"}),
    filters=("status", "authentication_flow", "feature_flag_id"),
    check=_check_experiment,
    before=_timed,
    shown=_shown,
)
_ONE_EXPERIMENT = f"{EXPERIMENTS.path}/{{id}}"


@operation("DELETE", _ONE_EXPERIMENT)
def delete_experiment(call: Call) -> Reply:
    found = call.store.get("experiments", call.params["id"])
    if found is not None:
        if found["status"] == "active":
            raise ApiError(400, "Active experiments cannot be deleted. Pause or complete it first.", "invalid_body")
        crud.remove(EXPERIMENTS, call, found)
    return Reply(204)


@operation("POST", f"{_ONE_EXPERIMENT}/validate")
def validate(call: Call) -> Reply:
    problems = _problems(call, crud.asked(EXPERIMENTS, call))
    return Reply(200, {"is_valid": not problems, "errors": problems})


@operation("POST", f"{_ONE_EXPERIMENT}/advance-ramp")
def advance_ramp(call: Call) -> Reply:
    """One level up the ramp; asked for the current level, nothing happens."""
    experiment, target = crud.asked(EXPERIMENTS, call), call.body["target_level"]
    levels, current = experiment.get("levels") or [], experiment.get("current_level")
    if current is None or experiment["status"] != "active":
        raise ApiError(400, "The experiment has no active ramp.", "invalid_body")
    if target != current:
        if target not in levels[levels.index(current) + 1 :][:1]:
            raise ApiError(400, "The target must be the next level of the ramp.", "invalid_body")
        call.store.put("experiments", experiment["id"], {**experiment, "current_level": target})
    answer = {"experiment_id": experiment["id"], "from_level": current, "to_level": target, "current_level": target}
    return Reply(200, answer)


transition(EXPERIMENTS)
crud.register(EXPERIMENTS)
