"""The generated Action: readable, deterministic, impossible to break out of, and safe against Auth0's traps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from identity.mfa.generate import LARGEST_CODE_BYTES, code_of, sha256
from identity.mfa.policy import PolicyRules, Rule
from portal.errors import Invalid
from runtime import actions
from runtime.node import NODE_MODULES, node_binary

POLICY = PolicyRules((Rule("email_domains", {"domains": ["acme.example"]}, ("otp", "webauthn-roaming")),))
BROWSER = "oidc-basic-profile"


def policy(*listed: str, factors: tuple[str, ...] = ("otp",), **choices: str) -> PolicyRules:
    return PolicyRules((Rule("email_domains", {"domains": list(listed or ["acme.example"])}, factors),), **choices)


def sign_in(
    rules: PolicyRules = POLICY, *, protocol: str = BROWSER, methods: list[dict[str, str]] | None = None, **user: Any
) -> list[tuple[str, Any]]:
    """What the generated code asks for: (command, first argument) in order."""
    event = {
        "user": {"user_id": "auth0|1", "email": "ada@acme.example", "email_verified": True, "enrolledFactors": []}
        | user,
        "transaction": {"protocol": protocol},
        "authentication": {"methods": [{"name": "pwd", "timestamp": "2026-01-01T00:00:00.000Z"}, *(methods or [])]},
    }
    event["user"] = {key: value for key, value in event["user"].items() if value is not None}
    result = actions.run(code_of(rules, name="Staff", version=1), event=event)
    assert result.error is None, result.error
    return [(command["name"], command["arguments"][0]) for command in result.commands]


def factors(*types: str) -> list[dict[str, str]]:
    return [{"type": type} for type in types]


CHALLENGE, ENROL, DENY, ENABLE = (
    "authentication.challengeWithAny",
    "authentication.enrollWithAny",
    "access.deny",
    "multifactor.enable",
)


# Whom a rule is for


@pytest.mark.parametrize("email", ["ada@acme.example", "ADA@ACME.EXAMPLE", "o'a@b@acme.example", "ada@acme.example."])
def test_the_domain_after_the_last_at_sign_decides_whatever_its_case(email: str) -> None:
    assert sign_in(email=email)[0][0] == ENROL


@pytest.mark.parametrize(
    "email",
    [
        "ada@acme.example.evil.example",
        "ada@notacme.example",
        "ada@sub.acme.example",
        "acme.example@evil.example",
        "@acme.example@evil.example",
    ],
)
def test_a_domain_that_only_looks_alike_is_not_asked(email: str) -> None:
    assert sign_in(email=email) == []


def test_a_star_stands_for_every_subdomain_and_not_for_the_domain_itself() -> None:
    rules = policy("*.acme.example")
    assert sign_in(rules, email="ada@a.acme.example")
    assert sign_in(rules, email="ada@a.b.acme.example")
    assert sign_in(rules, email="ada@acme.example") == []
    assert sign_in(rules, email="ada@badacme.example") == []


def test_an_international_domain_fits_in_both_of_its_forms() -> None:
    rules = policy("xn--mller-kva.example")
    for email in ("ada@müller.example", "ada@MÜLLER.example", "ada@xn--mller-kva.example", "ada@mu\u0308ller.example"):
        assert sign_in(rules, email=email), email


@pytest.mark.parametrize("email", [None, "", "   ", "no-at-sign", "ada@"])
def test_a_user_without_an_address_is_asked_unless_the_policy_says_otherwise(email: str | None) -> None:
    assert sign_in(email=email) == [(ENROL, factors("otp", "webauthn-roaming"))]
    assert sign_in(policy(missing_email="deny"), email=email)[0][0] == DENY
    assert sign_in(policy(missing_email="skip"), email=email) == []


def test_an_unverified_address_is_no_way_around_the_rule() -> None:
    assert sign_in(email_verified=False) == [(ENROL, factors("otp", "webauthn-roaming"))]
    assert sign_in(email_verified=None)[0][0] == ENROL


def test_a_policy_can_refuse_a_first_enrolment_under_an_unverified_address() -> None:
    rules = policy(unverified_email="deny")
    assert sign_in(rules, email_verified=False)[0][0] == DENY
    assert sign_in(rules, email_verified=None)[0][0] == DENY
    assert sign_in(rules, email_verified=True)[0][0] == ENROL
    assert sign_in(rules, email_verified=False, enrolledFactors=factors("otp"))[0][0] == CHALLENGE


def test_the_first_rule_that_fits_decides() -> None:
    first = Rule("email_domains", {"domains": ["acme.example"]}, ("webauthn-roaming",))
    second = Rule("email_domains", {"domains": ["acme.example", "beta.example"]}, ("otp",))
    rules = PolicyRules((first, second))
    assert sign_in(rules) == [(ENROL, factors("webauthn-roaming"))]
    assert sign_in(rules, email="bo@beta.example") == [(ENROL, factors("otp"))]


# What is asked for


def test_somebody_with_an_allowed_factor_is_asked_for_it_and_enrols_nothing() -> None:
    assert sign_in(enrolledFactors=factors("otp", "phone")) == [(CHALLENGE, factors("otp"))]


def test_only_enrolled_factors_are_asked_for() -> None:
    asked = sign_in(enrolledFactors=factors("webauthn-roaming", "otp"))
    assert asked == [(CHALLENGE, factors("otp", "webauthn-roaming"))]


def test_somebody_with_another_factor_passes_that_before_enrolling_an_allowed_one() -> None:
    asked = sign_in(policy(factors=("otp",)), enrolledFactors=factors("phone"))
    assert asked == [(CHALLENGE, factors("phone")), (ENROL, factors("otp"))]


def test_a_recovery_code_counts_for_nothing() -> None:
    assert sign_in(enrolledFactors=factors("recovery-code"))[0][0] == ENROL
    assert sign_in(methods=[{"name": "mfa", "type": "recovery-code"}])[0][0] == ENROL


def test_email_is_asked_for_where_allowed_and_never_enrolled() -> None:
    rules = policy(factors=("otp", "email"))
    assert sign_in(rules, enrolledFactors=factors("email")) == [(CHALLENGE, factors("email"))]
    assert sign_in(rules, enrolledFactors=[]) == [(ENROL, factors("otp"))]


def test_email_that_is_not_allowed_is_neither_asked_for_nor_in_the_way() -> None:
    assert sign_in(policy(factors=("otp",)), enrolledFactors=factors("email")) == [(ENROL, factors("otp"))]


def test_unknown_enrolments_fail_closed() -> None:
    assert sign_in(enrolledFactors=None) == [(ENABLE, "any")]


def test_mfa_that_was_passed_in_this_session_is_not_asked_for_again() -> None:
    assert sign_in(methods=[{"name": "mfa", "type": "otp"}], enrolledFactors=factors("otp")) == []
    assert sign_in(methods=[{"name": "mfa"}], enrolledFactors=factors("otp")) == []


def test_mfa_with_a_factor_that_the_rule_does_not_allow_does_not_count() -> None:
    asked = sign_in(methods=[{"name": "mfa", "type": "phone"}], enrolledFactors=factors("otp", "phone"))
    assert asked == [(CHALLENGE, factors("otp"))]


def test_a_first_factor_named_like_one_is_not_mfa() -> None:
    assert sign_in(methods=[{"name": "email"}, {"name": "sms"}])[0][0] == ENROL


def test_at_most_two_of_the_four_mfa_commands_of_a_sign_in_are_used() -> None:
    for held in ([], ["otp"], ["phone"], ["phone", "push-notification", "email", "recovery-code"]):
        assert len(sign_in(enrolledFactors=factors(*held))) <= 2


# Sign-ins without a person


def test_a_refresh_token_is_exchanged_in_peace() -> None:
    assert sign_in(protocol="oauth2-refresh-token") == []
    assert sign_in(policy(missing_email="deny"), protocol="oauth2-refresh-token", email=None) == []


@pytest.mark.parametrize("protocol", ["oauth2-password", "oauth2-resource-owner"])
def test_a_password_grant_is_answered_by_mfa_required_or_refused(protocol: str) -> None:
    assert sign_in(protocol=protocol) == [(ENABLE, "any")]
    assert sign_in(policy(password_grant="deny"), protocol=protocol)[0][0] == DENY
    assert sign_in(protocol=protocol, email="bo@elsewhere.example") == []


@pytest.mark.parametrize(
    "event", [{"user": {"user_id": "a"}}, {"user": {"user_id": "a", "email": "ada@acme.example"}, "authentication": {}}]
)
def test_an_event_with_nothing_optional_still_ends_in_mfa(event: dict[str, Any]) -> None:
    result = actions.run(code_of(POLICY, name="Staff", version=1), event=event)
    assert [command["name"] for command in result.commands] == [ENABLE]


def test_a_broken_event_is_refused_without_an_exception() -> None:
    for broken in ({}, {"user": None}, {"user": {"email": "a@acme.example", "enrolledFactors": [None]}}):
        result = actions.run(code_of(POLICY, name="Staff", version=1), event=broken)
        assert (result.outcome, [command["name"] for command in result.commands]) == ("completed", [DENY])


def test_the_log_line_says_which_rule_decided_and_nothing_about_the_person() -> None:
    event = {"user": {"user_id": "auth0|1", "email": "ada@acme.example", "enrolledFactors": factors("otp")}}
    result = actions.run(code_of(POLICY, name="Staff", version=1), event=event)
    assert result.console == ["MFA policy: rule 1; challenge"]


# The text


def test_the_same_policy_always_gives_the_same_text() -> None:
    one = policy("b.example", "a.example")
    other = policy("a.example", "b.example")
    comments = [line for line in code_of(one, name="Staff", version=2).splitlines() if line.startswith("//")]
    assert '// MFA policy "Staff", version 2.' in comments
    assert sha256(code_of(one, name="Staff", version=2)) == sha256(code_of(one, name="Staff", version=2))
    body = [c for c in code_of(other, name="Staff", version=2).splitlines() if not c.startswith("//")]
    assert body == [c for c in code_of(one, name="Staff", version=2).splitlines() if not c.startswith("//")]


def test_the_header_says_the_policy_in_words() -> None:
    text = " ".join(code_of(POLICY, name="Staff", version=None).replace("\n//", "").split())
    assert "draft, not published" in text
    said = "users whose e-mail domain is acme.example must pass MFA with an authenticator app or a security key."
    assert said in text


@pytest.fixture(scope="module")
def tokens() -> Callable[[list[str]], list[list[str]]]:
    """A real parser's tokens of each program, comments left out. Fails where one does not parse."""
    script = """
      const { tokenize, parse } = require(process.argv[1]);
      const programs = JSON.parse(require("fs").readFileSync(0, "utf8"));
      const options = { ecmaVersion: "latest", sourceType: "script" };
      const read = (code) => { parse(code, options); return tokenize(code, options).map((t) => t.value); };
      process.stdout.write(JSON.stringify(programs.map(read)));
    """

    def read(programs: list[str]) -> list[list[str]]:
        command = [node_binary(), "-e", script, str(NODE_MODULES / "espree")]
        answer = subprocess.run(command, input=json.dumps(programs), capture_output=True, text=True, timeout=60)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)  # type: ignore[no-any-return]

    return read


