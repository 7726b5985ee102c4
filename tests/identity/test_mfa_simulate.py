"""Previews: the generated code itself, run on what the tenant knows of its users; nothing is written."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from identity.mfa import drafts, login_flow, population, publish, simulate
from identity.mfa.generate import code_of
from identity.mfa.login_flow import MfaSettings
from identity.mfa.models import Publication
from identity.mfa.policy import PolicyRules, Rule
from portal.errors import Unavailable
from portal.models import Run
from tests import people

pytestmark = pytest.mark.django_db(transaction=True)
ALL = MfaSettings(frozenset(["otp", "phone", "email", "webauthn-roaming"]))
USER = {"user_id": "auth0|1", "email": "ada@acme.example", "email_verified": True}


def rules(*domains: str, factors: tuple[str, ...] = ("otp",), **choices: str) -> PolicyRules:
    return PolicyRules((Rule("email_domains", {"domains": list(domains)}, factors),), **choices)


def one(policy: PolicyRules, *held: str, settings: MfaSettings = ALL, **user: Any) -> simulate.Verdict:
    event = simulate.event_of({**USER, **user}, [{"type": type} for type in held])
    return simulate.verdicts(code_of(policy, name="P", version=1), [event], settings)[0]


# Verdicts


@pytest.mark.parametrize(
    ("held", "kind", "words"),
    [
        ([], "enrol", "Must enrol an authenticator app."),
        (["otp"], "challenge", "Asked for an authenticator app."),
        (["phone"], "challenge_enrol", "Asked for a phone; then must enrol an authenticator app."),
    ],
)
def test_a_verdict_says_what_the_person_meets_and_which_rule_decided(held: list[str], kind: str, words: str) -> None:
    verdict = one(rules("acme.example"), *held)
    assert (verdict.kind, verdict.words, verdict.rule) == (kind, words, "rule 1")


def test_somebody_whom_no_rule_names_is_not_asked() -> None:
    verdict = one(rules("beta.example"))
    assert (verdict.kind, verdict.words, verdict.rule) == ("not_asked", "Not asked: no rule fits.", "")


def test_a_refusal_quotes_what_the_person_reads() -> None:
    verdict = one(rules("acme.example", missing_email="deny"), email="")
    assert (verdict.kind, verdict.rule) == ("deny", "no e-mail address")
    assert verdict.words == "Refused: “Your account needs an e-mail address. Please contact support.”"


def test_a_factor_that_the_tenant_does_not_offer_can_not_be_satisfied() -> None:
    only_phone = MfaSettings(frozenset(["phone"]))
    assert one(rules("acme.example"), settings=only_phone).kind == "cannot"
    assert one(rules("acme.example"), "otp", settings=only_phone).kind == "cannot"
    assert one(rules("acme.example"), "phone", settings=only_phone).kind == "cannot"
    assert one(rules("acme.example", factors=("otp", "phone")), settings=only_phone).words == "Must enrol a phone."


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("exports.onExecutePostLogin = async () => { throw new Error('broken'); };", "broken"),
        ("exports.onExecutePostLogin = async () => { process.exit(1); };", "The sign-in fails"),
        ("not javascript", "The sign-in fails"),
    ],
)
def test_code_that_fails_stops_the_sign_in(code: str, says: str) -> None:
    (verdict,) = simulate.verdicts(code, [simulate.event_of(USER, [])], ALL)
    assert verdict.kind == "error"
    assert says in verdict.words


# A user of a tenant


def test_a_named_user_is_shown_in_every_situation(sandbox: Any, tenants: Any) -> None:
    local = sandbox.tenant("dev")
    user = simulate.find_user(tenants["dev"], " Helpdesk@Larkspur.example ")
    assert user is not None
    path = f"/users/{quote(user['user_id'])}/authentication-methods"
    local.api("POST", path, {"type": "totp", "name": "Phone", "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})
    code = code_of(rules("larkspur.example"), name="P", version=None)
    factors = simulate.factors_of(tenants["dev"], user)
    found = [verdict.kind for _, verdict in simulate.in_every_situation(code, tenants["dev"], user, factors)]
    assert found == ["challenge", "not_asked", "not_asked", "any"]
    assert [r["method"] for r in local.requests() if r["path"].startswith("/api/") and r["method"] != "GET"] == ["POST"]


def test_a_user_is_found_by_address_or_id_and_an_unknown_one_is_none(tenants: Any) -> None:
    user = simulate.find_user(tenants["dev"], "helpdesk@larkspur.example")
    assert user and simulate.find_user(tenants["dev"], user["user_id"]) == user
    assert simulate.find_user(tenants["dev"], "nobody@larkspur.example") is None


def test_a_tenant_that_is_away_says_so(sandbox: Any, tenants: Any) -> None:
    faults = [{"method": "GET", "path": "/api/v2/users-by-email", "status": 503, "times": 9}]
    sandbox.tenant("dev").conditions(faults=faults)
    with pytest.raises(Unavailable, match="Try again"):
        simulate.find_user(tenants["dev"], "helpdesk@larkspur.example")


# All users


def preview(tenant: Any, policy: PolicyRules) -> tuple[Run, list[dict[str, Any]]]:
    run = population.request(tenant, "Draft", policy, actor=people.account("security", ["security"]))
    run.refresh_from_db()
    assert run.status == "succeeded", run.error
    return run, population.rows_of(run) or []


def test_a_draft_is_run_for_everybody_whom_it_names_and_for_others(eager: None, sandbox: Any, tenants: Any) -> None:
    run, rows = preview(tenants["dev"], rules("larkspur.example"))
    named = sandbox.tenant("dev").api("GET", "/users", q='email.domain:"larkspur.example"', include_totals="true")
    assert run.result["named"] >= named["total"] > 0
    assert run.result["looked_at"] == population.MOST_USERS
    assert run.result["total"] > population.MOST_USERS
    assert run.result["changes"]["newly_asked"] >= named["total"]
    assert run.result["changes"]["same"] > 0
    by_label = {row["label"]: row for row in rows}
    assert by_label["helpdesk@larkspur.example"]["change"] == "newly_asked"
    assert by_label["helpdesk@larkspur.example"]["rule"] == "rule 1"


def test_the_run_keeps_counts_and_no_names(eager: None, tenants: Any) -> None:
    run, _ = preview(tenants["dev"], rules("larkspur.example"))
    said = str(run.result) + " ".join(run.events.values_list("message", flat=True))
    assert "@" not in said
    assert "|" not in said


def test_a_draft_is_compared_with_what_is_live(eager: None, sandbox: Any, tenants: Any) -> None:
    actor = people.account("security", ["security"])
    policy = drafts.create("Partners", rules("larkspur.example"), actor=actor)
    version = drafts.version_of(policy, comment="", actor=actor)
    publish.request(tenants["dev"], version, kind=Publication.Kind.PUBLISH, actor=actor, expected=None, reason="Test")
    assert login_flow.live(tenants["dev"]).status == "live"
    same, _ = preview(tenants["dev"], rules("larkspur.example"))
    assert set(same.result["changes"]) == {"same"}
    run, rows = preview(tenants["dev"], rules("harbourline.example", factors=("webauthn-roaming",)))
    assert run.result["changes"]["no_longer_asked"] > 0
    assert run.result["changes"]["newly_asked"] > 0
    order = [list(population.CHANGES).index(row["change"]) for row in rows]
    assert order == sorted(order)


def test_who_could_no_longer_sign_in_comes_first(eager: None, sandbox: Any, tenants: Any) -> None:
    local = sandbox.tenant("dev")
    user = local.user("helpdesk@larkspur.example")
    local.api("PATCH", f"/users/{quote(user['user_id'])}", {"email_verified": False})
    _, rows = preview(tenants["dev"], rules("larkspur.example", unverified_email="deny"))
    assert rows[0]["change"] == "locked_out"
    assert "helpdesk@larkspur.example" in [row["label"] for row in rows if row["change"] == "locked_out"]


def test_a_thousand_domains_are_searched_in_several_questions(eager: None, sandbox: Any, tenants: Any) -> None:
    many = rules(*(f"company-{n}.example" for n in range(1000)), "larkspur.example")
    run, _ = preview(tenants["dev"], many)
    assert run.result["changes"]["newly_asked"] > 0
    longest = max(len(r.get("query", "") or "") for r in sandbox.tenant("dev").requests())
    assert longest < 3000


def test_users_of_subdomains_and_of_both_forms_of_an_international_domain_are_found(
    eager: None, sandbox: Any, tenants: Any
) -> None:
    local = sandbox.tenant("dev")
    addresses = ["a@x.fernhill.example", "b@xn--mller-kva.example", "c@y.z.fernhill.example"]
    for address in addresses:
        body = {"connection": "Username-Password-Authentication", "email": address, "password": "Long-enough-1"}
        local.api("POST", "/users", body)
    run, rows = preview(tenants["dev"], rules("*.fernhill.example", "xn--mller-kva.example"))
    asked = [row["label"] for row in rows if row["change"] == "newly_asked"]
    assert set(addresses) <= set(asked)
