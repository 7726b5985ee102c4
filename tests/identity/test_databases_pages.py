"""The pages of custom databases: what each right allows, what a mistake looks like, and that nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest

from identity.databases import checks, lint
from identity.databases.models import (
    DatabaseDraft,
    DatabaseTest,
)
from identity.databases.scripts import Content
from portal.models import AuditEvent
from tests.identity.database_line import (
    GENERATED,
    HTMX,
    INJECTION,
    changed,
    draft,
    form_fields,
    live,
    published,
    text,
)

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/t/dev/databases/"
PAGES = ["", "{id}/", "{id}/edit/", "{id}/settings/", "{id}/tests/", "{id}/checklist/", "{id}/compare/",
         "{id}/checklist.md", "{id}/checklist.html", "{id}/versions/1/"]  # fmt: skip
WRITING = ["{id}/import/", "{id}/generate/", "{id}/publish/", "{id}/versions/1/take/", "{id}/versions/1/roll-back/",
           "{id}/rehearse/"]  # fmt: skip


def fields(content: Content = GENERATED, **more: Any) -> dict[str, Any]:
    """The editor's form, filled in."""
    typed = {f"script-{name}": code for name, code in content.scripts.items()}
    switches = {name: "on" for name in ("enabled", "import_mode") if getattr(content, name)}
    return {"revision": "0", "act": "save", **typed, **switches, **more}


# Rights


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("database-owner", [*PAGES, *WRITING]), ("auditor", PAGES), ("helpdesk", []), ("security", []), (None, [])],
)
def test_each_role_opens_what_it_may(
    role: str | None, allowed: list[str], person: Any, writer: Any, found: Any
) -> None:
    draft(found, actor=writer.user)
    published(found, writer.user, state="replaced")
    someone = person(role)
    opened = [path for path in [*PAGES, *WRITING] if someone.get(BASE + path.format(id=found.id)).status_code == 200]
    assert opened == allowed


