"""Each act on a tenant, walked with an application that lacks its scopes: shown off, in reach, with the reason."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory

from portal.scopes import FEATURES
from sandbox.kinds.routes import endpoints
from tests.portal.acts import Act, world_of

ALL = {scope for endpoint in endpoints() for scope in endpoint.scopes} | set(FEATURES["databases.publish"].needs)
# These need no more than their page, which says itself which scope it lacks.
AS_THEIR_PAGE = {"users.view", "users.send_password_reset", "mfa.view", "databases.view", "account.change_password"}


@pytest.fixture
def world(dev: Any, sandbox: Any, caller: dict[str, Any], person: Any) -> list[Act]:
    return world_of(dev, sandbox.tenant("dev"), caller, person)


def test_every_act_is_off_with_its_reason_where_its_scopes_are_missing_and_on_where_they_are_not(world, grant, person):
    assert {act.feature for act in world} == set(FEATURES) - AS_THEIR_PAGE
    alike = sorted(world, key=lambda act: sorted(act.granted))
    for granted, acts in groupby(alike, key=lambda act: act.granted):
        grant(granted)
        for act, who, html in shown(list(acts), person):
            assert act.control not in html, (act, "can still be used")
            assert_off(html, act, who)
    grant(ALL)
    for act, _, html in shown(world, person):
        assert act.control in html, act
        assert "aria-disabled" not in html, act


def shown(acts: list[Act], person: Any) -> Iterator[tuple[Act, Any, str]]:
    """Each act with who is offered it and the page that offers it; a page with several acts is opened once."""
    pages: dict[tuple[Any, ...], tuple[Any, str]] = {}
    for act in acts:
        place = (act.role, act.account, act.url)
        if place not in pages:
            who = person(act.role, act.account)
            answer = who.get(act.url)
            assert answer.status_code == 200, (act, answer.status_code)
            pages[place] = (who, answer.content.decode())
        yield act, *pages[place]


def assert_off(html: str, act: Act, who: Any) -> None:
    name = f"off-{act.feature.replace('.', '-').replace('_', '-')}"
    buttons = re.findall(rf'<button type="button" [^>]*aria-disabled="true" aria-describedby="{name}">', html)
    assert buttons, (act, "no control in reach of the keyboard")
    reasons = re.findall(rf'<span class="act-off-reason" id="{name}">(.*?)</span>', html, re.DOTALL)
    assert len(reasons) == 1, (act, "the reason is told once")
    assert f"<code>{act.scope}</code>" in reasons[0], act
    assert "Whoever administers this tenant in Auth0 can grant" in reasons[0], act
    assert ('href="/tenants/dev/#missing"' in reasons[0]) == who.user.has_perm("tenants.view"), act


@pytest.mark.parametrize(
    ("role", "url", "scope"),
    [
        ("helpdesk", "/t/dev/users/?q=caller", "read:users"),
        ("security", "/t/dev/mfa-policies/state/", "read:actions"),
        ("database-owner", "/t/dev/databases/", "read:connections"),
    ],
)
def test_a_page_that_can_not_be_read_names_the_scope_that_it_lacks(dev, grant, person, role, url, scope):
    grant([])
    assert scope in person(role).get(url).content.decode()


def test_where_the_tenant_does_not_answer_nothing_is_said_to_be_off(dev, person, sandbox):
    dev.client_secret = "wrong"
    dev.save()
    html = person("release-manager").get("/t/dev/snapshots/").content.decode()
    assert 'data-dialog="export"' in html
    assert "aria-disabled" not in html


# The component


def render(source: str, tenant: Any, **more: Any) -> str:
    request = RequestFactory().get("/")
    vars(request).update(tenant=tenant, **more)
    return engines["django"].from_string(source).render({"tenant": tenant, "permissions": set()}, request)


def test_the_reason_is_told_once_and_the_later_controls_point_at_it(dev, grant):
    grant(["read:users"])
    html = render('{% act "users.block" %}One{% endact %}{% act "users.block" url="/x/" %}Two{% endact %}', dev)
    assert html.count('aria-describedby="off-users-block"') == 2
    assert html.count('id="off-users-block"') == 1
    assert "/x/" not in html


def test_many_missing_scopes_are_counted(dev, grant):
    grant(["read:users"])
    html = render('{% act "mfa.publish" %}Publish{% endact %}', dev)
    assert "lacks 7 scopes, among them <code>read:actions</code>" in html


def test_an_act_that_is_not_in_the_table_or_has_an_unknown_parameter_is_an_error(dev):
    with pytest.raises(TemplateSyntaxError, match="users.fly is not in portal.scopes.FEATURES"):
        render('{% act "users.fly" %}Fly{% endact %}', dev)
    with pytest.raises(TemplateSyntaxError, match="no parameter colour"):
        render('{% act "users.block" colour="red" %}Block{% endact %}', dev)


def test_a_part_that_is_loaded_later_brings_ids_of_its_own(dev, grant):
    grant(["read:users"])
    source = '{% act "users.block" %}Block{% endact %}'
    assert 'id="off-users-block-a1b2"' in render(source, dev, htmx=True, id="a1b2")
