"""Security keys and device biometrics as second factors, with an authenticator in software."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox import authenticator
from tests.sandbox.authenticator import options_on, report, use
from tests.sandbox.second_factors import claim_of, methods, seen
from tests.sandbox.web_login import bind, log_types, new_user

PASSED = "gd_auth_succeed"
FAILED = "gd_webauthn_challenge_failed"
NOT_ENROLLED = "gd_webauthn_enrollment_failed"
CHALLENGE = "/u/mfa-webauthn-roaming-challenge"
ENROLLMENT = "/u/mfa-webauthn-roaming-enrollment"


@pytest.fixture
def key(tenant):
    return authenticator.of(tenant)


def settings_of(tenant, factor, **changes):
    tenant.api("PUT", f"/guardian/factors/{factor}/settings", changes)


# A key


def test_a_person_enrols_a_key_at_the_first_login_and_signs_in_with_it_at_the_next(tenant, person, user, enrolled):
    use(person, enrolled)
    body = person.id_claims()
    assert body["amr"] == ["mfa"]
    types = log_types(tenant, user["user_id"])
    assert {"gd_start_enroll", "gd_enrollment_complete", "gd_start_auth", PASSED} <= set(types)
    assert types.count("gd_start_auth") == 1
    (prompt,) = [p for p in last_login(tenant, user)["details"]["prompts"] if p["name"] == "mfa"]
    assert (prompt["provider"], prompt["performed_amr"]) == ("guardian", ["mfa"])


def last_login(tenant, user):
    events = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=30, sort="date:-1")
    return next(event for event in events if event["type"] == "s")


def test_the_apis_and_the_actions_tell_of_the_key(tenant, person, user, enrolled):
    bind(tenant, claim_of("event.user.enrolledFactors"))
    person.sign_in(user["email"], prompt="login")
    use(person, enrolled)
    assert {"type": "webauthn-roaming"} in seen(person)
    (method,) = tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")
    assert method["type"] == "webauthn-roaming"
    assert method["key_id"] == authenticator.text(enrolled.keys[0].id)
    assert method["public_key"]
    assert method["relying_party_identifier"] == "localhost"
    assert method["name"] == "Security key"
    assert method["last_auth_at"] > method["created_at"]
    assert not [name for name in method if name.startswith("_")]
    (older,) = tenant.api("GET", f"/users/{user['user_id']}/enrollments")
    assert (older["type"], older["auth_method"], older["status"]) == ("webauthn-roaming",) * 2 + ("confirmed",)
    assert tenant.api("GET", f"/guardian/enrollments/{older['id']}")["name"] == "Security key"


def test_the_person_names_the_key(tenant, person, user, key):
    person.sign_in(user["email"])
    use(person, key, name="The blue one, which is on my key ring")
    (method,) = tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")
    assert method["name"] == "The blue one, which "


# Answers that prove nothing


def other_origin(person, key):
    return key.get(options_on(person), origin="https://localhost.evil.example")


def other_site(person, key):
    return key.get(options_on(person), rp_id="evil.example")


def older_challenge(person, key):
    options = options_on(person)
    person.open(str(person.page.url))
    return key.get(options)


def stranger(person):
    """An authenticator with a key of the same relying party."""
    found = authenticator.of(person.tenant)
    found.create({"rp": {"id": "localhost"}, "user": {"id": "x"}, "challenge": "x"})
    return found


def somebody_elses_key(person, key):
    return stranger(person).get({**options_on(person), "allowCredentials": []})


def copied_key(person, key):
    """Signs with a counter that another copy of the key has passed."""
    counted, key.keys[0].count = key.keys[0].count, 0
    answer = key.get(options_on(person))
    key.keys[0].count = counted
    return answer


def signature_of_another_key(person, key):
    forged = json.loads(somebody_elses_key(person, key))
    forged["id"] = forged["rawId"] = authenticator.text(key.keys[0].id)
    return json.dumps(forged)


def nothing(person, key):
    return ""


def too_much(person, key):
    return json.dumps({**json.loads(key.get(options_on(person))), "more": "x" * 20_000})


PROVE_NOTHING = (
    *(other_origin, other_site, older_challenge, somebody_elses_key, copied_key),
    *(signature_of_another_key, nothing, too_much),
)


def test_an_answer_that_proves_nothing_is_refused_and_the_next_one_counts(tenant, person, user, enrolled):
    use(person, enrolled)
    person.sign_in(user["email"], prompt="login")
    for answer in PROVE_NOTHING:
        person.send_answer(answer(person, enrolled))
        assert person.at == CHALLENGE, answer.__name__
        assert person.page.status_code == 400, answer.__name__
        assert "try again" in person.text.lower() or "another one" in person.text
    assert log_types(tenant, user["user_id"]).count(FAILED) == len(PROVE_NOTHING)
    use(person, enrolled)
    assert "code" in person.answer


def test_an_answer_counts_once(person, user, enrolled):
    answer = enrolled.get(options_on(person))
    person.send_answer(answer)
    assert "code" in person.answer
    person.sign_in(user["email"], prompt="login")
    person.send_answer(answer)
    assert person.at == CHALLENGE


def test_a_cancelled_prompt_loses_nothing(tenant, person, user, enrolled):
    for error, told in (
        ("NotAllowedError", "cancelled, or it took too long"),
        ("SecurityError", "Keys of this tenant belong to localhost"),
        ("UnknownError", "could not ask for a key"),
    ):
        report(person, error)
        assert person.at == CHALLENGE
        assert told in person.text
        event = tenant.api("GET", f"/users/{user['user_id']}/logs", per_page=1, sort="date:-1")[0]
        assert (event["type"], event["description"]) == (FAILED, f"{error}: The operation failed.")
    person.send_answer("", action="showError::[not json")
    assert person.page.status_code == 400
    use(person, enrolled)
    assert "code" in person.answer


def test_a_key_that_is_not_proven_is_not_enrolled(tenant, person, user, key):
    person.sign_in(user["email"])
    for answer in (
        key.create(options_on(person), origin="http://localhost:1"),
        key.create(options_on(person), rp_id="evil.example"),
        '{"id": "x"}',
    ):
        person.send_answer(answer)
        assert person.at == ENROLLMENT
        assert log_types(tenant, user["user_id"])[0] == NOT_ENROLLED
    report(person, "InvalidStateError")
    assert "registered already" in person.text
    assert methods(tenant, user) == []
    use(person, key)
    assert methods(tenant, user) == ["webauthn-roaming"]


def test_two_people_can_not_share_a_key(tenant, client, enrolled):
    other = new_user(tenant, "second@fernhill.example")
    second = authenticator.person(tenant, client)
    second.sign_in(other["email"])
    second.send_answer(enrolled.create(options_on(second), id=enrolled.keys[0].id))
    assert "registered already" in second.text
    assert methods(tenant, other) == []


MEMBERS = ("id", "rawId", "type", "authenticatorAttachment", "response")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    changes=st.dictionaries(st.sampled_from(["id", "rawId", "type", "authenticatorAttachment", "response"]), ANYTHING)
)
def test_answers_of_any_shape_get_the_page_again(person, enrolled, changes):
    answer = json.loads(stranger(person).get({**options_on(person), "allowCredentials": []}))
    answer["id"] = answer["rawId"] = authenticator.text(enrolled.keys[0].id)
    person.send_answer(json.dumps({**answer, **changes}))
    assert person.page.status_code == 400
    assert person.at == CHALLENGE


# Settings


def test_a_pin_is_asked_for_as_the_settings_say(tenant, person, user):
    for wanted in ("discouraged", "preferred", "required"):
        settings_of(tenant, "webauthn-roaming", userVerification=wanted)
        tenant.api("DELETE", f"/users/{user['user_id']}/authentication-methods")
        person.sign_in(user["email"], prompt="login")
        asked = options_on(person)
        assert asked["rp"]["id"] == "localhost"
        assert asked["authenticatorSelection"]["userVerification"] == wanted
        assert asked["authenticatorSelection"]["authenticatorAttachment"] == "cross-platform"
        use(person, authenticator.of(tenant, verifies=False))
        assert ("code" in person.answer) == (wanted != "required")
    key = authenticator.of(tenant)
    use(person, key)
    person.sign_in(user["email"], prompt="login")
    assert options_on(person)["userVerification"] == "required"
    key.verifies = False
    use(person, key)
    assert person.at == CHALLENGE


def test_another_relying_party_is_obeyed_and_older_keys_are_left_behind(tenant, person, user, enrolled):
    settings_of(
        tenant,
        "webauthn-roaming",
        userVerification="preferred",
        overrideRelyingParty=True,
        relyingPartyIdentifier="fernhill.example",
    )
    person.open(str(person.page.url))
    options = options_on(person)
    assert options["rpId"] == "fernhill.example"
    use(person, enrolled)
    assert person.at == CHALLENGE
    tenant.api("DELETE", f"/users/{user['user_id']}/authentication-methods")
    person.sign_in(user["email"], prompt="login")
    use(person, authenticator.of(tenant))
    (method,) = tenant.api("GET", f"/users/{user['user_id']}/authentication-methods")
    assert method["relying_party_identifier"] == "fernhill.example"
