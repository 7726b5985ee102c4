"""Actions: drafts that are built, deployed as versions, and bound to triggers.

Documents: `actions` (the draft; `_secrets` {name: value}, `_deployed` id of the version that runs, `_build` how many
more looks until it is built, `_changed` whether the draft differs from that version), `action_versions` (`_action_id`,
`_secrets`), `trigger_bindings` ("TRIGGER" -> {"bindings": [{id, trigger_id, action_id, display_name, ...}]}).
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, limits, paging
from sandbox.kinds.kind import Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.triggers import DEFAULT_RUNTIME, TRIGGERS
from sandbox.store import Document, Store
from sandbox.tenant import Tenant

LOOKS_WITH_DEPENDENCIES = 4
"""How often a build that has packages to install is seen `building` before it is `built`."""


def bound(tenant: Tenant, trigger_id: str) -> list[Document]:
    """What runs at a trigger, in order: {"id", "name", "display_name", "code", "dependencies", "secrets" {name: value},
    "runtime", "modules"} of each bound Action's deployed version."""
    found = []
    for binding in _bindings(tenant.store, trigger_id):
        action = deployed(tenant, binding["action_id"])
        if action:
            found.append({**action, "display_name": binding["display_name"]})
    return found


def deployed(tenant: Tenant, action_id: str) -> Document | None:
    """One Action as `bound` has it, without a display_name."""
    action = tenant.store.get("actions", action_id)
    version = tenant.store.get("action_versions", action.get("_deployed") or "") if action else None
    if action is None or version is None:
        return None
    return {
        "id": action["id"],
        "name": action["name"],
        "code": version["code"],
        "dependencies": version["dependencies"],
        "secrets": version["_secrets"],
        "runtime": version["runtime"],
        "modules": version.get("modules", []),
    }


def _bindings(store: Store, trigger_id: str) -> list[Document]:
    return list((store.get("trigger_bindings", trigger_id) or {}).get("bindings", ()))


# --- drafts ----------------------------------------------------------------------------------------------------------


def complete(call: Call, action: Document) -> Document:
    """A written draft is built again; values of secrets are kept apart from their names."""
    sent = call.body or {}
    before = call.store.get("actions", action["id"])
    action = {**action, "status": "pending", "_changed": True, "_build": _build_looks(action)}
    action.pop("deploy", None)
    action.pop("force", None)
    if "secrets" in sent or before is None:
        values = dict((before or {}).get("_secrets", {}))
        names = [secret["name"] for secret in sent.get("secrets") or []]
        values.update({s["name"]: s["value"] for s in sent.get("secrets") or [] if s.get("value") is not None})
        known = {secret["name"]: secret for secret in (before or {}).get("secrets", ())}
        now = call.tenant.timestamp()
        fresh = {s["name"] for s in sent.get("secrets") or [] if s.get("value") is not None}
        action["secrets"] = [
            {"name": name, "updated_at": now if name in fresh or name not in known else known[name]["updated_at"]}
            for name in names
        ]
        action["_secrets"] = {name: values.get(name, "") for name in names}
    return action


def _build_looks(action: Document) -> int:
    return LOOKS_WITH_DEPENDENCIES if action.get("dependencies") else 0


def named_secrets(call: Call) -> list[Document]:
    """The secrets of the body. Raises ApiError 400 where one has no name."""
    secrets: list[Document] = (call.body or {}).get("secrets") or []
    if len(secrets) > limits.ACTION_SECRETS:
        raise _refused(f"Array is too long ({len(secrets)}), maximum {limits.ACTION_SECRETS}' on property secrets")
    for index, secret in enumerate(secrets):
        at = f"' on property secrets[{index}]"
        if not secret.get("name"):
            raise _refused(f"Missing required property: name{at}")
        long = len(secret["name"]) > limits.SECRET_NAME_LENGTH
        if long or len(secret.get("value") or "") > limits.SECRET_VALUE_LENGTH:
            raise _refused(f"String is too long{at}")
    return secrets


def _check_size(action: Document) -> None:
    if len(action.get("code", "").encode()) > limits.ACTION_CODE_BYTES:
        raise _refused(f"The code is longer than {limits.ACTION_CODE_BYTES} bytes' on property code")
    for name, most in (("dependencies", limits.ACTION_DEPENDENCIES), ("modules", limits.ACTION_MODULES)):
        if len(action.get(name) or ()) > most:
            raise _refused(f"Array is too long, maximum {most}' on property {name}")


def _refused(problem: str) -> ApiError:
    return ApiError(400, f"Payload validation error: '{problem}.", "invalid_body")


def check(call: Call, action: Document, before: Document | None) -> None:
    known = {(t["id"], t["version"]) for t in TRIGGERS}
    for trigger in action.get("supported_triggers") or []:
        if trigger.get("version") and (trigger["id"], trigger["version"]) not in known:
            raise ApiError(400, f"Trigger {trigger['id']} {trigger['version']} is not supported.", "invalid_body")
    for secret in named_secrets(call):
        if before is None and not secret.get("value"):
            raise ApiError(400, f"The secret {secret.get('name')} needs a value.", "invalid_body")
    _check_size(action)


def looked_at(call: Call, action: Document) -> Document:
    """Each look brings a build nearer to its end."""
    if action["status"] == "built":
        return action
    left = action.get("_build", 0)
    new = (
        {**action, "status": "building", "_build": left - 1} if left > 0 else {**action, "status": "built", "_build": 0}
    )
    return call.store.put("actions", action["id"], new)