HOSTILE = [
    'Staff"; process.exit()//',
    "line\nexports.onExecutePostLogin = null;",
    "carriage\rreturn",
    "*/ api.access.deny('x') /*",
    "</script><script>alert(1)</script>",
    "\u2028throw 1\u2029",
    "\\u000athrow 1",
    "`${process.env}`",
    "\u202e reversed \u2066",
    "\ud800 lone",
    "\x00\x1b[31m",
    "<!-- comment",
    "--> comment",
    "名前 🔐",
]


def test_no_name_becomes_code(tokens: Callable[[list[str]], list[list[str]]]) -> None:
    programs = [code_of(POLICY, name=name, version=1) for name in ["Staff", *HOSTILE]]
    plain, *hostile = tokens(programs)
    assert all(found == plain for found in hostile)
    for program in programs:
        assert "</script" not in program
        assert "*/" not in program.split('"use strict"')[0]
        assert program.isprintable() or set(c for c in program if not c.isprintable()) == {"\n"}


@settings(max_examples=10)
@given(st.lists(st.text(st.characters(), min_size=1, max_size=80), min_size=20, max_size=40))
@example(HOSTILE)
def test_any_name_leaves_the_program_as_it_is(tokens: Callable[[list[str]], list[list[str]]], names: list[str]) -> None:
    plain, *found = tokens([code_of(POLICY, name=name, version=1) for name in ["Staff", *names]])
    assert all(program == plain for program in found)


