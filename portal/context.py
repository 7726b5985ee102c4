"""What every page shows: navigation by right, tenants, the person's roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from portal.access import ROLES, permissions_of, roles_of
from portal.models import Tenant

# (group, label, icon, url name, needs a tenant, permission)
ENTRIES = [
    ("", "Home", "home", "home", False, None),
    ("Tenant", "Users", "users", "identity:users", True, "users.view"),
    ("Tenant", "MFA policies", "shield-lock", "identity:policies", True, "mfa.view"),
    ("Tenant", "Custom databases", "database", "identity:databases", True, "databases.view"),
    ("Tenant", "Snapshots", "camera", "deployments:snapshots", True, "snapshots.view"),
    ("Release", "Promotions", "git-merge", "deployments:promotions", False, "promotions.view"),
    ("Operations", "Runs", "activity", "runs", False, "runs.view"),
    ("Operations", "Audit trail", "list-check", "audit", False, "audit.view"),
    ("Operations", "Tenants", "building", "tenants", False, "tenants.view"),
    ("Operations", "Who may do what", "key", "access", False, "access.view"),
]


def portal(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": [], "tenants": [], "tenant": None}
    tenant = _tenant(request)
    tenants = list(Tenant.objects.all()) if roles_of(user) else []
    shown = tenant or _remembered(request, tenants)
    for one in tenants:
        one.switch_url = _switch_url(request, one)  # type: ignore[attr-defined]
    return {
        "navigation": _navigation(request, shown),
        "tenants": tenants,
        "tenant": tenant,
        "shown_tenant": shown,
        "role_labels": [ROLES[role][0] for role in roles_of(user)],
        "permissions": permissions_of(user),
    }


def _tenant(request: HttpRequest) -> Tenant | None:
    tenant = getattr(request, "tenant", None)
    if tenant is not None and request.session.get("tenant") != tenant.slug:
        request.session["tenant"] = tenant.slug
    return tenant


def _remembered(request: HttpRequest, tenants: list[Tenant]) -> Tenant | None:
    """The tenant of the person's last page: where the navigation's tenant entries lead.

    At first it is the last of the ladder for the helpdesk, whose callers are there, and the first for everybody else.
    """
    slug = request.session.get("tenant")
    at_first = tenants[-1:] if "users.send_password_reset" in permissions_of(request.user) else tenants[:1]
    return next((t for t in tenants if t.slug == slug), next(iter(at_first), None))


def _switch_url(request: HttpRequest, tenant: Tenant) -> str:
    """The same page of another tenant; from a page about one thing of one tenant, the first page of the other."""
    match = request.resolver_match
    if request.method == "GET" and match and set(match.kwargs) == {"tenant"}:
        return reverse(match.view_name, args=[tenant.slug])
    return next((entry["url"] for entry in _navigation(request, tenant) if entry["per_tenant"]), reverse("home"))


def _navigation(request: HttpRequest, tenant: Tenant | None) -> list[dict[str, Any]]:
    allowed, entries = permissions_of(request.user), []
    for group, label, icon, name, per_tenant, permission in ENTRIES:
        if (permission and permission not in allowed) or (per_tenant and tenant is None):
            continue
        try:
            url = reverse(name, args=[tenant.slug] if per_tenant and tenant else [])
        except NoReverseMatch:
            continue
        active = request.path == url or (url != "/" and request.path.startswith(url))
        entries.append(
            {"group": group, "label": label, "icon": icon, "url": url, "active": active, "per_tenant": per_tenant}
        )
    return entries
