"""Every page of custom databases with something on it: in light and dark, on a phone, without JavaScript."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from identity.databases import checks, rehearse
from identity.databases.drift import Live
from identity.databases.models import DatabaseDraft, DatabasePublication, DatabaseRehearsal, DatabaseTest
from identity.databases.rehearsal_report import OUTCOMES, WORDS, Row
from portal.models import Run
from tests import people
from tests.identity.database_line import (
    CLOSED,
    SECRET,
    SHORT,
    again,
    ask,
    changed,
    draft,
    green,
    live,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@dataclass(frozen=True)
class Line:
    """Rows that the pages show."""

    dev: Live
    done: DatabasePublication
    waiting: DatabasePublication
    test: DatabaseTest
    ended: DatabaseRehearsal
    left: DatabaseRehearsal


@pytest.fixture
def line(portal: Any, tenants: Any, sandbox: Any) -> Line:
    """A database in the middle of everything: published in dev, asked for in prod, written on, tested, rehearsed."""
    owner, other = people.account("databases", ["database-owner"]), people.account("release2", ["database-owner"])
    dev, prod = (short(tenants[name], sandbox.tenant(name), owner) for name in ("dev", "prod"))
    why = {"comment": "From the short form", "reason": "The shop moves", "untested_reason": "Settings come later"}
    done, waiting = (ask(found, owner, CLOSED, **why) for found in (dev, prod))
    # Short, because axe looks at each line of a difference.
    wrong = changed(CLOSED, login=SHORT.replace("return callback", "console.log(password); callback"))
    draft(dev, wrong, actor=other, revision=1)
    test = green(again(dev), wrong, passed=False)
    return Line(dev, done, waiting, test, rehearsed(dev, ended=True), rehearsed(prod, ended=False))


def short(tenant: Any, local: Any, owner: User) -> Live:
    """The demo's custom database with little in it, and a working copy that may be published."""
    local.change_options(live(tenant, local).id, customScripts={"login": SHORT}, configuration={})
    found = live(tenant, local)
    draft(found, CLOSED, actor=owner)
    green(found, CLOSED)
    checks.keep_setting(found, "DATABASE_URL", SECRET, actor=owner)
    return found


@pytest.fixture
def filled(line: Line) -> dict[str, str]:
    """Pages with something on them: name -> path."""
    base = f"dev/databases/{line.dev.id}/"
    parts = {
        "database": "",
        "database-scripts": "edit/",
        "database-generate": "generate/",
        "database-settings": "settings/",
        "database-tests": "tests/",
        "database-test": f"tests/{line.test.pk}/",
        "database-checklist": "checklist/",
        "database-rehearse": "rehearse/",
        "database-rehearsal": f"rehearsals/{line.ended.pk}/",
        "database-compare": "compare/",
        "database-import": "import/",
        "database-publish": "publish/",
        "database-roll-back": "versions/1/roll-back/",
        "database-version": "versions/2/",
    }
    return {name: base + path for name, path in parts.items()} | {
        "databases": "dev/databases/",
        "database-publication": f"dev/databases/publications/{line.done.pk}/",
        "database-approval": f"prod/databases/publications/{line.waiting.pk}/",
        "database-rehearse-left": f"prod/databases/{line.left.connection_id}/rehearse/",
    }


def rehearsed(found: Live, *, ended: bool) -> DatabaseRehearsal:
    """As a rehearsal leaves it, or a worker that died in it."""
    run = Run.objects.create(
        kind=rehearse.RUN_KIND, title="Rehearse the migration", tenant=found.tenant,
        status="succeeded" if ended else "interrupted", requested_by=people.account("databases", ["database-owner"]),
    )  # fmt: skip
    rows = [Row(outcome, outcome, WORDS.get(outcome, "The store is away."), later="failed") for outcome in OUTCOMES]
    return DatabaseRehearsal.objects.create(
        tenant=found.tenant, connection_id=found.id, connection_name=found.name, run=run,
        report=[asdict(row) for row in rows], put_back_at=timezone.now() if ended else None,
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_the_pages_are_accessible_in_light_and_dark_and_fit_a_phone(
    new_page: Any, portal: Any, sign_in: Any, filled: dict[str, str], axe: Any
) -> None:
    page = new_page(reduced_motion="reduce")
    page.set_default_timeout(30_000)
    sign_in(page, "databases")
    for path in filled.values():
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{portal.url}/t/{path}")
        page.locator("[aria-busy=true]").first.wait_for(state="detached")
        for scheme, only in (("light", ""), ("dark", "color-contrast")):  # the same page in other colours
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_function("(scheme) => document.documentElement.dataset.bsTheme === scheme", arg=scheme)
            page.wait_for_timeout(50)
            page.wait_for_function("() => !document.getAnimations().some((one) => one.playState === 'running')")
            axe(page, only=only)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_editor_works_without_javascript(new_page: Any, portal: Any, sign_in: Any, filled: dict[str, str]) -> None:
    page = new_page(java_script_enabled=False)
    page.set_default_timeout(30_000)
    sign_in(page, "databases")
    page.goto(f"{portal.url}/t/{filled['database-scripts']}")
    page.get_by_label("get_user.js").fill("")
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_text("Everything is saved in the working copy").wait_for()
    assert "get_user" not in DatabaseDraft.objects.get(tenant__slug="dev").content["scripts"]
