"""Who belongs to an organization, with which roles; invitations."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, paging
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.organizations import asked
from sandbox.kinds.roles import ROLES, member
from sandbox.store import Document
from sandbox.tenant import new_id
from sandbox.users import memberships, records

INVITATION_SECONDS = 604_800


@operation("GET", "/organizations/{id}/members")
def list_members(call: Call) -> Any:
    users = memberships.members_of(call.tenant, asked(call)["id"])
    fields = call.query.get("fields", "")
    items = [_with_roles(call, user) if "roles" in fields else member(user) for user in users]
    if "take" in call.query or "from" in call.query:
        return paging.checkpoint(call, items, "members", eager=True)
    return crud.listed(call, items, "members", "offset")


def _with_roles(call: Call, user: Document) -> Document:
    roles = memberships.member_roles(call.tenant, asked(call)["id"], user["user_id"])
    return {**member(user), "roles": [{"id": role["id"], "name": role["name"]} for role in roles]}


@operation("POST", "/organizations/{id}/members")
def add_members(call: Call) -> Reply:
    organization = asked(call)
    users = [records.get(call.tenant, user_id) for user_id in (call.body or {})["members"]]
    for user in users:
        memberships.add_member(call.tenant, organization["id"], user["user_id"])
    return Reply(204)


@operation("DELETE", "/organizations/{id}/members")
def remove_members(call: Call) -> Reply:
    organization = asked(call)
    for user_id in (call.body or {})["members"]:
        memberships.remove_member(call.tenant, organization["id"], user_id)
    return Reply(204)


def _member(call: Call) -> tuple[str, str]:
    organization, user_id = asked(call), call.params["user_id"]
    if not memberships.is_member(call.tenant, organization["id"], user_id):
        raise ApiError(404, "No member found by that id", "inexistent_member")
    return organization["id"], user_id


@operation("GET", "/organizations/{id}/members/{user_id}/roles")
def list_roles(call: Call) -> Any:
    roles = [memberships.role_summary(role) for role in memberships.member_roles(call.tenant, *_member(call))]
    return crud.listed(call, roles, "roles", "offset")


@operation("GET", "/organizations/{id}/members/{user_id}/effective-roles")
def list_effective_roles(call: Call) -> Any:
    organization_id, user_id = _member(call)
    roles = memberships.effective_roles(call.tenant, user_id, organization_id)
    return crud.listed(call, roles, "roles", "checkpoint")


@operation("GET", "/organizations/{id}/members/{user_id}/effective-roles/sources/groups")
def list_role_source_groups(call: Call) -> Any:
    organization_id, user_id = _member(call)
    role_id = crud.find(ROLES, call, call.query["role_id"])["id"]
    groups = memberships.granting_groups(call.tenant, user_id, role_id, organization_id)
    return crud.listed(call, groups, "groups", "checkpoint")


@operation("POST", "/organizations/{id}/members/{user_id}/roles")
def add_roles(call: Call) -> Reply:
    organization_id, user_id = _member(call)
    roles = [crud.find(ROLES, call, role_id) for role_id in (call.body or {})["roles"]]
    for role in roles:
        memberships.add_member_role(call.tenant, organization_id, user_id, role["id"])
    return Reply(204)


@operation("DELETE", "/organizations/{id}/members/{user_id}/roles")
def remove_roles(call: Call) -> Reply:
    organization_id, user_id = _member(call)
    for role_id in (call.body or {})["roles"]:
        memberships.remove_member_role(call.tenant, organization_id, user_id, role_id)
    return Reply(204)


@operation("GET", "/organizations/{id}/roles/{role_id}/members")
def members_with_role(call: Call) -> Any:
    organization, role = asked(call), crud.find(ROLES, call, call.params["role_id"])
    users = [
        user
        for user in memberships.members_of(call.tenant, organization["id"])
        if any(
            r["id"] == role["id"] for r in memberships.member_roles(call.tenant, organization["id"], user["user_id"])
        )
    ]
    return crud.listed(call, [member(user) for user in users], "members", "checkpoint")


# --- invitations -----------------------------------------------------------------------------------------------------


@operation("GET", "/organizations/{id}/invitations")
def list_invitations(call: Call) -> Any:
    found = call.store.find("invitations", _organization_id=asked(call)["id"])
    return crud.listed(call, found, "invitations", "offset")


@operation("POST", "/organizations/{id}/invitations")
def invite(call: Call) -> Reply:
    organization, sent = asked(call), call.body or {}
    client = call.store.get("clients", sent["client_id"])
    if client is None:
        raise ApiError(404, "The client does not exist", "inexistent_client")
    id, ticket, now = new_id("uinv_"), new_id("", 32), call.tenant.now()
    login = client.get("initiate_login_uri") or f"{call.tenant.browser_url}login"
    link = f"{login}?invitation={ticket}&organization={organization['id']}&organization_name={organization['name']}"
    document: Document = {
        "id": id,
        "organization_id": organization["id"],
        "inviter": sent["inviter"],
        "invitee": sent["invitee"],
        "invitation_url": link,
        "ticket_id": ticket,
        "created_at": call.tenant.timestamp(now),
        "expires_at": call.tenant.timestamp(now + (sent.get("ttl_sec") or INVITATION_SECONDS)),
        "client_id": client["client_id"],
        "_key": id,
        "_organization_id": organization["id"],
    }
    optional = ("connection_id", "app_metadata", "user_metadata", "roles")
    document.update({key: sent[key] for key in optional if sent.get(key)})
    return Reply(200, call.store.put("invitations", id, document))


def _invitation(call: Call) -> Document:
    found = call.store.get("invitations", call.params["invitation_id"])
    if found is None or found["_organization_id"] != asked(call)["id"]:
        raise ApiError(404, "The invitation does not exist.", "inexistent_invitation")
    return found


@operation("GET", "/organizations/{id}/invitations/{invitation_id}")
def read_invitation(call: Call) -> Document:
    return _invitation(call)


@operation("DELETE", "/organizations/{id}/invitations/{invitation_id}")
def withdraw_invitation(call: Call) -> Reply:
    call.store.remove("invitations", _invitation(call)["id"])
    return Reply(204)
