"""The Actions bound to a trigger, in the order in which they run, each as it was deployed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant


@dataclass(frozen=True)
class BoundAction:
    id: str
    name: str
    code: str
    secrets: dict[str, str] = field(default_factory=dict)


def bound_actions(tenant: Tenant, trigger: str) -> list[BoundAction]:
    """Those that are deployed; an undeployed one does not run."""
    found = (_deployed(tenant, binding) for binding in _bindings(tenant, trigger))
    return [action for action in found if action is not None]


def _bindings(tenant: Tenant, trigger: str) -> list[Document]:
    document = tenant.store.get("trigger_bindings", trigger) or {}
    return list(document.get("bindings") or ())


def _deployed(tenant: Tenant, binding: Document) -> BoundAction | None:
    action_id = binding.get("action_id") or (binding.get("action") or {}).get("id")
    action = tenant.store.get("actions", str(action_id))
    if action is None or not action.get("deployed_version"):
        return None
    version = tenant.store.get("action_versions", action["deployed_version"]["id"]) or action["deployed_version"]
    return BoundAction(action["id"], action["name"], version.get("code") or "", _secrets(version, action))


def _secrets(version: Document, action: Document) -> dict[str, str]:
    kept: Any = version.get("_secrets") or action.get("_secrets") or {}
    if isinstance(kept, dict):
        return {str(name): str(value) for name, value in kept.items()}
    return {str(secret["name"]): str(secret.get("value") or "") for secret in kept}
