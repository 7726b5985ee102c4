"""Take the pictures of README and docs from a running demo: `make pictures`, while `make demo` runs elsewhere.

Each page is taken in light and dark into docs/images. The demo should have a policy, an export and a promotion in it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from portal import demo
from tests.browser import chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
# name of the picture -> (account, address); after an address that ends in > comes its first link
PICTURES: dict[str, tuple[str, str]] = {
    "home": ("release2", "/"),
    "search": ("helpdesk", "/t/dev/users/?q=har"),
    "user": ("helpdesk", "/t/dev/users/?q=wanda.hart@harbourline.example"),
    "policies": ("security", "/t/dev/mfa-policies/"),
    "policy-new": ("security", "/t/dev/mfa-policies/new/"),
    "snapshots": ("release", "/t/dev/snapshots/"),
    "differences": ("release", "/promotions/new/?source=1&target=2"),
    "promotion": ("release", "/promotions/1/"),
    "databases": ("databases", "/t/dev/databases/"),
    "database": ("databases", "/t/dev/databases/>"),
    "audit": ("auditor", "/audit/"),
    "tenant": ("admin", "/tenants/dev/"),
    "account": ("ada.norole", "/account/"),
}


def main(url: str) -> int:
    FOLDER.mkdir(exist_ok=True)
    found = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path, args=found.arguments, env=found.environment or None
        )
        for account in dict.fromkeys(account for account, _ in PICTURES.values()):
            page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US").new_page()
            _sign_in(page, url, account)
            for name in (name for name, (who, _) in PICTURES.items() if who == account):
                _take(page, url + PICTURES[name][1], name)
        _outside(browser.new_page(viewport={"width": 1280, "height": 800}), url)
        browser.close()
    return 0


def _outside(page: Any, url: str) -> None:
    """The sign-in page, and the tenant's login behind it."""
    _take(page, f"{url}/sign-in/", "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=username]").wait_for()
    _take(page, "", "login")


def _sign_in(page: Any, url: str, account: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=username]").fill(f"{account}@larkspur.example")
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(demo.PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{url}/**")


def _take(page: Any, address: str, name: str) -> None:
    if address:
        page.goto(address.rstrip(">"))
    if address.endswith(">"):
        page.locator("main table a").first.click()
    page.wait_for_load_state("networkidle")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png", animations="disabled")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"))
