"""The table of scopes, proved at the wire: each act without a scope, and with exactly those that the table names."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest

from deployments.models import Promotion
from identity.databases import checks
from identity.databases.models import DatabaseDraft, DatabasePublication
from identity.databases.scripts import Content
from identity.mfa import drafts, login_flow, publish
from identity.mfa.models import Policy, PolicyVersion, Publication
from identity.mfa.policy import PolicyRules, Rule
from identity.users import records
from portal import runs
from portal.models import Run
from portal.scopes import FEATURES
from sandbox.kinds.routes import find
from tests.identity import database_line as line
from tests.portal.acts import PAGES, Act, world_of

pytestmark = pytest.mark.django_db(transaction=True)
# Nothing that an export could read.
NOTHING = frozenset({"read:users"})
OPENED = {"users.view", "mfa.view", "databases.view"}
# tests/deployments prove these, with plans that the tenants really hold.
BY_THE_DEPLOY_CLI = {name for name in FEATURES if name.startswith(("snapshots.", "promotions."))}
# Which scopes of options let a call see or change them is no matter of its address.
OPTIONS = {"GET": "read:connections_options", "PATCH": "update:connections_options"}


@dataclass(frozen=True)
class Post:
    """An act as its form sends it; without `data`, a page. `lacking`: a scope that `granted` does not hold, and the act
    can't do without.
    """

    feature: str
    role: str
    url: str
    data: Callable[[], dict[str, Any]] | None
    lacking: str
    granted: frozenset[str] = PAGES
    account: str | None = None


@pytest.fixture
def world(dev: Any, sandbox: Any, caller: dict[str, Any], person: Any) -> list[Act]:
    return world_of(dev, sandbox.tenant("dev"), caller, person)


@pytest.fixture
def posts(world: list[Act], dev: Any, sandbox: Any, caller: dict[str, Any], person: Any, settings: Any) -> list[Post]:
    """In an order in which each can be carried out after the one before it."""
    settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN = dev.domain
    person(None, subject=sandbox.tenant("dev").user("ada.norole@larkspur.example")["user_id"])
    local = sandbox.tenant("dev")
    own = Post("account.change_password", None, "/account/password/", dict, "read:users", frozenset())
    return [own, *user_posts(local, caller), *policy_posts(dev, local), *database_posts(dev, local), *release_posts()]


def opened(feature: str, role: str, *urls: str) -> list[Post]:
    return [Post(feature, role, url, None, "") for url in urls]


def user_posts(local: Any, caller: dict[str, Any]) -> Iterator[Post]:
    lacking = {
        "send-password-reset": "read:users", "create-reset-link": "create:user_tickets", "block": "update:users",
        "unblock": "update:users", "clear-blocks": "update:users", "remove-mfa": "delete:authentication_methods",
    }  # fmt: skip
    factor = {"type": "phone", "name": "Phone", "phone_number": "+15550100", "preferred_authentication_method": "sms"}
    local.api("POST", f"/users/{caller['user_id']}/authentication-methods", factor)
    panels = (f"/t/dev/users/panel/{panel}/{caller['user_id']}/" for panel in records.PANELS)
    yield from opened("users.view", "helpdesk", "/t/dev/users/?q=caller", *panels)
    reads = PAGES | {"read:authentication_methods"}
    for slug, scope in lacking.items():
        yield Post(
            f"users.{slug.replace('-', '_')}", "helpdesk", f"/t/dev/users/act/{slug}/{caller['user_id']}/",
            lambda: {"reason": "The user asked.", "once": str(uuid.uuid4())}, scope, reads - {scope},
        )  # fmt: skip


def policy_posts(dev: Any, local: Any) -> list[Post]:
    policy = Policy.objects.get()
    few = drafts.create("Few", PolicyRules((Rule("email_domains", {"domains": ["few.example"]}, ("otp",)),)),
                        actor=policy.updated_by)  # fmt: skip
    second, first = PolicyVersion.objects.order_by("-number")
    base, reads = f"/t/dev/mfa-policies/{policy.pk}", PAGES | {"read:authentication_methods"}

    def confirmed() -> dict[str, Any]:
        """As the form is filled in; the switch without which nothing works is off, and is switched on by it."""
        local.api("PATCH", "/tenants/settings", {"customize_mfa_in_postlogin_action": False})
        live = login_flow.current_publication(dev)
        shown = {"revision": policy.revision, "expected": live.pk if live else ""}
        return shown | {"reason": "Partners", "comment": "", "typed_name": "dev", "customize": "on"}

    def decided() -> dict[str, Any]:
        local.api("PATCH", "/tenants/settings", {"customize_mfa_in_postlogin_action": False})
        Publication.objects.filter(pk=waits.pk).update(expected=login_flow.current_publication(dev), customize=True)
        return {"sha256": publish.FOUR_EYES.sha256(waits), "typed_name": "dev"}

    waits = Publication.objects.get(state="requested")
    draft = {"policy": few.pk, "user": "caller@larkspur.example"}
    hidden = reads - {"read:tenant_settings"}
    return [
        Post("mfa.publish", "security", f"{base}/publish/", confirmed, "create:actions", reads),
        Post("mfa.publish", "security", f"{base}/versions/{second.number}/publish/", confirmed, "create:actions",
             reads),
        Post("mfa.roll_back", "security", f"{base}/versions/{first.number}/roll-back/", confirmed, "update:actions",
             reads),
        Post("mfa.approve", "security", f"{waits.get_absolute_url()}approve/", decided, "create:actions", reads,
             "release2"),
        *opened("mfa.view", "security", "/t/dev/mfa-policies/state/"),
        Post("mfa.remove", "security", "/t/dev/mfa-policies/remove/", confirmed, "update:actions"),
        # Where nothing is live the preview reads few people's factors.
        Post("mfa.preview", "security", "/t/dev/mfa-policies/preview/", lambda: draft, "read:tenant_settings", hidden),
        Post("mfa.preview", "security", "/t/dev/mfa-policies/previews/", lambda: draft, "read:tenant_settings", hidden),
    ]  # fmt: skip


def database_posts(dev: Any, local: Any) -> list[Post]:
    waits = DatabasePublication.objects.get(state="requested")
    found, owner, written = line.live(dev, local), "database-owner", "update:connections_options"
    base = f"/t/dev/databases/{found.id}"
    for name in ("DATABASE_URL", "API_AUDIENCE"):
        checks.keep_setting(found, name, "https://users.example", actor=waits.requested_by)

    def confirmed() -> dict[str, Any]:
        live = Content.of(local.named("connections", line.LEGACY))
        revision = DatabaseDraft.objects.get().revision
        return {"expected": live.sha256, "revision": revision, "reason": "New store", "untested_reason": "A test"}

    decided = {"sha256": waits.version.sha256, "typed_name": "dev"}
    taken = f"{waits.get_absolute_url()}approve/"
    return [
        *opened("databases.view", owner, f"{base}/checklist/"),
        Post("databases.rehearse", owner, f"{base}/rehearse/", lambda: {"identifier": "ann", "password": "x"}, written),
        Post("databases.rehearse", owner, f"{base}/rehearse/", lambda: {"users": "ann,x"}, written),
        Post("databases.approve", owner, taken, lambda: decided, written, account="release2"),
        Post("databases.publish", owner, f"{base}/versions/1/roll-back/", confirmed, written),
        Post("databases.publish", owner, f"{base}/publish/", confirmed, written),
        Post("databases.import", owner, f"{base}/import/", confirmed, "read:connections_options",
             PAGES - {"read:connections_options"}),
    ]  # fmt: skip


def release_posts() -> list[Post]:
    """Of promotions in the state that offers the act; what they change is not in the tenant."""
    by_status = {promotion.status: promotion for promotion in Promotion.objects.all()}
    asked = by_status["requested"]
    acts = [
        ("request", by_status["draft"], "request", {"reason": "Release 7"}, None),
        ("approve", asked, "approve", {"plan_hash": asked.plan_hash}, "release2"),
        ("apply", by_status["approved"], "apply", {}, None),
        ("roll_back", by_status["verified"], "roll-back", {}, None),
    ]
    export = Post("snapshots.export", "release-manager", "/t/dev/snapshots/export/", dict, "read:clients", NOTHING)
    return [export] + [
        Post(f"promotions.{act}", "release-manager", f"{one.get_absolute_url()}{path}/", lambda sent=sent: sent,
             "update:clients", PAGES | {"read:clients"}, account)
        for act, one, path, sent, account in acts
    ]  # fmt: skip


def test_each_act_without_a_scope_is_refused_with_its_name_and_nothing_is_written(posts, grant, person, sandbox):
    acts = [post for post in posts if post.data is not None]
    assert {post.feature for post in acts} == set(FEATURES) - OPENED
    local, before = sandbox.tenant("dev"), stored()
    for post in acts:
        grant(post.granted)
        answer = sent(post, person, local)
        assert answer.status_code == 403, (post, answer.status_code)
        assert f"<code>{post.lacking}</code>" in answer.content.decode(), post
        asked = [r for r in local.requests() if r["path"] != "/oauth/token"]
        assert {r["method"] for r in asked} <= {"GET"}, (post, asked)
    assert stored() == before


def stored() -> dict[str, Any]:
    """What an act changes in the portal's own tables."""
    states = {model: list(model.objects.order_by("pk").values_list("pk", field)) for model, field in (
        (Run, "status"), (Promotion, "status"), (Publication, "state"), (DatabasePublication, "state"),
        (DatabaseDraft, "revision"),
    )}  # fmt: skip
    return {model.__name__: rows for model, rows in states.items()}


