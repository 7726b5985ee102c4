"""Sign-in through the home tenant: staff only by role claim, everybody else sees the own account alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from social_core.backends.auth0_openidconnect import Auth0OpenIdConnectAuth

from portal import access, audit


class Auth0(Auth0OpenIdConnectAuth):
    """The OpenID Connect backend, with no token kept after the sign-in."""

    name = "auth0-oidc"
    title = "Auth0"
    USERNAME_KEY = "user_id"
    EXTRA_DATA: list[Any] = []


def sync_roles(backend: Auth0, user: User, response: dict[str, Any], **kwargs: Any) -> None:
    """Pipeline step: the roles are exactly those of this sign-in's claim, so a removed role is gone at the next one."""
    claims = {**(response or {}), **(backend.id_token or {})}
    claimed = claims.get(settings.AUTH0_ROLES_CLAIM) or []
    before = access.roles_of(user)
    after = access.set_roles(user, [str(name) for name in claimed] if isinstance(claimed, list) else [])
    if before != after:
        audit.record(
            user, "roles.change", target=user.username, target_label=user.email, outcome="succeeded",
            before={"roles": before}, after={"roles": after},
        )  # fmt: skip


def subject(user: User) -> str:
    """The user_id in the home tenant, such as `auth0|6570…`; empty for an account that never came through Auth0."""
    association = user.social_auth.filter(provider=Auth0.name).first()
    return association.uid if association else ""
