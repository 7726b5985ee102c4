"""The database line at a browser: generate, find an injection, mend, test, publish, meet it at the sign-in, go back."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from identity.databases import checks, publish, scripts
from identity.databases.contracts.database import User
from identity.databases.contracts.lines import LocalServer
from identity.databases.contracts.postgresql import PostgresqlDatabase
from identity.databases.form import Form
from identity.databases.models import DatabaseDraft
from identity.databases.scripts import Content
from runtime.relay import pump
from tests import people
from tests.identity.database_line import GENERATED, INJECTION, changed, draft, green, live
from tests.sandbox.web_login import CALLBACK, enable, new_client, without_actions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
# Short, because axe looks at each line of a difference.
SHORT = """function login(userNameOrEmail, password, callback) {
  return callback(new WrongUsernameOrPasswordError(null));
}
"""
WANTED = Content(
    True,
    True,
    {
        "login": SHORT.replace("(null)", "(null, 'No.')"),
        "get_user": "function getUser(email, callback) {\n  return callback(null);\n}\n",
    },
)
ANN, PASSWORD, NEW_PASSWORD = "ann@contract-test.example", "Ferry-Secret-1", "Ferry-Secret-2-new"


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[PostgresqlDatabase, str]]:
    """A shop's database with one customer, and the address under which scripts reach it on this machine."""
    database = PostgresqlDatabase()
    database.prepare(Form(store="postgresql", connection="ferry"))
    database.add(User(ANN, PASSWORD, email_verified=True))
    (local_socket,) = database.hosts.values()

    def forward(end: socket.socket) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(local_socket)
        with upstream:
            pump(end, upstream, None)

    server = LocalServer(forward)
    (name,) = database.hosts
    yield database, database.configuration["DATABASE_URL"].replace(name, server.address)
    server.close()
    database.close()


def at_the_tenants_login(page: Any, local: Any, client: dict[str, Any], password: str) -> None:
    query = f"client_id={client['client_id']}&response_type=code&redirect_uri={CALLBACK}&scope=openid&connection=ferry"
    page.route(f"{CALLBACK}**", lambda route: route.fulfill(body="Signed in", content_type="text/plain"))
    page.goto(f"{local.browser_url}/authorize?{query}&state=s")
    page.locator("input[name=username]").fill(ANN)
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")


def in_editor(page: Any, script: str, old: str, new: str) -> None:
    """Replace text as a person with the editor's search would."""
    page.wait_for_function(f"document.querySelector('#script-{script} [data-editor]').editor")
    page.evaluate(
        """([script, old, fresh]) => {
            const {editor} = document.querySelector(`#script-${script} [data-editor]`);
            editor.setValue(editor.getValue().replace(old, fresh), -1);
        }""",
        [script, old, new],
    )


def test_scripts_are_generated_mended_tested_published_met_at_the_sign_in_and_rolled_back(
    page: Any, new_page: Any, portal: Any, sign_in: Any, sandbox: Any, shop: tuple[PostgresqlDatabase, str]
) -> None:
    _, address = shop
    local = sandbox.tenant("dev")
    without_actions(local)
    client = new_client(local)
    local.api("POST", "/connections", {"name": "ferry", "strategy": "auth0", "options": {"passwordPolicy": "fair"}})
    enable(local, client, "ferry")
    page.set_default_timeout(30_000)
    sign_in(page, "databases")

    # Generate
    page.goto(f"{portal.url}/t/dev/databases/")
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("heading", name="ferry", exact=True).wait_for()
    page.keyboard.press("n")
    page.get_by_label("Store", exact=True).select_option("postgresql")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_text("7 scripts, which read the settings DATABASE_URL").wait_for()
    page.get_by_role("button", name="Take these scripts").click()
    page.get_by_text("The scripts are in the working copy").wait_for()
    page.get_by_text("configuration.DATABASE_URL is read here and not set").first.wait_for()

    # A value in the place of a parameter
    good, bad = INJECTION
    page.get_by_role("link", name="login", exact=True).click()
    in_editor(page, "login", good, bad)
    found = page.locator(".finding", has_text="CDB27")
    found.get_by_text("Write a placeholder into the statement").wait_for()
    found.get_by_role("link").click()
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_text("Everything is saved in the working copy").wait_for()
    assert bad in DatabaseDraft.objects.get().content["scripts"]["login"]
    in_editor(page, "login", bad, good)
    found.wait_for(state="detached")
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_text("Everything is saved in the working copy").wait_for()
    assert DatabaseDraft.objects.get().content["scripts"]["login"].count(bad) == 0

    # The setting
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("link", name="Enter DATABASE_URL").click()
    page.get_by_label("Value").fill(address)
    page.get_by_role("button", name="Store", exact=True).click()
    page.get_by_text("DATABASE_URL is stored").wait_for()

    # Contract tests
    page.get_by_role("link", name="Contract tests", exact=True).click()
    page.get_by_role("button", name="Run the tests").click()
    page.get_by_text("Every case that could be tried has passed.").wait_for(timeout=120_000)
    page.get_by_text("Injection as", exact=False).first.wait_for()

    # The checklist
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("link", name="Checklist", exact=True).click()
    page.get_by_text("cases passed").first.wait_for()
    page.get_by_text("Tick it: The store is reachable from Auth0").click()
    page.locator("#note-reachable").fill("Same machine")
    page.locator("#note-reachable").press("Enter")
    page.get_by_text("databases@larkspur.example,").wait_for()

    # Publish
    page.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("link", name="Publish to Dev").click()
    page.get_by_label("Reason", exact=True).fill("The ferry shop moves")
    page.get_by_label("Reason", exact=True).press("Enter")
    page.get_by_text("It is live.").wait_for()

    # Who exists only in the shop's database signs in
    customer = new_page()
    customer.set_default_timeout(30_000)
    at_the_tenants_login(customer, local, client, PASSWORD)
    customer.wait_for_url(f"{CALLBACK}?code=**")

    # The helpdesk resets that password
    helper = new_page()
    helper.set_default_timeout(30_000)
    sign_in(helper, "helpdesk")
    user = local.user(ANN)
    helper.goto(portal.url + reverse("identity:user", args=["dev", user["user_id"]]))
    helper.get_by_role("heading", name=ANN).first.wait_for()
    helper.keyboard.press("l")
    helper.locator("dialog[open] input[name=reason]").fill("Forgot it")
    helper.locator("dialog[open] [data-confirm]").click()
    link = helper.locator("#result-secret").input_value()
    customer.goto(link)
    for field in customer.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    customer.locator("input[type=password]").last.press("Enter")
    customer.get_by_text(re.compile("password.*(changed|has been)", re.I)).first.wait_for()
    again = new_page()
    again.set_default_timeout(30_000)
    at_the_tenants_login(again, local, client, NEW_PASSWORD)
    again.wait_for_url(f"{CALLBACK}?code=**")

    # One act, and what was live before is live again
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("link", name="Roll back to version 1").click()
    page.get_by_label("Reason", exact=True).fill("Only a rehearsal")
    page.get_by_role("button", name="Roll back Dev").click()
    page.get_by_text("It is live.").wait_for()
    assert not local.named("connections", "ferry")["options"]["enabledDatabaseCustomization"]


