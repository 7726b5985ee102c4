"""Each analyser finds what it is for, and leaves a sound plan alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from deployments import analysis, plan
from deployments.findings import Circumstances
from deployments.plan import Pick


def codes(source: plan.Content, target: plan.Content, *, exact: bool = False, **known: Any) -> set[str]:
    items = plan.compare(source, target)
    chosen = plan.choose(items, [Pick(item.key, exact=exact) for item in items])
    return {finding.code for finding in analysis.analyse(chosen, Circumstances(target, **known))}


def client(**fields: Any) -> plan.Content:
    return {"clients": {"Shop": {"name": "Shop", **fields}}}


ACTION = {"name": "MFA", "code": "x", "deployed": True, "runtime": "node22"}
BOUND = {"post-login": [{"action_name": "MFA"}]}
NONE: plan.Content = {"clients": {}, "actions": {}, "triggers": {}, "databases": {}, "connections": {}, "roles": {}}

CASES: list[tuple[str, plan.Content, plan.Content, dict[str, Any]]] = [
    ("missing-reference", {"triggers": BOUND}, NONE, {}),
    ("unreadable", client(description="a"), client(description="b"), {"unreadable": {"clients": "no scope"}}),
    ("marker", client(callbacks=["##SITE##/cb"]), client(), {}),
    ("secret-needed", {"connections": {"c": {"name": "c", "options": {"client_secret": "##X##"}}}}, NONE, {}),
    ("configuration", {"databases": {"d": {"name": "d", "options": {"customScripts": {"login": "x"}}}}}, NONE, {}),
    (
        "source-domain",
        client(callbacks=["https://dev.eu.auth0.com/cb"]),
        client(),
        {"source_domain": "dev.eu.auth0.com"},
    ),
    ("development-address", client(callbacks=["http://localhost:3000"]), client(), {"stage": "production"}),
    ("development-address", client(web_origins=["https://shop.dev.acme.com"]), client(), {"stage": "production"}),
    ("plain-http", client(callbacks=["http://shop.acme.com/cb"]), client(), {}),
    ("wildcard", client(callbacks=["https://*.acme.com/cb"]), client(), {}),
    (
        "source-id",
        {"actions": {"A": ACTION | {"code": "if (id === 'abcdefghijklmnop')"}}},
        NONE,
        {"source_ids": {"abcdefghijklmnop": "clients Shop"}},
    ),
    ("not-bound", {"actions": {"MFA": ACTION}}, NONE, {}),
    ("not-deployed", {"actions": {"MFA": ACTION | {"deployed": False}}}, NONE, {}),
    ("old-runtime", {"actions": {"MFA": ACTION | {"runtime": "node16"}}}, NONE, {}),
    (
        "loose-dependency",
        {"actions": {"MFA": ACTION | {"dependencies": [{"name": "axios", "version": "latest"}]}}},
        NONE,
        {},
    ),
    ("keeps-own", {"triggers": BOUND}, {"triggers": {"post-login": [{"action_name": "Own"}]}}, {}),
    ("unbinds", {"triggers": BOUND}, {"triggers": {"post-login": [{"action_name": "Own"}]}}, {"exact": True}),
    ("bound-not-deployed", {"triggers": BOUND}, NONE | {"actions": {"MFA": ACTION | {"deployed": False}}}, {}),
    ("deletes", {"roles": {}}, {"roles": {"admin": {"name": "admin"}}}, {}),
    ("new-secret", client(), NONE, {}),
    (
        "credentials",
        client(client_authentication_methods={"private_key_jwt": {"credentials": [{"name": "k"}]}}),
        NONE,
        {},
    ),
    ("removes-address", client(callbacks=["https://b"]), client(callbacks=["https://a"]), {}),
    ("weak-grant", client(grant_types=["implicit"]), client(grant_types=[]), {"stage": "production"}),
    (
        "own-application",
        {"clients": {"Castellan": {"description": "a"}}},
        {"clients": {"Castellan": {"description": "b"}}},
        {},
    ),
    (
        "turns-off",
        {"guardianFactors": {"otp": {"enabled": False}}},
        {"guardianFactors": {"otp": {"enabled": True}}},
        {},
    ),
    (
        "mfa-off",
        {"guardianPolicies": {"settings": {"policies": []}}},
        {"guardianPolicies": {"settings": {"policies": ["all-applications"]}}},
        {},
    ),
    (
        "weaker-passwords",
        {"databases": {"d": {"options": {"passwordPolicy": "low"}}}},
        {"databases": {"d": {"options": {"passwordPolicy": "good"}}}},
        {},
    ),
    (
        "import-ends",
        {"databases": {"d": {"options": {"import_mode": False}}}},
        {"databases": {"d": {"options": {"import_mode": True}}}},
        {},
    ),
    (
        "tenant-name",
        {"tenant": {"settings": {"friendly_name": "Dev"}}},
        {"tenant": {"settings": {"friendly_name": "Live"}}},
        {},
    ),
]


@pytest.mark.parametrize(
    ("code", "source", "target", "known"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)]
)
def test_it_is_found(code: str, source: plan.Content, target: plan.Content, known: dict[str, Any]) -> None:
    assert code in codes(source, target, **known)


def test_a_sound_plan_has_no_finding() -> None:
    source = client(callbacks=["https://shop.acme.com/cb"]) | {"actions": {"MFA": ACTION}, "triggers": BOUND}
    target = client() | {"actions": {}, "triggers": {}}
    assert codes(source, target, stage="production", source_domain="dev.eu.auth0.com") == set()


def test_an_address_that_the_target_has_already_is_not_this_plans_doing() -> None:
    source = client(callbacks=["http://localhost:3000"], description="new")
    target = client(callbacks=["http://localhost:3000"], description="old")
    assert codes(source, target, stage="production") == set()


def test_a_secret_that_was_given_is_no_longer_missing() -> None:
    source = {"connections": {"c": {"name": "c", "options": {"client_secret": "##X##"}}}}
    assert codes(source, NONE, given_secrets=frozenset({"connections|c|options/client_secret"})) == set()


def test_errors_come_first_and_every_finding_says_what_to_do() -> None:
    source = {"triggers": BOUND, "clients": {"Shop": {"name": "Shop"}}}
    found = analysis.analyse(plan.compare(source, NONE), Circumstances(NONE))
    assert [finding.severity for finding in found] == sorted(
        (f.severity for f in found), key=["error", "warning", "info"].index
    )
    assert all(finding.text and finding.advice for finding in found)


def test_every_code_that_is_written_has_a_case_here() -> None:
    folder = Path(analysis.__file__).parent
    code = "".join(path.read_text() for path in [Path(analysis.__file__), *folder.glob("analysers/*.py")])
    written = set(re.findall(r'(?:ERROR|WARNING|NOTE),\s*"([a-z-]+)"', code))
    assert written == {case[0] for case in CASES}