def test_a_thousand_domains_fit_and_work() -> None:
    many = policy(*(f"company-number-{n}.example" for n in range(1000)))
    assert len(code_of(many, name="Many", version=1).encode()) < LARGEST_CODE_BYTES
    assert sign_in(many, email="x@company-number-999.example")
    assert sign_in(many, email="x@company-number-1000.example") == []


def test_more_than_an_action_may_hold_is_refused_with_the_size() -> None:
    too_many = policy(*(f"{'long-' * 10}{n}.example" for n in range(1700)))
    with pytest.raises(Invalid, match="Auth0 takes 100,000"):
        code_of(too_many, name="Many", version=1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (PolicyRules(()), "at least one rule"),
        (policy(factors=()), "Choose at least one factor"),
        (policy(factors=("email",)), "An e-mail alone locks out whoever has nothing yet"),
        (policy(factors=("webauthn-platform", "email")), "locks out whoever has nothing yet"),
        (policy(factors=("carrier-pigeon",)), "no factor that Auth0 knows"),
        (replace(POLICY, missing_email="whatever"), "is not a choice"),
        (PolicyRules((Rule("email_domains", {"domains": []}, ("otp",)),)), "list of e-mail domains is empty"),
        (
            PolicyRules((Rule("email_domains", {"domains": ["ACME.example"]}, ("otp",)),)),
            "not a domain in its kept form",
        ),
        (PolicyRules((Rule("email_domains", {"domains": ['"];evil("']}, ("otp",)),)), "is not a domain"),
        (PolicyRules((Rule("moon_phase", {}, ("otp",)),)), "knows no rules of the kind"),
    ],
)
def test_a_wrong_policy_gives_no_code_but_a_sentence(wrong: PolicyRules, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        code_of(wrong, name="Staff", version=1)
