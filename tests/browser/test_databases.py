"""The database line at a browser: generate, find an injection, mend, test, publish, meet it at the sign-in, go back."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from identity.databases.contracts.database import User as Customer
from identity.databases.contracts.lines import LocalServer
from identity.databases.contracts.postgresql import PostgresqlDatabase
from identity.databases.form import Form
from identity.databases.models import DatabaseDraft
from runtime.relay import pump
from tests.identity.database_line import (
    INJECTION,
)
from tests.sandbox.web_login import CALLBACK, enable, new_client, without_actions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ANN, OLD = "ann@contract-test.example", "old@contract-test.example"
PASSWORD, NEW_PASSWORD = "Ferry-Secret-1", "Ferry-Secret-2-new"


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[PostgresqlDatabase, str]]:
    """A shop's database with one hash that nobody can read, and the address under which scripts reach it here."""
    database = PostgresqlDatabase()
    database.prepare(Form(store="postgresql", connection="ferry"))
    database.add(Customer(ANN, PASSWORD, email_verified=True))
    database.add(Customer(OLD, PASSWORD, stored="{SSHA}V0hZTk9UX2FfcmVhbF9oYXNoX29mX2FueW9uZQ=="))
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


def test_scripts_are_generated_mended_tested_published_met_at_the_sign_in_and_rolled_back(
    new_page: Any, portal: Any, sign_in: Any, sandbox: Any, shop: tuple[PostgresqlDatabase, str]
) -> None:
    """The walk of a database owner, a customer and a helper."""
    local = sandbox.tenant("dev")
    client = with_connection(local)
    owner, customer, again, helper = (patient(new_page()) for _ in range(4))
    sign_in(owner, "databases")

    generate_scripts(owner, portal)
    see_an_injection_and_mend_it(owner)
    enter_the_setting(owner, shop[1])
    run_the_contract_tests(owner)
    tick_the_checklist(owner)
    publish_to_dev(owner)
    rehearse_the_migration(owner)
    at_the_tenants_login(customer, local, client, PASSWORD)
    sign_in(helper, "helpdesk")
    set_the_new_password(customer, reset_link(helper, portal, local))
    at_the_tenants_login(again, local, client, NEW_PASSWORD)
    roll_back(owner, local)


# The steps


def patient(page: Any) -> Any:
    page.set_default_timeout(30_000)
    return page


def with_connection(local: Any) -> dict[str, Any]:
    """A database connection without scripts, and an application that uses it."""
    without_actions(local)
    client: dict[str, Any] = new_client(local)
    local.api("POST", "/connections", {"name": "ferry", "strategy": "auth0", "options": {"passwordPolicy": "fair"}})
    enable(local, client, "ferry")
    return client


def generate_scripts(page: Any, portal: Any) -> None:
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


def see_an_injection_and_mend_it(page: Any) -> None:
    """A value in the place of a parameter."""
    good, bad = INJECTION
    page.get_by_role("link", name="login", exact=True).click()
    in_editor(page, "login", good, bad)
    found = page.locator(".finding", has_text="CDB27")
    found.get_by_text("Write a placeholder into the statement").wait_for()
    found.get_by_role("link").click()
    save(page)
    assert bad in DatabaseDraft.objects.get().content["scripts"]["login"]
    in_editor(page, "login", bad, good)
    found.wait_for(state="detached")
    save(page)
    assert DatabaseDraft.objects.get().content["scripts"]["login"].count(bad) == 0


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


def save(page: Any) -> None:
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_text("Everything is saved in the working copy").wait_for()


def enter_the_setting(page: Any, address: str) -> None:
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("link", name="Enter DATABASE_URL").click()
    page.get_by_label("Value").fill(address)
    page.get_by_role("button", name="Store", exact=True).click()
    page.get_by_text("DATABASE_URL is stored").wait_for()


