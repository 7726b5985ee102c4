"""What the tests of the database pages share: scripts, working copies, green tests."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User

from identity.databases import checks, drift, generate, publish, scripts, testing
from identity.databases.drift import Live
from identity.databases.form import DEFAULT_COLUMNS, Form
from identity.databases.models import DatabaseDraft, DatabasePublication, DatabaseTest
from identity.databases.scripts import Content
from portal.models import Run

HTMX = {"headers": {"HX-Request": "true"}}
LEGACY = "legacy-store"
FORM = Form(store="postgresql", connection=LEGACY)
GENERATED = Content(True, False, generate.scripts(FORM))
# A value of ours in the place of a parameter: what the linter and the tests are there to find.
INJECTION = ("$1)", "' + userNameOrEmail + ')")
# As short as scripts can be: one that lets nobody in, and what it takes the place of.
SHORT = """function login(userNameOrEmail, password, callback) {
  return callback(new WrongUsernameOrPasswordError(null));
}
"""
CLOSED = Content(
    True,
    True,
    {
        "login": SHORT.replace("(null)", "(null, 'No.')"),
        "get_user": "function getUser(email, callback) {\n  return callback(null);\n}\n",
    },
)
SECRET = "postgresql://scripts:Quite-Secret-7@db.example:5432/shop"


def form_fields(**more: Any) -> dict[str, Any]:
    """The short form as a browser sends it."""
    columns = {f"column-{name}": column for name, column in DEFAULT_COLUMNS.items()}
    return {"store": "postgresql", "table": "users", "hash": "bcrypt", **columns, **more}


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


def ready(found: Live, owner: User) -> Live:
    """A working copy with green tests and the setting that it reads; the seed's own setting is taken away."""
    draft(found, actor=owner)
    green(found)
    checks.keep_setting(found, "DATABASE_URL", SECRET, actor=owner)
    checks.remove_setting(found, "STORE_NAME", actor=owner)
    return found


def published(found: Live, actor: User, *, state: str, content: Content = GENERATED) -> DatabasePublication:
    """As an act leaves it in this state, without a run; its version is number 1."""
    place = {"id": found.id, "name": found.name}
    version = scripts.version_of(found.tenant, place, content, actor=actor, comment="", configuration_keys=[])
    return DatabasePublication.objects.create(
        tenant=found.tenant, connection_id=found.id, connection_name=found.name, version=version, state=state,
        requested_by=actor, expected_sha256=found.content.sha256,
    )  # fmt: skip


def ask(found: Live, owner: User, content: Content = GENERATED, **more: Any) -> DatabasePublication:
    fields: dict[str, Any] = {"comment": "First", "reason": "Test", "expected": found.content.sha256} | more
    return publish.request(found, content, actor=owner, **fields)


def again(found: Live) -> Live:
    return drift.read(found.tenant, found.id)


def meddle(local: Any, found: Live) -> None:
    """Somebody saves another script in the dashboard."""
    other = "function login(a, b, callback) { callback(null); }"
    local.change_options(found.id, customScripts={**found.content.scripts, "login": other})


def changed(content: Content = GENERATED, **more: str) -> Content:
    return Content(content.enabled, content.import_mode, {**content.scripts, **more})


def text(answer: Any) -> str:
    """What a person reads, whitespace evened out."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    for entity, character in {"&#x27;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}.items():
        body = body.replace(entity, character)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
