"""Staff sign in through their tenant's own login, and see what their roles allow."""

from __future__ import annotations

import pytest

from portal.access import ROLES
from portal.demo import PASSWORD
from tests.browser.fixtures import enter
from tests.people import ACCOUNTS, email

SIGN_OUT = "/sign-out/"
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("role", [role for role in ACCOUNTS if role], ids=str)
def test_a_person_with_a_role_signs_in_and_is_greeted_with_it(role, demo_site, sign_in, page):
    sign_in(page, ACCOUNTS[role], site=demo_site)
    page.goto(f"{demo_site.url}/account/")
    main = page.get_by_role("main").inner_text()
    assert email(ACCOUNTS[role]) in main
    assert ROLES[role][0] in main


def test_a_person_without_a_role_sees_the_own_account_alone(demo_site, sign_in, page):
    sign_in(page, "ada.norole", site=demo_site)
    assert page.url == f"{demo_site.url}/account/"
    answer = page.goto(f"{demo_site.url}/audit/")
    assert answer.status == 403
    assert ROLES["auditor"][0] in page.get_by_role("main").inner_text()


def test_signing_in_leads_back_to_the_page_that_was_asked_for(demo_site, sign_in, page):
    page.goto(f"{demo_site.url}/audit/?verb=users.block")
    assert page.url.startswith(f"{demo_site.url}/sign-in/?next=")
    page.get_by_role("button", name="Sign in").click()
    enter(page, "auditor", PASSWORD)
    page.wait_for_url(f"{demo_site.url}/audit/?verb=users.block")


def test_signing_out_ends_the_session_here_and_at_auth0(demo_site, sign_in, page):
    sign_in(page, "auditor", site=demo_site)
    page.goto(f"{demo_site.url}/account/")
    page.locator(f'form[action="{SIGN_OUT}"]').first.evaluate("form => form.submit()")
    page.wait_for_url(f"{demo_site.url}/sign-in/**")
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=username]").wait_for()  # Auth0 asks again


def test_a_wrong_password_is_told_at_auth0_and_leads_nowhere(demo_site, page):
    page.goto(f"{demo_site.url}/sign-in/")
    page.get_by_role("button", name="Sign in").click()
    enter(page, "helpdesk", "not the password")
    page.get_by_text("Wrong").first.wait_for()
    assert not page.url.startswith(demo_site.url)
