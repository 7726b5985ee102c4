"""Traffic recorded from real tenants, replayed against a factory-new local one: what differs, and why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import conformance, conformance_reasons, generate_conformance
from tests.sandbox.conformance import Difference, Score
from tests.sandbox.conformance_reasons import EARLIER, NAME, RIGHTS, reason

FLOOR_PERCENT = 90.8
recorded = pytest.mark.skipif(
    not conformance.REPLAY.exists(), reason="the recordings of real tenants are not beside this checkout"
)


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    return conformance.replayed(tmp_path_factory.mktemp("conformance"))


@recorded
def test_recorded_answers_are_given_again(score: Score) -> None:
    totals = score.totals
    assert 100 * totals["exact"] / totals["count"] > FLOOR_PERCENT
    assert totals["status"] / totals["count"] > 0.98
    assert totals["keys"] / totals["keys_all"] > 0.98
    assert totals["values"] / totals["values_all"] > 0.97


@recorded
def test_every_answer_that_differs_does_so_for_a_reason_that_no_rule_can_remove(score: Score) -> None:
    assert len(score.differences) == score.totals["count"] - score.totals["exact"]
    unexplained = [
        f"{d.row['method']} {d.path}: {problem}"
        for d in score.differences
        if reason(d) is None
        for problem in conformance_reasons.unexplained(d)
    ]
    assert not unexplained, "\n".join(unexplained[:40])


@recorded
def test_the_page_tells_what_the_replay_shows(score: Score) -> None:
    written = generate_conformance.TARGET.read_text(encoding="utf-8")
    assert written == generate_conformance.page(score), "run: python -m tests.sandbox.generate_conformance"


# What counts as a reason


def row(method: str, path: str, body: Any = None, status: int = 200, response: Any = None) -> dict[str, Any]:
    return {"method": method, "path": f"/api/v2{path}", "body": body, "status": status, "response": response}


def test_a_difference_that_no_reason_names_is_unexplained() -> None:
    rows = [row("GET", "/roles", response=[{"name": "clerk"}])]
    found = Difference(rows, 0, ['[].name is "porter", recorded "clerk"'])
    assert reason(found) is None
    assert conformance_reasons.unexplained(found) == found.problems


def test_one_unexplained_problem_is_enough_even_beside_an_explained_one() -> None:
    rows = [row("GET", "/branding/phone/templates/tem_x", response={"tenant": "elsewhere", "disabled": True})]
    name = 'tenant is "dev", recorded "elsewhere"'
    assert reason(Difference(rows, 0, [name])) is NAME
    assert reason(Difference(rows, 0, [name, "disabled is false, recorded true"])) is None


def test_a_setting_that_the_recording_wrote_itself_was_not_there_before() -> None:
    problem = 'support_email is "", recorded "help@larkspur.example"'
    reading = row("GET", "/tenants/settings", response={"support_email": "help@larkspur.example"})
    writing = row("PATCH", "/tenants/settings", {"support_email": "help@larkspur.example"})
    assert reason(Difference([reading], 0, [problem])) is EARLIER
    assert reason(Difference([writing, reading], 1, [problem])) is None


def test_a_document_that_the_recording_made_itself_was_not_there_before() -> None:
    id = "ap_6JUSCU7qq1CravnoU6d6jr"
    making = row("POST", "/forms", {"name": "f"}, 201, {"id": id})
    reading = row("GET", f"/forms/{id}", response={"id": id})
    problem = 'status 404, recorded 200: {"message": "Form not found"}'
    assert reason(Difference([reading], 0, [problem, "no id"])) is EARLIER
    assert reason(Difference([making, reading], 1, [problem, "no id"])) is None


def test_a_refusal_counts_as_missing_rights_only_where_it_says_so() -> None:
    problem = "status 200, recorded 403: []"
    for code, expected in (("insufficient_scope", RIGHTS), ("too_many_entities", None)):
        refused = row("GET", "/rate-limit-policies", status=403, response={"errorCode": code})
        assert reason(Difference([refused], 0, [problem])) is expected
