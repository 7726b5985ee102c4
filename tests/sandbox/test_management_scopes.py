"""Every endpoint is there, and asks for its scope."""

from __future__ import annotations

import re

from sandbox.kinds import registry, routes
from sandbox.kinds.operations import OPERATIONS
from tests.sandbox.management import Management


def test_every_endpoint_of_the_table_is_answered_by_something() -> None:
    registry.load()
    assert [e for e in routes.endpoints() if (e.method, e.path) not in OPERATIONS] == []


def test_no_code_stands_for_an_endpoint_that_is_not_in_the_table() -> None:
    registry.load()
    known = {(endpoint.method, endpoint.path) for endpoint in routes.endpoints()}
    assert sorted(set(OPERATIONS) - known) == []


def test_literal_segments_win_over_variable_ones() -> None:
    found = routes.find(["custom-domains", "default"], "GET")
    assert found is not None
    assert found[0].path == "/custom-domains/default"
    found = routes.find(["custom-domains", "default"], "DELETE")
    assert found is not None
    assert (found[0].path, found[1]) == ("/custom-domains/{id}", ["default"])


def test_a_token_without_any_fitting_scope_is_refused_everywhere(management: Management) -> None:
    """The token has one scope that no endpoint asks for."""
    token = management.token_for("read:insights")
    for endpoint in routes.endpoints():
        path = re.sub(r"\{[^}]*\}", "x", endpoint.path)
        answer = management.ask(endpoint.method, path, token=token)
        assert answer.status_code == 403, f"{endpoint.method} {endpoint.path}: {answer.status_code}"
        assert answer.json() == {
            "statusCode": 403,
            "error": "Forbidden",
            "message": f"Insufficient scope, expected any of: {','.join(endpoint.scopes)}",
            "errorCode": "insufficient_scope",
        }


def test_secrets_are_shown_only_to_who_may_read_keys(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Till"})["client_id"]
    assert management.get(f"/clients/{client_id}")["client_secret"]
    token = management.token_for("read:clients")
    answer = management.ask("GET", f"/clients/{client_id}", token=token).json()
    assert "client_secret" not in answer
    assert "signing_keys" not in answer


def test_changing_a_secret_needs_its_own_scope(management: Management) -> None:
    client_id = management.post("/clients", {"name": "Till"})["client_id"]
    token = management.token_for("update:clients")
    answer = management.ask("PATCH", f"/clients/{client_id}", {"client_secret": "s" * 48}, token=token)
    assert answer.status_code == 403
    assert management.ask("PATCH", f"/clients/{client_id}", {"description": "d"}, token=token).status_code == 200
