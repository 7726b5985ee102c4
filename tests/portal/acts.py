"""What the tests of acts share: a tenant with a user, a policy, a database and promotions in each state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deployments import promotions, snapshots
from deployments.models import Promotion, Snapshot
from deployments.plan import Pick
from deployments.snapshots import Reading
from identity.mfa import drafts
from identity.mfa.login_flow import ACTION_NAME
from identity.mfa.models import Publication
from identity.mfa.policy import PolicyRules, Rule
from tests.deployments.line import CODE, bind
from tests.identity import database_line as line

# Enough to open each page, and for no act.
PAGES = frozenset({
    *("read:users", "read:actions", "read:guardian_factors", "read:tenant_settings", "read:mfa_policies"),
    *("read:connections", "read:connections_options"),
})  # fmt: skip


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


def world_of(dev: Any, local: Any, caller: dict[str, Any], person: Any) -> list[Act]:
    """A user, a policy, databases and promotions in each state that offers an act."""
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
        Act(
            "snapshots.export",
            release,
            "/t/dev/snapshots/",
            "read:actions",
            'data-dialog="export"',
            granted=frozenset({"read:users"}),
        ),
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
