"""The log event of a login's end: s, f, ssa, fsa."""

from __future__ import annotations

from typing import Any

from sandbox import logs
from sandbox.login.calls import Call
from sandbox.login.credentials import name_of
from sandbox.login.issuing import MFA_ACR
from sandbox.login.subject import MFA, Login
from sandbox.login.transactions import Transaction
from sandbox.login.visitor import visitor


def write(transaction: Transaction, login: Login | None, kind: str, description: str, call: Call | None = None) -> None:
    client, running = transaction.client, transaction.pipeline
    at = login.visitor if login else visitor(call) if call else None
    details: dict[str, Any] = {
        "prompts": [_prompt(method) for method in login.fresh] if login else [],
        "completedAt": int(transaction.tenant.now() * 1000),
    }
    if description:
        details["error"] = {"message": description}
    if running is not None:
        details["actions"] = {"executions": running.keep_execution()}
    fields: dict[str, Any] = {
        "client_id": client["client_id"],
        "client_name": client.get("name"),
        "ip": at.ip if at else None,
        "user_agent": at.user_agent if at else None,
        "audience": transaction.parameters.get("audience") or None,
        "scope": transaction.scopes or None,
        "description": description or None,
        "details": details,
    }
    logs.write(transaction.tenant, kind, **fields, **(_of_user(login) if login is not None else {}))


def _of_user(login: Login) -> dict[str, Any]:
    user = login.tenant.store.get("users", login.user_id) or {"user_id": login.user_id}
    return {
        "user_id": login.user_id,
        "user_name": name_of(user),
        "connection": login.connection.get("name"),
        "connection_id": login.connection.get("id"),
        "strategy": login.connection.get("strategy"),
        "session_id": login.session["id"] if login.session else login.session_id,
    }


def _prompt(method: dict[str, Any]) -> dict[str, Any]:
    """What the person did on the way; "phr" stands for a key that can't be phished (RFC 8176)."""
    if method["name"] == MFA:
        provider = "duo" if method.get("type") == "duo" else "guardian"
        amr = {"performed_acr": [MFA_ACR], "performed_amr": ["mfa"], "provider": provider}
        return {"name": "mfa", "flow": "mfa", "completedAt": method["timestamp"], **amr}
    amr = {"performed_amr": ["phr"]} if method["name"] == "passkey" else {}
    return {"name": "login", "flow": "login", "completedAt": method["timestamp"], **amr}
