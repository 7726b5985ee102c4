"""Two release managers take a change from dev to staging by keyboard; the way back is planned on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CODE = "exports.onExecutePostLogin = async (event, api) => {\n  api.multifactor.enable('any');\n};\n"
PATIENCE_MS = 60_000


@pytest.fixture
def action_in_dev(sandbox: Any) -> None:
    """A new Action in dev, deployed and bound: what the walk promotes."""
    from tests.deployments.line import bind

    dev = sandbox.tenant("dev")
    trigger = [{"id": "post-login", "version": "v3"}]
    body = {"name": "Partner MFA", "supported_triggers": trigger, "code": CODE, "runtime": "node22"}
    dev.api("POST", f"/actions/actions/{dev.api('POST', '/actions/actions', body)['id']}/deploy")
    bind(dev, "Partner MFA")


def test_a_change_goes_from_dev_to_staging(
    portal: Any,
    new_page: Callable[..., Any],
    sign_in: Any,
    axe: Any,
    screenshot: Any,
    sandbox: Any,
    action_in_dev: None,
) -> None:
    from tests.deployments.line import bound

    own = bound(sandbox.tenant("staging"))
    first, second = (new_page(), new_page())
    for page, account in ((first, "release"), (second, "release2")):
        page.set_default_timeout(PATIENCE_MS)
        sign_in(page, account)

    for slug in ("dev", "staging"):
        _export(first, portal.url, slug)
    axe(first)
    screenshot(first, "snapshots")

    _look_at_the_readings(first, portal.url, axe)
    _plan(first, portal.url, axe, screenshot)
    axe(first)
    first.keyboard.press("r")
    first.locator("#ask-reason").fill("Partners sign in with MFA")
    first.keyboard.press("Enter")
    first.get_by_text("Waiting for another release manager").wait_for()
    assert first.locator("#approve").count() == 0

    _approve(second, portal.url, axe, screenshot)
    _apply(first, portal.url)
    first.get_by_text("Staging reads as planned.", exact=True).wait_for()
    axe(first)
    screenshot(first, "promotion-verified", full_page=True)
    assert bound(sandbox.tenant("staging")) == [*own, "Partner MFA"]

    _plan_the_way_back_by_phone(new_page, first)


def _export(page: Any, url: str, slug: str) -> None:
    page.goto(f"{url}/t/{slug}/snapshots/")
    page.keyboard.press("e")
    page.locator("#export").get_by_role("button", name="Export").click()
    page.get_by_text("Complete", exact=True).first.wait_for()


def _look_at_the_readings(page: Any, url: str, axe: Any) -> None:
    from deployments.models import Snapshot

    dev, staging = (Snapshot.objects.get(tenant__slug=slug) for slug in ("dev", "staging"))
    compare = f"compare/?source={dev.pk}&target={staging.pk}"
    for path in (f"t/staging/snapshots/{staging.pk}/", compare, "promotions/", "promotions/new/"):
        page.goto(f"{url}/{path}")
        axe(page)


def _plan(page: Any, url: str, axe: Any, screenshot: Any) -> None:
    page.goto(f"{url}/promotions/")
    page.keyboard.press("n")
    page.get_by_role("button", name="Show the differences").click()
    page.get_by_label("Update Action bindings post-login").check()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="What would go wrong").wait_for()
    page.get_by_role("button", name="Add what it needs").click()
    page.get_by_text("Added what was missing.").wait_for()
    assert page.get_by_label("Create Actions Partner MFA").is_checked()
    axe(page)
    screenshot(page, "promotion-choose")
    page.get_by_label("Title").fill("MFA for partners")
    page.get_by_role("button", name="Plan this promotion").click()
    page.get_by_role("heading", name="MFA for partners").wait_for()


def _approve(page: Any, url: str, axe: Any, screenshot: Any) -> None:
    page.goto(url)
    page.get_by_role("link", name=re.compile("Approve for Staging")).click()
    page.get_by_role("heading", name="What changes").wait_for()
    axe(page)
    screenshot(page, "promotion", full_page=True)
    page.keyboard.press("a")
    page.locator("#approve").get_by_role("button", name="Approve").click()
    page.get_by_text("Approved. It can be applied now.").wait_for()


def _apply(page: Any, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name=re.compile("ready to apply to Staging")).click()
    page.get_by_role("heading", name="What changes").wait_for()
    page.keyboard.press("a")
    page.locator("#apply").get_by_role("button", name="Apply", exact=True).click()
    page.get_by_role("heading", name="Journal").wait_for()


def _plan_the_way_back_by_phone(new_page: Any, first: Any) -> None:
    phone = new_page(viewport={"width": 390, "height": 800}, storage_state=first.context.storage_state())
    phone.set_default_timeout(PATIENCE_MS)
    phone.goto(first.url)
    phone.get_by_role("button", name="Roll back").click()
    phone.locator("#roll-back").get_by_role("button", name="Plan it").click()
    phone.get_by_role("heading", name="Roll back: MFA for partners").wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Ask for approval").click()
    phone.locator("#ask-reason").fill("Too strict")
    phone.locator("#ask").get_by_role("button", name="Ask").click()
    phone.get_by_text("Waiting for another release manager").wait_for()
