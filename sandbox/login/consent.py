"""Whether the person has to allow what the application asks for, and what they have allowed (kind `grants`)."""

from __future__ import annotations

from sandbox.login import scopes
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction
from sandbox.tenant import new_id


def needed(transaction: Transaction, login: Login) -> bool:
    """First-party applications ask where the API does not let them skip it; others ask until it was granted."""
    if transaction.consented:
        return False
    if "consent" in transaction.prompt:
        return True
    api = scopes.api_of(login)
    first_party = login.client.get("is_first_party", True)
    if first_party and (api is None or api.get("skip_consent_for_verifiable_first_party_clients", True) is not False):
        return False
    return not set(scopes.granted(login)) <= set(_granted(login))


def _granted(login: Login) -> list[str]:
    store, id = login.tenant.store, login.client["client_id"]
    found = store.find("grants", user_id=login.user_id, clientID=id, audience=_audience(login))
    return [scope for grant in found for scope in grant["scope"]]


def remember(login: Login) -> None:
    store, id = login.tenant.store, login.client["client_id"]
    old = store.first("grants", user_id=login.user_id, clientID=id, audience=_audience(login))
    scope = list(dict.fromkeys([*(old["scope"] if old else ()), *scopes.granted(login)]))
    key = old["id"] if old else new_id("", 24, "0123456789abcdef")
    document = {"id": key, "clientID": id, "user_id": login.user_id, "audience": _audience(login), "scope": scope}
    store.put("grants", key, document)


def _audience(login: Login) -> str:
    return login.audience or f"{login.tenant.issuer}userinfo"
