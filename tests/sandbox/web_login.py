"""A person at a browser without scripts: follows redirects within a tenant, fills in forms, keeps cookies."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets as secrets_module
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

CALLBACK = "http://localhost:3999/callback"
LOGGED_OUT = "http://localhost:3999/bye"
CONNECTION = "Username-Password-Authentication"
PASSWORD = "Larkspur-demo-1"
AUTH0_GRANT = "http://auth0.com/oauth/grant-type/"
GRANTS = [
    *("authorization_code", "refresh_token", "implicit", "client_credentials", "password"),
    *(AUTH0_GRANT + name for name in ("password-realm", "mfa-otp", "mfa-oob", "mfa-recovery-code", "passwordless/otp")),
    "urn:ietf:params:oauth:grant-type:device_code",
]


class _Page(HTMLParser):
    """The forms and links of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "fields": {}})
        elif tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "input" and self.forms and attributes.get("type") not in ("checkbox", "radio"):
            self.forms[-1]["fields"][attributes.get("name", "")] = attributes.get("value", "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class Person:
    """`landed`: the address outside the tenant that the login ended at, "" while it is still at the tenant's pages.

    told: fields that a script would fill in wherever a form has them, such as {"webauthn-available": "true"}.
    """

    def __init__(self, tenant: Any, client: dict[str, Any], **headers: str) -> None:
        self.told: dict[str, str] = {}
        self.tenant = tenant
        self.client = client
        self.http = httpx.Client(
            base_url=tenant.browser_url,
            verify=tenant.trust,
            trust_env=False,
            headers=headers,
            timeout=60,
            # No kept connections: nothing is left open when a test forgets its person.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self.page: httpx.Response | None = None
        self.landed = ""
        self.verifier = secrets_module.token_urlsafe(48)

    # going places

    def authorize(self, **parameters: str) -> str:
        """Begin a login; where it leads to at once ("" for a page)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        usual = {
            "client_id": self.client["client_id"],
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": "the-state",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        wanted = {name: value for name, value in {**usual, **parameters}.items() if value != ""}
        return self._follow(self.http.get("/authorize", params=wanted))

    def open(self, url: str) -> str:
        target = self.http.base_url.join(url)
        if target.port == self.tenant.https_port:  # the same pages, without a certificate to trust
            target = target.copy_with(scheme="http", port=self.tenant.http_port)
        return self._follow(self.http.get(target))

    def submit(self, form: int = 0, **fields: str) -> str:
        """Fill in and send a form of the page."""
        assert self.page is not None
        found = _Page(self.page.text).forms[form]
        url = self.page.url.join(found["action"] or "")
        told = {name: value for name, value in self.told.items() if name in found["fields"]}
        return self._follow(self.http.post(url, data={**found["fields"], **told, **fields}))

    def send_answer(self, answer: str, **fields: str) -> str:
        """Send the form that waits for an authenticator's answer."""
        assert self.page is not None
        forms = _Page(self.page.text).forms
        form = next(form for form in forms if {"response", "passkey"} & set(form["fields"]))
        field = "passkey" if "passkey" in form["fields"] else "response"
        return self.submit(form=forms.index(form), **{field: answer, "action": "default", **fields})

    def sign_in(self, email: str, password: str = PASSWORD, **parameters: str) -> str:
        """The first factor; ends at the application, or at the page that comes next."""
        if self.authorize(**parameters):
            return self.landed
        if self.at == "/u/login/identifier":
            self.submit(username=email)
            return self.submit(password=password)
        return self.submit(username=email, password=password)

    def _follow(self, answer: httpx.Response) -> str:
        self.landed = ""
        while answer.is_redirect:
            target = answer.url.join(answer.headers["location"])
            if target.port == self.tenant.https_port:
                target = target.copy_with(scheme="http", port=self.tenant.http_port)
            if target.port != self.tenant.http_port:
                self.landed = str(target)
                return self.landed
            answer = self.http.get(target)
        self.page = answer
        return ""

    # looking around

    @property
    def at(self) -> str:
        """The path of the page that is shown."""
        return self.page.url.path if self.page is not None and not self.landed else ""

    @property
    def text(self) -> str:
        assert self.page is not None
        return " ".join(" ".join(_Page(self.page.text).words).split())

    @property
    def links(self) -> list[str]:
        assert self.page is not None
        return _Page(self.page.text).links

    @property
    def answer(self) -> dict[str, str]:
        """What the application got, from query or fragment."""
        parts = urlsplit(self.landed)
        return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}

    # being the application

    def exchange(self, **changes: str) -> httpx.Response:
        """The code for tokens."""
        body = {
            "grant_type": "authorization_code",
            "client_id": self.client["client_id"],
            "client_secret": self.client.get("client_secret", ""),
            "code": self.answer.get("code", ""),
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return self.tenant.http.post("/oauth/token", json={k: v for k, v in {**body, **changes}.items() if v != ""})

    def tokens(self) -> dict[str, Any]:
        answer = self.exchange()
        assert answer.is_success, answer.text
        return dict(answer.json())

    def id_claims(self) -> dict[str, Any]:
        return claims(self.tokens()["id_token"])


def claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, unchecked."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def new_client(tenant: Any, **fields: Any) -> dict[str, Any]:
    """An application with all grants, enabled for the main database connection."""
    body = {
        "name": "Login tests",
        "app_type": "regular_web",
        "callbacks": [CALLBACK],
        "allowed_logout_urls": [LOGGED_OUT],
        "grant_types": GRANTS,
        "oidc_conformant": True,
        "jwt_configuration": {"alg": "RS256"},
        **fields,
    }
    client = dict(tenant.api("POST", "/clients", body))
    enable(tenant, client, CONNECTION)
    return client


def enable(tenant: Any, client: dict[str, Any], connection: str) -> None:
    (found,) = tenant.api("GET", "/connections", name=connection)
    enabled = [{"client_id": client["client_id"], "status": True}]
    tenant.api("PATCH", f"/connections/{found['id']}/clients", enabled)


def new_user(tenant: Any, email: str = "mira.test@fernhill.example", **fields: Any) -> dict[str, Any]:
    body = {"connection": CONNECTION, "email": email, "password": PASSWORD, "email_verified": True, **fields}
    return dict(tenant.api("POST", "/users", body))


def without_actions(tenant: Any) -> None:
    """Unbind the demo's own Actions."""
    tenant.api("PATCH", "/actions/triggers/post-login/bindings", {"bindings": []})


def bind(
    tenant: Any, *codes: str, secrets: dict[str, str] | None = None, trigger: str = "post-login", version: str = "v3"
) -> list[str]:
    """Create, deploy and bind Actions in this order, in place of those that are bound; their ids."""
    ids = []
    for number, code in enumerate(codes):
        body = {
            "name": f"test-action-{number}-{secrets_module.token_hex(4)}",
            "supported_triggers": [{"id": trigger, "version": version}],
            "code": code,
            "secrets": [{"name": k, "value": v} for k, v in (secrets or {}).items()],
        }
        action = tenant.api("POST", "/actions/actions", body)
        assert tenant.api("GET", f"/actions/actions/{action['id']}")["status"] == "built"
        tenant.api("POST", f"/actions/actions/{action['id']}/deploy")
        ids.append(action["id"])
    bindings = [
        {"ref": {"type": "action_id", "value": id}, "display_name": f"Test {number}"} for number, id in enumerate(ids)
    ]
    tenant.api("PATCH", f"/actions/triggers/{trigger}/bindings", {"bindings": bindings})
    return ids


def action(body: str, then: str = "") -> str:
    """The source of a post-login Action; `then` is the body of onContinuePostLogin."""
    code = f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};"
    return code + (f"\nexports.onContinuePostLogin = async (event, api) => {{ {then} }};" if then else "")


def log_types(tenant: Any, user_id: str | None = None) -> list[str]:
    """The types of the tenant's (or a user's) newest log events, newest first."""
    path = f"/users/{user_id}/logs" if user_id else "/logs"
    found = tenant.api("GET", path, per_page=30, sort="date:-1")
    return [event["type"] for event in found]
