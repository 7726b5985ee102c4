"""The own account: where the password lives, and the mail that changes it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from portal import audit, auth0
from portal.errors import Missing, Refused
from portal.login import subject
from portal.models import Tenant


@dataclass(frozen=True)
class PasswordHome:
    """Where somebody's password lives. `connection` is empty where it is not with Auth0; `explanation` says it then."""

    connection: str
    email: str
    explanation: str


def home_tenant() -> Tenant | None:
    """The registered tenant that people sign in through, if it is registered."""
    return Tenant.objects.filter(domain=settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN).first()


def password_home(user: User) -> PasswordHome:
    """Reads the own user in the home tenant (GET /users/{id}). Raises the gateway's errors, and Missing."""
    user_id, tenant = subject(user), home_tenant()
    if not user_id:
        raise Missing("This account does not come from Auth0, so its password can't be changed here.")
    if not user_id.startswith("auth0|"):
        provider = user_id.partition("|")[0]
        return PasswordHome("", user.email, f"You sign in with {provider}. Your password lives there: change it there.")
    if tenant is None:
        raise Missing("The tenant that people sign in through is not registered here. Ask an administrator to add it.")
    record = auth0.request(tenant, "GET", f"/users/{auth0.segment(user_id)}", params={"fields": "email,identities"})
    identity = next((i for i in record["identities"] if f"auth0|{i['user_id']}" == user_id), record["identities"][0])
    if not record.get("email"):
        return PasswordHome("", "", "Your account has no e-mail address, so no mail can be sent. Ask the helpdesk.")
    return PasswordHome(identity["connection"], record["email"], "")


def change_own_password(user: User) -> None:
    """Send the mail with the link that changes the own password (POST /dbconnections/change_password)."""
    home, tenant = password_home(user), home_tenant()
    if not home.connection or tenant is None:
        raise Refused(home.explanation)
    with audit.recorded(
        user, "account.change_password", tenant=tenant, target=subject(user), target_label=user.email
    ) as entry:
        auth0.send_password_reset(
            tenant, email=home.email, connection=home.connection, client_id=settings.SOCIAL_AUTH_AUTH0_OIDC_KEY
        )
        entry.detail = "Mail with a one-time link requested."
