"""api.authentication.setPrimaryUser: the login goes on as the account that this one was linked to."""

from __future__ import annotations

from sandbox.login.effects import Effects
from sandbox.login.subject import Login


def switch(login: Login, effects: Effects) -> str:
    """What is wrong, "" when nothing is. Only an account that holds this identity as a secondary one will do."""
    id = effects.primary_user
    if not id and login.linked:
        return f"{login.user_id} was linked to another user; the Action has to call api.authentication.setPrimaryUser"
    if not id or id == login.user_id:
        return ""
    primary = login.tenant.store.get("users", id)
    if primary is None:
        return f"The primary user {id} does not exist"
    secondary = [f"{identity['provider']}|{identity['user_id']}" for identity in primary["identities"][1:]]
    if login.identity not in secondary:
        return f"The identity {login.identity} is not among the secondary identities of {id}"
    login.user_id = id
    return ""
