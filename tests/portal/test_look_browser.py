"""The frame and the components as a person at a browser meets them; the gallery holds one of each."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = [
    "/",
    "/account/",
    "/runs/",
    "/audit/",
    "/access/",
    "/tenants/",
    "/tenants/prod/",
    "/tenants/add/",
    "/nowhere/",
]
PHONE = {"width": 390, "height": 800}


@pytest.fixture
def address(live_server, settings):
    settings.ROOT_URLCONF = "tests.portal.look_urls"
    return live_server.url.replace("127.0.0.1", "localhost") + "/look/"


@pytest.fixture
def gallery(page, address):
    page.goto(address)
    return page


def load_part(page):
    """As a skeleton with a `url` does when the page has loaded."""
    page.evaluate(
        """() => {
            const part = document.querySelector(".skeleton");
            part.dataset.panel = "";
            htmx.ajax("get", "/part/", {source: part, target: part, swap: "outerHTML"}).catch(() => {});
        }"""
    )


def whole(page):
    """Wait for the editor and the difference, whose libraries are loaded when the page is there."""
    page.locator(".ace_editor").wait_for()
    page.locator(".d2h-file-wrapper").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_component_is_accessible(new_page, address, axe, scheme):
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(address)
    whole(page)
    axe(page)
    for dialog in ("sample-danger", "palette", "keys"):
        page.evaluate("id => document.querySelector(`[data-dialog=${id}]`).click()", dialog)
        assert page.locator(f"dialog#{dialog}").is_visible()
        axe(page)
        page.keyboard.press("Escape")


def test_nothing_is_loaded_from_other_machines_and_nothing_is_missing(new_page, address):
    page, foreign, failed = new_page(), [], []
    page.on("request", lambda request: foreign.append(request.url) if "localhost" not in request.url else None)
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.goto(address)
    whole(page)
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
    assert failed == []


def test_on_a_phone_nothing_overflows_and_the_navigation_slides_in(new_page, address, axe):
    page = new_page(viewport=PHONE, reduced_motion="reduce")
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    navigation = page.get_by_role("navigation", name="Main")
    assert not navigation.is_visible()
    page.get_by_role("button", name="Open the navigation").click()
    navigation.get_by_role("link", name="Users").wait_for()
    axe(page)


def test_the_tenant_stays_in_sight_however_far_one_scrolls(gallery):
    gallery.locator(".empty-state").last.scroll_into_view_if_needed()
    assert gallery.evaluate("scrollY") > 1000
    assert gallery.locator(".tenant-band").bounding_box()["y"] == 0
    assert "PRODUCTION" in gallery.locator(".tenant-band").inner_text()


def test_the_list_of_tenants_lies_above_the_page(gallery):
    gallery.locator(".tenant-switch-button").click()
    badge = gallery.locator(".tenant-switch-menu .stage-staging")
    badge.click(trial=True)  # fails where something else lies over it


def test_a_verb_s_key_and_enter_do_it_without_the_mouse(gallery):
    with gallery.expect_request(lambda request: request.method == "POST") as posted:
        gallery.keyboard.press("p")
        assert gallery.locator("dialog#sample-mail").is_visible()
        gallery.keyboard.press("Enter")
    assert "reason=Forgot+the+password" in posted.value.post_data


def test_a_slash_in_a_search_box_that_has_the_focus_already_is_no_text(gallery):
    gallery.keyboard.press("/")
    gallery.keyboard.type("/ada/")
    assert gallery.locator("#q").input_value() == "ada/"


def test_keys_do_nothing_while_somebody_types(gallery):
    gallery.keyboard.press("/")
    assert gallery.evaluate("document.activeElement.id") == "q"
    gallery.keyboard.type("pb?")
    assert gallery.locator("#q").input_value() == "pb?"
    assert gallery.locator("dialog[open]").count() == 0
    gallery.keyboard.press("Escape")
    gallery.keyboard.press("?")
    assert gallery.locator("dialog#keys").is_visible()
    assert "Reset password" in gallery.locator("#keys-here").inner_text()


def test_g_and_a_letter_goes_to_a_place(gallery):
    gallery.keyboard.press("g")
    gallery.keyboard.press("u")
    gallery.wait_for_url(re.compile(r"look/\?users$"))


def test_a_dangerous_act_waits_for_the_typed_name(gallery):
    gallery.keyboard.press("b")
    dialog = gallery.locator("dialog#sample-danger")
    confirm = dialog.get_by_role("button", name="Block")
    assert "Larkspur prod" in dialog.inner_text() and "PRODUCTION" in dialog.inner_text()
    assert gallery.evaluate("document.activeElement.name") == "reason"
    assert confirm.is_disabled()
    dialog.get_by_label("Type prod to confirm").fill("dev")
    assert confirm.is_disabled()
    dialog.get_by_label("Type prod to confirm").fill("prod")
    assert confirm.is_enabled()


def test_the_command_palette_finds_and_does(gallery):
    gallery.keyboard.press("Control+k")
    gallery.keyboard.type("block")
    assert gallery.locator("#palette-list li").first.inner_text().startswith("Block")
    gallery.keyboard.press("Enter")
    assert gallery.locator("dialog#sample-danger").is_visible()


def test_the_palette_says_when_nothing_fits(gallery):
    gallery.keyboard.press("Control+k")
    gallery.keyboard.type("zzz")
    assert gallery.get_by_text("No command like that on this page.").is_visible()
    gallery.keyboard.press("Enter")
    assert gallery.locator("dialog#palette").is_visible()


def test_a_form_is_sent_only_once(gallery):
    sent = []
    gallery.route(
        "**/look/",
        lambda route: sent.append(route.request.method) if route.request.method == "POST" else route.continue_(),
    )
    gallery.evaluate(
        """() => {
            const form = document.querySelector("#sample-mail form");
            form.action = location.pathname;
            for (let i = 0; i < 3; i++) form.requestSubmit();
        }"""
    )
    gallery.wait_for_timeout(300)
    assert sent == ["POST"]


def test_leaving_with_unsaved_changes_asks_first(gallery):
    asked = []
    gallery.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    gallery.locator("form[data-guard] [name=name]").fill("Ada")
    gallery.get_by_role("link", name="Runs").click()
    gallery.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert gallery.locator("form[data-guard] [name=name]").input_value() == "Ada"


def test_the_theme_follows_the_system_until_somebody_chooses(new_page, address):
    page = new_page(color_scheme="dark")
    page.goto(address)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"
    page.get_by_role("button", name="Switch between light and dark").click()
    page.emulate_media(color_scheme="light")
    page.locator("html[data-bs-theme=light]").wait_for(state="attached")


def test_a_value_is_copied(new_page, address):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(address)
    page.get_by_role("button", name="Copy: auth0|65f1c0ffee").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "auth0|65f1c0ffee"


def test_the_editor_writes_into_the_form_s_field_and_lets_the_keyboard_out(gallery):
    gallery.locator(".ace_editor").click()
    gallery.keyboard.press("Control+End")
    gallery.keyboard.type("// more")
    assert gallery.evaluate("document.getElementById('editor-code').value").endswith("// more")
    gallery.keyboard.press("Escape")
    assert not gallery.evaluate("document.activeElement.classList.contains('ace_text-input')")


def test_without_javascript_code_and_differences_stay_readable(new_page, address):
    page = new_page(java_script_enabled=False)
    page.goto(address)
    assert page.get_by_label("Generated Action").input_value().startswith("exports.onExecutePostLogin")
    assert "SELECT id, email, hash" in page.locator(".diff-plain").inner_text()


def test_a_part_that_fails_says_so_in_its_place_and_loads_when_tried_again(gallery):
    answers = iter(
        [
            (503, "<div data-error-fragment><p>Auth0 is slow</p><button data-retry>Try again</button></div>"),
            (200, "<p>3 sessions</p>"),
        ]
    )

    def answer(route):
        status, body = next(answers)
        route.fulfill(status=status, body=body, content_type="text/html")

    gallery.route("**/part/", answer)
    load_part(gallery)
    gallery.get_by_text("Auth0 is slow").wait_for()
    gallery.locator(".skeleton").get_by_role("button", name="Try again").click()
    gallery.get_by_text("3 sessions").wait_for()
    assert gallery.get_by_text("Auth0 is slow").count() == 0


def test_a_lost_connection_offers_to_send_again_and_keeps_what_was_typed(gallery):
    gallery.route("**/part/", lambda route: route.abort())
    gallery.locator("form[data-guard] [name=name]").fill("Ada")
    load_part(gallery)
    gallery.get_by_text("No answer from the server. Nothing you typed is lost.").wait_for()
    gallery.unroute("**/part/")
    gallery.route(
        "**/part/", lambda route: route.fulfill(status=200, body="<p>3 sessions</p>", content_type="text/html")
    )
    gallery.locator("#toasts").get_by_role("button", name="Try again").click()
    gallery.get_by_text("3 sessions").wait_for()
    assert gallery.locator("form[data-guard] [name=name]").input_value() == "Ada"


def test_signing_out_ends_the_session_here_and_at_auth0(page, portal, sign_in, settings):
    settings.PUBLIC_URL = portal.url
    sign_in(page, "helpdesk")
    page.get_by_role("button", name="Your menu").click()
    assert "helpdesk@larkspur.example" in page.locator(".user-menu").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with Auth0").click()
    page.locator("input[name=username]").wait_for()  # Auth0 asks again: its session has ended too


def test_each_page_of_the_kernel_is_accessible(new_page, live_server, person, tenants, axe):
    page = new_page(color_scheme="dark", reduced_motion="reduce")
    site = live_server.url.replace("127.0.0.1", "localhost")
    session = person("administrator").cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    for path in PAGES:
        page.emulate_media(color_scheme="dark")
        page.goto(site + path)
        axe(page)
        page.emulate_media(color_scheme="light")
        page.locator("html[data-bs-theme=light]").wait_for(state="attached")
        axe(page)


def test_no_page_of_the_kernel_overflows_on_a_phone(new_page, live_server, person, tenants):
    page = new_page(viewport=PHONE)
    site = live_server.url.replace("127.0.0.1", "localhost")
    session = person("administrator").cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    for path in PAGES:
        page.goto(site + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_an_act_that_is_off_is_reached_by_the_keyboard_says_why_and_does_nothing(
    new_page, live_server, person, grant, axe
):
    grant(["read:users"])
    page = new_page(viewport=PHONE, reduced_motion="reduce")
    site = live_server.url.replace("127.0.0.1", "localhost")
    session = person("release-manager").cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    page.goto(site + "/t/dev/snapshots/")
    export = page.get_by_role("button", name="Export now")
    for _ in range(20):
        page.keyboard.press("Tab")
        if export.evaluate("button => button === document.activeElement"):
            break
    reason = page.locator("#" + str(page.evaluate("document.activeElement.getAttribute('aria-describedby')")))
    assert reason.is_visible()
    assert "scopes, among them read:actions" in reason.inner_text()
    for key in ("Enter", "Space", "e"):
        page.keyboard.press(key)
    assert page.locator("dialog[open]").count() == 0
    axe(page)
    reason.get_by_role("link", name="see how").click()
    page.get_by_text("features are off").wait_for()
    page.locator("summary").first.wait_for()
    for summary in page.locator("summary").all():
        summary.click()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
