"""The release line against local tenants: what is approved arrives, nothing else changes, and every end has a name."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from deployments import applying, plan, promotions, rollback, scopes, snapshots
from deployments.models import Promotion, Snapshot
from deployments.plan import Pick
from portal import runs
from portal.errors import Conflict, Invalid, ReadOnly, Refused
from portal.models import AuditEvent, Run
from tests.deployments.line import CODE, agreed, altered, bound, carry_out, reading_of

# Runs beat from a thread of their own, which must be able to write.
pytestmark = pytest.mark.django_db(transaction=True)


def state(tenant: Any) -> dict[str, Any]:
    """All documents of a local tenant, without logs: {(kind, id): document}."""
    documents = tenant.control("GET", "state")["documents"]
    return {(kind, id_): thing for kind, things in documents.items() if kind != "logs" for id_, thing in _pairs(things)}


def _pairs(things: Any) -> Any:
    return things.items() if isinstance(things, dict) else enumerate(things)


def test_the_action_its_binding_and_the_application_arrive_and_nothing_else_changes(
    approved: Any, sandbox: Any, release: Any
) -> None:
    staging = sandbox.tenant("staging")
    promotion, own = approved(), bound(staging)
    shop = staging.named("clients", "Larkspur Storefront")
    staging.grant(scopes.of_plan(promotion.plan))  # with exactly these it works
    before = state(staging)
    run = carry_out(promotion, release.user)
    assert (promotion.status, run.error) == (Promotion.Status.VERIFIED, "")
    assert staging.named("actions/actions", "Partner MFA")["code"] == CODE
    assert bound(staging) == [*own, "Partner MFA"]
    changed_shop = staging.named("clients", "Larkspur Storefront")
    assert changed_shop == shop | {"description": "The shop, with partner sign-in"}

    after = state(staging)
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {kind for kind, _ in differing} == {"actions", "action_versions", "trigger_bindings", "clients"}
    assert len([key for key in differing if key[0] == "clients"]) == 1
    assert all(key not in before for key in differing if key[0] in ("actions", "action_versions"))

    writes = {(entry["method"], entry["path"].split("/")[3], entry["status"]) for entry in rollback.journal(promotion)}
    assert writes == {
        ("PATCH", "clients", 200),
        ("POST", "actions", 201),
        ("POST", "actions", 200),
        ("PATCH", "actions", 200),
    }
    sent = {
        (r["method"], r["path"]) for r in staging.requests() if r["method"] not in ("GET",) and "/api/v2/" in r["path"]
    }
    assert sent == {(entry["method"], entry["path"]) for entry in rollback.journal(promotion)}


def test_it_rolls_back_by_the_same_road_and_leaves_the_target_as_it_was(
    approved: Any, sandbox: Any, release: Any, second: Any
) -> None:
    staging = sandbox.tenant("staging")
    promotion, own = approved(), bound(staging)
    description = staging.named("clients", "Larkspur Storefront").get("description")
    carry_out(promotion, release.user)
    way_back = rollback.roll_back(promotion, actor=second.user)
    assert {(i.action, i.kind) for i in way_back.plan} == {
        ("update", "clients"),
        ("update", "triggers"),
        ("delete", "actions"),
    }
    with pytest.raises(Conflict):
        promotions.start(way_back, actor=second.user)
    promotions.request(way_back, actor=second.user, reason="It was too strict")
    promotions.approve(way_back, actor=release.user, plan_hash=way_back.plan_hash)
    carry_out(way_back, second.user)
    promotion.refresh_from_db()
    assert (way_back.status, promotion.status) == ("verified", "rolled_back")
    assert bound(staging) == own
    assert staging.named("clients", "Larkspur Storefront").get("description") == description
    names = [action["name"] for action in staging.api("GET", "/actions/actions")["actions"]]
    assert "Partner MFA" not in names


def test_a_target_that_has_moved_since_the_plan_is_left_alone(approved: Any, sandbox: Any, release: Any) -> None:
    staging = sandbox.tenant("staging")
    promotion = approved()
    shop = staging.named("clients", "Larkspur Storefront")
    staging.api("PATCH", f"/clients/{shop['client_id']}", {"description": "changed by hand"})
    staging.forget_requests()
    run = carry_out(promotion, release.user)
    assert (promotion.status, run.status) == ("outdated", "failed")
    [moved] = promotion.outcome["moved"]
    assert (moved["item"], moved["path"], moved["now"]) == (
        "clients|Larkspur Storefront",
        "description",
        "changed by hand",
    )
    assert [r for r in staging.requests() if r["method"] != "GET" and "/api/v2/" in r["path"]] == []


def test_the_deploy_cli_failing_half_way_is_told_with_what_had_arrived(
    approved: Any, sandbox: Any, release: Any
) -> None:
    staging = sandbox.tenant("staging")
    promotion = approved()
    fault = {"method": "PATCH", "path": "/api/v2/actions/triggers/*", "status": 400, "times": 1}
    staging.conditions(faults=[fault])
    run = carry_out(promotion, release.user)
    assert (promotion.status, run.status) == ("failed", "failed")
    assert set(promotion.outcome["applied"]) == {"actions|Partner MFA", "clients|Larkspur Storefront"}
    assert promotion.outcome["problem"] == run.error
    failed = [entry for entry in rollback.journal(promotion) if entry["status"] >= 400]
    assert [entry["path"] for entry in failed] == ["/api/v2/actions/triggers/post-login/bindings"]
    # The way on: what has arrived is no difference any more.
    found, _ = snapshots.differences(promotion.source, promotion.after)
    assert {item.key for item in found} & {item.key for item in promotion.plan} == {"triggers|post-login"}
    # ... and the way back.
    assert {item.key for item in rollback.roll_back(promotion, actor=release.user).plan} == {
        "actions|Partner MFA",
        "clients|Larkspur Storefront",
    }


def test_a_write_that_the_deploy_cli_only_logs_as_failed_is_a_failure(
    pair: Any, sandbox: Any, release: Any, second: Any
) -> None:
    staging = pair[1]
    google = snapshots.content_of(staging)["connections"]["google-oauth2"]
    more = google | {"enabled_clients": [*google["enabled_clients"], "Returns Desk"]}
    source = altered(staging, "connections", "google-oauth2", more)
    promotion = promotions.draft(source, staging, [Pick("connections|google-oauth2")], actor=release.user)
    agreed(promotion, release, second)
    fault = {"method": "PATCH", "path": "/api/v2/connections/*/clients", "status": 400, "times": 5}
    sandbox.tenant("staging").conditions(faults=[fault])
    carry_out(promotion, release.user)
    assert promotion.status == "failed"
    assert "/clients" in promotion.outcome["problem"]


def test_a_create_whose_answer_was_lost_is_not_sent_twice(approved: Any, sandbox: Any, release: Any) -> None:
    staging = sandbox.tenant("staging")
    promotion = approved("actions|Partner MFA", "triggers|post-login")
    staging.conditions(
        faults=[{"method": "POST", "path": "/api/v2/actions/actions", "status": 500, "times": 1, "after": True}]
    )
    carry_out(promotion, release.user)
    assert promotion.status == "failed"
    assert "answer was lost" in promotion.outcome["problem"]
    names = [action["name"] for action in staging.api("GET", "/actions/actions")["actions"]]
    assert names.count("Partner MFA") == 1


def test_a_rate_limit_is_waited_for_a_change_elsewhere_does_not_matter_and_each_step_is_recorded(
    approved: Any, sandbox: Any, release: Any, second: Any
) -> None:
    staging = sandbox.tenant("staging")
    promotion = approved("clients|Larkspur Storefront")
    other = staging.named("clients", "Returns Desk")
    staging.api("PATCH", f"/clients/{other['client_id']}", {"description": "changed by hand"})
    faults = [{"method": method, "path": "/api/v2/clients*", "status": 429, "times": 1} for method in ("GET", "PATCH")]
    staging.conditions(faults=faults)
    carry_out(promotion, release.user)
    assert promotion.status == "verified"
    assert [entry["status"] for entry in rollback.journal(promotion)] == [429, 200]

    trail = [
        (e.actor, e.verb, e.outcome)
        for e in AuditEvent.objects.filter(target=f"promotion {promotion.pk}").order_by("pk")
    ]
    mine, theirs = release.user.email, second.user.email
    assert trail == [
        (mine, "promotions.request", "succeeded"),
        (theirs, "promotions.approve", "succeeded"),
        (mine, "promotions.apply", "succeeded"),
        (mine, "promotions.apply", "succeeded"),
    ]
    written = AuditEvent.objects.filter(verb="promotions.apply").latest("pk")
    assert written.after == {"clients|Larkspur Storefront": {"description": "The shop, with partner sign-in"}}
    assert written.reason == "Partners sign in with MFA"
    assert len(written.request_id.split()) == 1, "the write by the Deploy CLI, refused once by the rate limit"


def test_the_person_who_asked_can_never_approve(approved: Any, release: Any, second: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    again = promotions.draft(
        promotion.source, promotion.target_snapshot, [Pick("clients|Larkspur Storefront")], actor=release.user
    )
    promotions.request(again, actor=release.user, reason="x")
    with pytest.raises(Refused, match="Four eyes"):
        promotions.approve(again, actor=release.user, plan_hash=again.plan_hash)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        Promotion.objects.filter(pk=again.pk).update(status="approved", decided_by=release.user)
    again.refresh_from_db()
    assert again.status == "requested"
    refused = AuditEvent.objects.get(verb="promotions.approve", outcome="failed")
    assert "Four eyes" in refused.detail
    with pytest.raises(Conflict, match="not the one that you looked at"):
        promotions.approve(again, actor=second.user, plan_hash="0" * 64)


def test_a_plan_that_was_changed_after_its_approval_is_not_applied(approved: Any, sandbox: Any, release: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    items = promotion.items
    items[0]["after"]["description"] = "smuggled in"
    Promotion.objects.filter(pk=promotion.pk).update(items=items)
    sandbox.tenant("staging").forget_requests()
    carry_out(promotion, release.user)
    assert promotion.status == "failed"
    assert "hash differs" in promotion.outcome["problem"]
    assert [r for r in sandbox.tenant("staging").requests() if "/api/v2/" in r["path"]] == []


def test_one_promotion_at_a_time_per_target(approved: Any, release: Any, second: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    other = promotions.draft(
        promotion.source, promotion.target_snapshot, [Pick("actions|Partner MFA")], actor=release.user
    )
    promotions.request(other, actor=release.user, reason="x")
    promotions.approve(other, actor=second.user, plan_hash=other.plan_hash)
    promotions.start(promotion, actor=release.user)
    with pytest.raises(Refused, match="Another promotion is being applied"):
        promotions.start(other, actor=release.user)
    other.refresh_from_db()
    assert (other.status, other.run) == ("approved", None)


def test_a_read_only_tenant_refuses_before_anything_is_written(approved: Any, release: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    promotion.target.read_only = True
    promotion.target.save()
    with pytest.raises(ReadOnly):
        promotions.start(promotion, actor=release.user)
    promotion.refresh_from_db()
    assert promotion.status == "approved"


def test_a_protected_target_asks_for_its_name(approved: Any, release: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    promotion.target.protected = True
    with pytest.raises(Invalid, match="Type staging"):
        promotions.start(promotion, actor=release.user, typed_name="stagin")


def test_a_run_that_is_stopped_in_the_queue_leaves_the_promotion_approved(approved: Any, release: Any) -> None:
    promotion = approved("clients|Larkspur Storefront")
    run = promotions.start(promotion, actor=release.user)
    runs.cancel(run, actor=release.user)
    promotion.refresh_from_db()
    assert (promotion.status, promotion.started_at) == ("approved", None)


def test_an_error_in_the_analysis_keeps_it_from_being_requested(pair: Any, release: Any) -> None:
    promotion = promotions.draft(*pair, [Pick("triggers|post-login")], actor=release.user)
    with pytest.raises(Refused, match="Partner MFA"):
        promotions.request(promotion, actor=release.user, reason="x")


def test_secrets_of_a_new_action_are_asked_for_written_and_forgotten(
    pair: Any, sandbox: Any, release: Any, second: Any
) -> None:
    action = snapshots.content_of(pair[0])["actions"]["Partner MFA"] | {"secrets": [{"name": "API_KEY"}]}
    source = altered(pair[0], "actions", "Partner MFA", action)
    promotion = promotions.draft(source, pair[1], [Pick("actions|Partner MFA")], actor=release.user)
    with pytest.raises(Refused, match="API_KEY"):
        promotions.request(promotion, actor=release.user, reason="x")
    secret = {"actions|Partner MFA|secrets/API_KEY": "of-staging-only"}
    promotions.keep_secrets(promotion, secret, actor=release.user)
    agreed(promotion, release, second)
    run = carry_out(promotion, release.user)
    assert promotion.status == "verified"
    stored = state(sandbox.tenant("staging"))
    assert any("of-staging-only" in str(thing) for (kind, _), thing in stored.items() if kind == "actions")
    assert promotion.secrets == ""
    everything = [*run.events.values_list("message", "data"), *AuditEvent.objects.values()]
    assert "of-staging-only" not in str([*everything, *Promotion.objects.values("items", "outcome")])


def test_a_connection_keeps_the_targets_own_secret(tenants: Any, sandbox: Any, release: Any, second: Any) -> None:
    options = {
        "type": "back_channel",
        "issuer": "https://idp.staging.example",
        "client_id": "staging",
        "client_secret": "staging-idp-secret",
        "authorization_endpoint": "https://idp.example/a",
        "token_endpoint": "https://idp.example/t",
    }
    staging = sandbox.tenant("staging")
    staging.api("POST", "/connections", {"name": "corp", "strategy": "oidc", "options": options})
    reading = reading_of(tenants["staging"], {"connections"})
    target = snapshots.store(tenants["staging"], reading, source=Snapshot.Source.EXPORT, taken_by=None)
    corp = snapshots.content_of(target)["connections"]["corp"]
    assert "idp-secret" not in str(corp)
    changed = corp["options"] | {"issuer": "https://idp.dev.example", "client_id": "dev", "client_secret": "##OF_DEV##"}
    source = altered(target, "connections", "corp", corp | {"options": changed})
    pick = Pick("connections|corp", keep=frozenset({"options/client_id"}))
    promotion = agreed(promotions.draft(source, target, [pick], actor=release.user), release, second)
    carry_out(promotion, release.user)
    assert promotion.status == "verified", promotion.outcome
    stored = staging.named("connections", "corp")["options"]
    assert stored == options | {"issuer": "https://idp.dev.example"} | {
        k: v for k, v in stored.items() if k not in options
    }


def test_of_two_approvers_at_once_one_wins(tenants: Any, person: Any) -> None:
    asker = person("release-manager").user
    approvers = [person("release-manager", name).user for name in ("release2", "release3")]
    promotion = _stored_promotion(tenants["staging"], asker)
    start, results = threading.Barrier(2), []

    def approve(actor: Any) -> None:
        mine = Promotion.objects.get(pk=promotion.pk)
        start.wait()
        try:
            promotions.approve(mine, actor=actor, plan_hash=mine.plan_hash)
            results.append("approved")
        except Conflict as error:
            results.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(actor,)) for actor in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result[:15] for result in results) == ["Somebody was fa", "approved"]


def test_a_worker_that_died_leaves_the_promotion_interrupted_with_its_journal(
    tenants: Any, release: Any, second: Any
) -> None:
    promotion = _stored_promotion(tenants["staging"], release.user)
    promotions.approve(promotion, actor=second.user, plan_hash=promotion.plan_hash)
    run = promotions.start(promotion, actor=release.user)
    Run.objects.filter(pk=run.pk).update(
        status="running", started_at="2026-01-01T00:00:00Z", heartbeat_at="2026-01-01T00:00:00Z"
    )
    runs.Progress(run).say("PATCH …", write={"method": "PATCH", "path": "/api/v2/clients/a", "status": 0})
    runs.reap()
    promotion.refresh_from_db()
    assert promotion.status == "interrupted"
    assert "journal" in promotion.outcome["problem"]
    assert [entry["status"] for entry in rollback.journal(promotion)] == [0]


def _stored_promotion(target: Any, asker: Any) -> Promotion:
    """A requested promotion that no tenant was read for."""
    states = {"clients": {"state": "read", "count": 1, "reason": ""}}
    readings = [
        snapshots.Reading({"clients": {"Shop": {"name": "Shop", "description": text}}}, {}, states)
        for text in ("new", "old")
    ]
    source, at = (snapshots.store(target, r, source=Snapshot.Source.EXPORT, taken_by=asker) for r in readings)
    promotion = promotions.draft(source, at, [Pick("clients|Shop")], actor=asker)
    promotions.request(promotion, actor=asker, reason="x")
    return promotion


@pytest.mark.parametrize(
    ("kind", "after", "advice"),
    [
        ("logStreams", {"name": "x", "sink": {"httpAuthorization": "##SECRET##"}}, r"\. Plan this again and enter it"),
        (
            "connections",
            {"name": "x", "options": {"client_secret": "##SECRET##"}},
            "Grant read:connections_options, or",
        ),
    ],
)
def test_a_secret_that_a_write_would_remove_is_named_with_what_to_do(kind: str, after: Any, advice: str) -> None:
    item = plan.Item(kind, "x", plan.CREATE, (), None, after)
    with pytest.raises(Invalid, match=advice):
        applying.body(item, {}, {})
