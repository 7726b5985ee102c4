"""The policy pages: what each right allows, what a mistake looks like, and that nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from identity.mfa import drafts, publish
from identity.mfa.models import Policy, Publication
from identity.mfa.policy import PolicyRules, Rule
from portal.models import AuditEvent, Run
from tests import people

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/t/dev/mfa-policies/"
HTMX = {"headers": {"HX-Request": "true"}}


def fields(**changed: Any) -> dict[str, Any]:
    """The editor's form, filled in."""
    return {
        "name": "Partners",
        "rules": "1",
        "revision": "0",
        "rule-0-domains": "harbourline.example",
        "rule-0-factors": ["otp"],
        "missing_email": "ask",
        "unverified_email": "enrol",
        "password_grant": "ask",
        "act": "save",
    } | {name.replace("__", "-"): value for name, value in changed.items()}


@pytest.fixture
def security(tenants: Any, person: Any) -> Any:
    return person("security")


@pytest.fixture
def policy(security: Any) -> Policy:
    rules = PolicyRules((Rule("email_domains", {"domains": ["harbourline.example"]}, ("otp",)),))
    return drafts.create("Partners", rules, actor=security.user)


def text(answer: Any) -> str:
    """What a person reads, whitespace evened out."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    for entity, character in {"&#x27;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}.items():
        body = body.replace(entity, character)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


# Rights


PAGES = ["", "state/", "new/", "{pk}/", "{pk}/edit/", "{pk}/publish/", "remove/"]


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("security", PAGES),
        ("auditor", ["", "state/", "{pk}/"]),
        ("helpdesk", []),
        ("release-manager", []),
        (None, []),
    ],
)
def test_each_role_opens_what_it_may(role: str | None, allowed: list[str], person: Any, policy: Policy) -> None:
    someone = person(role)
    opened = [path for path in PAGES if someone.get(BASE + path.format(pk=policy.pk)).status_code == 200]
    assert opened == allowed


def test_nobody_writes_or_previews_without_the_right(person: Any, policy: Policy) -> None:
    auditor = person("auditor")
    for path in ("new/", f"{policy.pk}/edit/", f"{policy.pk}/delete/", f"{policy.pk}/publish/", "remove/"):
        assert auditor.post(BASE + path, fields()).status_code == 403
    for path in ("preview/", "previews/"):
        answer = auditor.post(BASE + path, {"policy": policy.pk, "user": "helpdesk@larkspur.example"})
        assert answer.status_code == 403
        assert "users.view" in text(answer) or "Find users" in text(answer)
    assert Policy.objects.count() == 1
    assert not Publication.objects.exists()


def test_the_auditor_sees_the_policy_but_no_verbs(person: Any, policy: Policy) -> None:
    page = text(person("auditor").get(f"{BASE}{policy.pk}/"))
    assert "users whose e-mail domain is harbourline.example" in page
    for verb in ("Publish to", "Edit", "Run for all users", "Delete this policy"):
        assert verb not in page


# The editor


def test_a_new_policy_is_saved_as_a_draft_and_nothing_is_written_to_the_tenant(security: Any, sandbox: Any) -> None:
    answer = security.post(BASE + "new/", fields(), follow=True)
    assert "“Partners” is saved as a draft" in text(answer)
    policy = Policy.objects.get()
    assert policy.content["rules"][0]["condition"]["domains"] == ["harbourline.example"]
    event = AuditEvent.objects.get(verb="mfa.edit")
    assert event.after["content"]["rules"][0]["factors"] == ["otp"]
    assert not [r for r in sandbox.tenant("dev").requests() if r["path"].startswith("/api/")]


def test_what_was_normalised_is_said_after_the_save(security: Any) -> None:
    answer = security.post(BASE + "new/", fields(**{"rule-0-domains": "@Acme.example\nmüller.example"}), follow=True)
    assert "Rule 1, line 1: “@Acme.example” is read as acme.example." in text(answer)
    assert "xn--mller-kva.example" in text(answer)
    assert Policy.objects.get().content["rules"][0]["condition"]["domains"] == ["acme.example", "xn--mller-kva.example"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rule-0-domains": ""}, "The list is empty. Write at least one domain"),
        ({"rule-0-domains": "acme.example\ncom"}, "Line 2: “com” is a single word."),
        ({"rule-0-factors": []}, "Choose at least one factor."),
        ({"rule-0-factors": ["email"]}, "An e-mail alone locks out whoever has nothing yet."),
        ({"rule-0-factors": ["pigeon"]}, "pigeon"),
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"missing_email": "whatever"}, "whatever"),
        ({"rule-0-domains": "\n".join(f"{'long-' * 10}{n}.example" for n in range(1700))}, "Auth0 takes 100,000"),
    ],
)
def test_a_mistake_is_named_and_nothing_typed_is_lost(security: Any, changed: dict[str, Any], says: str) -> None:
    typed = fields(**{"name": "My policy", "rule-0-domains": "@Kept.example"}) | changed
    answer = security.post(BASE + "new/", typed)
    assert answer.status_code == 422
    assert says in text(answer)
    for name in ("name", "rule-0-domains"):
        assert str(typed[name]).split("\n")[0] in answer.content.decode()
    assert not Policy.objects.exists()


HOSTILE = 'Bob\'s "best" */ </script><script>alert(1)</script>\nexports = null'


def test_a_hostile_name_stays_text_everywhere(security: Any) -> None:
    security.post(BASE + "new/", fields(name=HOSTILE[:80]))
    policy = Policy.objects.get()
    assert "\n" not in policy.name
    for path in ("", f"{policy.pk}/", f"{policy.pk}/edit/", f"{policy.pk}/publish/"):
        page = security.get(BASE + path).content.decode()
        assert "<script>alert" not in page
    answer = security.post(BASE + "code/", fields(name=HOSTILE, policy=policy.pk), **HTMX).content.decode()
    assert "<script>alert" not in answer


def test_a_name_is_taken_only_once(security: Any, policy: Policy) -> None:
    answer = security.post(BASE + "new/", fields(name="  Partners "))
    assert "There is a policy named “Partners” already" in text(answer)


def test_rules_are_added_and_removed_without_losing_what_was_typed(security: Any) -> None:
    typed = fields(act="add", **{"rule-0-domains": "not a domain yet @@"})
    answer = security.post(BASE + "new/", typed)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "not a domain yet @@" in page
    assert 'name="rule-1-domains"' in page
    two = fields(act="remove-0", rules="2", **{"rule-1-domains": "second.example", "rule-1-factors": ["otp"]})
    page = security.post(BASE + "new/", two).content.decode()
    assert "second.example" in page
    assert "harbourline.example" not in page
    assert 'name="rule-1-domains"' not in page


def test_two_rules_are_saved_in_their_order(security: Any) -> None:
    two = fields(rules="2", **{"rule-1-domains": "second.example", "rule-1-factors": ["otp", "phone"]})
    security.post(BASE + "new/", two)
    rules = Policy.objects.get().content["rules"]
    assert [rule["condition"]["domains"] for rule in rules] == [["harbourline.example"], ["second.example"]]


def test_two_people_editing_see_both_and_lose_nothing(security: Any, person: Any, policy: Policy) -> None:
    colleague = people.account("release", ["security"])
    theirs = PolicyRules((Rule("email_domains", {"domains": ["theirs.example"]}, ("otp",)),))
    drafts.save(policy, "Partners", theirs, revision=1, actor=colleague)
    mine = fields(revision="1", **{"rule-0-domains": "mine.example"})
    answer = security.post(f"{BASE}{policy.pk}/edit/", mine)
    assert answer.status_code == 409
    page = text(answer)
    assert "release@larkspur.example has saved this policy" in page
    assert "theirs.example" in page
    assert "mine.example" in page
    policy.refresh_from_db()
    assert policy.content["rules"][0]["condition"]["domains"] == ["theirs.example"]
    (revision,) = re.findall(r'name="revision" value="(\d+)"', answer.content.decode())
    assert security.post(f"{BASE}{policy.pk}/edit/", mine | {"revision": revision}).status_code == 302
    policy.refresh_from_db()
    assert policy.content["rules"][0]["condition"]["domains"] == ["mine.example"]


def test_a_policy_that_was_never_published_can_be_deleted(security: Any, policy: Policy) -> None:
    security.post(f"{BASE}{policy.pk}/delete/")
    assert not Policy.objects.exists()


# Previews


def test_the_code_is_shown_beside_the_form_while_it_is_typed(security: Any) -> None:
    answer = security.post(BASE + "code/", fields(**{"rule-0-domains": "@Acme.example"}), **HTMX)
    assert '"acme.example",' in text(answer)
    assert "is read as acme.example" in text(answer)
    wrong = security.post(BASE + "code/", fields(**{"rule-0-domains": "com", "name": ""}), **HTMX)
    assert "Rule 1: Line 1: “com” is a single word." in text(wrong)
    assert "const RULES" not in text(wrong)


def test_an_unsaved_draft_is_run_for_a_named_user(security: Any, sandbox: Any) -> None:
    typed = fields(user="helpdesk@larkspur.example", **{"rule-0-domains": "larkspur.example"})
    page = text(security.post(BASE + "preview/", typed, **HTMX))
    assert "Must enrol an authenticator app." in page
    assert "Decided by rule 1." in page
    assert "Not asked: refresh token." in page
    assert not Policy.objects.exists()
    assert {r["method"] for r in sandbox.tenant("dev").requests() if r["path"].startswith("/api/")} == {"GET"}


def test_an_unknown_user_is_said(security: Any, policy: Policy) -> None:
    answer = security.post(BASE + "preview/", {"policy": policy.pk, "user": "nobody@nowhere.example"}, **HTMX)
    assert "No such user." in text(answer)


def test_a_draft_that_is_no_policy_is_refused_with_every_mistake(security: Any) -> None:
    typed = fields(user="helpdesk@larkspur.example", **{"rule-0-domains": "com", "rule-0-factors": []})
    answer = security.post(BASE + "preview/", typed)
    assert answer.status_code == 400
    assert "single word" in text(answer)
    assert "Choose at least one factor" in text(answer)


def test_the_preview_for_all_shows_its_counts_and_users(eager: None, security: Any) -> None:
    answer = security.post(BASE + "previews/", fields(**{"rule-0-domains": "larkspur.example"}), follow=True)
    page = text(answer)
    assert "users were looked at" in page
    assert "Asked for MFA from now on" in page
    run = Run.objects.get()
    chosen = text(security.get(f"{BASE}previews/{run.pk}/?change=newly_asked"))
    assert "helpdesk@larkspur.example" in chosen
    assert security.get(f"/t/staging/mfa-policies/previews/{run.pk}/").status_code == 404


def test_a_tenant_that_is_away_leaves_the_list_standing(security: Any, policy: Policy, sandbox: Any) -> None:
    sandbox.tenant("dev").conditions(faults=[{"method": "GET", "path": "/api/v2/*", "status": 503, "times": 50}])
    assert "Partners" in text(security.get(BASE))
    state = security.get(BASE + "state/", **HTMX)
    assert state.status_code == 200
    assert "What is live here could not be read" in text(state)
    assert "Try again" in text(state)


# Publishing


def confirm(security: Any, path: str, **changed: Any) -> Any:
    """Open the confirmation and send it with what it holds."""
    page = security.get(path).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(revision|expected)"(?: value="(\d*)")?', page))
    return security.post(path, {"reason": "Contract", **hidden, **changed})


def test_publishing_shows_what_it_will_do_then_does_it(eager: None, security: Any, policy: Policy) -> None:
    path = f"{BASE}{policy.pk}/publish/"
    page = text(security.get(path))
    for said in ("Development", "What will be live", "in front of the login flow", "security@larkspur.example"):
        assert said in page
    answer = confirm(security, path, comment="First", ticket="SEC-1")
    publication = Publication.objects.get()
    assert answer.url == f"{BASE}publications/{publication.pk}/"
    page = text(security.get(answer.url))
    assert "It is live." in page
    assert "What happens next" in page
    assert "Audit entry" in page
    assert "Live" in text(security.get(BASE + "state/", **HTMX))


def test_production_asks_for_its_typed_name(security: Any, policy: Policy) -> None:
    path = f"/t/prod/mfa-policies/{policy.pk}/publish/"
    assert "Type prod to confirm" in text(security.get(path))
    for typed in ({}, {"typed_name": "dev"}):
        assert confirm(security, path, **typed).status_code == 422
    assert not Publication.objects.exists()
    assert confirm(security, path, typed_name="prod").status_code == 302
    assert Publication.objects.get().state == "requested"


def test_locking_out_oneself_must_be_said_in_words(eager: None, security: Any, sandbox: Any) -> None:
    local = sandbox.tenant("dev")
    local.api("PATCH", f"/users/{local.user('security@larkspur.example')['user_id']}", {"email_verified": False})
    strict = PolicyRules((Rule("email_domains", {"domains": ["larkspur.example"]}, ("otp",)),), unverified_email="deny")
    policy = drafts.create("Strict", strict, actor=security.user)
    path = f"{BASE}{policy.pk}/publish/"
    assert "could no longer sign in: security@larkspur.example" in text(security.get(path))
    assert confirm(security, path).status_code == 422
    assert confirm(security, path, accept_lockout="yes").status_code == 422
    assert confirm(security, path, accept_lockout="Lock out 1 person").status_code == 302
    assert Publication.objects.get().state == "live"


def test_a_draft_that_changed_meanwhile_is_not_published(security: Any, policy: Policy) -> None:
    path = f"{BASE}{policy.pk}/publish/"
    page = security.get(path).content.decode()
    (revision,) = re.findall(r'name="revision" value="(\d+)"', page)
    colleague = people.account("release", ["security"])
    other = PolicyRules((Rule("email_domains", {"domains": ["theirs.example"]}, ("otp",)),))
    drafts.save(policy, "Partners", other, revision=1, actor=colleague)
    answer = security.post(path, {"reason": "New contract", "revision": revision, "expected": ""})
    assert answer.status_code == 409
    assert "release@larkspur.example has changed the draft" in text(answer)
    assert not Publication.objects.exists()
    html = answer.content.decode()
    assert 'value="New contract"' in html
    assert "theirs.example" in html
    (revision,) = re.findall(r'name="revision" value="(\d+)"', html)
    assert security.post(path, {"reason": "New contract", "revision": revision, "expected": ""}).status_code == 302


def test_a_policy_that_became_live_meanwhile_is_shown_and_nothing_typed_is_lost(
    eager: None, security: Any, person: Any, policy: Policy
) -> None:
    path, away = f"{BASE}{policy.pk}/publish/", BASE + "remove/"
    confirm(person("security", "release"), path)
    for page in (path, away):
        sent = {"reason": "New contract", "typed_name": "dev", "revision": "1", "expected": ""}
        answer = security.post(page, sent)
        assert answer.status_code == 409
        assert "published Partners, version 1" in text(answer)
        assert 'value="New contract"' in answer.content.decode()
    live = Publication.objects.get()
    assert f'name="expected" value="{live.pk}"' in answer.content.decode()


def test_a_double_click_publishes_once(security: Any, policy: Policy) -> None:
    path = f"{BASE}{policy.pk}/publish/"
    assert confirm(security, path).url == confirm(security, path).url
    assert (Publication.objects.count(), Run.objects.count()) == (1, 1)


def test_the_second_of_two_publishers_is_told_who_the_first_is(security: Any, person: Any, policy: Policy) -> None:
    path = f"{BASE}{policy.pk}/publish/"
    confirm(security, path)
    answer = confirm(person("security", "release"), path)
    assert answer.status_code == 409
    assert "security@larkspur.example is changing the policy of Dev at this moment" in text(answer)


def test_rolling_back_is_offered_for_what_was_live_and_refused_for_what_was_not(
    eager: None, security: Any, policy: Policy
) -> None:
    confirm(security, f"{BASE}{policy.pk}/publish/")
    other = PolicyRules((Rule("email_domains", {"domains": ["second.example"]}, ("otp",)),))
    drafts.save(policy, "Partners", other, revision=1, actor=security.user)
    confirm(security, f"{BASE}{policy.pk}/publish/")
    assert "Roll Dev back to it" in text(security.get(f"{BASE}{policy.pk}/versions/1/"))
    assert "Roll" not in text(security.get(f"/t/staging/mfa-policies/{policy.pk}/versions/1/")).split("Publish")[0]
    never = security.get(f"/t/staging/mfa-policies/{policy.pk}/versions/1/roll-back/")
    assert never.status_code == 403
    confirm(security, f"{BASE}{policy.pk}/versions/1/roll-back/")
    live = Publication.objects.get(state="live")
    assert (live.version.number, live.kind) == (1, "roll_back")


def test_taking_away_needs_the_typed_name(eager: None, security: Any, policy: Policy) -> None:
    confirm(security, f"{BASE}{policy.pk}/publish/")
    assert confirm(security, BASE + "remove/").status_code == 422
    assert confirm(security, BASE + "remove/", typed_name="dev").status_code == 302
    assert not Publication.objects.filter(state="live").exists()


def test_an_act_that_failed_is_shown_on_the_list_with_a_way_on(
    eager: None, security: Any, policy: Policy, sandbox: Any, tenants: Any
) -> None:
    version = drafts.version_of(policy, comment="", actor=security.user)
    sandbox.tenant("dev").api("PUT", "/guardian/factors/otp", {"enabled": False})
    failed = publish.request(tenants["dev"], version, kind="publish", actor=security.user, expected=None, reason="Test")
    assert "did not reach its end" in text(security.get(BASE + "state/", **HTMX))
    page = text(security.get(f"{BASE}publications/{failed.pk}/"))
    assert "the tenant offers no first factor" in page
    assert "Publish again" in page


def test_a_missing_scope_is_named(security: Any, policy: Policy, sandbox: Any, tenants: Any) -> None:
    local = sandbox.tenant("dev")
    (grant,) = [g for g in local.api("GET", "/client-grants", client_id=local.client_id)]
    scopes = [scope for scope in grant["scope"] if scope != "read:guardian_factors"]
    local.api("PATCH", f"/client-grants/{grant['id']}", {"scope": scopes})
    answer = security.get(f"{BASE}{policy.pk}/publish/")
    assert answer.status_code == 403
    assert "read:guardian_factors" in text(answer)
