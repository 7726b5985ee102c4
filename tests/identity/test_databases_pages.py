"""The pages of custom databases: what each right allows, what a mistake looks like, and that nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from identity.databases import checklist, checks, lint
from identity.databases.form import DEFAULT_COLUMNS
from identity.databases.models import (
    ChecklistTick,
    ConfigurationValue,
    DatabaseDraft,
    DatabaseTest,
)
from identity.databases.scripts import Content
from portal.models import AuditEvent, Run
from tests.identity.database_line import GENERATED, HTMX, INJECTION, changed, draft, green, live, published, text

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/t/dev/databases/"
PAGES = ["", "{id}/", "{id}/edit/", "{id}/settings/", "{id}/tests/", "{id}/checklist/", "{id}/compare/",
         "{id}/checklist.md", "{id}/checklist.html", "{id}/versions/1/"]  # fmt: skip
WRITING = ["{id}/import/", "{id}/generate/", "{id}/publish/", "{id}/versions/1/take/", "{id}/versions/1/roll-back/",
           "{id}/rehearse/"]  # fmt: skip


@pytest.fixture
def owner(tenants: Any, person: Any) -> Any:
    return person("database-owner")


@pytest.fixture
def found(tenants: Any, sandbox: Any) -> Any:
    return live(tenants["dev"], sandbox.tenant("dev"))


def fields(content: Content = GENERATED, **more: Any) -> dict[str, Any]:
    """The editor's form, filled in."""
    typed = {f"script-{name}": code for name, code in content.scripts.items()}
    switches = {name: "on" for name in ("enabled", "import_mode") if getattr(content, name)}
    return {"revision": "0", "act": "save", **typed, **switches, **more}


def form_fields(**more: Any) -> dict[str, Any]:
    columns = {f"column-{name}": column for name, column in DEFAULT_COLUMNS.items()}
    return {"store": "postgresql", "table": "users", "hash": "bcrypt", **columns, **more}


