"""Which of the scopes that were asked for a person at an application gets."""

from __future__ import annotations

from sandbox.login import audiences
from sandbox.login.effects import Effects
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.users import memberships


def granted(login: Login, effects: Effects | None = None) -> list[str]:
    """In the order asked for; scopes added by Actions last."""
    effects = effects or Effects()
    api = api_of(login)
    allowed = _of_api(login, api) if api else []
    found = [s for s in login.scopes if s in audiences.IDENTITY_SCOPES or s in allowed]
    found = [s for s in found if s not in effects.removed_scopes]
    found += [s for s in effects.added_scopes if s not in found]
    if "offline_access" in found and not offline_allowed(login, api):
        found.remove("offline_access")
    return list(dict.fromkeys(found))


def api_of(login: Login) -> Document | None:
    return audiences.find(login.tenant, login.audience) if login.audience else None


def offline_allowed(login: Login, api: Document | None) -> bool:
    may_refresh = "refresh_token" in login.client.get("grant_types", [])
    return may_refresh and (api is None or bool(api.get("allow_offline_access")))


def _of_api(login: Login, api: Document) -> list[str]:
    values = audiences.scopes_for_people(login.tenant, login.client, api)
    if api.get("is_system") or api["identifier"] == login.tenant.management_audience:
        return [value for value in values if "current_user" in value]
    if api.get("enforce_policies"):
        held = permissions(login, api)
        return [value for value in values if value in held]
    return values


def permissions(login: Login, api: Document) -> list[str]:
    """The user's permissions on an API: given directly, by roles, and by roles within the organization."""
    tenant, user_id = login.tenant, login.user_id
    rows = list(memberships.permissions_of(tenant, user_id))
    roles = memberships.roles_of(tenant, user_id)
    if login.organization:
        roles = [*roles, *memberships.member_roles(tenant, login.organization["id"], user_id)]
    for role in roles:
        rows += memberships.permissions_of_role(tenant, role["id"])
    wanted = api["identifier"]
    names = (row["permission_name"] for row in rows if row["resource_server_identifier"] == wanted)
    return list(dict.fromkeys(names))
