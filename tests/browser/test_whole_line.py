"""The whole line on the running demo: four people take one thing from a caller's question to production's door.

Web server, worker, queue and local tenants are processes of their own, as `make demo` starts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo_site"), pytest.mark.timeout(300)]

CUSTOMER_PASSWORD = "Larkspur-demo-1"
ACTION = "Castellan MFA policy"


@pytest.fixture
def as_person(new_page: Callable[..., Any], demo_site: Any, sign_in: Callable[..., None]) -> Callable[[str], Any]:
    """as_person("security") -> a page of that person, signed in through the home tenant's login."""

    def signed_in(account: str) -> Any:
        page = new_page()
        page.set_default_timeout(20_000)
        sign_in(page, account, site=demo_site)
        return page

    return signed_in


def test_a_caller_a_rule_and_a_release(as_person: Any, new_page: Any, demo_site: Any, demo_tenant: Any) -> None:
    dev, staging = demo_tenant("dev"), demo_tenant("staging")
    before = configuration(staging)
    partner = 'email.domain:"harbourline.example" AND identities.connection:"Username-Password-Authentication"'
    customer = dev.api("GET", "/users", q=f"{partner} AND NOT blocked:true", search_engine="v3")[0]

    helpdesk = as_person("helpdesk")
    resets_a_password(helpdesk, demo_site.url, customer["email"])
    assert dev.mail(to=customer["email"])

    publishes_a_policy(as_person("security"), demo_site.url, "harbourline.example")
    assert asked_at_sign_in(new_page(), dev, customer["email"])

    release = as_person("release")
    for tenant in ("dev", "staging"):
        exports(release, demo_site.url, tenant)
    address = requests_a_promotion(release, demo_site.url)
    release.goto(address)
    assert release.get_by_role("button", name="Approve").count() == 0

    second = as_person("release2")
    second.goto(demo_site.url)
    second.get_by_role("link", name="Harbourline must use MFA").click()
    second.get_by_role("button", name="Approve").first.wait_for()
    second.keyboard.press("a")
    second.locator("dialog[open] [data-confirm]").click()
    second.get_by_text("Approved").first.wait_for()

    release.goto(address)
    release.get_by_role("button", name="Apply").first.wait_for()
    release.keyboard.press("a")
    release.locator("dialog[open] [data-confirm]").click()
    release.locator(".page-heading", has_text="Verified").wait_for(timeout=90_000)

    assert changed(before, configuration(staging)) == {"actions", "bindings", "Larkspur Storefront"}
    auditor = as_person("auditor")
    auditor.goto(f"{demo_site.url}/audit/")
    trail = auditor.locator("main").inner_text()
    for account in ("helpdesk@", "security@", "release@", "release2@"):
        assert account in trail


def resets_a_password(page: Any, url: str, email: str) -> None:
    page.goto(f"{url}/t/dev/users/")
    page.locator("input[name=q]:focus").wait_for()
    page.keyboard.insert_text(email)
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/id/**")
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    page.get_by_text("Auth0 is sending a password-reset mail").wait_for()


def publishes_a_policy(page: Any, url: str, domain: str) -> None:
    page.goto(f"{url}/t/dev/mfa-policies/new/")
    page.get_by_role("textbox", name="Name").fill("Partners")
    page.get_by_label("E-mail domains").fill(domain)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("is saved as a draft").wait_for()
    page.keyboard.press("p")
    page.get_by_label("Reason").fill("Agreed with the partner")
    page.get_by_label("Reason").press("Enter")
    page.get_by_text("It is live.").wait_for(timeout=40_000)


def asked_at_sign_in(page: Any, tenant: Any, email: str) -> bool:
    """Whether the tenant's login asks this customer for a second factor."""
    client = tenant.named("clients", "Returns Desk")
    callback = client["callbacks"][0]
    query = f"client_id={client['client_id']}&response_type=code&redirect_uri={callback}&scope=openid&state=s"
    page.route(f"{callback}**", lambda route: route.fulfill(body="Signed in", content_type="text/plain"))
    page.goto(f"{tenant.browser_url}/authorize?{query}")
    page.locator("input[name=username]").fill(email)
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(CUSTOMER_PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/u/mfa-*")
    return True


def exports(page: Any, url: str, tenant: str) -> None:
    page.goto(f"{url}/t/{tenant}/snapshots/")
    page.keyboard.press("e")
    page.locator("dialog[open] [data-confirm]").click()
    page.get_by_text("Succeeded").first.wait_for(timeout=60_000)


def requests_a_promotion(page: Any, url: str) -> str:
    page.goto(f"{url}/promotions/new/")
    page.get_by_role("button", name="Show the differences").click()
    for name in (ACTION, "post-login", "Larkspur Storefront"):
        page.get_by_role("checkbox", name=name).first.check()
    page.get_by_label("Title").fill("Harbourline must use MFA")
    page.get_by_role("button", name="Add what it needs").click()
    page.get_by_text("Added what was missing.").or_(page.get_by_text("Nothing is missing.")).first.wait_for()
    page.get_by_role("button", name="Plan this promotion").click()
    page.get_by_text("exactly this is approved").wait_for()
    page.keyboard.press("r")
    page.locator("dialog[open] [name=reason]").fill("Agreed with the partner")
    page.locator("dialog[open] [data-confirm]").click()
    page.get_by_text("Waiting for approval").first.wait_for()
    return str(page.url)


def configuration(tenant: Any) -> dict[str, Any]:
    """What of the tenant a promotion could touch: kind or application -> its objects, without times and ids."""
    kept: dict[str, Any] = {}
    for kind in ("connections", "resource-servers", "roles", "organizations", "client-grants", "branding"):
        kept[kind] = timeless(tenant.api("GET", f"/{kind}"))
    kept["settings"] = timeless(tenant.api("GET", "/tenants/settings"))
    for client in tenant.api("GET", "/clients", per_page=100):
        kept[client["name"]] = timeless(client)
    kept["actions"] = [(a["name"], a["code"]) for a in tenant.api("GET", "/actions/actions", per_page=100)["actions"]]
    bound = tenant.api("GET", "/actions/triggers/post-login/bindings")["bindings"]
    kept["bindings"] = [binding["action"]["name"] for binding in bound]
    return kept


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if not k.endswith("_at")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