def run_the_contract_tests(page: Any) -> None:
    page.get_by_role("link", name="Contract tests", exact=True).click()
    page.get_by_role("button", name="Run the tests").click()
    page.get_by_text("Every case that could be tried has passed.").wait_for(timeout=120_000)
    page.get_by_text("Injection as", exact=False).first.wait_for()


def tick_the_checklist(page: Any) -> None:
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("link", name="Checklist", exact=True).click()
    page.get_by_text("cases passed").first.wait_for()
    page.get_by_text("Tick it: The store is reachable from Auth0").click()
    page.locator("#note-reachable").fill("Same machine")
    page.locator("#note-reachable").press("Enter")
    page.get_by_text("databases@larkspur.example,").wait_for()


def publish_to_dev(page: Any) -> None:
    page.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("link", name="Publish to Dev").click()
    page.get_by_label("Reason", exact=True).fill("The ferry shop moves")
    page.get_by_label("Reason", exact=True).press("Enter")
    page.get_by_text("It is live.").wait_for()


def rehearse_the_migration(page: Any) -> None:
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("link", name="Rehearse", exact=True).click()
    refuse_a_sample(page)
    page.get_by_label("Users").fill(f"{ANN},{PASSWORD}\n{OLD},{PASSWORD}")
    page.get_by_role("button", name="Rehearse the migration").click()
    page.get_by_text("Not everybody can move.").wait_for()
    rows = page.get_by_role("region", name="Everybody").locator("tbody tr")
    assert [re.sub(r"\s+", " ", row.inner_text()).split(" login ")[0] for row in rows.all()] == [
        f"{OLD} Unknown hash",
        f"{ANN} auth0|ferry|1 Moved The tenant's own store has the password's hash now. Signs in",
    ]


def refuse_a_sample(page: Any) -> None:
    """What was typed stays in the browser: the server gives no password back."""
    typed = f"{ANN},{PASSWORD}\n{OLD}"
    page.get_by_label("Users").fill(typed)
    page.get_by_role("button", name="Rehearse the migration").click()
    page.get_by_text("Line 2: write an e-mail address or username").wait_for()
    assert page.get_by_label("Users").input_value() == typed


def at_the_tenants_login(page: Any, local: Any, client: dict[str, Any], password: str) -> None:
    """Ann, who exists only in the shop's database, signs in."""
    query = f"client_id={client['client_id']}&response_type=code&redirect_uri={CALLBACK}&scope=openid&connection=ferry"
    page.route(f"{CALLBACK}**", lambda route: route.fulfill(body="Signed in", content_type="text/plain"))
    page.goto(f"{local.browser_url}/authorize?{query}&state=s")
    page.locator("input[name=username]").fill(ANN)
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{CALLBACK}?code=**")


def reset_link(page: Any, portal: Any, local: Any) -> str:
    """The helpdesk makes a one-time link for Ann."""
    page.goto(portal.url + reverse("identity:user", args=["dev", local.user(ANN)["user_id"]]))
    page.get_by_role("heading", name=ANN).first.wait_for()
    page.keyboard.press("l")
    page.locator("dialog[open] input[name=reason]").fill("Forgot it")
    page.locator("dialog[open] [data-confirm]").click()
    return str(page.locator("#result-secret").input_value())


def set_the_new_password(page: Any, link: str) -> None:
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    page.locator("input[type=password]").last.press("Enter")
    page.get_by_text(re.compile("password.*(changed|has been)", re.I)).first.wait_for()


def roll_back(page: Any, local: Any) -> None:
    """One act, and what was live before is live again."""
    page.get_by_role("link", name="ferry", exact=True).click()
    page.get_by_role("link", name="Roll back to version 1").click()
    page.get_by_label("Reason", exact=True).fill("Only a rehearsal")
    page.get_by_role("button", name="Roll back Dev").click()
    page.get_by_text("It is live.").wait_for()
    assert not local.named("connections", "ferry")["options"]["enabledDatabaseCustomization"]
