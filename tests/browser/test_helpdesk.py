"""A helpdesk agent at work: with the keyboard alone, and on the phone."""

import pytest

from portal.models import AuditEvent

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

POINTER_COUNTER = """
window.pointerEvents = 0;
for (const kind of ["pointerdown", "mousedown", "touchstart"])
    addEventListener(kind, () => window.pointerEvents++, true);
"""


def test_a_password_is_reset_without_the_mouse_in_five_keys(page, portal, sign_in, caller, sandbox):
    sign_in(page, "helpdesk")
    page.add_init_script(POINTER_COUNTER)
    page.goto(f"{portal.url}/t/dev/users/?q=lark")
    page.keyboard.press("/")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(caller["email"])  # pasted
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/id/**")
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    result = page.locator(".result")
    result.wait_for()
    assert "Auth0 is sending a password-reset mail to caller@larkspur.example." in result.inner_text()
    assert "What happens next:" in result.inner_text()
    assert f"Audit entry {AuditEvent.objects.get(verb='users.send_password_reset').pk}" in result.inner_text()
    assert page.evaluate("window.pointerEvents") == 0
    assert sandbox.tenant("dev").mail(to=caller["email"])


@pytest.mark.parametrize(
    "look", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}], ids=str
)
def test_the_pages_are_accessible_and_fit(new_page, portal, sign_in, caller, axe, look):
    page = new_page(**look)
    sign_in(page, "helpdesk")
    for path in ("/t/dev/users/?q=har", f"/t/dev/users/id/{caller['user_id']}/"):
        page.goto(portal.url + path)
        page.wait_for_load_state("networkidle")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_panel_that_fails_is_tried_again_with_a_press(page, portal, sign_in, caller, sandbox):
    sign_in(page, "helpdesk")
    fault = {"method": "GET", "path": "/api/v2/users/*/sessions", "status": 500, "times": 2}
    sandbox.tenant("dev").conditions(faults=[fault])
    page.goto(f"{portal.url}/t/dev/users/id/{caller['user_id']}/")
    panel = page.locator("#panel-sessions")
    panel.get_by_role("button", name="Try again").click()
    panel.get_by_text("No open session.").wait_for()


def test_the_own_password_is_changed_by_anybody(page, portal, sign_in, sandbox):
    sign_in(page, "ada.norole")
    assert page.url.endswith("/account/")
    page.get_by_role("button", name="Change my password").first.click()
    if page.locator("dialog[open]").count():
        page.locator("dialog[open] [data-confirm]").click()
    page.get_by_text("is on its way to ada.norole@larkspur.example").wait_for()
    (mail,) = sandbox.tenant("prod").mail(to="ada.norole@larkspur.example")
    assert "http" in mail["text"]