def test_who_may_only_look_writes_nothing(person: Any, writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    auditor = person("auditor")
    for path in ("edit/", "import/", "generate/", "settings/", "tests/", "checklist/", "publish/", "rehearse/"):
        assert auditor.post(f"{BASE}{found.id}/{path}", fields(GENERATED, revision="1")).status_code == 403
    assert DatabaseDraft.objects.get().revision == 1
    assert not DatabaseTest.objects.exists()
    editor = auditor.get(f"{BASE}{found.id}/edit/").content.decode()
    assert (editor.count(" readonly"), editor.count(" disabled")) == (7, 3)
    page = text(auditor.get(f"{BASE}{found.id}/"))
    for verb in ("Generate", "Publish to", "Import into"):
        assert verb not in page


# The overview


def test_the_overview_says_what_is_custom_what_is_missing_and_how_lint_and_tests_stand(writer: Any, found: Any) -> None:
    page = text(writer.get(BASE))
    assert "legacy-store Custom database" in page
    assert "Username-Password-Authentication Auth0's own store" in page
    assert "Live, written elsewhere" in page
    draft(found, changed(login=GENERATED.scripts["login"].replace(*INJECTION)), actor=writer.user)
    page = text(writer.get(BASE))
    assert "Differs from live" in page
    assert "Error" in page
    assert "Not run" in page


def test_the_overview_does_not_wait_for_the_linter_and_asks_again(
    writer: Any, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.databases.views.LINT_SECONDS", 0.0)
    first = writer.get(BASE).content.decode()
    assert "The linter is still reading" in first and "not read yet" in first and f'hx-get="{BASE}"' in first
    checks.findings(found, found.content)
    assert "The linter is still reading" not in text(writer.get(BASE))


def test_a_tenant_that_hides_options_gets_a_notice_and_nothing_is_invented(
    writer: Any, found: Any, sandbox: Any, tenants: Any
) -> None:
    narrow(sandbox.tenant("dev"), tenants["dev"], ["read:connections", "update:connections"])
    for path in ("", f"{found.id}/", f"{found.id}/edit/"):
        page = writer.get(BASE + path)
        assert page.status_code == 200
        assert "hides the options of its connections" in text(page)
        assert "read:connections_options" in text(page)
    assert "Not known" in text(writer.get(BASE))
    draft(found, actor=writer.user)
    page = text(writer.get(f"{BASE}{found.id}/publish/"))
    assert "lacks the scopes read:connections_options and update:connections_options" in page
    assert "The tenant does not show whether it is on." in text(writer.get(f"{BASE}{found.id}/checklist/"))
    assert "No script is live" not in text(writer.get(f"{BASE}{found.id}/rehearse/"))


def test_a_tenant_that_does_not_answer_gets_its_own_page(writer: Any, sandbox: Any) -> None:
    sandbox.tenant("dev").conditions(
        faults=[{"method": "GET", "path": "/api/v2/connections", "status": 503, "times": 9}]
    )
    assert writer.get(BASE).status_code == 503


def test_an_unknown_connection_is_a_404_and_a_social_one_can_not_be_published(
    writer: Any, sandbox: Any, tenants: Any
) -> None:
    assert writer.get(f"{BASE}con_nothing/").status_code == 404
    google = live(tenants["dev"], sandbox.tenant("dev"), "google-oauth2")
    draft(google, actor=writer.user)
    assert "not a database" in text(writer.get(f"{BASE}{google.id}/publish/"))


# Writing


def test_what_is_live_is_imported_and_nothing_is_written_to_the_tenant(writer: Any, found: Any, sandbox: Any) -> None:
    sandbox.tenant("dev").forget_requests()
    answer = writer.post(f"{BASE}{found.id}/import/", {"revision": "0"}, follow=True)
    assert "The working copy is now what is live in Dev" in text(answer)
    kept = DatabaseDraft.objects.get()
    assert Content.from_json(kept.content) == found.content
    assert kept.base_sha256 == found.content.sha256
    assert not [r for r in sandbox.tenant("dev").requests() if r["method"] in ("PATCH", "PUT", "DELETE")]


def test_scripts_are_generated_after_their_difference_was_shown(writer: Any, found: Any) -> None:
    url = f"{BASE}{found.id}/generate/"
    shown = text(writer.post(url, form_fields(act="preview")))
    assert "7 scripts, which read the settings DATABASE_URL" in shown
    assert "+async function login(" in shown
    assert not DatabaseDraft.objects.exists()
    answer = text(writer.post(url, form_fields(act="take", revision="0"), follow=True))
    assert "The scripts are in the working copy" in answer
    kept = DatabaseDraft.objects.get()
    assert kept.content["scripts"] == GENERATED.scripts
    assert kept.store_form["table"] == "users"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"table": "users; drop table users"}, "is no table name"),
        ({"column-email": "e-mail"}, "is no column name"),
        ({"column-password": ""}, "Name the column that holds this."),
        ({"store": "dbase"}, "dbase"),
        ({"hash": "md5"}, "md5"),
        ({"column-password": "", "table": "a b", "hash": "md5"}, "is no table name"),
    ],
)
def test_a_form_that_can_not_become_scripts_says_what_to_mend(
    writer: Any, found: Any, given: dict[str, str], says: str
) -> None:
    answer = writer.post(f"{BASE}{found.id}/generate/", form_fields(act="take", revision="0", **given))
    assert answer.status_code == 422
    assert says in text(answer)
    assert answer.content.decode().count('aria-invalid="true"') == len(given)
    assert not DatabaseDraft.objects.exists()


