"""Passkeys as the first factor of a database connection, with an authenticator in software."""

from __future__ import annotations

import json

import pytest

from tests.sandbox import authenticator
from tests.sandbox.authenticator import options_on, report, use
from tests.sandbox.second_factors import claim_of, give_totp, methods, offer, seen, totp
from tests.sandbox.web_login import CONNECTION, PASSWORD, Person, bind, enable, log_types, without_actions

IDENTIFIER = "/u/login/identifier"
PROGRESSIVE = "/u/passkey-enrollment"
LOCAL = "/u/passkey-enrollment-local"
MONTH_SECONDS = 30 * 86_400


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    found.api("PUT", "/guardian/policies", [])
    found.api("PATCH", "/prompts", {"identifier_first": True})
    offer_passkeys(found)
    return found


def offer_passkeys(tenant, *, enabled=True, **options):
    connection = tenant.named("connections", CONNECTION)
    methods = {**connection["options"].get("authentication_methods", {}), "passkey": {"enabled": enabled}}
    passkeys = {
        "challenge_ui": "both",
        "progressive_enrollment_enabled": True,
        "local_enrollment_enabled": True,
        **options,
    }
    tenant.change_options(connection["id"], authentication_methods=methods, passkey_options=passkeys)


@pytest.fixture
def person(tenant, client):
    return authenticator.person(tenant, client)


@pytest.fixture
def device(tenant):
    return authenticator.of(tenant, attachment="platform")


@pytest.fixture
def enrolled(person, user, device):
    """The device holds the person's passkey; the person is at the first page of a new login."""
    person.sign_in(user["email"])
    assert person.at == PROGRESSIVE, person.text
    use(person, device)
    assert "code" in person.answer, person.text
    person.authorize(prompt="login")
    return device


def kept(tenant, user):
    return tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")


# Signing in


def test_a_passkey_takes_the_place_of_address_and_password(tenant, person, user, enrolled):
    bind(tenant, claim_of("event.authentication.methods"))
    assert options_on(person).get("allowCredentials") in (None, [])
    use(person, enrolled)
    (method,) = seen(person)
    assert set(method) == {"name", "timestamp"}
    assert method["name"] == "passkey"
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=20, sort="date:-1")
    login = next(e for e in event if e["type"] == "s")
    assert login["details"]["prompts"][0]["performed_amr"] == ["phr"]


def test_a_passkey_shows_with_all_its_fields(tenant, person, user, enrolled):
    (method,) = kept(tenant, user)
    assert method["type"] == "passkey"
    assert method["id"].startswith("passkey|")
    assert method["key_id"] == authenticator.text(enrolled.keys[0].id)
    assert method["user_handle"] == enrolled.keys[0].user_handle
    assert method["relying_party_identifier"] == "localhost"
    assert method["credential_device_type"] == "single_device"
    assert method["credential_backed_up"] is False
    assert method["identity_user_id"] == user["identities"][0]["user_id"]
    assert method["user_agent"].startswith("python-httpx")
    assert method["transports"] == ["usb"]
    assert method["aaguid"] == "00000000-0000-0000-0000-000000000000"
    assert method["public_key"]
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=20, sort="date:-1")
    done = next(e for e in event if e["type"] == "gd_enrollment_complete")
    assert done["details"]["authenticator"] == {"type": "passkey"}


def test_a_passkey_is_a_first_factor_and_the_second_one_is_still_asked_for(tenant, person, user, enrolled):
    offer(tenant, "otp")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    secret = give_totp(tenant, user)
    use(person, enrolled)
    assert person.at == "/u/mfa-otp-challenge"
    person.submit(code=totp(secret))
    assert person.id_claims()["amr"] == ["mfa"]


