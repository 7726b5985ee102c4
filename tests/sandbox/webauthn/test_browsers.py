"""Which keys a browser is asked for: without WebAuthn, of the example people, of the device itself."""

from __future__ import annotations

import pytest

from tests.sandbox import authenticator
from tests.sandbox.authenticator import WITH_WEBAUTHN, options_on, use
from tests.sandbox.second_factors import give_totp, methods, offer, totp
from tests.sandbox.web_login import Person, action, bind, enable

SHOP = "larkspur-customers"
CHALLENGE = "/u/mfa-webauthn-roaming-challenge"


# Browsers


def test_a_browser_without_webauthn_is_not_offered_keys(tenant, client, user):
    offer(tenant, "otp", "webauthn-roaming")
    plain = Person(tenant, client)
    plain.sign_in(user["email"])
    assert plain.at == "/u/mfa-otp-enrollment"


def test_who_has_a_key_is_not_let_in_without_it(tenant, client, user, enrolled):
    """Not even to enrol something else: that would take the password alone."""
    offer(tenant, "otp", "webauthn-roaming")
    plain = Person(tenant, client)
    plain.sign_in(user["email"])
    assert plain.at == CHALLENGE
    assert "another browser" in plain.text
    plain.open([link for link in plain.links if "detect" in link][0])
    plain.told = dict(WITH_WEBAUTHN)
    plain.submit()
    use(plain, enrolled)
    assert "code" in plain.answer


def test_who_has_a_key_is_asked_for_it_where_the_provider_knows_no_keys(tenant, person, user, enrolled):
    offer(tenant, "otp", "webauthn-roaming")
    bind(tenant, action("api.multifactor.enable('guardian');"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == CHALLENGE


def test_a_browser_that_was_not_asked_yet_is_asked_first(tenant, person, user, enrolled):
    """A session is there, so no login page has told what the browser can do."""
    use(person, enrolled)
    tenant.api("PUT", "/guardian/policies", [])
    bind(tenant, action("api.multifactor.enable('any');"))
    person.authorize()
    assert person.at == "/u/mfa-detect-browser-capabilities"
    person.submit()
    use(person, enrolled)
    assert "code" in person.answer


# Keys of the example people


def test_a_seeded_key_is_virtual_and_says_so(tenant, client):
    holder = next(entry for entry in tenant.control("GET", "phones") if may_sign_in_with_a_key(tenant, entry))
    assert holder["virtual"] is True
    console = tenant.http.get("/_sandbox/", params={"email": holder["email"]})
    assert "virtual key" in console.text
    enable(tenant, client, SHOP)
    person = Person(tenant, client)
    person.sign_in(holder["email"], connection=SHOP)
    assert person.at == CHALLENGE
    assert "virtual security key" in person.text
    person.submit(action="virtual-key")
    assert "code" in person.answer


def may_sign_in_with_a_key(tenant, entry):
    if entry["type"] != "webauthn-roaming":
        return False
    user = tenant.user_by_id(entry["user_id"])
    return user["identities"][0]["connection"] == SHOP and not user.get("blocked")


def test_an_enrolled_key_has_no_virtual_twin(person, user, enrolled):
    assert "virtual" not in person.text
    person.submit(action="virtual-key")
    assert person.at == CHALLENGE


# Device biometrics


@pytest.fixture
def device(tenant):
    return authenticator.of(tenant, attachment="platform")


def test_biometrics_are_offered_after_another_factor_and_used_next_time(tenant, person, user, device):
    offer(tenant, "otp", "webauthn-platform")
    secret = give_totp(tenant, user)
    person.sign_in(user["email"])
    person.submit(code=totp(secret))
    assert person.at == "/u/mfa-webauthn-platform-enrollment"
    selection = options_on(person)["authenticatorSelection"]
    assert (selection["authenticatorAttachment"], selection["userVerification"]) == ("platform", "required")
    use(person, authenticator.of(tenant, attachment="platform", verifies=False))
    assert person.page.status_code == 400
    use(person, device)
    assert "code" in person.answer
    assert sorted(methods(tenant, user)) == ["totp", "webauthn-platform"]
    person.sign_in(user["email"], prompt="login")
    person.open([link for link in person.links if "login-options" in link][0])
    person.submit(action="webauthn-platform")
    use(person, device)
    assert "code" in person.answer


@pytest.mark.parametrize(("action", "asked_again"), [("snooze-enrollment", True), ("refuse-add-device", False)])
def test_who_does_not_want_biometrics_now_or_here_goes_on(tenant, person, user, action, asked_again):
    offer(tenant, "otp", "webauthn-platform")
    secret = give_totp(tenant, user)
    person.sign_in(user["email"])
    person.submit(code=totp(secret))
    person.submit(form=1, action=action)
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    person.submit(code=totp(secret))
    assert ("code" not in person.answer) == asked_again


def test_an_action_enrols_biometrics_and_they_alone_are_no_way_in(tenant, person, user, device):
    offer(tenant, "otp", "webauthn-platform")
    tenant.api("PUT", "/guardian/policies", [])
    bind(tenant, action("api.authentication.enrollWith({type: 'webauthn-platform'});"))
    person.sign_in(user["email"])
    use(person, device)
    assert "code" in person.answer
    bind(tenant, action("api.multifactor.enable('any');"))
    person.sign_in(user["email"], prompt="login")
    assert person.at == "/u/mfa-otp-enrollment"
