"""Modules: code that several Actions share, published in numbered versions."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.actions import listed, named_secrets
from sandbox.kinds.kind import Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

_CONTENT = ("code", "secrets", "dependencies")


def complete(call: Call, module: Document) -> Document:
    before = call.store.get("action_modules", module["id"]) or {}
    sent = (call.body or {}).get("secrets")
    module = {**module, "_changed": True}
    module.pop("publish", None)
    if sent is not None or not before:
        now, values = call.tenant.timestamp(), dict(before.get("_secrets", {}))
        values.update({secret["name"]: secret["value"] for secret in sent or [] if "value" in secret})
        module["secrets"] = [{"name": secret["name"], "updated_at": now} for secret in sent or []]
        module["_secrets"] = {secret["name"]: values.get(secret["name"], "") for secret in sent or []}
    return module


def check(call: Call, module: Document, before: Document | None) -> None:
    named_secrets(call)


def shown(call: Call, module: Document) -> Document:
    versions = _versions(call, module)
    answer = {key: value for key, value in module.items() if not key.startswith("_")}
    answer["all_changes_published"] = bool(versions) and not module["_changed"]
    answer["actions_using_module_total"] = len(_users(call, module))
    if versions:
        fields = ("id", "version_number", *_CONTENT, "created_at")
        answer["latest_version"] = {field: versions[-1][field] for field in fields}
        answer["latest_version_number"] = versions[-1]["version_number"]
    return answer


MODULES = Kind(
    path="/actions/modules",
    store="action_modules",
    envelope="modules",
    id=Id("", 0),
    missing=("That module does not exist.", None),
    defaults={"dependencies": [], "secrets": []},
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id", "all_changes_published", "actions_using_module_total", "latest_version"}),
    unique=(Unique(("name",), "A module with this name already exists.", "module_conflict"),),
    most=100,
    check=check,
    before=complete,
    shown=shown,
)


def _versions(call: Call, module: Document) -> list[Document]:
    return call.store.find("action_module_versions", module_id=module["id"])


def _users(call: Call, module: Document) -> list[Document]:
    """Actions whose draft uses the module."""
    return [
        action
        for action in call.store.all("actions")
        if any(used.get("module_id") == module["id"] for used in action.get("modules") or ())
    ]


@operation("GET", "/actions/modules")
def list_modules(call: Call) -> Document:
    return listed(call, [shown(call, module) for module in call.store.all("action_modules")], "modules", first=True)


@operation("POST", "/actions/modules")
def create(call: Call) -> Reply:
    module = crud.insert(MODULES, call, call.body or {})
    if (call.body or {}).get("publish"):
        publish(call, module)
    return Reply(201, shown(call, call.store.get("action_modules", module["id"]) or module))


@operation("DELETE", "/actions/modules/{id}")
def delete(call: Call) -> Reply:
    module = crud.asked(MODULES, call)
    if _users(call, module):
        raise ApiError(412, "The module is used by an action.", "module_in_use")
    for version in _versions(call, module):
        call.store.remove("action_module_versions", version["id"])
    crud.remove(MODULES, call, module)
    return Reply(204)


def publish(call: Call, module: Document) -> Document:
    version = {
        "id": Id("", 0).new(),
        "module_id": module["id"],
        "version_number": len(_versions(call, module)) + 1,
        **{field: module[field] for field in _CONTENT},
        "created_at": call.tenant.timestamp(),
    }
    call.store.put("action_module_versions", version["id"], version)
    call.store.put("action_modules", module["id"], {**module, "_changed": False})
    return version


@operation("POST", "/actions/modules/{id}/versions")
def publish_version(call: Call) -> Reply:
    module = crud.asked(MODULES, call)
    if _versions(call, module) and not module["_changed"]:
        raise ApiError(409, "There are no changes to publish.", "module_unchanged")
    return Reply(200, publish(call, module))


@operation("GET", "/actions/modules/{id}/versions")
def list_versions(call: Call) -> Document:
    versions = list(reversed(_versions(call, crud.asked(MODULES, call))))
    return listed(call, versions, "versions", first=True)


def _version(call: Call, module: Document, id: Any) -> Document:
    found = call.store.get("action_module_versions", str(id))
    if found is None or found["module_id"] != module["id"]:
        raise ApiError(404, "That module version does not exist.")
    return found


@operation("GET", "/actions/modules/{id}/versions/{version_id}")
def read_version(call: Call) -> Document:
    return _version(call, crud.find(MODULES, call, call.params["id"]), call.params["version_id"])


@operation("POST", "/actions/modules/{id}/rollback")
def roll_back(call: Call) -> Reply:
    """The draft becomes that version again."""
    module = crud.asked(MODULES, call)
    version = _version(call, module, (call.body or {}).get("module_version_id"))
    new = {
        **module,
        **{field: version[field] for field in _CONTENT},
        "updated_at": call.tenant.timestamp(),
        "_changed": True,
    }
    return Reply(200, shown(call, call.store.put("action_modules", module["id"], new)))


@operation("GET", "/actions/modules/{id}/actions")
def list_users(call: Call) -> Document:
    module = crud.asked(MODULES, call)
    used = []
    for action in _users(call, module):
        reference = next(m for m in action["modules"] if m.get("module_id") == module["id"])
        used.append(
            {
                "action_id": action["id"],
                "action_name": action["name"],
                "module_version_id": reference.get("module_version_id"),
                "module_version_number": reference.get("module_version_number"),
                "supported_triggers": action["supported_triggers"],
            }
        )
    return listed(call, used, "actions", first=True)


crud.register(MODULES)
