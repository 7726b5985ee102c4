"""Second factors for applications with their own pages: the MFA API and its grants."""

from __future__ import annotations

import pyotp
import pytest

from tests.sandbox.second_factors import asking_everybody, give_totp, offer
from tests.sandbox.web_login import AUTH0_GRANT, PASSWORD, new_client


@pytest.fixture
def tenant(sandbox):
    return asking_everybody(sandbox, "otp")


# The MFA API


def ask(tenant, client, path="/oauth/token", **body):
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    return tenant.http.post(path, json={**secret, **body})


def password_login(tenant, client, user, **body):
    wanted = {"grant_type": "password", "username": user["email"], "password": PASSWORD, "scope": "openid"}
    return ask(tenant, client, **{**wanted, **body})


def test_a_password_login_waits_for_the_code_of_the_app(tenant, client, user):
    secret = give_totp(tenant, user)
    answer = password_login(tenant, client, user)
    assert answer.status_code == 403
    assert answer.json()["error"] == "mfa_required"
    assert answer.json()["mfa_requirements"] == {"challenge": [{"type": "otp"}]}
    token = answer.json()["mfa_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    (known,) = tenant.http.get("/mfa/authenticators", headers=bearer).json()
    assert known["authenticator_type"] == "otp"
    assert known["id"].startswith("totp|dev_")
    assert ask(tenant, client, "/mfa/challenge", mfa_token=token, challenge_type="otp").json() == {
        "challenge_type": "otp"
    }
    wrong = ask(tenant, client, grant_type=AUTH0_GRANT + "mfa-otp", mfa_token=token, otp="000000")
    assert (wrong.status_code, wrong.json()["error_description"]) == (403, "Invalid otp_code.")
    right = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": token, "otp": pyotp.TOTP(secret).now()}
    answer = ask(tenant, client, **right)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id_token"]
    assert ask(tenant, client, **right).json()["error"] == "expired_token"


def test_an_application_enrols_its_user_over_the_api(tenant, client, user):
    offer(tenant, "otp", "recovery-code")
    refused = password_login(tenant, client, user).json()
    assert refused["mfa_requirements"] == {"enroll": [{"type": "otp"}]}
    token = refused["mfa_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    answer = ask(tenant, client, "/mfa/challenge", mfa_token=token, challenge_type="otp oob")
    assert answer.json()["error"] == "association_required"
    made = tenant.http.post("/mfa/associate", json={"authenticator_types": ["otp"]}, headers=bearer).json()
    assert made["barcode_uri"].startswith("otpauth://totp/")
    (recovery,) = made["recovery_codes"]
    right = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": token, "otp": pyotp.TOTP(made["secret"]).now()}
    assert ask(tenant, client, **right).status_code == 200
    token = password_login(tenant, client, user).json()["mfa_token"]
    answer = tenant.http.post(
        "/mfa/associate", json={"authenticator_types": ["otp"]}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()["error_description"] == "User is already enrolled."
    answer = ask(tenant, client, grant_type=AUTH0_GRANT + "mfa-recovery-code", mfa_token=token, recovery_code=recovery)
    assert answer.json()["recovery_code"] != recovery


def test_a_key_is_listed_and_neither_challenged_nor_enrolled(tenant, client, user):
    offer(tenant, "otp", "webauthn-roaming")
    key = {"type": "webauthn-roaming", "key_id": "k", "public_key": "pk", "relying_party_identifier": "localhost"}
    made = tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", {**key, "name": "Blue one"})
    token = password_login(tenant, client, user).json()["mfa_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    shown = {"authenticator_type": "webauthn-roaming", "active": True, "name": "Blue one"}
    assert tenant.http.get("/mfa/authenticators", headers=bearer).json() == [{"id": made["id"], **shown}]
    answer = ask(tenant, client, "/mfa/challenge", mfa_token=token, challenge_type="otp oob")
    assert answer.json()["error"] == "unsupported_challenge_type"
    wanted = {"authenticator_types": ["webauthn-roaming"]}
    assert tenant.http.post("/mfa/associate", json=wanted, headers=bearer).status_code == 400


def test_a_code_by_text_message_is_bound_to_its_challenge(tenant, client, user):
    offer(tenant, "sms")
    wanted = {"type": "phone", "phone_number": "+15550100123", "preferred_authentication_method": "sms"}
    tenant.api("POST", f"/users/{user['user_id']}/authentication-methods", wanted)
    token = password_login(tenant, client, user).json()["mfa_token"]
    asked = ask(tenant, client, "/mfa/challenge", mfa_token=token, challenge_type="oob").json()
    assert asked["binding_method"] == "prompt"
    body = {"grant_type": AUTH0_GRANT + "mfa-oob", "mfa_token": token, "oob_code": asked["oob_code"]}
    wrong = ask(tenant, client, **body, binding_code="000000")
    assert wrong.json()["error_description"] == "Invalid binding_code."
    right = ask(tenant, client, **body, binding_code=tenant.mail("+15550100123")[0]["code"])
    assert right.status_code == 200


def test_a_push_over_the_api_is_pending_until_answered(tenant, client, user):
    offer(tenant, "push-notification")
    token = password_login(tenant, client, user).json()["mfa_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    wanted = {"authenticator_types": ["oob"], "oob_channels": ["auth0"]}
    made = tenant.http.post("/mfa/associate", json=wanted, headers=bearer).json()
    body = {"grant_type": AUTH0_GRANT + "mfa-oob", "mfa_token": token, "oob_code": made["oob_code"]}
    assert ask(tenant, client, **body).json()["error"] == "authorization_pending"
    push = next(m for m in tenant.mail(user["user_id"]) if m["type"] == "push")
    tenant.control("POST", "phones", {"id": push["id"], "state": "rejected"})
    assert ask(tenant, client, **body).json()["error_description"] == "MFA Authorization rejected."


def test_a_challenge_is_of_a_kind_that_the_user_has(tenant, client, user):
    give_totp(tenant, user)
    token = password_login(tenant, client, user).json()["mfa_token"]
    for wanted in ({"challenge_type": "oob"}, {"challenge_type": "carrier-pigeon"}, {"authenticator_id": "totp|none"}):
        answer = ask(tenant, client, "/mfa/challenge", mfa_token=token, **wanted)
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_challenge_type")


def test_an_mfa_token_lives_ten_minutes_and_belongs_to_its_application(tenant, client, user):
    secret = give_totp(tenant, user)
    token = password_login(tenant, client, user).json()["mfa_token"]
    other = new_client(tenant, name="Other")
    body = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": token, "otp": pyotp.TOTP(secret).now()}
    assert ask(tenant, other, **body).json()["error"] == "invalid_grant"
    tenant.advance_clock(601)
    assert ask(tenant, client, **body).json()["error"] == "expired_token"


# Access tokens for the MFA API


def manages(tenant, client, user, scope="enroll read:authenticators remove:authenticators", secret=""):
    """An access token for the MFA API; `secret`: of the app that has to be passed first."""
    wanted = {"scope": scope, "audience": f"{tenant.url}/mfa/"}
    answer = password_login(tenant, client, user, **wanted)
    if secret:
        right = {"grant_type": AUTH0_GRANT + "mfa-otp", "otp": pyotp.TOTP(secret).now()}
        answer = ask(tenant, client, **right, mfa_token=answer.json()["mfa_token"])
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_a_person_manages_factors_with_an_access_token(tenant, client, user):
    tenant.api("PUT", "/guardian/policies", [])
    bearer = manages(tenant, client, user)
    made = tenant.http.post("/mfa/associate", json={"authenticator_types": ["otp"]}, headers=bearer).json()
    token, secret = bearer["Authorization"].removeprefix("Bearer "), made["secret"]
    right = {"grant_type": AUTH0_GRANT + "mfa-otp", "mfa_token": token, "otp": pyotp.TOTP(secret).now()}
    assert ask(tenant, client, **right).status_code == 200
    # Whoever has a factor passes it, whatever the policy says.
    assert password_login(tenant, client, user, audience=f"{tenant.url}/mfa/").json()["error"] == "mfa_required"
    bearer = manages(tenant, client, user, secret=secret)
    (known,) = tenant.http.get("/mfa/authenticators", headers=bearer).json()
    assert tenant.http.delete(f"/mfa/authenticators/{known['id']}", headers=bearer).status_code == 204
    assert tenant.http.get("/mfa/authenticators", headers=bearer).json() == []


def test_an_access_token_allows_what_its_scopes_say_for_ten_minutes(tenant, client, user):
    tenant.api("PUT", "/guardian/policies", [])
    bearer = manages(tenant, client, user, "read:authenticators")
    assert tenant.http.get("/mfa/authenticators", headers=bearer).json() == []
    answer = tenant.http.post("/mfa/associate", json={"authenticator_types": ["otp"]}, headers=bearer)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    tenant.advance_clock(601)
    assert tenant.http.get("/mfa/authenticators", headers=bearer).status_code == 403


def test_an_mfa_token_does_not_delete_what_it_has_not_passed(tenant, client, user):
    give_totp(tenant, user)
    bearer = {"Authorization": f"Bearer {password_login(tenant, client, user).json()['mfa_token']}"}
    (known,) = tenant.http.get("/mfa/authenticators", headers=bearer).json()
    assert tenant.http.delete(f"/mfa/authenticators/{known['id']}", headers=bearer).status_code == 403
    assert tenant.http.get("/mfa/authenticators").status_code == 401


def test_a_silent_login_that_would_need_a_second_factor_is_refused(tenant, person, user):
    tenant.api("PUT", "/guardian/policies", [])
    person.sign_in(user["email"])
    tenant.api("PUT", "/guardian/policies", ["all-applications"])
    person.authorize(prompt="none")
    assert person.answer["error"] == "interaction_required"
