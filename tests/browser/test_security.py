"""The security line at a browser: write a policy, see what it does, publish it, meet it at the sign-in."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from identity.mfa import drafts, population
from identity.mfa.models import Policy, Publication
from identity.mfa.policy import PolicyRules, Rule
from portal.models import Run
from tests import people
from tests.sandbox.web_login import CALLBACK, PASSWORD, new_client, new_user

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def at_the_tenants_login(page: Any, local: Any, client: dict[str, Any], email: str) -> None:
    """Somebody of the tenant signs in to an application; ends after the password."""
    query = f"client_id={client['client_id']}&response_type=code&redirect_uri={CALLBACK}&scope=openid&state=s"
    page.route(f"{CALLBACK}**", lambda route: route.fulfill(body="Signed in", content_type="text/plain"))
    page.goto(f"{local.browser_url}/authorize?{query}")
    page.locator("input[name=username]").fill(email)
    if not page.locator("input[name=password]").is_visible():
        page.locator("input[name=username]").press("Enter")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")


def test_a_policy_is_written_tried_published_and_met_at_the_sign_in(
    page: Any, new_page: Any, portal: Any, sign_in: Any, sandbox: Any
) -> None:
    local = sandbox.tenant("dev")
    client = new_client(local)
    new_user(local, "mira@fernhill.example")
    new_user(local, "ola@elsewhere.example")
    sign_in(page, "security")

    writes_a_policy(page, portal.url)
    publishes_it(page)

    asked = new_page()
    at_the_tenants_login(asked, local, client, "mira@fernhill.example")
    enrols_an_app(asked)
    asked.wait_for_url(f"{CALLBACK}?code=**")
    other = new_page()
    at_the_tenants_login(other, local, client, "ola@elsewhere.example")
    other.wait_for_url(f"{CALLBACK}?code=**")


def writes_a_policy(page: Any, url: str) -> None:
    page.goto(f"{url}/t/dev/mfa-policies/")
    page.keyboard.press("n")
    page.get_by_label("Name", exact=True).fill("Fernhill")
    page.get_by_label("E-mail domains").fill("@Fernhill.example")
    page.get_by_text("is read as fernhill.example").first.wait_for()
    page.locator("#policy-code pre", has_text='"fernhill.example",').wait_for()
    page.get_by_label("For one user").fill("mira@fernhill.example")
    page.get_by_label("For one user").press("Enter")
    page.get_by_text("Must enrol an authenticator app or a security key.").wait_for()
    assert not Policy.objects.exists()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("is saved as a draft").wait_for()


def publishes_it(page: Any) -> None:
    page.keyboard.press("p")
    page.get_by_role("heading", name="Publish Fernhill, version 1 to Dev?").wait_for()
    page.get_by_label("Reason").fill("Agreed with Fernhill")
    page.get_by_label("Reason").press("Enter")
    page.get_by_text("It is live.").wait_for()


def enrols_an_app(page: Any) -> None:
    page.wait_for_url("**/u/mfa-*")
    if "otp" not in page.url:  # two factors are allowed: a picker
        page.get_by_role("button", name=re.compile("authenticator", re.I)).click()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.locator("input[name=code]").fill(pyotp.TOTP(secret).now())
    page.locator("input[name=code]").press("Enter")
    page.wait_for_url(re.compile("callback|recovery"))
    if "recovery" in page.url:
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Continue").click()


@pytest.fixture
def filled(portal: Any, tenants: Any) -> dict[str, str]:
    """Pages with something on them: name -> path."""
    from identity.mfa import publish

    actor = people.account("security", ["security"])
    rules = PolicyRules((Rule("email_domains", {"domains": ["harbourline.example"]}, ("otp",)),))
    policy = drafts.create("Partner companies", rules, actor=actor)
    version = drafts.version_of(policy, comment="First", actor=actor)
    done = publish.request(
        tenants["dev"], version, kind=Publication.Kind.PUBLISH, actor=actor, expected=None, reason="Contract"
    )
    wider = PolicyRules((Rule("email_domains", {"domains": ["harbourline.example", "*.bluefin.example"]}, ("otp",)),))
    drafts.save(policy, policy.name, wider, revision=1, actor=actor)
    run = population.request(tenants["dev"], policy.name, wider, actor=actor)
    assert Run.objects.get(pk=run.pk).status == "succeeded"
    return {
        "mfa-policies": "",
        "mfa-policy": f"{policy.pk}/",
        "mfa-editor": f"{policy.pk}/edit/",
        "mfa-publish": f"{policy.pk}/publish/",
        "mfa-publication": f"publications/{done.pk}/",
        "mfa-version": f"{policy.pk}/versions/1/",
        "mfa-preview": f"previews/{run.pk}/",
        "mfa-remove": "remove/",
    }


def test_the_pages_are_accessible_in_light_and_dark_and_fit_a_phone(
    new_page: Any, portal: Any, sign_in: Any, filled: dict[str, str], axe: Any
) -> None:
    page = new_page(reduced_motion="reduce")
    sign_in(page, "security")
    for name, path in filled.items():
        for scheme in ("light", "dark") if name in ("mfa-policies", "mfa-publish") else ("light",):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.goto(f"{portal.url}/t/dev/mfa-policies/{path}")
            page.locator("[aria-busy=true]").first.wait_for(state="detached")
            axe(page)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_mistake_in_a_long_list_is_shown_at_its_field_and_the_list_is_kept(
    page: Any, portal: Any, sign_in: Any
) -> None:
    sign_in(page, "security")
    page.goto(f"{portal.url}/t/dev/mfa-policies/new/")
    listed = "\n".join([*(f"company-{n}.example" for n in range(999)), "com"])
    page.get_by_label("Name", exact=True).fill("Many")
    page.get_by_label("E-mail domains").fill(listed)
    page.get_by_role("button", name="Save draft").click()
    page.locator(".field-error", has_text="Line 1000: “com” is a single word.").wait_for()
    assert page.get_by_label("E-mail domains").input_value().replace("\r", "") == listed
    page.get_by_label("E-mail domains").fill(listed.removesuffix("\ncom"))
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("is saved as a draft").wait_for()
    assert len(Policy.objects.get().content["rules"][0]["condition"]["domains"]) == 999


def test_the_pages_work_without_javascript(new_page: Any, portal: Any, sign_in: Any, sandbox: Any) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, "security")
    page.goto(f"{portal.url}/t/dev/mfa-policies/new/")
    page.get_by_label("Name", exact=True).fill("Plain")
    page.get_by_label("E-mail domains").fill("first.example")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("E-mail domains").nth(1).fill("larkspur.example")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_text("is saved as a draft").wait_for()
    page.get_by_label("For one user").fill("helpdesk@larkspur.example")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Must enrol an authenticator app.").wait_for()
    assert [len(rule["condition"]["domains"]) for rule in Policy.objects.get().content["rules"]] == [1, 1]
