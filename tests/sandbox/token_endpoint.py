"""Asking the token endpoint, and an API to ask tokens for."""

from __future__ import annotations

from typing import Any

ORDERS = "https://orders.example/"


def orders_api(tenant: Any, **fields: Any) -> Any:
    body = {
        "identifier": ORDERS,
        "name": "Orders",
        "scopes": [{"value": "read:orders"}, {"value": "write:orders"}],
        "allow_offline_access": True,
        "skip_consent_for_verifiable_first_party_clients": True,
        **fields,
    }
    return tenant.api("POST", "/resource-servers", body)


def ask(tenant: Any, client: dict[str, Any], **body: Any) -> Any:
    """POST /oauth/token with the client's secret; None takes a field out."""
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    wanted = {name: value for name, value in {**secret, **body}.items() if value is not None}
    return tenant.http.post("/oauth/token", data=wanted)


def refusal(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]