def shown(call: Call, action: Document) -> Document:
    if call.method == "GET":
        action = looked_at(call, action)
    answer = {key: value for key, value in action.items() if not key.startswith("_")}
    version = call.store.get("action_versions", action.get("_deployed") or "")
    if version:
        answer["current_version"] = _current(version)
        answer["deployed_version"] = {**_version(version), "deployed": True}
    answer["all_changes_deployed"] = bool(version) and not action.get("_changed")
    return answer


def _current(version: Document) -> Document:
    fields = ("id", "code", "runtime", "number", "created_at", "updated_at")
    return {**{f: version[f] for f in fields}, "status": "BUILT", "build_time": version["built_at"]}


def _version(version: Document) -> Document:
    return {key: value for key, value in version.items() if not key.startswith("_")}


ACTIONS = Kind(
    path="/actions/actions",
    store="actions",
    envelope="actions",
    id=Id("", 0),
    missing=("That action does not exist.", None),
    defaults={"code": "", "dependencies": [], "runtime": DEFAULT_RUNTIME, "secrets": []},
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id", "status", "all_changes_deployed"}),
    unique=(Unique(("name",), "An action with this name already exists.", "action_conflict"),),
    most=100,
    check=check,
    before=complete,
    shown=shown,
)


def listed(call: Call, items: list[Document], envelope: str, *, first: bool = False) -> Document:
    """Lists of the Actions family: {envelope, total, per_page, page}, never bare. A page beyond the end counts none;
    `page` is left out of the first page, unless `first`, as modules show it."""
    page, size = paging.number(call, "page", 0), paging.number(call, "per_page", 50, paging.MOST_PER_PAGE)
    part = items[page * size : (page + 1) * size]
    answer = {envelope: part, "total": len(items) if part else 0, "per_page": size}
    return {**answer, "page": page} if page or first else answer


@operation("GET", "/actions/actions")
def list_actions(call: Call) -> Document:
    found = [action for action in call.store.all("actions") if _matches(call, action)]
    return listed(call, [shown(call, action) for action in found], "actions")


def _matches(call: Call, action: Document) -> bool:
    query = call.query
    triggers = {trigger["id"] for trigger in action.get("supported_triggers", ())}
    if "triggerId" in query and query["triggerId"] not in triggers:
        return False
    if "actionName" in query and query["actionName"] != action["name"]:
        return False
    return "deployed" not in query or str(bool(action.get("_deployed"))).lower() == query["deployed"]


@operation("POST", "/actions/actions")
def create(call: Call) -> Reply:
    action = crud.insert(ACTIONS, call, call.body or {})
    if (call.body or {}).get("deploy"):
        action = call.store.put("actions", action["id"], {**action, "status": "built", "_build": 0})
        publish(call, action, action["_secrets"])
        action = call.store.get("actions", action["id"]) or action
    return Reply(201, shown(call, action))


@operation("DELETE", "/actions/actions/{id}")
def delete(call: Call) -> Reply:
    """A bound Action is deleted only by force."""
    action = crud.asked(ACTIONS, call)
    holding = [t["id"] for t in TRIGGERS for b in _bindings(call.store, t["id"]) if b["action_id"] == action["id"]]
    if holding and call.query.get("force") != "true":
        raise ApiError(400, "That action cannot be deleted because it is currently bound to a trigger.", "invalid_body")
    for trigger_id in set(holding):
        left = [b for b in _bindings(call.store, trigger_id) if b["action_id"] != action["id"]]
        call.store.put("trigger_bindings", trigger_id, {"bindings": left})
    for version in call.store.find("action_versions", _action_id=action["id"]):
        call.store.remove("action_versions", version["id"])
    crud.remove(ACTIONS, call, action)
    return Reply(204)


# --- versions --------------------------------------------------------------------------------------------------------


def publish(call: Call, action: Document, secrets: dict[str, str], source: Document | None = None) -> Document:
    """A new version of the draft (or of an older version) takes effect at once."""
    now, content = call.tenant.timestamp(), source or action
    older = call.store.find("action_versions", _action_id=action["id"])
    version: Document = {
        "id": Id("", 0).new(),
        "code": content["code"],
        "dependencies": content["dependencies"],
        "deployed": False,
        "number": max((other["number"] for other in older), default=0) + 1,
        "built_at": now,
        "secrets": content["secrets"],
        "status": "built",
        "created_at": now,
        "updated_at": now,
        "runtime": content["runtime"],
        "supported_triggers": action["supported_triggers"],
        "_action_id": action["id"],
        "_secrets": secrets,
    }
    if content.get("modules"):
        version["modules"] = content["modules"]
    surplus = max(0, len(older) + 1 - limits.ACTION_VERSIONS)
    oldest_first = sorted(older, key=lambda other: other["number"])
    for old in oldest_first[:surplus]:
        call.store.remove("action_versions", old["id"])
    call.store.put("action_versions", version["id"], version)
    call.store.put("actions", action["id"], {**action, "_deployed": version["id"], "_changed": source is not None})
    return version


def with_action(version: Document, action: Document, **more: Any) -> Document:
    fields = ("id", "name", "supported_triggers", "created_at", "updated_at")
    summary = {**{field: action[field] for field in fields}, "all_changes_deployed": False, **more}
    return {**_version(version), "action": summary}


@operation("POST", "/actions/actions/{id}/deploy")
def deploy(call: Call) -> Reply:
    action = looked_at(call, crud.asked(ACTIONS, call))
    if action["status"] != "built":
        raise ApiError(400, "A draft must be in the 'built' state before it can be deployed.")
    return Reply(200, with_action(publish(call, action, action["_secrets"]), action))


crud.register(ACTIONS)
