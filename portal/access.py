"""Who may do what: roles -> permissions, as data. One permission per verb; what is not listed is denied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from portal.errors import Denied, Invalid
from portal.models import Tenant

# permission -> what it lets a person do, as the pages say it
PERMISSIONS: dict[str, str] = {
    "users.view": "Find users and see their pages",
    "users.send_password_reset": "Send a password-reset mail",
    "users.create_reset_link": "Create a one-time password-reset link",
    "users.block": "Block a user",
    "users.unblock": "Unblock a user",
    "users.remove_mfa": "Remove a user's MFA factors",
    "users.clear_blocks": "Remove the blocks of brute-force protection",
    "users.manage_staff": "Act on the accounts of people who work with this portal",
    "mfa.view": "See MFA policies and preview them",
    "mfa.edit": "Write MFA policies",
    "mfa.publish": "Publish an MFA policy to a tenant",
    "mfa.approve": "Approve an MFA policy for a protected tenant",
    "mfa.roll_back": "Return to an earlier version of an MFA policy",
    "databases.view": "See custom database connections",
    "databases.edit": "Write custom database scripts",
    "databases.test": "Run custom database scripts against a test database",
    "databases.publish": "Publish custom database scripts to a tenant",
    "databases.approve": "Approve custom database scripts for a protected tenant",
    "snapshots.view": "See snapshots and compare tenants",
    "snapshots.export": "Export a tenant",
    "promotions.view": "See promotions and their plans",
    "promotions.request": "Plan a promotion and ask for approval",
    "promotions.approve": "Approve or refuse a promotion that somebody else requested",
    "promotions.apply": "Apply an approved promotion",
    "promotions.roll_back": "Roll back a promotion",
    "runs.view": "See background runs",
    "runs.cancel": "Cancel a background run",
    "audit.view": "Read the audit trail",
    "tenants.view": "See the registered tenants and their access",
    "tenants.manage": "Register tenants and change their credentials",
    "access.view": "See who may do what",
}

# Acts of the trail that need no right: everybody's own, and the sign-in's.
OTHER_ACTS: dict[str, str] = {
    "account.change_password": "Change the own password",
    "roles.change": "Roles set by the sign-in",
}
# every verb of the audit trail, as people say it
ACTS: dict[str, str] = PERMISSIONS | OTHER_ACTS

_HELPDESK = {name for name in PERMISSIONS if name.startswith("users.")} - {"users.manage_staff"}
_VIEW = {name for name in PERMISSIONS if name.endswith(".view")}

# role (as the roles claim names it) -> (label, permissions)
ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "helpdesk": ("Helpdesk", frozenset(_HELPDESK | {"runs.view"})),
    "security": (
        "Security",
        frozenset(
            {
                "mfa.view",
                "mfa.edit",
                "mfa.publish",
                "mfa.approve",
                "mfa.roll_back",
                "users.view",
                "users.remove_mfa",
                "users.block",
                "users.unblock",
                "users.manage_staff",
            }
            | {"audit.view", "runs.view", "runs.cancel", "tenants.view", "access.view"}
        ),
    ),
    "release-manager": (
        "Release manager",
        frozenset(
            {name for name in PERMISSIONS if name.startswith(("snapshots.", "promotions."))}
            | {"runs.view", "runs.cancel", "tenants.view"}
        ),
    ),
    "database-owner": (
        "Database owner",
        frozenset({name for name in PERMISSIONS if name.startswith("databases.")} | {"runs.view", "tenants.view"}),
    ),
    "auditor": ("Auditor", frozenset(_VIEW - {"users.view"})),
    "administrator": ("Administrator", frozenset({"tenants.manage", "runs.cancel"} | _VIEW - {"users.view"})),
}


class RoleBackend(BaseBackend):
    """Answers `user.has_perm("users.block")` from the table above. Nobody signs in through it."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return perm in permissions_of(user_obj)


def roles_of(user: User | AnonymousUser) -> list[str]:
    """The user's known roles, in the table's order; cached on the user object for one request."""
    if not user.is_authenticated or not user.is_active:
        return []
    if not hasattr(user, "_roles"):
        names = set(user.groups.values_list("name", flat=True))
        user._roles = [role for role in ROLES if role in names]  # type: ignore[attr-defined]
    return user._roles  # type: ignore[attr-defined]


def permissions_of(user: User | AnonymousUser) -> frozenset[str]:
    return frozenset().union(*(ROLES[role][1] for role in roles_of(user)))


def granted_by(permission: str) -> list[str]:
    """Labels of the roles that hold the permission: whom to ask for."""
    return [label for label, permissions in ROLES.values() if permission in permissions]


def set_roles(user: User, names: Iterable[str]) -> list[str]:
    """Make the user's roles exactly the known ones among `names` (the claim of the sign-in). Returns them."""
    known = [name for name in ROLES if name in set(names)]
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in known])
    if hasattr(user, "_roles"):
        del user._roles
    return known


def check(user: User | AnonymousUser, permission: str) -> None:
    """Raise Denied unless the user has the permission. For rules that ask for more than their view did."""
    if permission not in PERMISSIONS:
        raise LookupError(f"{permission} is not in portal.access.PERMISSIONS")
    if not user.has_perm(permission):
        raise Denied(permission)


class PermissionView(View):
    """A view that declares its right. `permission` is a key of PERMISSIONS, or None for anyone signed in.

    Where the URL has a `tenant` slug, `self.tenant` is that Tenant.
    """

    permission: str | None
    tenant: Tenant

    @property
    def person(self) -> User:
        """Who is signed in; `dispatch` has let nobody else through."""
        return self.request.user  # type: ignore[return-value]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if self.permission is not None:
            check(request.user, self.permission)
        if "tenant" in kwargs:
            self.tenant = request.tenant = get_object_or_404(Tenant, slug=kwargs["tenant"])  # type: ignore[attr-defined]
        return super().dispatch(request, *args, **kwargs)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A form's address that was opened as a page: from a bookmark, or by going back and forth."""
        raise Invalid(
            "There is no page at this address: it only takes a form. Go back to the page that the form is on."
        )


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """And back afterwards: to the address, or from a form to the page that it stood on."""
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    messages.warning(
        request,
        "You were signed out when you sent this, so it was not done. Sign in, look at the page, and do it again.",
    )
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}):
        return redirect_to_login(reverse("home"))
    _, _, path, query, _ = urlsplit(page)
    return redirect_to_login(urlunsplit(("", "", path, query, "")))


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view function that asks for no sign-in (the sign-in page itself, health)."""
    view.public = True  # type: ignore[attr-defined]
    return view
