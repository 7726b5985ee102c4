"""Security keys, device biometrics and passkeys at a real browser, with Chromium's virtual authenticators."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.sandbox.second_factors import give_totp, methods, offer, totp
from tests.sandbox.test_passkeys import offer_passkeys
from tests.sandbox.web_login import CALLBACK, PASSWORD, new_client, new_user, without_actions

pytestmark = pytest.mark.browser


class Keys:
    """The authenticators of a page's browser."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self.id = ""

    def plug_in(self, transport: str = "usb", **more: Any) -> Keys:
        """A security key ("usb") or the device's own authenticator ("internal")."""
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **more,
        }
        found = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = found["authenticatorId"]
        return self

    def unplug(self) -> None:
        self._session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def held(self) -> list[dict[str, Any]]:
        return list(self._session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"])

    def forge(self, key_id: str) -> None:
        """Hold a key of this id, made up."""
        private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        )
        credential = {
            "credentialId": base64.b64encode(base64.urlsafe_b64decode(key_id + "==")).decode(),
            "isResidentCredential": False,
            "rpId": "localhost",
            "privateKey": base64.b64encode(private).decode(),
            "signCount": 100,
        }
        self._session.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    found.api("PATCH", "/prompts", {"identifier_first": True})
    return found


@pytest.fixture
def user(tenant):
    return new_user(tenant)


@pytest.fixture
def begin(tenant):
    """begin(page): go to the first page of a login."""
    client = new_client(tenant)

    def go(page: Any, **parameters: str) -> None:
        asked = {"client_id": client["client_id"], "response_type": "code", "redirect_uri": CALLBACK, "prompt": "login"}
        asked |= {"scope": "openid", **parameters}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        page.goto(f"{tenant.browser_url}/authorize?{query}")

    return go


def with_password(page: Any, user: dict[str, Any]) -> None:
    page.locator("#username").fill(user["email"])
    page.locator("#username").press("Enter")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")


def landed(page: Any) -> None:
    page.wait_for_url(f"{CALLBACK}?code=*")


def test_a_security_key_is_enrolled_at_the_first_login_and_used_at_the_next(tenant, user, begin, page, axe):
    offer(tenant, "webauthn-roaming")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    keys = Keys(page).plug_in()
    begin(page)
    axe(page)
    with_password(page, user)
    page.get_by_label("Name of the key").fill("Blue one")
    axe(page)
    page.get_by_role("button", name="Use security key").click()
    landed(page)
    (method,) = tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")
    assert method["name"] == "Blue one"
    assert len(keys.held()) == 1
    begin(page)
    with_password(page, user)
    page.get_by_role("heading", name="Verify Your Identity").wait_for()
    page.get_by_role("button", name="Use security key").click()
    landed(page)
    keys.unplug()
    keys.plug_in().forge(method["key_id"])
    begin(page)
    with_password(page, user)
    page.get_by_role("button", name="Use security key").click()
    page.get_by_text("The key could not be verified").wait_for()
    axe(page)
    assert page.url.startswith(tenant.browser_url)


def test_a_passkey_is_kept_after_a_password_and_opens_the_next_login(tenant, user, begin, page, axe):
    offer_passkeys(tenant, challenge_ui="button")
    tenant.api("PUT", "/guardian/policies", [])
    keys = Keys(page).plug_in("internal")
    begin(page)
    with_password(page, user)
    page.get_by_role("heading", name="Create a passkey").wait_for()
    axe(page)
    page.get_by_role("button", name="Create a passkey").click()
    landed(page)
    (passkey,) = keys.held()
    assert passkey["isResidentCredential"]
    assert methods(tenant, user) == ["passkey"]
    begin(page)
    page.get_by_role("button", name="Continue with a passkey").click()
    landed(page)
    offer_passkeys(tenant, challenge_ui="autofill")
    begin(page)
    landed(page)


def test_biometrics_of_the_device_are_offered_after_another_factor(tenant, user, begin, page):
    offer(tenant, "otp", "webauthn-platform")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    secret = give_totp(tenant, user)
    Keys(page).plug_in("internal")
    begin(page)
    with_password(page, user)
    page.locator("#code").fill(totp(secret))
    page.locator("#code").press("Enter")
    page.get_by_role("button", name="Continue", exact=True).click()
    landed(page)
    assert sorted(methods(tenant, user)) == ["totp", "webauthn-platform"]