# Rights


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("database-owner", [*PAGES, *WRITING]), ("auditor", PAGES), ("helpdesk", []), ("security", []), (None, [])],
)
def test_each_role_opens_what_it_may(role: str | None, allowed: list[str], person: Any, owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    published(found, owner.user, state="replaced")
    someone = person(role)
    opened = [path for path in [*PAGES, *WRITING] if someone.get(BASE + path.format(id=found.id)).status_code == 200]
    assert opened == allowed


def test_who_may_only_look_writes_nothing(person: Any, owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
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


def test_the_overview_says_what_is_custom_what_is_missing_and_how_lint_and_tests_stand(owner: Any, found: Any) -> None:
    page = text(owner.get(BASE))
    assert "legacy-store Custom database" in page
    assert "Username-Password-Authentication Auth0's own store" in page
    assert "Live, written elsewhere" in page
    draft(found, changed(login=GENERATED.scripts["login"].replace(*INJECTION)), actor=owner.user)
    page = text(owner.get(BASE))
    assert "Differs from live" in page
    assert "Error" in page
    assert "Not run" in page


def test_the_overview_does_not_wait_for_the_linter_and_asks_again(
    owner: Any, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.databases.views.LINT_SECONDS", 0.0)
    first = owner.get(BASE).content.decode()
    assert "The linter is still reading" in first and "not read yet" in first and f'hx-get="{BASE}"' in first
    checks.findings(found, found.content)
    assert "The linter is still reading" not in text(owner.get(BASE))


def test_a_tenant_that_hides_options_gets_a_notice_and_nothing_is_invented(
    owner: Any, found: Any, sandbox: Any, tenants: Any
) -> None:
    narrow(sandbox.tenant("dev"), tenants["dev"], ["read:connections", "update:connections"])
    for path in ("", f"{found.id}/", f"{found.id}/edit/"):
        page = owner.get(BASE + path)
        assert page.status_code == 200
        assert "hides the options of its connections" in text(page)
        assert "read:connections_options" in text(page)
    assert "Not known" in text(owner.get(BASE))
    draft(found, actor=owner.user)
    page = text(owner.get(f"{BASE}{found.id}/publish/"))
    assert "lacks the scopes read:connections_options and update:connections_options" in page
    assert "The tenant does not show whether it is on." in text(owner.get(f"{BASE}{found.id}/checklist/"))
    assert "No script is live" not in text(owner.get(f"{BASE}{found.id}/rehearse/"))


def test_a_tenant_that_does_not_answer_gets_its_own_page(owner: Any, sandbox: Any) -> None:
    sandbox.tenant("dev").conditions(
        faults=[{"method": "GET", "path": "/api/v2/connections", "status": 503, "times": 9}]
    )
    assert owner.get(BASE).status_code == 503


def test_an_unknown_connection_is_a_404_and_a_social_one_can_not_be_published(
    owner: Any, sandbox: Any, tenants: Any
) -> None:
    assert owner.get(f"{BASE}con_nothing/").status_code == 404
    google = live(tenants["dev"], sandbox.tenant("dev"), "google-oauth2")
    draft(google, actor=owner.user)
    assert "not a database" in text(owner.get(f"{BASE}{google.id}/publish/"))


# Writing


def test_what_is_live_is_imported_and_nothing_is_written_to_the_tenant(owner: Any, found: Any, sandbox: Any) -> None:
    sandbox.tenant("dev").forget_requests()
    answer = owner.post(f"{BASE}{found.id}/import/", {"revision": "0"}, follow=True)
    assert "The working copy is now what is live in Dev" in text(answer)
    kept = DatabaseDraft.objects.get()
    assert Content.from_json(kept.content) == found.content
    assert kept.base_sha256 == found.content.sha256
    assert not [r for r in sandbox.tenant("dev").requests() if r["method"] in ("PATCH", "PUT", "DELETE")]


def test_scripts_are_generated_after_their_difference_was_shown(owner: Any, found: Any) -> None:
    url = f"{BASE}{found.id}/generate/"
    shown = text(owner.post(url, form_fields(act="preview")))
    assert "7 scripts, which read the settings DATABASE_URL" in shown
    assert "+async function login(" in shown
    assert not DatabaseDraft.objects.exists()
    answer = text(owner.post(url, form_fields(act="take", revision="0"), follow=True))
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
    owner: Any, found: Any, given: dict[str, str], says: str
) -> None:
    answer = owner.post(f"{BASE}{found.id}/generate/", form_fields(act="take", revision="0", **given))
    assert answer.status_code == 422
    assert says in text(answer)
    assert answer.content.decode().count('aria-invalid="true"') == len(given)
    assert not DatabaseDraft.objects.exists()


def test_saving_keeps_every_script_and_says_that_the_tenant_was_left_alone(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    answer = owner.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1", script="verify"))
    assert answer.headers["Location"].endswith("#script-verify")
    kept = DatabaseDraft.objects.get()
    assert (Content.from_json(kept.content), kept.revision) == (mine, 2)
    event = AuditEvent.objects.filter(verb="databases.edit").first()
    assert event is not None
    assert "+// mine" in event.after["difference"]


def test_a_fix_whose_finding_is_gone_leaves_what_was_typed_in_the_page(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    answer = owner.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1", act="fix:login:CDB14:1:1"))
    assert answer.status_code == 422
    assert "This finding is not there any more" in text(answer)
    assert "// mine" in answer.content.decode()
    assert DatabaseDraft.objects.get().revision == 1


def test_two_people_do_not_overwrite_each_other(owner: Any, person: Any, found: Any) -> None:
    other = person("database-owner", "release2")
    draft(found, actor=owner.user)
    theirs = changed(login=GENERATED.scripts["login"] + "// theirs\n")
    mine = changed(login=GENERATED.scripts["login"] + "// mine\n")
    other.post(f"{BASE}{found.id}/edit/", fields(theirs, revision="1"))
    answer = owner.post(f"{BASE}{found.id}/edit/", fields(mine, revision="1"))
    assert answer.status_code == 409
    page = text(answer)
    assert "release2@larkspur.example has saved these scripts" in page
    assert "-// theirs" in page
    assert "+// mine" in page
    assert Content.from_json(DatabaseDraft.objects.get().content) == theirs
    again = owner.post(f"{BASE}{found.id}/edit/", fields(mine, revision="2"))
    assert again.status_code == 302
    assert Content.from_json(DatabaseDraft.objects.get().content) == mine


def test_two_first_saves_at_once_leave_one_working_copy(owner: Any, found: Any) -> None:
    owner.post(f"{BASE}{found.id}/edit/", fields())
    answer = owner.post(f"{BASE}{found.id}/edit/", fields(changed(login="// other")))
    assert answer.status_code == 409
    assert DatabaseDraft.objects.get().content["scripts"] == GENERATED.scripts


def test_an_injection_is_found_while_it_is_typed_with_line_reason_and_advice(owner: Any, found: Any) -> None:
    code = GENERATED.scripts["login"].replace(*INJECTION)
    answer = owner.post(f"{BASE}{found.id}/findings/", fields(changed(login=code)), **HTMX)
    page = text(answer)
    assert "CDB27" in page
    assert "login, line" in page
    assert "Write a placeholder into the statement" in page
    assert not DatabaseDraft.objects.exists()


def test_the_same_fault_in_each_row_of_a_table_is_one_entry_and_the_number_stays_true(owner: Any, found: Any) -> None:
    """The demo's scripts carry their customers, each with a hash, in every script."""
    owner.post(f"{BASE}{found.id}/import/", {"revision": "0"})
    every = lint.counted(checks.findings(found, found.content))
    assert every["error"] > 250
    page = owner.get(f"{BASE}{found.id}/edit/")
    assert page.content.decode().count('class="finding finding-error"') == len(
        [group for group in lint.grouped(checks.findings(found, found.content)) if group[0].level == "error"]
    )
    assert page.content.decode().count('class="finding finding-error"') < 30
    assert "The same at 39 more places as at login, CDB19 login, line" in text(page)
    for shown in (page, owner.get(f"{BASE}{found.id}/")):
        assert f"{every['error']} errors" in text(shown)


def test_a_safe_fix_is_made_and_saved(owner: Any, found: Any) -> None:
    code = GENERATED.scripts["login"].replace("async function login(", "async function signIn(")
    page = owner.post(f"{BASE}{found.id}/findings/", fields(changed(login=code)), **HTMX).content.decode()
    act = page.split('name="act" value="')[1].split('"')[0]
    answer = owner.post(f"{BASE}{found.id}/edit/", fields(changed(login=code), act=act), follow=True)
    assert "The fix is made" in text(answer)
    assert "async function login(" in DatabaseDraft.objects.get().content["scripts"]["login"]


@pytest.mark.parametrize(
    ("code", "rule"), [("function login(", "CDB00"), ("// " + "x" * 100_001, "CDB09"), ("while (true) {}", "CDB10")]
)
def test_odd_scripts_are_kept_and_get_a_verdict(owner: Any, found: Any, code: str, rule: str) -> None:
    owner.post(f"{BASE}{found.id}/edit/", fields(changed(login=code)))
    assert DatabaseDraft.objects.get().content["scripts"]["login"].strip() == code
    assert rule in text(owner.get(f"{BASE}{found.id}/edit/"))


def test_hostile_code_stays_text_on_every_page(owner: Any, found: Any) -> None:
    hostile = changed(login="// </textarea></script><script>alert(1)</script>\n" + GENERATED.scripts["login"])
    draft(found, hostile, actor=owner.user)
    for path in PAGES[:7]:
        assert "<script>alert" not in owner.get(BASE + path.format(id=found.id)).content.decode()


# Settings


def test_a_setting_goes_in_and_never_comes_out(owner: Any, found: Any, caplog: Any) -> None:
    url, secret = f"{BASE}{found.id}/settings/", "postgresql://scripts:Quite-Secret-7@db.example:5432/shop"
    answer = owner.post(url, {"name": "DATABASE_URL", "value": secret}, follow=True)
    assert "DATABASE_URL is stored" in text(answer)
    assert ConfigurationValue.objects.get().value == secret
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM identity_configurationvalue")
        assert "Quite-Secret-7" not in cursor.fetchone()[0]
    seen = [answer, *(owner.get(BASE + path.format(id=found.id)) for path in PAGES[:9])]
    assert not [page for page in seen if "Quite-Secret-7" in page.content.decode()]
    events = [f"{event.before} {event.after} {event.detail}" for event in AuditEvent.objects.all()]
    assert "Quite-Secret-7" not in " ".join(events) + caplog.text


@pytest.mark.parametrize("name", ["", "1ST", "A-B", "A B", "x" * 101])
def test_a_setting_with_an_odd_name_is_refused_and_its_value_not_shown(owner: Any, found: Any, name: str) -> None:
    answer = owner.post(f"{BASE}{found.id}/settings/", {"name": name, "value": "Quite-Secret-7"})
    assert answer.status_code == 422
    assert "Quite-Secret-7" not in answer.content.decode()
    assert not ConfigurationValue.objects.exists()


def test_a_setting_is_not_written_into_the_page_that_offers_to_try_again(owner: Any, found: Any, sandbox: Any) -> None:
    faults = [{"method": "GET", "path": "/api/v2/connections/*", "status": 503, "times": 9}]
    sandbox.tenant("dev").conditions(faults=faults)
    for path, given in (("settings/", {"name": "KEY", "value": "Hidden-1"}), ("tests/", form_fields(dsn="Hidden-1"))):
        answer = owner.post(f"{BASE}{found.id}/{path}", given)
        assert answer.status_code == 503
        assert "Hidden-1" not in answer.content.decode()


def test_a_removal_can_be_taken_back_without_entering_the_value_again(owner: Any, found: Any) -> None:
    url = f"{BASE}{found.id}/settings/"
    owner.post(url, {"name": "KEY", "value": "Quite-Secret-7"})
    for name in ("KEY", "STORE_NAME"):
        assert "To be removed" in text(owner.post(url, {"remove": name}, follow=True))
        assert "To be removed" not in text(owner.post(url, {"keep": name}, follow=True))
    kept = ConfigurationValue.objects.get()
    assert (kept.name, kept.value, kept.removed) == ("KEY", "Quite-Secret-7", False)


def test_a_setting_that_scripts_read_and_nobody_entered_is_said_to_be_missing(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    assert "DATABASE_URL Missing Scripts read it." in text(owner.get(f"{BASE}{found.id}/settings/"))


# Contract tests


def test_contract_tests_run_and_show_what_was_sent_and_what_came_back(
    eager: None, owner: Any, found: Any, sandbox: Any
) -> None:
    few = Content(True, True, {name: GENERATED.scripts[name] for name in ("login", "get_user")})
    draft(found, few, actor=owner.user)
    answer = owner.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True)
    page = text(answer)
    assert "Every case that could be tried has passed" in page
    assert "WrongUsernameOrPasswordError" in page
    test = DatabaseTest.objects.get()
    assert (test.passed, test.sha256, Run.objects.get().status) == (True, few.sha256, "succeeded")
    assert len(test.verdicts) >= 40
    assert "Passed" in text(owner.get(f"{BASE}{found.id}/"))
    draft(found, replace(few, import_mode=False), actor=owner.user, revision=1)
    assert "Stale" in text(owner.get(f"{BASE}{found.id}/"))
    assert "The scripts have changed since" in text(owner.get(test.get_absolute_url()))


def test_a_failing_case_stands_first(eager: None, owner: Any, found: Any) -> None:
    login = "function login(userNameOrEmail, password, callback) { return callback(null, {user_id: 'x'}); }"
    draft(found, Content(True, True, {"login": login, "get_user": GENERATED.scripts["get_user"]}), actor=owner.user)
    page = text(owner.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True))
    assert "Some cases failed" in page
    verdicts = page[page.index("Cases Case Verdict") :]
    assert verdicts.index("Failed") < verdicts.index("Passed")
    assert DatabaseTest.objects.get().passed is False


def test_scripts_that_take_their_process_with_them_fail_the_tests_and_nothing_else(
    eager: None, owner: Any, found: Any, sandbox: Any
) -> None:
    killer = "function getUser(email, callback) { process.kill(process.pid, 'SIGKILL'); }"
    draft(found, Content(True, True, {"login": "//" + "x" * 100_000, "get_user": killer}), actor=owner.user)
    sandbox.tenant("dev").forget_requests()
    page = text(owner.post(f"{BASE}{found.id}/tests/", form_fields(), follow=True))
    assert "The script is larger than 100 kB, which Auth0 does not take." in page
    assert "The code's process was ended by SIGKILL." in page
    assert (DatabaseTest.objects.get().passed, Run.objects.get().status) == (False, "succeeded")
    assert {request["method"] for request in sandbox.tenant("dev").requests()} == {"GET"}


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("nonsense", "no connection string"),
        ("postgresql://u:Hidden-1@/shop", "Name one server"),
        ("host=/var/run/postgresql user=u password=Hidden-1 dbname=x", "Name one server"),
        ("host=a,b user=u password=Hidden-1 dbname=x", "Name one server"),
        ("postgresql://u:Hidden-1@db.example/x?sslkey=/etc/passwd", "Leave out sslkey"),
        ("postgresql://u:Hidden-1@db.example", "Name the user and the database"),
        ("mongodb+srv://u:Hidden-1@db.example/x", "no connection string"),
        ("mongodb://u:Hidden-1@a,b/x", "Name one server"),
        ("mongodb://u:Hidden-1@a/x?tlsCertificateKeyFile=/etc/passwd", "Leave out tlscertificatekeyfile"),
        ("mysql://u:Hidden-1@db.example:port/x", "Name one server"),
    ],
)
def test_a_wrong_connection_string_is_refused_without_showing_it(
    owner: Any, found: Any, dsn: str, says: str, caplog: Any
) -> None:
    store = next((name for name in ("mongodb", "mysql") if dsn.startswith(name)), "postgresql")
    answer = owner.post(f"{BASE}{found.id}/tests/", form_fields(dsn=dsn, store=store))
    assert answer.status_code == 422
    assert says in text(answer)
    assert "Hidden-1" not in answer.content.decode() + caplog.text
    assert not DatabaseTest.objects.exists()


def test_a_database_that_does_not_answer_ends_the_run_and_its_password_is_forgotten(
    eager: None, owner: Any, found: Any, caplog: Any
) -> None:
    draft(found, actor=owner.user)
    dsn = "postgresql://scripts:Hidden-1@127.0.0.1:9/shop"
    page = owner.post(f"{BASE}{found.id}/tests/", form_fields(dsn=dsn), follow=True)
    assert "The tests did not run to their end" in text(page)
    assert "127.0.0.1:9/shop" in text(page)
    test = DatabaseTest.objects.get()
    run = Run.objects.get()
    assert (test.dsn, test.passed, run.status) == ("", None, "failed")
    told = " ".join(run.events.values_list("message", flat=True)) + run.error
    assert "Hidden-1" not in page.content.decode() + told + caplog.text


# The checklist


def test_a_tick_carries_name_date_and_note_and_goes_stale_when_a_script_changes(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    url = f"{BASE}{found.id}/checklist/"
    mark = checklist.fingerprint(GENERATED.scripts)
    given = {"item": "firewall", "fingerprint": mark, "note": "Client certificate asked for"}
    page = text(owner.post(url, given, follow=True))
    assert "databases@larkspur.example" in page
    assert "Client certificate asked for" in page
    draft(found, changed(verify=""), actor=owner.user, revision=1)
    assert "The scripts have changed since. databases@larkspur.example" in text(owner.get(url))
    overtaken = owner.post(url, given | {"note": "Looked at the rules"})
    assert overtaken.status_code == 409
    assert "The scripts have changed since this page was opened" in text(overtaken)
    assert 'value="Looked at the rules"' in overtaken.content.decode()
    assert ChecklistTick.objects.count() == 1


def test_a_tick_needs_a_note_and_a_program_s_point_is_not_ticked(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    url, mark = f"{BASE}{found.id}/checklist/", checklist.fingerprint(GENERATED.scripts)
    assert owner.post(url, {"item": "firewall", "fingerprint": mark, "note": ""}).status_code == 400
    assert owner.post(url, {"item": "injection", "fingerprint": mark, "note": "Looks good"}).status_code == 400
    assert not ChecklistTick.objects.exists()


def test_the_checklist_is_exported_for_an_audit(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    green(found)
    markdown = owner.get(f"{BASE}{found.id}/checklist.md")
    assert markdown.headers["Content-Disposition"].startswith('attachment; filename="checklist-dev-legacy-store-')
    told = markdown.content.decode()
    assert checklist.fingerprint(GENERATED.scripts) in told
    assert "exported by databases@larkspur.example" in told
    assert "The scripts are those of the working copy; others are live." in told
    html = owner.get(f"{BASE}{found.id}/checklist.html")
    assert "No two users share an e-mail address" in text(html)
    assert "<script" not in html.content.decode()


# The rest


def test_two_versions_are_compared(owner: Any, found: Any) -> None:
    draft(found, actor=owner.user)
    page = text(owner.get(f"{BASE}{found.id}/compare/?from=live&to=draft"))
    assert "+async function login(" in page
    assert owner.get(f"{BASE}{found.id}/compare/?from=nonsense&to=99").status_code == 200


def test_who_has_to_approve_sees_it_on_the_home_page(owner: Any, person: Any, tenants: Any, sandbox: Any) -> None:
    found = live(tenants["prod"], sandbox.tenant("prod"))
    draft(found, actor=owner.user)
    green(found)
    published(found, owner.user, state="requested")
    assert "asks for approval" in text(person("database-owner", "release2").get("/"))
    assert "asks for approval" not in text(owner.get("/"))
    assert "asks for approval" not in text(person("helpdesk").get("/"))


def narrow(local: Any, tenant: Any, scopes: list[str]) -> None:
    """Let the portal's application at this tenant have these scopes alone."""
    body = {"name": "Narrow", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
    made = local.api("POST", "/clients", body)
    grant = {"client_id": made["client_id"], "audience": f"{local.url}/api/v2/", "scope": scopes}
    local.api("POST", "/client-grants", grant)
    tenant.client_id, tenant.client_secret = made["client_id"], made["client_secret"]
    tenant.save()
