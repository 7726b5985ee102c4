"""People of the demo company, signed in as the portal sees them after a real sign-in."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from social_django.models import UserSocialAuth

from portal import access
from portal.login import Auth0

# role -> account of the demo company; None is a person without any role
ACCOUNTS = {
    "helpdesk": "helpdesk",
    "security": "security",
    "release-manager": "release",
    "database-owner": "databases",
    "auditor": "auditor",
    "administrator": "admin",
    None: "ada.norole",
}
DOMAIN = "larkspur.example"


class Person(Client):
    """A Django test client with a signed-in user: `person.user`, `person.get(...)`."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user
        self.force_login(user, backend="portal.login.Auth0")


def email(account: str) -> str:
    return f"{account}@{DOMAIN}"


def account(name: str, roles: list[str], *, subject: str = "") -> User:
    """The portal's row for an account of the demo company; its roles come through the function that sign-ins use."""
    user, _ = User.objects.get_or_create(username=email(name), defaults={"email": email(name)})
    user.set_unusable_password()
    user.save()
    if subject:
        UserSocialAuth.objects.get_or_create(provider=Auth0.name, uid=subject, defaults={"user": user})
    access.set_roles(user, roles)
    return user
