"""Consent, the choice of an organization, and the way back from an Action's redirect."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.login import audiences, flow, organizations, scopes
from sandbox.login.steps import Done, NeedsRedirect
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.users import memberships

_SENTENCES = {
    "profile": "Profile: access to your profile",
    "email": "Email: access to your email address",
    "phone": "Phone: access to your phone number",
    "address": "Address: access to your address",
    "offline_access": "Offline access: stay signed in when you are away",
}


async def consent(visit: Visit) -> Response:
    """/u/consent: may the application have this?"""
    transaction, login = visit.transaction, visit.transaction.login
    if login is None or not isinstance(transaction.step, Done):
        return await flow.proceed(transaction, visit.call)
    if visit.posted and visit.typed("action") == "accept":
        transaction.consented = True
        return await flow.proceed(transaction, visit.call)
    if visit.posted:
        return flow.refuse(transaction, visit.call, "access_denied", "User did not authorize the request")
    return visit.render("consent", asked=_asked(visit), user=login.user.get("email") or login.user.get("name"))


def _asked(visit: Visit) -> list[str]:
    login = visit.transaction.login
    if login is None:
        return []
    api = scopes.api_of(login)
    described = {s["value"]: s.get("description") or s["value"] for s in (api or {}).get("scopes") or []}
    granted = [scope for scope in scopes.granted(login) if scope != "openid"]
    known = audiences.IDENTITY_SCOPES
    return [_SENTENCES.get(scope, scope) if scope in known else described.get(scope, scope) for scope in granted]


async def organization_name(visit: Visit) -> Response:
    """/u/organization/identifier: which organization, before anybody signs in."""
    error = ""
    if visit.transaction.login is not None:
        return await flow.proceed(visit.transaction, visit.call)
    if visit.posted:
        found = organizations.named(visit.call.tenant, visit.typed("organizationName").strip())
        if found is not None:
            visit.transaction.organization = found
            return await flow.proceed(visit.transaction, visit.call)
        error = "The organization you entered is not valid. Please try again."
    return visit.render("organization", 400 if error else 200, error=error, choices=[])


async def organization_picker(visit: Visit) -> Response:
    """/u/organization/picker: one of the organizations that the person belongs to."""
    login = visit.transaction.login
    if login is None or visit.transaction.pipeline is not None:
        return await flow.proceed(visit.transaction, visit.call)
    found = memberships.organizations_of(visit.call.tenant, login.user_id)
    if visit.posted:
        chosen = [organization for organization in found if organization["id"] == visit.typed("organization")]
        if chosen:
            visit.transaction.organization = chosen[0]
            return await flow.proceed(visit.transaction, visit.call)
    choices = [{"id": o["id"], "label": o.get("display_name") or o["name"]} for o in found]
    return visit.render("organization", error="", choices=choices)


async def continued(visit: Visit) -> Response:
    """/continue: the person is back from where an Action had sent them."""
    transaction = visit.transaction
    login, running = transaction.login, transaction.pipeline
    if login is not None and running is not None and isinstance(transaction.step, NeedsRedirect):
        login.visitor = visitor(visit.call)
        transaction.step = None
        await running.resume()
    return await flow.proceed(transaction, visit.call)


PAGES = [
    ("/u/consent", consent),
    ("/u/organization/identifier", organization_name),
    ("/u/organization/picker", organization_picker),
    ("/continue", continued),
]
