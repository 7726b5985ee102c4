"""The triggers that Actions can run at."""

from __future__ import annotations

from sandbox.kinds.operations import Call, operation
from sandbox.store import Document

DEFAULT_RUNTIME = "node22"
_CURRENT, _OLD = ["node18-actions", "node22"], ["node22"]


def _trigger(id: str, version: str, runtimes: list[str], runtime: str, policy: str = "trigger-bound") -> Document:
    return {
        "id": id,
        "version": version,
        "status": "DEPRECATED" if runtime in ("node12", "node16") else "CURRENT",
        "runtimes": runtimes,
        "default_runtime": runtime,
        "binding_policy": policy,
        "compatible_triggers": [{"id": id, "version": "v2"}] if (id, version) == ("post-login", "v3") else [],
    }


TRIGGERS: tuple[Document, ...] = (
    _trigger("post-login", "v3", _CURRENT, "node22"),
    _trigger("post-login", "v2", ["node18", "node22"], "node16"),
    _trigger("post-login", "v1", _OLD, "node12"),
    *(
        _trigger(id, version, runtimes, runtime)
        for id in (
            "credentials-exchange",
            "pre-user-registration",
            "post-user-registration",
            "post-change-password",
            "send-phone-message",
        )
        for version, runtimes, runtime in (("v2", _CURRENT, "node22"), ("v1", _OLD, "node12"))
    ),
    _trigger("password-reset-post-challenge", "v1", _CURRENT, "node22"),
    _trigger("custom-phone-provider", "v1", _CURRENT, "node22"),
    _trigger("custom-email-provider", "v1", _CURRENT, "node22"),
    _trigger("custom-token-exchange", "v1", ["node18", "node22"], "node22", "entity-bound"),
    _trigger("event-stream", "v1", _OLD, "node22", "entity-bound"),
    _trigger("password-hash-migration", "v1", _OLD, "node22", "entity-bound"),
    _trigger("mcp-tool", "v1", _OLD, "node22", "entity-bound"),
)


# What an Action exports for each.
HANDLERS = {
    "post-login": "onExecutePostLogin",
    "credentials-exchange": "onExecuteCredentialsExchange",
    "pre-user-registration": "onExecutePreUserRegistration",
    "post-user-registration": "onExecutePostUserRegistration",
    "post-change-password": "onExecutePostChangePassword",
    "send-phone-message": "onExecuteSendPhoneMessage",
    "custom-token-exchange": "onExecuteCustomTokenExchange",
}


@operation("GET", "/actions/triggers")
def list_triggers(call: Call) -> Document:
    return {"triggers": list(TRIGGERS)}