@pytest.mark.parametrize(
    ("interface", "button", "autofill"),
    [("both", True, True), ("button", True, False), ("autofill", False, True)],
)
def test_the_connection_says_how_passkeys_are_asked_for(tenant, person, interface, button, autofill):
    offer_passkeys(tenant, challenge_ui=interface)
    person.authorize()
    assert ("Continue with a passkey" in person.page.text) == button
    assert ("data-autofill" in person.page.text) == autofill
    assert 'autocomplete="username webauthn"' in person.page.text


def test_without_passkeys_the_pages_do_not_speak_of_them(tenant, person, user):
    offer_passkeys(tenant, enabled=False)
    person.authorize()
    assert "webauthn.js" not in person.page.text
    person.sign_in(user["email"])
    assert "code" in person.answer
    offer_passkeys(tenant)
    tenant.api("PATCH", "/prompts", {"identifier_first": False})
    person.authorize(prompt="login")
    assert "webauthn.js" not in person.page.text


# Keys that open nothing


def test_a_passkey_that_is_not_known_opens_nothing(tenant, person, user, enrolled):
    for problem in ("unknown", "origin", "handle"):
        options = options_on(person)
        key = enrolled.keys[0]
        if problem == "unknown":
            stranger = authenticator.of(tenant)
            stranger.create({"rp": {"id": "localhost"}, "user": {"id": "x"}, "challenge": "x"})
            answer = stranger.get(options)
        elif problem == "origin":
            answer = enrolled.get(options, origin="http://localhost:1")
        else:
            answer = json.loads(enrolled.get(options))
            answer["response"]["userHandle"] = authenticator.text(b"somebody else")
            answer = json.dumps(answer)
        person.send_answer(answer)
        assert person.at == IDENTIFIER
        assert person.page.status_code == 400
        assert log_types(tenant)[0] == "f"
        assert key.count < 3
    use(person, enrolled)
    assert "code" in person.answer


def test_a_cancelled_prompt_leaves_the_page_and_the_password(person, user, enrolled):
    report(person, "NotAllowedError")
    assert "cancelled" in person.text
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    assert "code" in person.answer


def test_a_blocked_user_and_one_of_another_connection_stay_outside(tenant, client, person, user, enrolled):
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": True})
    use(person, enrolled)
    assert "blocked" in person.text
    tenant.api("PATCH", f"/users/{user['user_id']}", {"blocked": False})
    other = tenant.named("connections", "larkspur-customers")
    enable(tenant, client, other["name"])
    methods = {"password": {"enabled": True}, "passkey": {"enabled": True}}
    tenant.change_options(other["id"], authentication_methods=methods)
    person.authorize(prompt="login", connection=other["name"])
    use(person, enrolled)
    assert "another account" in person.text


def test_what_was_asked_for_another_use_proves_nothing(tenant, person, user, enrolled):
    """The page for passkeys does not insist on a PIN; its question must not be answered where one is needed."""
    offer(tenant, "otp", "webauthn-platform")
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    secret = give_totp(tenant, user)
    use(person, enrolled)
    person.submit(code=totp(secret))
    biometrics = authenticator.of(tenant, attachment="platform")
    use(person, biometrics)
    person.authorize(prompt="login")
    state = person.page.url.params["state"]
    person.submit(username=user["email"])
    person.submit(password=PASSWORD)
    person.open(f"{IDENTIFIER}?state={state}")
    biometrics.verifies = False
    answer = biometrics.get(options_on(person))
    page = person.http.post(f"/u/mfa-webauthn-platform-challenge?state={state}", data={"response": answer})
    assert page.status_code == 400


# Offers


