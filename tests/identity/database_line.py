"""What the tests of the database pages share: scripts, working copies, green tests."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from identity.databases import drift, generate, scripts, testing
from identity.databases.drift import Live
from identity.databases.form import Form
from identity.databases.models import DatabaseDraft, DatabaseTest
from identity.databases.scripts import Content
from portal.models import Run

HTMX = {"headers": {"HX-Request": "true"}}
LEGACY = "legacy-store"
FORM = Form(store="postgresql", connection=LEGACY)
GENERATED = Content(True, False, generate.scripts(FORM))
# A value of ours in the place of a parameter: what the linter and the tests are there to find.
INJECTION = ("$1)", "' + userNameOrEmail + ')")


def live(tenant: Any, local: Any, name: str = LEGACY) -> Live:
    return drift.read(tenant, local.named("connections", name)["id"])


def draft(found: Live, content: Content = GENERATED, *, actor: Any, revision: int = 0) -> DatabaseDraft:
    return scripts.save(
        found.tenant, {"id": found.id, "name": found.name}, content, revision=revision, actor=actor,
        store_form=asdict(FORM), base_sha256=found.content.sha256,
    )  # fmt: skip


def green(found: Live, content: Content = GENERATED, *, passed: bool = True) -> DatabaseTest:
    """As the run of the contract tests leaves it."""
    run = Run.objects.create(kind=testing.RUN_KIND, title="Contract tests", tenant=found.tenant, status="succeeded")
    return DatabaseTest.objects.create(
        run=run,
        tenant=found.tenant, connection_id=found.id, connection_name=found.name, content=content.to_json(),
        sha256=content.sha256, store_form=asdict(FORM), database="an embedded PostgreSQL", passed=passed,
    )  # fmt: skip


def changed(content: Content = GENERATED, **more: str) -> Content:
    return Content(content.enabled, content.import_mode, {**content.scripts, **more})


def text(answer: Any) -> str:
    """What a person reads, whitespace evened out."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    for entity, character in {"&#x27;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}.items():
        body = body.replace(entity, character)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
