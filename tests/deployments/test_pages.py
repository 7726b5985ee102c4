"""The release line's pages: who sees and may do what, and what comes back for odd input."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from deployments import archive, plan, project, promotions, snapshots
from deployments.models import Promotion, Snapshot
from deployments.plan import Pick
from portal.models import Run, Tenant

pytestmark = pytest.mark.django_db

OLD: project.Content = {
    "clients": {"Shop": {"name": "Shop", "description": "old", "callbacks": ["https://shop.example/a"]}},
    "actions": {"Own": {"name": "Own", "code": "exports.x = 1;\n", "deployed": True}},
    "triggers": {"post-login": [{"action_name": "Own"}]},
    "roles": {"Gone": {"name": "Gone"}},
    "connections": {},
}
NEW: project.Content = {
    "clients": {
        "Shop": {"name": "Shop", "description": "<script>alert(1)</script>", "callbacks": ["https://shop.example/b"]},
        "Gifts": {"name": "Gifts"},
    },
    "actions": {
        "Own": {"name": "Own", "code": "exports.x = 2;\n", "deployed": True},
        "MFA": {"name": "MFA", "code": "exports.y = 1;\n", "deployed": True, "secrets": [{"name": "KEY"}]},
    },
    "triggers": {"post-login": [{"action_name": "MFA"}]},
    "roles": {},
    "connections": {"corp": {"name": "corp", "options": {"client_secret": "##CORP##"}}},
}


@pytest.fixture
def pair(db: None) -> tuple[Snapshot, Snapshot]:
    """Snapshots of two tenants that no sandbox stands behind."""
    return tuple(
        _snapshot(slug, stage, content)
        for slug, stage, content in (("dev", "development", NEW), ("prod", "production", OLD))
    )  # type: ignore[return-value]


def _snapshot(slug: str, stage: str, content: project.Content) -> Snapshot:
    tenant = Tenant.objects.create(
        slug=slug,
        name=slug.capitalize(),
        domain=f"{slug}.auth0.example",
        stage=stage,
        client_id="m2m",
        client_secret="x",
        protected=stage == "production",
    )
    states = {kind: {"state": "read", "count": len(things), "reason": ""} for kind, things in content.items()}
    states["organizations"] = {"state": "unknown", "count": None, "reason": "the scope read:organizations is missing"}
    return snapshots.store(tenant, snapshots.Reading(content, {}, states), source="export", taken_by=None)


@pytest.fixture
def planned(pair: Any, release: Any) -> Promotion:
    return promotions.draft(*pair, [Pick("clients|Shop")], actor=release.user)


def choose(person: Any, pair: Any, act: str, *picks: str, **more: Any) -> Any:
    data = {"source": pair[0].pk, "target": pair[1].pk, "pick": picks, "act": act, **more}
    return person.post(reverse("deployments:new-promotion"), data)


def text(answer: Any) -> str:
    return answer.content.decode()


def test_the_page_of_snapshots_offers_an_export_and_queues_it(pair: Any, release: Any) -> None:
    page = release.get(reverse("deployments:snapshots", args=["dev"]))
    assert "Export now" in text(page)
    answer = release.post(reverse("deployments:export", args=["dev"]), {"note": "before the release", "prompts": "on"})
    assert answer.status_code == 302
    run = Run.objects.get(kind="deployments.export")
    assert run.parameters == {"note": "before the release", "prompts": True}
    assert "waiting for a worker" in text(release.get(reverse("deployments:snapshots", args=["dev"])))


def test_a_snapshot_shows_what_it_holds_and_what_could_not_be_read(pair: Any, release: Any) -> None:
    page = text(release.get(pair[0].get_absolute_url()))
    assert "Gifts" in page
    assert "the scope read:organizations is missing" in page
    thing = release.get(reverse("deployments:object", args=["dev", pair[0].pk]), {"kind": "clients", "name": "Shop"})
    assert "&lt;script&gt;alert(1)" in text(thing)
    assert "<script>alert(1)" not in text(thing)


def test_a_snapshot_downloads_as_a_deploy_cli_project_and_uploads_again(pair: Any, release: Any) -> None:
    answer = release.get(reverse("deployments:download", args=["dev", pair[0].pk]))
    assert answer["Content-Disposition"].startswith('attachment; filename="dev-')
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"clients/Shop.json", "actions/MFA/code.js", "triggers/triggers.json"} <= set(names)
    upload = SimpleUploadedFile("project.zip", answer.content, "application/zip")
    sent = release.post(reverse("deployments:upload", args=["dev"]), {"project": upload, "note": "from our repository"})
    assert sent.status_code == 302
    again = Snapshot.objects.get(source="upload")
    content = snapshots.content_of(again)
    assert {kind: things for kind, things in content.items() if things} == {
        kind: things for kind, things in _masked(NEW).items() if things
    }


def _masked(content: project.Content) -> project.Content:
    secret = "##CONNECTIONS_CORP_OPTIONS_CLIENT_SECRET##"
    return content | {"connections": {"corp": {"name": "corp", "options": {"client_secret": secret}}}}


def test_an_uploaded_secret_is_never_stored(pair: Any, release: Any) -> None:
    content: project.Content = {
        "connections": {
            "corp": {"name": "corp", "options": {"client_secret": "uploaded-secret", "app_secret": "second-secret"}}
        },
        "emailProvider": {
            "settings": {"name": "smtp", "credentials": {"smtp_host": "mail.example", "smtp_pass": "third-secret"}}
        },
        "actions": {"A": {"name": "A", "secrets": [{"name": "K", "value": "fourth-secret"}]}},
    }
    upload = SimpleUploadedFile("p.zip", archive.archive(content), "application/zip")
    release.post(reverse("deployments:upload", args=["dev"]), {"project": upload})
    stored = str(snapshots.content_of(Snapshot.objects.get(source="upload")))
    assert "-secret" not in stored
    assert stored.count("##") >= 8


@pytest.mark.parametrize("data", [b"not a zip", b""])
def test_an_upload_that_is_no_project_says_what_to_do(pair: Any, release: Any, data: bytes) -> None:
    answer = release.post(reverse("deployments:upload", args=["dev"]), {"project": SimpleUploadedFile("x.zip", data)})
    assert answer.status_code in (400, 422)
    assert "zip" in text(answer) or "empty" in text(answer)
    assert not Snapshot.objects.filter(source="upload").exists()


def test_a_comparison_names_what_was_not_compared(pair: Any, release: Any) -> None:
    page = text(release.get(reverse("deployments:compare"), {"source": pair[0].pk, "target": pair[1].pk}))
    assert "Gifts" in page
    assert "&lt;script&gt;" in page
    assert release.get(reverse("deployments:compare"), {"source": "x", "target": 99}).status_code == 200


def test_what_is_ticked_is_checked_and_nothing_is_stored(pair: Any, release: Any) -> None:
    page = text(choose(release, pair, "check", "triggers|post-login"))
    assert "which the target does not have" in page
    assert Promotion.objects.count() == 0


def test_what_a_change_needs_is_ticked_on_request(pair: Any, release: Any) -> None:
    page = text(choose(release, pair, "needs", "triggers|post-login"))
    ticked = [line for line in page.split("<input") if 'name="pick"' in line and " checked" in line]
    assert sorted(part.split('value="')[1].split('"')[0] for part in ticked) == ["actions|MFA", "triggers|post-login"]


def test_a_plan_keeps_the_fields_that_were_kept_and_the_targets_own_bindings(pair: Any, release: Any) -> None:
    picks = ("clients|Shop", "actions|MFA", "triggers|post-login")
    answer = choose(release, pair, "plan", *picks, keep="clients|Shop>callbacks", title="Release 7")
    promotion = Promotion.objects.get()
    assert answer.headers["Location"] == promotion.get_absolute_url()
    shop, bindings = (next(i for i in promotion.plan if i.kind == kind) for kind in ("clients", "triggers"))
    assert (promotion.title, shop.after["callbacks"]) == ("Release 7", ["https://shop.example/a"])
    assert [b["action_name"] for b in bindings.after] == ["Own", "MFA"]
    assert plan.digest(promotion.plan) == promotion.plan_hash


def test_nothing_ticked_is_said_and_what_was_typed_stays(pair: Any, release: Any) -> None:
    answer = choose(release, pair, "plan", title="My title")
    assert answer.status_code == 422
    assert "Nothing is ticked" in text(answer)
    assert "My title" in text(answer)


def test_a_stale_or_made_up_pick_is_refused(pair: Any, release: Any) -> None:
    assert choose(release, pair, "plan", "clients|Nobody").status_code == 409
    assert choose(release, pair, "check", "clients|Nobody").status_code == 200
    assert choose(release, pair, "plan", "databases|x").status_code == 409


def test_the_page_of_a_promotion_shows_findings_fields_and_the_plans_hash(planned: Promotion, release: Any) -> None:
    page = text(release.get(planned.get_absolute_url()))
    assert planned.plan_hash[:16] in page
    assert "loses https://shop.example/a" in page
    assert "tenant-production" in page
    assert "<script>alert(1)" not in page


def test_a_secret_is_entered_and_never_shown_again(pair: Any, release: Any) -> None:
    promotion = promotions.draft(*pair, [Pick("connections|corp"), Pick("actions|MFA")], actor=release.user)
    page = text(release.get(promotion.get_absolute_url()))
    assert 'name="secret:connections|corp|options/client_secret"' in page
    data = {"secret:connections|corp|options/client_secret": "typed-secret", "secret:other|x|y": "z"}
    release.post(reverse("deployments:enter-secrets", args=[promotion.pk]), data)
    promotion.refresh_from_db()
    assert promotion.secret_values == {"connections|corp|options/client_secret": "typed-secret"}
    assert "typed-secret" not in text(release.get(promotion.get_absolute_url()))


def test_asked_approved_and_refused_by_the_right_people_only(
    planned: Promotion, release: Any, second: Any, person: Any
) -> None:
    page = reverse("deployments:request-approval", args=[planned.pk])
    assert release.post(page, {"reason": ""}).status_code == 400
    assert second.post(page, {"reason": "mine?"}).status_code == 403
    assert release.post(page, {"reason": "Release 7", "ticket": "OPS-1"}).status_code == 302
    assert "Approve for Prod" in text(second.get("/"))
    assert "Approve for Prod" not in text(release.get("/"))
    assert 'id="approve"' not in text(release.get(planned.get_absolute_url()))
    approve = reverse("deployments:approve", args=[planned.pk])
    assert release.post(approve, {"plan_hash": planned.plan_hash}).status_code == 403
    assert person("auditor").post(approve, {"plan_hash": planned.plan_hash}).status_code == 403
    assert second.post(approve, {"plan_hash": "old"}).status_code == 409
    assert second.post(approve, {"plan_hash": planned.plan_hash}).status_code == 302
    assert second.post(approve, {"plan_hash": planned.plan_hash}).status_code == 409
    assert second.post(reverse("deployments:refuse", args=[planned.pk]), {"reason": "no"}).status_code == 409
    planned.refresh_from_db()
    assert (planned.status, planned.decided_by, planned.ticket) == ("approved", second.user, "OPS-1")
    assert "ready to apply to Prod" in text(release.get("/"))


def test_a_refusal_needs_a_reason_which_the_asker_sees(planned: Promotion, release: Any, second: Any) -> None:
    promotions.request(planned, actor=release.user, reason="x")
    refuse = reverse("deployments:refuse", args=[planned.pk])
    assert second.post(refuse, {"reason": " "}).status_code == 400
    second.post(refuse, {"reason": "Not on a Friday"})
    assert "Not on a Friday" in text(release.get(planned.get_absolute_url()))
    assert f"Refused by {second.user.email}: Not on a Friday" in text(release.get("/"))
    assert "Not on a Friday" not in text(second.get("/"))
    planned.refresh_from_db()
    assert planned.status == "refused"


def test_applying_to_production_asks_for_its_name_and_starts_once(
    planned: Promotion, release: Any, second: Any
) -> None:
    promotions.request(planned, actor=release.user, reason="x")
    promotions.approve(planned, actor=second.user, plan_hash=planned.plan_hash)
    start = reverse("deployments:start", args=[planned.pk])
    assert release.post(start, {"typed_name": "pro"}).status_code == 400
    assert release.post(start, {"typed_name": "prod"}).status_code == 302
    assert release.post(start, {"typed_name": "prod"}).status_code == 409
    assert Run.objects.filter(kind="deployments.apply").count() == 1
    assert "waiting for a worker" in text(release.get(planned.get_absolute_url()))


def test_its_author_withdraws_it_and_nobody_else(planned: Promotion, release: Any, second: Any) -> None:
    withdraw = reverse("deployments:withdraw", args=[planned.pk])
    assert second.post(withdraw).status_code == 403
    assert release.post(withdraw).status_code == 302
    planned.refresh_from_db()
    assert planned.status == "cancelled"
    assert release.post(withdraw).status_code == 409


@pytest.mark.parametrize("status", Promotion.Status.values)
def test_every_state_has_a_page(planned: Promotion, release: Any, status: str) -> None:
    outcome = {
        "problem": "What went wrong",
        "moved": [{"item": "clients|Shop", "path": "x", "planned": 1, "now": None}],
        "differences": [{"item": "clients|Shop", "path": "y", "planned": "a", "found": "b"}],
        "applied": ["clients|Shop"],
    }
    Promotion.objects.filter(pk=planned.pk).update(status=status, outcome=outcome)
    page = release.get(planned.get_absolute_url())
    assert page.status_code == 200
    assert planned.title in text(release.get(reverse("deployments:promotions"), {"status": status}))


def test_a_database_is_never_deleted(pair: Any, release: Any) -> None:
    content = OLD | {"databases": {"users": {"name": "users"}}}
    target = _snapshot("staging", "staging", content)
    source = _snapshot("other", "development", NEW | {"databases": {}})
    answer = choose(release, (source, target), "plan", "databases|users")
    assert answer.status_code == 400
    assert "does not delete" in text(answer)


def test_variables_of_both_tenants_are_applied_to_the_plan(pair: Any, release: Any) -> None:
    for slug, host in (("dev", "shop.example/b"), ("prod", "shop.example/live")):
        Tenant.objects.filter(slug=slug).update(variables={"SHOP": host})
    pair = tuple(Snapshot.objects.get(pk=snapshot.pk) for snapshot in pair)
    promotion = promotions.draft(*pair, [Pick("clients|Shop")], actor=release.user)
    assert promotion.plan[0].after["callbacks"] == ["https://shop.example/live"]
    Tenant.objects.filter(slug="dev").update(variables={"SHOP": "b"})
    assert choose(release, pair, "check").status_code == 400
