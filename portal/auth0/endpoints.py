"""The endpoints of the Management API that the portal calls, with the scopes that each call uses.

A call that no row knows is warned of, which fails a test. Apps that call endpoints by tables of their own add rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

Row = tuple[str, ...]

# "METHOD /path" below /api/v2, `*` for any one segment -> what is used of the scopes that Auth0 would take
_TABLE: dict[str, Row] = {
    "GET /users": ("read:users",),
    "GET /users/*": ("read:users",),
    "PATCH /users/*": ("update:users",),
    "GET /users-by-email": ("read:users",),
    "GET /users/*/authentication-methods": ("read:authentication_methods",),
    "DELETE /users/*/authentication-methods/*": ("delete:authentication_methods",),
    "POST /users/*/multifactor/actions/invalidate-remember-browser": ("update:users",),
    "GET /users/*/logs": ("read:logs",),
    "GET /users/*/sessions": ("read:sessions",),
    "GET /users/*/roles": ("read:roles",),
    "GET /users/*/organizations": ("read:organizations",),
    "GET /user-blocks/*": ("read:users",),
    "DELETE /user-blocks/*": ("update:users",),
    "POST /tickets/password-change": ("create:user_tickets",),
    "GET /actions/actions": ("read:actions",),
    "POST /actions/actions": ("create:actions",),
    "GET /actions/actions/*": ("read:actions",),
    "PATCH /actions/actions/*": ("update:actions",),
    "POST /actions/actions/*/deploy": ("create:actions",),
    "GET /actions/triggers/*/bindings": ("read:actions",),
    "PATCH /actions/triggers/*/bindings": ("update:actions",),
    "GET /guardian/factors": ("read:guardian_factors",),
    "GET /guardian/policies": ("read:mfa_policies",),
    "GET /tenants/settings": ("read:tenant_settings",),
    "PATCH /tenants/settings": ("update:tenant_settings",),
    "GET /connections": ("read:connections", "read:connections_options"),
    "GET /connections/*": ("read:connections", "read:connections_options"),
    "PATCH /connections/*": ("update:connections", "update:connections_options"),
    "PATCH /connections/*/clients": ("update:connections",),
    "POST /clients": ("create:clients",),
    "GET /clients/*": ("read:clients",),
    "PATCH /clients/*": ("update:clients",),
    "DELETE /clients/*": ("delete:clients",),
    # asked to find out what a plan has
    "GET /organizations": ("read:organizations",),
    "GET /custom-domains": ("read:custom_domains",),
    "GET /log-streams": ("read:log_streams",),
    "GET /attack-protection/bot-detection": ("read:attack_protection",),
    "GET /self-service-profiles": ("read:self_service_profiles",),
    "GET /network-acls": ("read:network_acls",),
}
_by_shape: dict[tuple[str, int], list[tuple[list[str], Row]]] = {}


def add(rows: Mapping[str, Row]) -> None:
    """Endpoints of an app: rows in the table's form. Rows that are known stay as they are."""
    for call, scopes in rows.items():
        method, _, path = call.partition(" ")
        segments = path.strip("/").split("/")
        alike = _by_shape.setdefault((method, len(segments)), [])
        if not any(known == segments for known, _ in alike):
            alike.append((segments, scopes))


def scopes_of(method: str, path: str) -> Row:
    """The scopes that a call uses; `path` below /api/v2, still percent-encoded. () and a warning for an unknown one."""
    segments = path.strip("/").split("/")
    for known, scopes in _by_shape.get((method, len(segments)), ()):
        if all(mine in ("*", theirs) for mine, theirs in zip(known, segments, strict=True)):
            return scopes
    warnings.warn(f"portal.auth0.endpoints has no row for {method} /{segments[0]}/…", RuntimeWarning, stacklevel=2)
    return ()


def known_scopes() -> set[str]:
    return {scope for rows in _by_shape.values() for _, scopes in rows for scope in scopes}


add(_TABLE)
