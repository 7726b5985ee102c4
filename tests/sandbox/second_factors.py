"""What the tests of second factors and of Actions at login do to a tenant, and read from a page."""

from __future__ import annotations

from typing import Any

import pyotp

from tests.sandbox.web_login import Person, action, without_actions

CLAIM = "https://fernhill.example/"


def offer(tenant: Any, *names: str) -> None:
    """Turn these factors on and all others off."""
    for factor in tenant.api("GET", "/guardian/factors"):
        if factor["enabled"] != (factor["name"] in names):
            tenant.api("PUT", f"/guardian/factors/{factor['name']}", {"enabled": factor["name"] in names})


def asking_everybody(sandbox: Any, *names: str) -> Any:
    """The dev tenant without Actions, with a policy that asks everybody for one of these factors."""
    tenant = sandbox.tenant("dev")
    without_actions(tenant)
    offer(tenant, *names)
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    return tenant


def methods(tenant: Any, user: dict[str, Any]) -> list[str]:
    return [m["type"] for m in tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")]


def give_totp(tenant: Any, user: dict[str, Any]) -> str:
    """Enrol an authenticator app for the user; its secret."""
    secret = pyotp.random_base32()
    wanted = {"type": "totp", "totp_secret": secret, "name": "App"}
    tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", wanted)
    return secret


def give_phone(tenant: Any, user: dict[str, Any], number: str = "+49301234567") -> str:
    """Enrol a phone for the user; its number."""
    tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", {"type": "phone", "phone_number": number})
    return number


def totp(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def secret_on(person: Person) -> str:
    """The secret that the enrolment page shows as text."""
    return person.page.text.split('id="secret">')[1].split("<")[0]


def claim_of(expression: str) -> Any:
    """An Action that shows what it sees in a claim of the ID token."""
    return action(f"api.idToken.setCustomClaim('{CLAIM}seen', {expression});")


def seen(person: Person) -> Any:
    return person.id_claims()[f"{CLAIM}seen"]
