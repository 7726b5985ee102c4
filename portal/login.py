"""Sign-in through the home tenant: staff only by role claim, everybody else sees the own account alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from social_core.backends.auth0_openidconnect import Auth0OpenIdConnectAuth
from social_core.exceptions import AuthException
from social_django.utils import load_backend, load_strategy

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


def sign_out_url(request: HttpRequest) -> str:
    """Where Auth0 ends its own session (GET /v2/logout) and sends the person back here.

    It stands beside the address where people sign in, which a custom domain or a local tenant may have elsewhere.
    """
    login = f"https://{settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN}/"
    with suppress(OSError, AuthException):  # Auth0 is away: the person is signed out here at least
        login = load_backend(load_strategy(request), Auth0.name, None).oidc_config()["authorization_endpoint"]
    query = urlencode({"client_id": settings.SOCIAL_AUTH_AUTH0_OIDC_KEY, "returnTo": settings.PUBLIC_URL + "/"})
    return urljoin(login, "/v2/logout") + "?" + query


def subject(user: User) -> str:
    """The user_id in the home tenant, such as `auth0|6570…`; empty for an account that never came through Auth0."""
    association = user.social_auth.filter(provider=Auth0.name).first()
    return association.uid if association else ""
