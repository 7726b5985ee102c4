"""The pages of Universal Login in a real browser: usable by keyboard, accessible, light and dark, wide and narrow."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyotp
import pytest

from tests.sandbox.web_login import PASSWORD, Person, enable, new_client, new_user, without_actions

pytestmark = pytest.mark.browser

# Where to leave pictures of the pages; none by default.
FOLDER = os.environ.get("SCREENSHOTS", "")
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def tenant(sandbox):
    found = sandbox.tenant("dev")
    without_actions(found)
    found.api("PUT", "/guardian/policies", ["all-applications"])
    for name, enabled in {"otp": True, "sms": True, "email": True, "recovery-code": True}.items():
        found.api("PUT", f"/guardian/factors/{name}", {"enabled": enabled})
    return found


class Application:
    """Where logins come back to: an HTTP server that keeps what it is sent."""

    def __init__(self):
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 - the names that http.server calls
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                heard.append((self.command, self.path, body))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>in</title>")

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.callback = f"http://localhost:{self.server.server_port}/callback"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self):
        return next(parts for parts in self.heard if "/callback" in parts[1])


@pytest.fixture
def listening():
    found = Application()
    yield found
    found.close()


@pytest.fixture
def start(tenant, listening):
    """The address that begins a login."""
    client = new_client(tenant, callbacks=[listening.callback])
    enable(tenant, client, "google-oauth2")
    person = Person(tenant, client)

    def address(**parameters):
        usual = {"client_id": client["client_id"], "response_type": "code", "scope": "openid profile email"}
        return str(person.http.build_request("GET", "/authorize", params={**usual, **parameters}).url)

    return address


def type_in(page, label, text, leads_to):
    """Fill in the one field and press Enter."""
    page.get_by_label(label).fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url(leads_to)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_on_the_way_is_accessible(tenant, start, new_page, axe, scheme):
    user = new_user(tenant)
    page = new_page(color_scheme=scheme, viewport=PHONE if scheme == "dark" else {"width": 1100, "height": 800})
    seen = []

    def look(name):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        axe(page)
        page.screenshot(path=f"{FOLDER}/login-{name}-{scheme}.png") if FOLDER else None
        seen.append(name)

    page.goto(start())
    look("identifier")
    type_in(page, "Email address", user["email"], "**/u/login/password**")
    look("password")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look("wrong-password")
    type_in(page, "Password", PASSWORD, "**/u/mfa-begin-enroll-options**")
    look("factor-choice")
    page.get_by_role("button", name="Google Authenticator").click()
    page.wait_for_url("**/u/mfa-otp-enrollment**")
    look("otp-enrollment")
    secret = page.locator("#secret").inner_text()
    type_in(page, "one-time code", pyotp.TOTP(secret).now(), "**/u/mfa-recovery-code-enrollment**")
    look("recovery-code")
    page.goto(start(prompt="login", screen_hint="signup"))
    look("signup")
    page.goto(start(prompt="login", screen_hint="reset_password"))
    look("reset-request")
    page.goto(start(prompt="login", connection="google-oauth2"))
    look("connection")
    page.goto(tenant.api("POST", "/tickets/password-change", {"user_id": user["user_id"]})["ticket"])
    look("reset-password")
    page.goto(f"{tenant.browser_url}/activate")
    look("device")
    page.goto(f"{tenant.browser_url}/authorize?client_id=nobody")
    look("error")
    assert len(seen) == 12


def test_a_person_signs_in_without_the_mouse_on_one_page(tenant, start, page, listening):
    tenant.api("PATCH", "/prompts", {"identifier_first": False})
    tenant.api("PUT", "/guardian/policies", [])
    user = new_user(tenant)
    page.goto(start())
    page.locator("#username:focus").wait_for()
    page.keyboard.type(user["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/callback**")
    assert "code=" in listening.answer()[1]


def test_form_post_sends_itself_and_web_message_reaches_its_origin(tenant, start, page, listening):
    tenant.api("PUT", "/guardian/policies", [])
    user = new_user(tenant)
    page.goto(start(response_mode="form_post"))
    type_in(page, "Email address", user["email"], "**/u/login/password**")
    type_in(page, "Password", PASSWORD, "**/callback")
    method, _, body = listening.answer()
    assert method == "POST"
    assert "code=" in body
    answer = page.evaluate(
        """(url) => new Promise((resolve) => {
            addEventListener("message", (event) => resolve({origin: event.origin, ...event.data}));
            document.body.appendChild(document.createElement("iframe")).src = url;
            setTimeout(resolve, 8000, {});
        })""",
        start(prompt="none", response_mode="web_message"),
    )
    assert answer["type"] == "authorization_response"
    assert answer["response"]["code"]
    assert answer["origin"] == tenant.browser_url


def test_the_tenants_colours_stay_readable(tenant, start, page, axe):
    tenant.api("PATCH", "/branding", {"colors": {"primary": "#ffe680", "page_background": "#202020"}})
    page.goto(start())
    button = page.locator("button.primary")
    assert button.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(255, 230, 128)"
    axe(page)
