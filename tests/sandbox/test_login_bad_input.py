"""Whatever is sent to the Authentication API and its pages: a clear error, never a 500 and never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.web_login import GRANTS, Person, new_client, new_user

PATHS = [
    *("/authorize", "/oauth/token", "/oauth/revoke", "/oauth/device/code", "/userinfo", "/mfa/challenge"),
    *("/mfa/associate", "/mfa/authenticators", "/passwordless/start", "/dbconnections/signup", "/v2/logout"),
    *("/dbconnections/change_password", "/oidc/logout", "/u/login", "/u/login/password", "/u/signup", "/u/consent"),
    *("/u/mfa-otp-challenge", "/u/reset-verify", "/u/email-verification", "/u/unblock", "/activate", "/continue"),
    *("/u/mfa-enrollment", "/passwordless/verify_redirect", "/u/assets/login.css", "/u/login/connection"),
    *("/u/organization/picker", "/u/mfa-login-options", "/.well-known/jwks.json"),
    *("/u/mfa-webauthn-roaming-challenge", "/u/passkey-enrollment", "/u/mfa-detect-browser-capabilities", "/u/form"),
    *("/oauth/par", "/bc-authorize", "/oidc/register"),
]
NAMES = [
    *(
        "grant_type",
        "client_id",
        "client_secret",
        "audience",
        "scope",
        "username",
        "password",
        "realm",
        "code",
        "state",
    ),
    *("redirect_uri", "response_type", "response_mode", "prompt", "max_age", "acr_values", "nonce", "connection"),
    *("organization", "invitation", "refresh_token", "mfa_token", "otp", "oob_code", "binding_code", "recovery_code"),
    *(
        "device_code",
        "user_code",
        "ticket",
        "email",
        "phone_number",
        "token",
        "id_token_hint",
        "returnTo",
        "logout_hint",
    ),
    *(
        "client_assertion",
        "client_assertion_type",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "action",
    ),
    *("post_logout_redirect_uri", "user_metadata", "authParams", "authenticator_types", "oob_channels", "send"),
    *("request", "request_uri", "resource", "dpop_jkt", "subject_token", "subject_token_type", "auth_req_id"),
    *("binding_message", "requested_expiry", "redirect_uris", "grant_types", "client_name"),
    *("challenge_type", "authenticator_id", "login_hint", "screen_hint", "ui_locales", "user_id", "password_again"),
]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *GRANTS,
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:openid:params:grant-type:ciba",
            *(
                "code",
                "token",
                "id_token",
                "none",
                "login",
                "fragment",
                "a.b.c",
                "a.b.c.d.e",
                "%",
                "\x00",
                "💥",
                "../../x",
            ),
            *(
                "http://localhost:3999/callback",
                "http://[::1",
                "//x",
                "javascript:0",
                "' OR 1=1",
                "{{7*7}}",
                "-1",
                "1e999",
            ),
            *("Username-Password-Authentication", "sms", "email", "otp oob", "S256", "x" * 5000),
        ]
    ),
)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BOUNDED = settings(max_examples=120)


@pytest.fixture
def tenant(sandbox):
    return sandbox.tenant("dev")


def checked(answer):
    assert answer.status_code < 500, (answer.request.method, str(answer.request.url), answer.status_code, answer.text)
    assert "Traceback" not in answer.text
    return answer


def test_no_parameters_bring_the_authentication_api_down(tenant):
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": True})
    exchanges = {"allow_any_profile_of_type": ["custom_authentication"]}
    client = new_client(tenant, grant_types=[*GRANTS, "urn:openid:params:grant-type:ciba"], token_exchange=exchanges)
    known = {"client_id": client["client_id"], "client_secret": client["client_secret"]}

    @BOUNDED
    @given(
        st.sampled_from(PATHS),
        st.sampled_from(["GET", "POST", "JSON", "DELETE", "OPTIONS"]),
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8),
        st.booleans(),
    )
    def send(path, how, values, as_known_client):
        values = {**values, **known} if as_known_client else values
        texts = {k: str(v).encode("utf-8", "replace") for k, v in values.items()}
        if how == "JSON":
            checked(tenant.http.post(path, json=values))
        elif how == "POST":
            checked(tenant.http.post(path, data=texts))
        else:
            checked(tenant.http.request(how, path, params={k: v.decode() for k, v in texts.items()}))

    send()


def test_no_form_brings_a_running_login_down(tenant):
    user = new_user(tenant)
    client = new_client(tenant)
    person = Person(tenant, client)

    @BOUNDED
    @given(
        st.sampled_from([path for path in PATHS if path.startswith("/u/")]),
        st.dictionaries(st.sampled_from([*NAMES, "organizationName", "phone", "saved", "remember"]), TEXTS, max_size=6),
        st.booleans(),
    )
    def send(path, values, signed_in):
        person.http.cookies.delete("auth0-dev") if "auth0-dev" in person.http.cookies else None
        if signed_in:
            person.sign_in(user["email"], prompt="login")
        person.authorize(prompt="login")
        state = person.page.url.params["state"]
        data = {k: v.encode("utf-8", "replace") for k, v in values.items() if k != "state"}
        checked(person.http.post(path, params={"state": state}, data=data))

    send()


@pytest.mark.parametrize("path", PATHS)
def test_odd_headers_and_cookies_are_no_reason_to_fail(tenant, path):
    headers = {
        "Authorization": "Bearer \u00fc",
        "Cookie": "auth0-dev=%00; did-dev=\u00ff; auth0-mf-dev=x",
        "X-Sandbox-Country": "zzz",
        "X-Sandbox-IP": "not an address",
        "auth0-forwarded-for": ",,,",
        "Origin": "null",
        "DPoP": "a.b.c",
    }
    checked(tenant.http.get(path, headers={k: v.encode("latin-1") for k, v in headers.items()}))
