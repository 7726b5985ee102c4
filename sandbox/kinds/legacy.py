"""What Auth0 keeps for tenants that still use it: rules, their configuration, hooks and their secrets."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import Id, Kind, Unique
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document

NOT_SHOWN = "_VALUE_NOT_SHOWN_"


def _complete_rule(call: Call, rule: Document) -> Document:
    if "order" not in rule:
        last = max((other.get("order", 0) for other in call.store.all("rules")), default=0)
        return {**rule, "order": last + 1}
    return rule


def _check_rule(call: Call, rule: Document, before: Document | None) -> None:
    taken = [r for r in call.store.find("rules", order=rule.get("order")) if r["id"] != rule["id"]]
    if rule.get("order") is not None and taken:
        raise ApiError(409, "A rule with the same order already exists.", "rule_conflict")


RULES = Kind(
    path="/rules",
    store="rules",
    envelope="rules",
    id=Id("rul_"),
    missing=("The rule does not exist.", "inexistent_rule"),
    defaults={"enabled": True, "stage": "login_success"},
    read_only=frozenset({"id", "stage"}),
    unique=(Unique(("name",), "A rule with the same name already exists", "rule_conflict"),),
    filters=("enabled",),
    check=_check_rule,
    before=_complete_rule,
    order=lambda rule: rule.get("order", 0),
)


@operation("GET", "/rules-configs")
def list_configs(call: Call) -> list[Document]:
    return [{"key": config["key"]} for config in call.store.all("rules_configs")]


@operation("PUT", "/rules-configs/{key}")
def put_config(call: Call) -> Document:
    config = {"key": call.params["key"], "value": (call.body or {})["value"]}
    return call.store.put("rules_configs", config["key"], config)


@operation("DELETE", "/rules-configs/{key}")
def delete_config(call: Call) -> Reply:
    call.store.remove("rules_configs", call.params["key"])
    return Reply(204)


# --- hooks -----------------------------------------------------------------------------------------------------------


def _forget_secrets(call: Call, hook: Document) -> None:
    call.store.remove("hook_secrets", hook["id"])


HOOKS = Kind(
    path="/hooks",
    store="hooks",
    envelope="hooks",
    id=Id("01", 24, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    missing=("The hook does not exist.", "HookDoesNotExist"),
    defaults={"dependencies": {}, "enabled": False},
    read_only=frozenset({"id"}),
    filters=("enabled", "triggerId"),
    after_delete=_forget_secrets,
)


def _hook_secrets(call: Call) -> tuple[str, Document]:
    hook = crud.find(HOOKS, call, call.params["id"])
    return hook["id"], (call.store.get("hook_secrets", hook["id"]) or {"secrets": {}})["secrets"]


def _put_secrets(call: Call, id: str, secrets: Document) -> None:
    call.store.put("hook_secrets", id, {"secrets": secrets})


@operation("GET", "/hooks/{id}/secrets")
def list_secrets(call: Call) -> Document:
    return dict.fromkeys(_hook_secrets(call)[1], NOT_SHOWN)


@operation("POST", "/hooks/{id}/secrets")
def add_secrets(call: Call) -> Reply:
    id, secrets = _hook_secrets(call)
    taken = set(secrets) & set(call.body or {})
    if taken:
        raise ApiError(409, f"Secrets exist already: {', '.join(sorted(taken))}", "SecretAlreadyExists")
    _put_secrets(call, id, {**secrets, **(call.body or {})})
    return Reply(201, {})


@operation("PATCH", "/hooks/{id}/secrets")
def change_secrets(call: Call) -> Reply:
    id, secrets = _hook_secrets(call)
    unknown = set(call.body or {}) - set(secrets)
    if unknown:
        raise ApiError(404, f"Secrets do not exist: {', '.join(sorted(unknown))}", "SecretDoesNotExist")
    _put_secrets(call, id, {**secrets, **(call.body or {})})
    return Reply(201, {})


@operation("DELETE", "/hooks/{id}/secrets")
def delete_secrets(call: Call) -> Reply:
    id, secrets = _hook_secrets(call)
    _put_secrets(call, id, {key: value for key, value in secrets.items() if key not in set(call.body or ())})
    return Reply(204)


crud.register(RULES, HOOKS)