def test_saving_keeps_every_script_and_says_that_the_tenant_was_left_alone(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    answer = writer.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1", script="verify"))
    assert answer.headers["Location"].endswith("#script-verify")
    kept = DatabaseDraft.objects.get()
    assert (Content.from_json(kept.content), kept.revision) == (mine, 2)
    event = AuditEvent.objects.filter(verb="databases.edit").first()
    assert event is not None
    assert "+// mine" in event.after["difference"]


def test_a_fix_whose_finding_is_gone_leaves_what_was_typed_in_the_page(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    answer = writer.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1", act="fix:login:CDB14:1:1"))
    assert answer.status_code == 422
    assert "This finding is not there any more" in text(answer)
    assert "// mine" in answer.content.decode()
    assert DatabaseDraft.objects.get().revision == 1


def test_two_people_do_not_overwrite_each_other(writer: Any, person: Any, found: Any) -> None:
    other = person("database-owner", "release2")
    draft(found, actor=writer.user)
    theirs = changed(login=GENERATED.scripts["login"] + "// theirs\n")
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    other.post(f"{BASE}{found.id}/edit/", fields(theirs, revision="1"))
    answer = writer.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1"))
    assert answer.status_code == 409
    page = text(answer)
    assert "release2@larkspur.example has saved these scripts" in page
    assert "-// theirs" in page
    assert "+// mine" in page
    assert Content.from_json(DatabaseDraft.objects.get().content) == theirs
    again = writer.post(f"{BASE}{found.id}/edit/", fields(mine, revision="2"))
    assert again.status_code == 302
    assert Content.from_json(DatabaseDraft.objects.get().content) == mine


def test_two_first_saves_at_once_leave_one_working_copy(writer: Any, found: Any) -> None:
    writer.post(f"{BASE}{found.id}/edit/", fields())
    answer = writer.post(f"{BASE}{found.id}/edit/", fields(changed(login="// other")))
    assert answer.status_code == 409
    assert DatabaseDraft.objects.get().content["scripts"] == GENERATED.scripts


def test_an_injection_is_found_while_it_is_typed_with_line_reason_and_advice(writer: Any, found: Any) -> None:
    code = GENERATED.scripts["login"].replace(*INJECTION)
    answer = writer.post(f"{BASE}{found.id}/findings/", fields(changed(login=code)), **HTMX)
    page = text(answer)
    assert "CDB27" in page
    assert "login, line" in page
    assert "Write a placeholder into the statement" in page
    assert not DatabaseDraft.objects.exists()


def test_the_same_fault_in_each_row_of_a_table_is_one_entry_and_the_number_stays_true(writer: Any, found: Any) -> None:
    """The demo's scripts carry their customers, each with a hash, in every script."""
    writer.post(f"{BASE}{found.id}/import/", {"revision": "0"})
    every = lint.counted(checks.findings(found, found.content))
    assert every["error"] > 250
    page = writer.get(f"{BASE}{found.id}/edit/")
    assert page.content.decode().count('class="finding finding-error"') == len(
        [group for group in lint.grouped(checks.findings(found, found.content)) if group[0].level == "error"]
    )
    assert page.content.decode().count('class="finding finding-error"') < 30
    assert "The same at 39 more places as at login, CDB19 login, line" in text(page)
    for shown in (page, writer.get(f"{BASE}{found.id}/")):
        assert f"{every['error']} errors" in text(shown)


def test_a_safe_fix_is_made_and_saved(writer: Any, found: Any) -> None:
    code = GENERATED.scripts["login"].replace("async function login(", "async function signIn(")
    page = writer.post(f"{BASE}{found.id}/findings/", fields(changed(login=code)), **HTMX).content.decode()
    act = page.split('name="act" value="')[1].split('"')[0]
    answer = writer.post(f"{BASE}{found.id}/edit/", fields(changed(login=code), act=act), follow=True)
    assert "The fix is made" in text(answer)
    assert "async function login(" in DatabaseDraft.objects.get().content["scripts"]["login"]


@pytest.mark.parametrize(
    ("code", "rule"), [("function login(", "CDB00"), ("// " + "x" * 100_001, "CDB09"), ("while (true) {}", "CDB10")]
)
def test_odd_scripts_are_kept_and_get_a_verdict(writer: Any, found: Any, code: str, rule: str) -> None:
    writer.post(f"{BASE}{found.id}/edit/", fields(changed(login=code)))
    assert DatabaseDraft.objects.get().content["scripts"]["login"].strip() == code
    assert rule in text(writer.get(f"{BASE}{found.id}/edit/"))


def test_hostile_code_stays_text_on_every_page(writer: Any, found: Any) -> None:
    hostile = changed(login="// </textarea></script><script>alert(1)</script>\n" + GENERATED.scripts["login"])
    draft(found, hostile, actor=writer.user)
    for path in PAGES[:7]:
        assert "<script>alert" not in writer.get(BASE + path.format(id=found.id)).content.decode()


# The rest


def test_two_versions_are_compared(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    page = text(writer.get(f"{BASE}{found.id}/compare/?from=live&to=draft"))
    assert "+async function login(" in page
    assert writer.get(f"{BASE}{found.id}/compare/?from=nonsense&to=99").status_code == 200


def narrow(local: Any, tenant: Any, scopes: list[str]) -> None:
    """Let the portal's application at this tenant have these scopes alone."""
    body = {"name": "Narrow", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
    made = local.api("POST", "/clients", body)
    grant = {"client_id": made["client_id"], "audience": f"{local.url}/api/v2/", "scope": scopes}
    local.api("POST", "/client-grants", grant)
    tenant.client_id, tenant.client_secret = made["client_id"], made["client_secret"]
    tenant.save()