@pytest.fixture
def filled(portal: Any, tenants: Any, sandbox: Any) -> dict[str, str]:
    """Pages with something on them: name -> path."""
    owner, other = people.account("databases", ["database-owner"]), people.account("release2", ["database-owner"])
    for name in ("dev", "prod"):
        found = live(tenants[name], sandbox.tenant(name))
        options = {**found.options, "customScripts": {"login": SHORT}, "configuration": {}}
        sandbox.tenant(name).api("PATCH", f"/connections/{found.id}", {"options": options})
    dev, prod = (live(tenants[name], sandbox.tenant(name)) for name in ("dev", "prod"))
    for found in (dev, prod):
        draft(found, WANTED, actor=owner)
        green(found, WANTED)
    asked: dict[str, Any] = {"actor": owner, "comment": "From the short form", "reason": "The shop moves"}
    asked["untested_reason"] = "Settings come later"
    for found in (dev, prod):
        checks.keep_setting(found, "DATABASE_URL", "postgresql://scripts:secret@db.example/shop", actor=owner)
    done = publish.request(dev, WANTED, expected=dev.content.sha256, **asked)
    waiting = publish.request(prod, WANTED, expected=prod.content.sha256, **asked)
    now = live(tenants["dev"], sandbox.tenant("dev"))
    wrong = changed(WANTED, login=GENERATED.scripts["login"].replace(*INJECTION))
    draft(now, wrong, actor=other, revision=1)
    test = green(now, wrong, passed=False)
    assert scripts.versions(dev.tenant, dev.id)
    return {
        "databases": "dev/databases/",
        "database": f"dev/databases/{dev.id}/",
        "database-scripts": f"dev/databases/{dev.id}/edit/",
        "database-generate": f"dev/databases/{dev.id}/generate/",
        "database-settings": f"dev/databases/{dev.id}/settings/",
        "database-tests": f"dev/databases/{dev.id}/tests/",
        "database-test": f"dev/databases/{dev.id}/tests/{test.pk}/",
        "database-checklist": f"dev/databases/{dev.id}/checklist/",
        "database-rehearse": f"dev/databases/{dev.id}/rehearse/",
        "database-compare": f"dev/databases/{dev.id}/compare/",
        "database-import": f"dev/databases/{dev.id}/import/",
        "database-publish": f"dev/databases/{dev.id}/publish/",
        "database-roll-back": f"dev/databases/{dev.id}/versions/1/roll-back/",
        "database-version": f"dev/databases/{dev.id}/versions/2/",
        "database-publication": f"dev/databases/publications/{done.pk}/",
        "database-approval": f"prod/databases/publications/{waiting.pk}/",
    }


@pytest.mark.timeout(300)
def test_the_pages_are_accessible_in_light_and_dark_and_fit_a_phone(
    new_page: Any, portal: Any, sign_in: Any, filled: dict[str, str], axe: Any
) -> None:
    page = new_page(reduced_motion="reduce")
    page.set_default_timeout(30_000)
    sign_in(page, "databases")
    for path in filled.values():
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{portal.url}/t/{path}")
        page.locator("[aria-busy=true]").first.wait_for(state="detached")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_function("(scheme) => document.documentElement.dataset.bsTheme === scheme", arg=scheme)
            page.wait_for_timeout(50)
            page.wait_for_function("() => !document.getAnimations().some((one) => one.playState === 'running')")
            axe(page)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_editor_works_without_javascript(new_page: Any, portal: Any, sign_in: Any, filled: dict[str, str]) -> None:
    page = new_page(java_script_enabled=False)
    page.set_default_timeout(30_000)
    sign_in(page, "databases")
    page.goto(f"{portal.url}/t/{filled['database-scripts']}")
    page.get_by_label("get_user.js").fill("")
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_text("Everything is saved in the working copy").wait_for()
    assert "get_user" not in DatabaseDraft.objects.get(tenant__slug="dev").content["scripts"]
