"""Each act on a tenant, walked with an application that lacks its scopes: shown off, in reach, with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

import pytest
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory

from deployments import promotions, snapshots
from deployments.models import Promotion, Snapshot
from deployments.plan import Pick
from deployments.snapshots import Reading
from identity.mfa import drafts
from identity.mfa.login_flow import ACTION_NAME
from identity.mfa.models import Publication
from identity.mfa.policy import PolicyRules, Rule
from portal.errors import MissingScope
from portal.scopes import FEATURES
from sandbox.kinds.routes import endpoints
from tests.deployments.line import CODE, bind
from tests.identity import database_line as line

ALL = {scope for endpoint in endpoints() for scope in endpoint.scopes} | set(FEATURES["databases.publish"].needs)
# Enough to open each page, and for no act.
PAGES = frozenset({
    *("read:users", "read:actions", "read:guardian_factors", "read:tenant_settings", "read:mfa_policies"),
    *("read:connections", "read:connections_options"),
})  # fmt: skip
# These need no more than their page, which says itself which scope it lacks.
AS_THEIR_PAGE = {"users.view", "users.send_password_reset", "mfa.view", "databases.view", "account.change_password"}


@dataclass(frozen=True)
class Act:
    """Where an act is offered, to whom, for want of which scope it is off, and what is there when it is on."""

    feature: str
    role: str
    url: str
    scope: str
    control: str
    account: str | None = None
    granted: frozenset[str] = PAGES


@pytest.fixture
def world(dev: Any, sandbox: Any, caller: dict[str, Any], person: Any) -> list[Act]:
    """A user, a policy, a database and promotions in each state that offers an act."""
    local = sandbox.tenant("dev")
    return [*user_acts(local, caller), *policy_acts(dev, local, person), *database_acts(dev, local, person),
            *release_acts(dev, person)]  # fmt: skip


def user_acts(local: Any, caller: dict[str, Any]) -> list[Act]:
    body = {"connection": caller["identities"][0]["connection"], "email": "blocked@larkspur.example", "blocked": True}
    blocked = local.api("POST", "/users", body | {"password": "Long-enough-1"})
    page = f"/t/dev/users/id/{caller['user_id']}/"
    names = {"block": "update:users", "clear-blocks": "update:users", "create-reset-link": "create:user_tickets",
             "remove-mfa": "read:authentication_methods"}  # fmt: skip
    acts = [
        Act(f"users.{n.replace('-', '_')}", "helpdesk", page, s, f'data-dialog="act-{n}"') for n, s in names.items()
    ]
    confirm = f"/t/dev/users/act/block/{caller['user_id']}/"
    return [
        *acts,
        Act(
            "users.unblock",
            "helpdesk",
            f"/t/dev/users/id/{blocked['user_id']}/",
            "update:users",
            'data-dialog="act-unblock"',
        ),
        Act("users.block", "helpdesk", confirm, "update:users", 'class="btn btn-danger "'),
    ]


def policy_acts(dev: Any, local: Any, person: Any) -> list[Act]:
    actor = person("security").user
    rules = PolicyRules((Rule("email_domains", {"domains": ["harbourline.example"]}, ("otp",)),))
    policy = drafts.create("Partners", rules, actor=actor)
    first = drafts.version_of(policy, comment="First", actor=actor)
    stricter = replace(rules, unverified_email="deny")
    policy = drafts.save(policy, "Partners", stricter, revision=policy.revision, actor=actor)
    second = drafts.version_of(policy, comment="Second", actor=actor)
    Publication.objects.create(tenant=dev, version=first, state="replaced", requested_by=actor)
    waits = Publication.objects.create(tenant=dev, version=second, state="requested", requested_by=actor)
    body = {"name": ACTION_NAME, "supported_triggers": [{"id": "post-login", "version": "v3"}], "code": CODE}
    action = local.api("POST", "/actions/actions", body | {"runtime": "node22"})
    local.api("POST", f"/actions/actions/{action['id']}/deploy")
    bind(local, ACTION_NAME)
    base, confirming = f"/t/dev/mfa-policies/{policy.pk}", PAGES | {"read:authentication_methods"}
    return [
        Act("mfa.preview", "security", f"{base}/", "read:authentication_methods", "Run for all users</span><span"),
        Act("mfa.publish", "security", f"{base}/", "create:actions", f'href="{base}/publish/"'),
        Act("mfa.publish", "security", f"{base}/versions/{second.number}/", "create:actions", '/publish/"'),
        Act(
            "mfa.publish",
            "security",
            f"{base}/publish/",
            "create:actions",
            'class="btn btn-primary "',
            granted=confirming,
        ),
        Act(
            "mfa.approve",
            "security",
            waits.get_absolute_url(),
            "create:actions",
            'data-dialog="approve"',
            "release2",
            granted=confirming,
        ),
        Act("mfa.roll_back", "security", f"{base}/versions/{first.number}/", "update:actions", '/roll-back/"'),
        Act("mfa.remove", "security", "/t/dev/mfa-policies/state/", "update:actions", '/remove/"'),
        Act("mfa.remove", "security", "/t/dev/mfa-policies/remove/", "update:actions", 'class="btn btn-danger "'),
    ]


def database_acts(dev: Any, local: Any, person: Any) -> list[Act]:
    base, waiting = database_history(dev, local, person("database-owner").user)
    back, button = f"{base}/versions/1/roll-back/", 'class="btn btn-primary "'
    hidden = PAGES - {"read:connections_options"}
    act = partial(Act, role="database-owner", scope="update:connections")
    return [
        act("databases.publish", url=f"{base}/", control=f'href="{base}/publish/"'),
        act("databases.publish", url=f"{base}/", control=f'href="{back}"'),
        act("databases.publish", url=f"{base}/versions/1/", control=f'href="{back}"'),
        act("databases.publish", url=back, control=button),
        act("databases.approve", url=waiting, control='data-dialog="approve"', account="release2"),
        act("databases.rehearse", url=f"{base}/rehearse/", control=button),
        replace(
            act("databases.import", url=f"{base}/", control=f'href="{base}/import/"'),
            scope="read:connections_options",
            granted=hidden,
        ),  # fmt: skip
    ]


def database_history(dev: Any, local: Any, owner: Any) -> tuple[str, str]:
    """A database with a version to roll back to, and what waits at another: the addresses of both."""
    found, other = line.live(dev, local), line.live(dev, local, "larkspur-customers")
    line.draft(found, actor=owner)
    published = line.published(found, owner, state="replaced")
    waits = line.published(other, owner, state="requested")
    return f"/t/dev/databases/{published.connection_id}", waits.get_absolute_url()


def release_acts(dev: Any, person: Any) -> list[Act]:
    asks, decides = person("release-manager").user, person("release-manager", "release2").user

    def promotion(status: str, **fields: Any) -> str:
        planned = promotions.draft(source, target, [Pick("clients|Shop")], actor=asks, title=status)
        Promotion.objects.filter(pk=planned.pk).update(status=status, before=target, **fields)
        return planned.get_absolute_url()

    source, target = (snapshot(dev, {"clients": {"Shop": {"name": "Shop", "description": d}}}) for d in ("new", "old"))
    release, why = "release-manager", {"decided_by": decides}
    return [
        Act("snapshots.export", release, "/t/dev/snapshots/", "read:clients", 'data-dialog="export"'),
        Act("promotions.request", release, promotion("draft"), "update:clients", 'data-dialog="ask"'),
        Act(
            "promotions.approve", release, promotion("requested"), "update:clients", 'data-dialog="approve"', "release2"
        ),
        Act("promotions.apply", release, promotion("approved", **why), "update:clients", 'data-dialog="apply"'),
        Act("promotions.roll_back", release, promotion("verified", **why), "update:clients", 'data-dialog="roll-back"'),
    ]


def snapshot(tenant: Any, content: Any) -> Snapshot:
    states = {"clients": {"state": snapshots.READ, "count": 1, "reason": ""}}
    return snapshots.store(tenant, Reading(content, {}, states), source=Snapshot.Source.EXPORT, taken_by=None)


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


def test_a_promotion_whose_scopes_are_missing_is_refused_before_anything_is_written(world, grant, person, sandbox):
    (apply,) = [act for act in world if act.feature == "promotions.apply"]
    grant(PAGES)
    answer = person("release-manager").post(f"{apply.url}apply/")
    assert answer.status_code == 403
    assert "read:clients and update:clients" in answer.content.decode()
    assert Promotion.objects.get(status="approved").run is None
    with pytest.raises(MissingScope, match="update:clients"):
        promotions.request(Promotion.objects.get(status="draft"), actor=person("release-manager").user, reason="x")


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