def test_each_act_works_with_the_scopes_of_the_table_and_uses_every_one(posts, grant, person, sandbox):
    local = sandbox.tenant("dev")
    used: dict[str, set[str]] = {}
    for post in posts:
        if post.feature in BY_THE_DEPLOY_CLI:
            continue
        held = named(post.feature)
        grant(held)
        answer = sent(post, person, local)
        assert answer.status_code in (200, 302), (post, answer.status_code, line.text(answer)[:2000])
        carry_out_what_was_asked(post)
        used.setdefault(post.feature, set()).update(used_at(local, held, post))
    assert {feature: left for feature, scopes in used.items() if (left := named(feature) - scopes)} == {}


def sent(post: Post, person: Any, local: Any) -> Any:
    """The answer; the tenant's record begins with what is asked for it."""
    who, data = person(post.role, post.account), post.data and post.data()
    local.forget_requests()
    return who.get(post.url) if data is None else who.post(post.url, data)


def named(feature: str) -> set[str]:
    return {*FEATURES[feature].needs, *FEATURES[feature].improves}


def carry_out_what_was_asked(post: Post) -> None:
    for run in Run.objects.filter(status="queued"):
        runs.execute(run.pk)
        run.refresh_from_db()
        assert run.status == "succeeded", (post, run.error)


def used_at(local: Any, held: set[str], post: Post) -> set[str]:
    """Of the scopes held, those that the tenant took for a call. Fails where it refused one."""
    found: set[str] = set()
    for call in local.requests():
        if not call["path"].startswith("/api/v2/"):
            continue
        assert call["status"] != 403, (post, call)
        segments = [unquote(part) for part in call["path"].removeprefix("/api/v2/").split("/")]
        endpoint = find(segments, call["method"])
        assert endpoint, call
        found |= held & set(endpoint[0].scopes)
        if segments[0] == "connections" and len(segments) < 3:
            found |= held & {OPTIONS[call["method"]]}
    return found