def test_after_a_password_a_passkey_is_offered_once_a_month(tenant, person, user):
    person.sign_in(user["email"])
    assert person.at == PROGRESSIVE
    selection = options_on(person)["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "preferred")
    person.submit(form=1, action="abort-passkey-enrollment")
    assert "code" in person.answer
    assert methods(tenant, user) == []
    person.sign_in(user["email"], prompt="login")
    assert "code" in person.answer
    tenant.advance_clock(MONTH_SECONDS + 1)
    person.sign_in(user["email"], prompt="login")
    assert person.at == PROGRESSIVE


def test_nobody_is_offered_what_can_not_be_used_or_is_turned_off(tenant, client, person, user):
    plain = Person(tenant, client)
    plain.sign_in(user["email"])
    assert "code" in plain.answer
    offer_passkeys(tenant, progressive_enrollment_enabled=False)
    person.sign_in(user["email"])
    assert "code" in person.answer


def test_a_failed_offer_says_why_and_waits(tenant, person, user, device):
    person.sign_in(user["email"])
    report(person, "NotAllowedError")
    assert person.at == PROGRESSIVE
    assert "cancelled" in person.text
    event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=1, sort="date:-1")[0]
    assert event["type"] == "gd_webauthn_enrollment_failed"
    assert event["details"]["authentication_methods"] == ["passkey"]
    use(person, device)
    assert methods(tenant, user) == ["passkey"]


def test_a_passkey_of_another_device_leads_to_one_for_this_device(tenant, person, user, enrolled):
    enrolled.attachment = "cross-platform"
    use(person, enrolled)
    assert person.at == LOCAL
    options = options_on(person)
    assert options["authenticatorSelection"]["authenticatorAttachment"] == "platform"
    assert options["user"]["id"] == enrolled.keys[0].user_handle
    person.submit(form=1, action="abort-passkey-enrollment")
    assert "code" in person.answer
    person.authorize(prompt="login")
    use(person, enrolled)
    use(person, authenticator.of(tenant, attachment="platform"))
    assert "code" in person.answer
    assert methods(tenant, user) == ["passkey", "passkey"]
    person.authorize(prompt="login")
    use(person, enrolled)
    person.submit(form=1, action="abort-passkey-enrollment", dont_show_again="on")
    person.authorize(prompt="login")
    use(person, enrolled)
    assert "code" in person.answer


def test_local_enrolment_can_be_turned_off(tenant, person, enrolled):
    offer_passkeys(tenant, local_enrollment_enabled=False)
    enrolled.attachment = "cross-platform"
    person.authorize(prompt="login")
    use(person, enrolled)
    assert "code" in person.answer


# By the Management API


@pytest.mark.parametrize("form", ["SubjectPublicKeyInfo", "COSE"])
def test_a_passkey_that_was_brought_along_signs_in(tenant, person, user, form):
    device = authenticator.of(tenant, attachment="platform")
    device.create({"rp": {"id": "localhost"}, "user": {"id": authenticator.text(b"ada")}, "challenge": "x"})
    (key,) = device.keys
    body = {
        "type": "passkey",
        "key_id": authenticator.text(key.id),
        "public_key": key.spki() if form == "SubjectPublicKeyInfo" else key.cose_text(),
        "user_handle": key.user_handle,
        "relying_party_identifier": "localhost",
        "credential_device_type": "multi_device",
        "credential_backed_up": True,
    }
    made = tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", body)
    assert {k: made[k] for k in body} == body
    person.authorize()
    use(person, device)
    assert person.id_claims()["sub"] == user["user_id"]


def test_a_passkey_without_usable_key_material_is_kept_and_opens_nothing(tenant, person, user, device):
    device.create({"rp": {"id": "localhost"}, "user": {"id": "x"}, "challenge": "x"})
    id = authenticator.text(device.keys[0].id)
    body = {"type": "passkey", "key_id": id, "public_key": "not a key"}
    tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", body)
    person.authorize()
    use(person, device)
    assert person.at == IDENTIFIER
    assert person.page.status_code == 400


def test_a_user_has_at_most_twenty_passkeys(tenant, person, user):
    path = f"/users/{user['user_id']}/authentication-methods"
    for number in range(20):
        tenant.api("POST", path, {"type": "passkey", "key_id": f"key-{number}", "public_key": "pk"})
    body = {"type": "passkey", "key_id": "one-more", "public_key": "pk"}
    answer = tenant.http.post(f"/api/v2{path}", json=body, headers=tenant.authorization())
    assert answer.status_code == 400
