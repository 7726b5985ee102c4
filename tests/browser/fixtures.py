"""Fixtures of a person at a browser.

page        a Playwright page; the test fails when a script of ours throws or the Content-Security-Policy is hurt
new_page    new_page(color_scheme="dark", viewport={...}) -> one more page, with cookies of its own
portal      the portal, served over HTTP from the test's database; runs are carried out at once
sign_in     sign_in(page, "helpdesk") goes through the real sign-in of the local home tenant
demo_site   the whole demo as a newcomer starts it, with web server and worker as processes of their own
axe         axe(page) fails with the list of WCAG 2.2 AA violations
screenshot  screenshot(page, "users") -> var/screenshots/users-light.png, -dark.png; SCREENSHOTS names another folder
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
VIOLATIONS = """
async (rules) => {
    const {violations} = await axe.run({runOnly: rules, resultTypes: ["violations"]});
    const places = (nodes) => nodes.slice(0, 5).map((node) => `    ${node.target} ${node.failureSummary}`).join("\\n");
    return violations.map((found) => `${found.id} (${found.impact}): ${found.help}\\n${places(found.nodes)}`);
}
"""


@dataclass(frozen=True)
class Site:
    """A running portal, and the home tenant through which people sign in."""

    url: str
    home: Any

    def let_sign_in(self) -> None:
        """Allow this site's addresses as callbacks; a reset of the tenant has forgotten them."""
        from portal import demo

        client = self.home.api("GET", f"/clients/{demo.CLIENT_ID}")
        callback = f"{self.url}/complete/auth0-oidc/"
        if callback not in client["callbacks"]:
            wanted = {
                "callbacks": [*client["callbacks"], callback],
                "allowed_logout_urls": [*client.get("allowed_logout_urls", []), f"{self.url}/"],
            }
            self.home.api("PATCH", f"/clients/{demo.CLIENT_ID}", wanted)


class _Application(BaseHTTPRequestHandler):
    """Where the tests' applications wait for people who have signed in."""

    def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Signed in")

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at the browser."""


class _Listener(ThreadingHTTPServer):
    allow_reuse_port = True  # each test process has one at the same address


@pytest.fixture(scope="session")
def application() -> Iterator[None]:
    """Answers at the applications' callback: where a redirect led, `page.route` is not asked in every browser."""
    from tests.sandbox.web_login import CALLBACK

    with _Listener(("127.0.0.1", urlsplit(CALLBACK).port or 80), _Application) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(application: None) -> Iterator[Any]:
    """Per module: while Playwright runs, its event loop occupies the thread, and `asyncio.run` fails in other tests."""
    from playwright.sync_api import sync_playwright

    from tests.browser import chromium

    # Playwright runs an event loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    found = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=found.arguments, env=found.environment or None
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    contexts, problems = [], []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on("console", lambda message: problems.append(message.text) if _hurts_policy(message) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    return new_page()


@pytest.fixture
def portal(live_server: Any, sandbox: Any, tenants: Any, eager: None) -> Site:
    from portal import demo

    site = Site(live_server.url.replace("127.0.0.1", "localhost"), sandbox.tenant(demo.HOME_TENANT))
    site.let_sign_in()
    return site


def enter(page: Any, account: str, password: str) -> None:
    """Fill in the home tenant's login, which asks for both at once or one after the other."""
    from tests.people import email

    page.locator("input[name=username]").fill(email(account))
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")


@pytest.fixture
def sign_in(request: pytest.FixtureRequest) -> Callable[..., None]:
    """sign_in(page, "helpdesk", site=None): as that account of the demo company, at `portal` or another site."""
    from portal import demo

    def through_the_home_tenant(
        page: Any, account: str, *, site: Site | None = None, password: str = demo.PASSWORD
    ) -> None:
        site = site or request.getfixturevalue("portal")
        page.goto(f"{site.url}/sign-in/")
        page.get_by_role("button", name="Sign in").click()
        enter(page, account, password)
        page.wait_for_url(re.compile("^" + re.escape(site.url)))

    return through_the_home_tenant


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests import demo_process

    with demo_process.running(tmp_path_factory.mktemp("a demo")) as running:
        yield running


@pytest.fixture
def demo_tenant(running_demo: Any) -> Iterator[Callable[[str], Any]]:
    """demo_tenant("dev") -> tests.local_tenants.LocalTenant of the running demo."""
    with ExitStack() as open_tenants:
        yield lambda name: open_tenants.enter_context(running_demo.tenant(name))


@pytest.fixture
def demo_site(running_demo: Any, demo_tenant: Callable[[str], Any]) -> Site:
    from portal import demo

    return Site(running_demo.url, demo_tenant(demo.HOME_TENANT))


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def check(page: Any, *, without: list[str] = [], only: str = "") -> None:  # noqa: B006
        """`without`: rules that don't apply to this page, by their axe id. `only`: one rule instead of all."""
        page.evaluate(source)  # each time: the one that is there remembers the colours of another theme
        rules = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": WCAG}
        found = [text for text in page.evaluate(VIOLATIONS, rules) if text.split(" ")[0] not in without]
        assert not found, f"{page.url}\n" + "\n".join(found)

    return check


@pytest.fixture(scope="session")
def screenshot() -> Callable[..., None]:
    folder = Path(os.environ.get("SCREENSHOTS", ROOT / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Any, name: str, *, full_page: bool = False) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=full_page, animations="disabled")
        page.emulate_media(color_scheme="light")

    return take


def _hurts_policy(message: Any) -> bool:
    return message.type == "error" and "Content Security Policy" in message.text
