"""The checklist: evidence where a program can see, a person's word where it can't, and stale when scripts change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from identity.databases import checklist, generate, lint
from identity.databases.checklist import ITEMS, Facts, Tick, fingerprint
from identity.databases.contracts.cases import CASES
from identity.databases.contracts.run import Verdict
from identity.databases.form import Form

SCRIPTS = generate.scripts(Form(store="postgresql", connection="shop"))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def verdict(case: str, passed: bool | None = True, reason: str = "") -> Verdict:
    return Verdict(case, case.rsplit("-", 1)[0], "title", passed, "sent", "came", reason, 12.4)


ALL_PASSED = [verdict(case.id) for cases in CASES.values() for case in cases]


def facts(**changes) -> Facts:
    return Facts(**{"scripts": SCRIPTS, "findings": [], "verdicts": ALL_PASSED, **changes})


def row(item: str, given: Facts, ticks=()):
    return next(one for one in checklist.rows(given, ticks) if one.item.id == item)


def tick(item: str, **changes) -> Tick:
    values = {"person": "databases@larkspur.example", "at": NOON, "note": "Seen.", "fingerprint": fingerprint(SCRIPTS)}
    return Tick(item, **{**values, **changes})


def test_every_rule_and_case_of_an_item_exists():
    known = {case.id for cases in CASES.values() for case in cases}
    for item in ITEMS:
        assert set(item.rules) <= set(lint.RULES)
        assert all(any(checklist._fits(case, pattern) for case in known) for pattern in item.cases), item.id
    assert len({item.id for item in ITEMS}) == len(ITEMS)


def test_generated_scripts_meet_all_that_a_program_sees():
    found = checklist.rows(facts(findings=lint.check(SCRIPTS)))
    assert {one.state for one in found if not one.item.by_person} == {"met"}
    assert {one.state for one in found if one.item.by_person} == {"open"}
    assert not checklist.complete(found)


def test_all_points_ticked_completes_the_list():
    ticks = [tick(item.id) for item in ITEMS if item.by_person]
    assert checklist.complete(checklist.rows(facts(), ticks))


def test_a_finding_is_the_evidence_against_a_point():
    code = SCRIPTS["login"].replace("configuration.DATABASE_URL", "'postgresql://a:hush@db/x'")
    found = row("secrets", facts(findings=lint.check({**SCRIPTS, "login": code})))
    assert found.state == "not met"
    assert "login, line" in found.evidence and "CDB19" in found.evidence
    assert "hush" not in found.evidence


def test_a_failed_case_is_the_evidence_against_a_point():
    verdicts = [verdict("login-20", False, "A profile came back."), *ALL_PASSED[1:]]
    found = row("injection", facts(verdicts=verdicts))
    assert (found.state, found.evidence) == ("not met", "Case login-20: A profile came back.")


def test_without_tests_a_point_is_not_known():
    assert row("injection", facts(verdicts=None)).state == "not known"
    assert row("encryption", facts(verdicts=None)).state == "met"
    left_out = [verdict(case.id, None, "not here") for case in CASES["login"]]
    assert row("unique-id", facts(verdicts=left_out)).state == "not known"


def test_a_rule_that_had_nothing_to_look_at_is_no_evidence():
    unseen = {"CDB48": ("not known", "The tenant does not show it.")}
    found = row("brute-force", facts(unjudged=unseen))
    assert (found.state, found.evidence) == ("not known", "The tenant does not show it.")
    assert row("encryption", facts(unjudged=unseen)).state == "met"


def test_a_tick_carries_name_date_and_note():
    found = row("firewall", facts(), [tick("firewall", note="Rule 17 of the edge firewall.")])
    assert found.state == "ticked"
    assert found.evidence == "databases@larkspur.example, 2026-11-20: Rule 17 of the edge firewall."


def test_a_tick_goes_stale_when_a_script_changes():
    changed = {**SCRIPTS, "verify": SCRIPTS["verify"] + " "}
    found = row("firewall", facts(scripts=changed), [tick("firewall")])
    assert found.state == "stale"
    assert not found.done


def test_of_two_ticks_the_newest_counts():
    old, new = tick("load", note="old", fingerprint="other"), tick("load", note="new", at=NOON.replace(hour=13))
    assert row("load", facts(), [new, old]).evidence.endswith("new")


def test_latency_is_measured_beside_the_persons_word():
    assert "12 ms at the median" in row("latency", facts()).evidence
    assert "12 ms at the median" in row("latency", facts(), [tick("latency")]).evidence


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({"import_mode": True}, {"migration-mark", "migration-end"}, {"token"}),
        ({"uses_api": True}, {"token", "token-denied"}, {"migration-end"}),
        ({}, set(), {"token", "migration-end"}),
    ],
)
def test_only_what_concerns_the_connection_is_asked(changes, there, absent):
    items = {one.item.id for one in checklist.rows(facts(**changes))}
    assert there <= items and not absent & items


def test_the_document_holds_every_row_and_nothing_breaks_out_of_its_table():
    found = checklist.rows(facts(), [tick("load", note="a | b\n<script>")])
    text = checklist.document(found, title="Checklist of <shop>", about=["First.", "Second."])
    assert text.startswith("# Checklist of &lt;shop>\n\nFirst.\n\nSecond.\n\n## Environment")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == len(found) + 2
    assert "a \\| b &lt;script>" in text
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines)


def test_a_fingerprint_sees_every_change():
    assert fingerprint(SCRIPTS) == fingerprint(dict(reversed(SCRIPTS.items())))
    assert fingerprint(SCRIPTS) != fingerprint({**SCRIPTS, "login": ""})
    assert replace(tick("load"), note="x").fingerprint == fingerprint(SCRIPTS)
