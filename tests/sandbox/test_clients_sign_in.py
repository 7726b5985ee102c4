"""Widely used OpenID Connect clients sign in against a local tenant as they are."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet
from social_core.backends.auth0_openidconnect import Auth0OpenIdConnectAuth
from social_core.strategy import BaseStrategy

from runtime import node
from tests.environment import free_ports
from tests.sandbox.web_login import CALLBACK, CONNECTION, LOGGED_OUT, Person, new_client

CLIENTS = Path(__file__).parent / "clients"


@contextmanager
def program(name, tenant, client, sandbox, **variables):
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_EXTRA_CA_CERTS": str(sandbox.authority),
        "ISSUER": f"{tenant.url}/",
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "CALLBACK": CALLBACK,
        "LOGGED_OUT": LOGGED_OUT,
        **variables,
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([node.node_binary(), str(CLIENTS / name)], env=environment, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process):
    line = process.stdout.readline()
    try:
        return json.loads(line)
    except ValueError:
        pytest.fail(line + process.stdout.read())


def test_openid_client_signs_in_refreshes_revokes_and_logs_out(sandbox, tenant, client, user):
    person = Person(tenant, client)
    with program("openid_client.mjs", tenant, client, sandbox) as process:
        person.open(said(process)["go"])
        person.submit(username=user["email"])
        person.submit(password="Larkspur-demo-1")
        process.stdin.write(person.landed + "\n")
        process.stdin.flush()
        found = said(process)
    assert found["claims"]["sub"] == found["info"]["sub"] == found["refreshed"] == user["user_id"]
    assert found["info"]["email"] == user["email"]
    assert found["refused"] == "invalid_grant"
    person.open(found["logout"])
    assert person.landed == LOGGED_OUT


@pytest.mark.parametrize("kind", ["confidential", "public", "self-made"])
def test_openid_client_pushes_its_request_and_binds_its_tokens(sandbox, tenant, user, kind):
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": True})
    client = new_client(tenant, token_endpoint_auth_method="client_secret_post" if kind == "confidential" else "none")
    if kind != "confidential":
        client["client_secret"] = ""  # it gets a nonce to put into its proofs, and does not push
    if kind == "self-made":
        client["client_id"] = ""
        connection = tenant.named("connections", CONNECTION)
        tenant.api("PATCH", f"/connections/{connection['id']}", {"is_domain_connection": True})
    person = Person(tenant, client)
    with program("openid_client_bound.mjs", tenant, client, sandbox) as process:
        found = said(process)
        assert ("request_uri" in found["asked"]) is (kind == "confidential")
        person.open(found["go"])
        person.submit(username=user["email"])
        person.submit(password="Larkspur-demo-1")
        if kind == "self-made":
            person.submit(action="accept")
        process.stdin.write(person.landed + "\n")
        process.stdin.flush()
        found = said(process)
    assert found["types"] == ["dpop", "dpop"]  # in lower case, as the library gives it
    assert found["info"]["email"] == user["email"]
    assert found["stolen"] == "invalid_dpop_proof"


def test_express_openid_connect_signs_in_and_out(sandbox, tenant, user):
    port = free_ports(1)
    url = f"http://localhost:{port}"
    client = new_client(tenant, callbacks=[f"{url}/callback"], allowed_logout_urls=[url])
    person = Person(tenant, client)
    with program("express_openid_connect.cjs", tenant, client, sandbox, PORT=str(port)) as process:
        assert process.stdout.readline() == "listening\n"
        person.open(person.http.get(f"{url}/login").headers["location"])
        person.submit(username=user["email"])
        person.submit(password="Larkspur-demo-1")
        assert person.landed.startswith(f"{url}/callback?")
        person.http.get(person.landed)
        found = person.http.get(f"{url}/me").json()
        assert found["claims"]["sub"] == found["info"]["sub"] == user["user_id"]
        person.open(person.http.get(f"{url}/logout").headers["location"])
        assert person.landed.rstrip("/") == url
        assert person.http.get(url).json() == {"signedIn": False}
    person.authorize(prompt="none", redirect_uri=f"{url}/callback")
    assert person.answer["error"] == "login_required"


def test_authlib_signs_in(sandbox, tenant, client, user):
    configuration = tenant.http.get("/.well-known/openid-configuration").json()
    person = Person(tenant, client)
    with OAuth2Session(
        client["client_id"],
        client["client_secret"],
        scope="openid profile email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    ) as application:
        application.verify, application.trust_env = str(sandbox.authority), False
        verifier = "v" * 64
        url, state = application.create_authorization_url(
            configuration["authorization_endpoint"], code_verifier=verifier, nonce="n-0"
        )
        person.open(url)
        person.submit(username=user["email"])
        person.submit(password="Larkspur-demo-1")
        token = application.fetch_token(
            configuration["token_endpoint"], authorization_response=person.landed, state=state, code_verifier=verifier
        )
        keys = KeySet.import_key_set(application.get(configuration["jwks_uri"]).json())
        claims = jwt.decode(token["id_token"], keys).claims
        assert (claims["nonce"], claims["iss"], claims["sub"]) == ("n-0", configuration["issuer"], user["user_id"])
        assert application.get(configuration["userinfo_endpoint"]).json()["email"] == user["email"]
        assert application.refresh_token(configuration["token_endpoint"])["access_token"]


class Strategy(BaseStrategy):
    """The smallest web framework that social-auth can stand on: a session, a request, and a user that is its answer."""

    def __init__(self, settings):
        from social_django.models import DjangoStorage  # a model: after Django has been set up

        super().__init__(storage=DjangoStorage)
        self.settings, self.session, self.data = settings, {}, {}

    def get_setting(self, name):
        return self.settings[name]

    def request_data(self, merge=True):
        return self.data

    def request_host(self):
        return "localhost"

    def build_absolute_uri(self, path=None):
        return CALLBACK

    def redirect(self, url):
        return url

    def session_get(self, name, default=None):
        return self.session.get(name, default)

    def session_set(self, name, value):
        self.session[name] = value

    def session_pop(self, name):
        return self.session.pop(name, None)

    def session_setdefault(self, name, value):
        return self.session.setdefault(name, value)

    def authenticate(self, backend, *args, **kwargs):
        return backend.get_user_details(kwargs["response"]) | {"id": kwargs["response"]["sub"]}


def test_social_auth_signs_in_through_its_auth0_backend(sandbox, tenant, client, user, db):
    prefix = "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_"
    settings = {
        f"{prefix}DOMAIN": tenant.domain,
        f"{prefix}KEY": client["client_id"],
        f"{prefix}SECRET": client["client_secret"],
        f"{prefix}VERIFY_SSL": str(sandbox.authority),
    }
    strategy = Strategy(settings)
    backend = Auth0OpenIdConnectAuth(strategy, redirect_uri=CALLBACK)
    person = Person(tenant, client)
    person.open(backend.start())
    person.submit(username=user["email"])
    person.submit(password="Larkspur-demo-1")
    backend.data = strategy.data = person.answer
    found = backend.auth_complete()
    assert (found["id"], found["email"]) == (user["user_id"], user["email"])
