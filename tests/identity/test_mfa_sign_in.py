"""A published policy, as people and programs meet it at a tenant's own sign-in."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from identity.mfa import drafts, publish
from identity.mfa.models import Publication
from identity.mfa.policy import PolicyRules, Rule
from tests import people
from tests.sandbox.web_login import AUTH0_GRANT, CONNECTION, PASSWORD, Person, new_client, new_user

pytestmark = pytest.mark.django_db(transaction=True)
ENROL, CHALLENGE = "/u/mfa-otp-enrollment", "/u/mfa-otp-challenge"


@pytest.fixture
def local(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


@pytest.fixture
def client(local: Any) -> dict[str, Any]:
    return new_client(local)


@pytest.fixture
def person(local: Any, client: dict[str, Any]) -> Any:
    """person() -> somebody at a browser of their own."""
    return lambda: Person(local, client)


@pytest.fixture
def published(eager: None, tenants: Any) -> Any:
    """published("acme.example", factors=("otp",)) -> the version that is live in dev."""
    actor = people.account("security", ["security"])

    def bring(*domains: str, factors: tuple[str, ...] = ("otp",), **choices: str) -> Any:
        rules = PolicyRules((Rule("email_domains", {"domains": list(domains)}, factors),), **choices)
        policy = drafts.create(f"Policy for {domains[0]}", rules, actor=actor)
        version = drafts.version_of(policy, comment="", actor=actor)
        asked = publish.request(
            tenants["dev"], version, kind=Publication.Kind.PUBLISH, actor=actor, expected=None, reason="Test"
        )
        asked.refresh_from_db()
        assert asked.state == "live", asked.run.error
        return version

    return bring


def enrol(someone: Person, email: str) -> str:
    """Sign in with the password and enrol an authenticator app; its secret. Ends at the application."""
    someone.sign_in(email)
    assert someone.at == ENROL, someone.text
    secret = someone.page.text.split('id="secret">')[1].split("<")[0]  # type: ignore[union-attr]
    someone.submit(code=pyotp.TOTP(secret).now())
    if not someone.landed:  # the recovery code is shown once
        assert "recovery" in someone.at
        someone.submit(saved="true")
    assert someone.landed, someone.text
    return secret


def give_totp(local: Any, user: dict[str, Any]) -> str:
    secret = pyotp.random_base32()
    body = {"type": "totp", "totp_secret": secret, "name": "App"}
    local.api("POST", f"/users/{user['user_id']}/authentication-methods", body)
    return secret


def test_a_user_of_the_domain_enrols_and_gets_in_and_is_challenged_the_next_time(
    local: Any, person: Any, published: Any
) -> None:
    published("fernhill.example")
    new_user(local, "mira@fernhill.example")
    first = person()
    secret = enrol(first, "mira@fernhill.example")
    assert first.id_claims()["amr"] == ["mfa"]
    other_browser = person()
    other_browser.sign_in("mira@fernhill.example")
    assert other_browser.at == CHALLENGE
    other_browser.submit(code=pyotp.TOTP(secret).now())
    assert "code" in other_browser.answer


def test_another_user_is_not_asked_and_the_other_actions_still_run(local: Any, person: Any, published: Any) -> None:
    published("fernhill.example")
    new_user(local, "ola@fernhill.example.elsewhere.example")
    someone = person()
    someone.sign_in("ola@fernhill.example.elsewhere.example")
    assert "code" in someone.answer
    claims = someone.id_claims()
    assert "amr" not in claims
    assert claims["https://castellan.example/roles"] == []


def test_nobody_gets_a_code_without_the_second_factor(local: Any, person: Any, published: Any) -> None:
    published("fernhill.example")
    user = new_user(local, "mira@fernhill.example")
    give_totp(local, user)
    someone = person()
    someone.sign_in("mira@fernhill.example")
    someone.submit(code="000000")
    assert (someone.at, someone.landed) == (CHALLENGE, "")


def test_the_same_session_is_not_asked_again_and_silent_sign_in_works(local: Any, person: Any, published: Any) -> None:
    published("fernhill.example")
    new_user(local, "mira@fernhill.example")
    someone = person()
    enrol(someone, "mira@fernhill.example")
    assert someone.authorize(prompt="none")
    assert "code" in someone.answer


def test_silent_sign_in_without_mfa_is_refused_and_gives_no_code(local: Any, person: Any, published: Any) -> None:
    new_user(local, "mira@fernhill.example")
    someone = person()
    someone.sign_in("mira@fernhill.example")
    assert "code" in someone.answer
    published("fernhill.example")
    someone.authorize(prompt="none")
    assert "code" not in someone.answer
    assert someone.answer["error"] in ("interaction_required", "mfa_required")


def test_refresh_tokens_go_on_working(local: Any, client: Any, person: Any, published: Any) -> None:
    new_user(local, "mira@fernhill.example")
    someone = person()
    someone.sign_in("mira@fernhill.example", scope="openid offline_access")
    token = someone.tokens()["refresh_token"]
    published("fernhill.example")
    body = {
        "grant_type": "refresh_token",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "refresh_token": token,
    }
    answer = local.http.post("/oauth/token", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["access_token"]


def with_password(local: Any, client: Any, email: str) -> Any:
    body = {
        "grant_type": AUTH0_GRANT + "password-realm",
        "realm": CONNECTION,
        "username": email,
        "password": PASSWORD,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "scope": "openid",
    }
    return local.http.post("/oauth/token", json=body)


def test_a_password_grant_needs_the_second_factor_too(local: Any, client: Any, published: Any) -> None:
    published("fernhill.example")
    secret = give_totp(local, new_user(local, "mira@fernhill.example"))
    new_user(local, "ola@elsewhere.example")
    refused = with_password(local, client, "mira@fernhill.example")
    assert (refused.status_code, refused.json()["error"]) == (403, "mfa_required")
    body = {
        "grant_type": AUTH0_GRANT + "mfa-otp",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "mfa_token": refused.json()["mfa_token"],
        "otp": pyotp.TOTP(secret).now(),
    }
    assert local.http.post("/oauth/token", json=body).json()["access_token"]
    assert with_password(local, client, "ola@elsewhere.example").json()["access_token"]


def test_a_policy_can_refuse_password_grants(local: Any, client: Any, published: Any) -> None:
    published("fernhill.example", password_grant="deny")  # noqa: S106
    give_totp(local, new_user(local, "mira@fernhill.example"))
    refused = with_password(local, client, "mira@fernhill.example")
    assert not refused.is_success
    assert "This application must use the sign-in page." in refused.text


def test_somebody_with_another_factor_passes_it_and_then_enrols_an_allowed_one(
    local: Any, person: Any, published: Any
) -> None:
    published("fernhill.example", factors=("otp",))
    user = new_user(local, "mira@fernhill.example")
    body = {"type": "phone", "phone_number": "+4915112345678", "preferred_authentication_method": "sms"}
    local.api("POST", f"/users/{user['user_id']}/authentication-methods", body)
    someone = person()
    someone.sign_in("mira@fernhill.example")
    assert someone.at == "/u/mfa-sms-challenge", someone.at
    someone.submit(code=local.mail("+4915112345678")[0]["code"])
    assert someone.at == ENROL, someone.text
    secret = someone.page.text.split('id="secret">')[1].split("<")[0]
    someone.submit(code=pyotp.TOTP(secret).now())
    if not someone.landed:
        someone.submit(saved="true")
    assert "code" in someone.answer


def test_a_first_enrolment_under_an_unverified_address_can_be_refused(local: Any, person: Any, published: Any) -> None:
    published("fernhill.example", unverified_email="deny")
    new_user(local, "mira@fernhill.example", email_verified=False)
    someone = person()
    someone.sign_in("mira@fernhill.example")
    assert someone.answer["error"] == "access_denied"
    assert someone.answer["error_description"] == "Verify your e-mail address first."
