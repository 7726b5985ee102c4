"""Actions: drafts, builds, versions, bindings, modules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.management import Management

POST_LOGIN = [{"id": "post-login", "version": "v3"}]
CODE = "exports.onExecutePostLogin = async (event, api) => { api.accessToken.setCustomClaim('a', 1); };"


def create(management: Management, name: str, **more: Any) -> str:
    body = {"name": name, "code": CODE, "supported_triggers": POST_LOGIN, **more}
    return str(management.post("/actions/actions", body)["id"])


def bind(management: Management, *actions: str) -> Any:
    bindings = [{"ref": {"type": "action_id", "value": id}, "display_name": id[:4]} for id in actions]
    return management.patch("/actions/triggers/post-login/bindings", {"bindings": bindings})


def deployed(management: Management, name: str) -> str:
    id = create(management, name)
    management.get(f"/actions/actions/{id}")
    management.post(f"/actions/actions/{id}/deploy")
    return id


def test_a_new_action_is_pending_and_then_built(management: Management) -> None:
    created = management.post("/actions/actions", {"name": "a", "code": CODE, "supported_triggers": POST_LOGIN})
    assert (created["status"], created["all_changes_deployed"]) == ("pending", False)
    assert management.get(f"/actions/actions/{created['id']}")["status"] == "built"


def test_packages_take_some_looks_to_build(management: Management) -> None:
    id = create(management, "a", dependencies=[{"name": "lodash", "version": "4.17.21"}])
    seen = [management.get(f"/actions/actions/{id}")["status"] for _ in range(5)]
    assert (seen[0], seen[-1]) == ("building", "built")


def test_a_draft_is_deployed_only_when_built(management: Management) -> None:
    id = create(management, "a", dependencies=[{"name": "lodash", "version": "4.17.21"}])
    answer = management.refused("POST", f"/actions/actions/{id}/deploy", status=400)
    assert answer["message"] == "A draft must be in the 'built' state before it can be deployed."


def test_a_changed_draft_leaves_the_deployed_version_alone(management: Management) -> None:
    id = deployed(management, "a")
    assert management.get(f"/actions/actions/{id}")["all_changes_deployed"] is True
    management.patch(f"/actions/actions/{id}", {"code": "// changed"})
    action = management.get(f"/actions/actions/{id}")
    assert action["all_changes_deployed"] is False
    assert (action["code"], action["deployed_version"]["code"]) == ("// changed", CODE)


def test_rolling_back_deploys_a_copy_of_the_older_version(management: Management) -> None:
    id = deployed(management, "a")
    management.patch(f"/actions/actions/{id}", {"code": "// second"})
    management.get(f"/actions/actions/{id}")
    management.post(f"/actions/actions/{id}/deploy")
    versions = management.get(f"/actions/actions/{id}/versions")["versions"]
    assert [(v["number"], v["deployed"]) for v in versions] == [(2, True), (1, False)]
    management.post(f"/actions/actions/{id}/versions/{versions[1]['id']}/deploy")
    action = management.get(f"/actions/actions/{id}")
    assert (action["deployed_version"]["number"], action["deployed_version"]["code"]) == (3, CODE)


def test_secrets_are_named_and_never_shown(management: Management) -> None:
    id = create(management, "a", secrets=[{"name": "KEY", "value": "hush"}])
    answer = management.ask("GET", f"/actions/actions/{id}")
    assert [secret["name"] for secret in answer.json()["secrets"]] == ["KEY"]
    assert "hush" not in answer.text
    kept = management.patch(f"/actions/actions/{id}", {"secrets": [{"name": "KEY"}]})
    assert [secret["name"] for secret in kept["secrets"]] == ["KEY"]


def test_bindings_are_replaced_whole_and_keep_their_order(management: Management) -> None:
    first, second = deployed(management, "a"), deployed(management, "b")
    bind(management, first, second)
    answer = bind(management, second, first)
    assert [b["action"]["id"] for b in answer["bindings"]] == [second, first]
    listed = management.get("/actions/triggers/post-login/bindings")
    assert [b["action"]["id"] for b in listed["bindings"]] == [second, first]
    bind(management)
    assert management.get("/actions/triggers/post-login/bindings")["bindings"] == []


@pytest.mark.parametrize("kind", ["action_id", "action_name", "binding_id"])
def test_a_binding_names_its_action_in_three_ways(management: Management, kind: str) -> None:
    id = deployed(management, "a")
    binding = bind(management, id)["bindings"][0]["id"]
    value = {"action_id": id, "action_name": "a", "binding_id": binding}[kind]
    body = {"bindings": [{"ref": {"type": kind, "value": value}, "display_name": "shown"}]}
    (found,) = management.patch("/actions/triggers/post-login/bindings", body)["bindings"]
    assert (found["id"], found["display_name"], found["action"]["id"]) == (binding, "shown", id)


def test_what_is_not_deployed_cannot_be_bound(management: Management) -> None:
    id = create(management, "a")
    body = {"bindings": [{"ref": {"type": "action_id", "value": id}, "display_name": "a"}]}
    management.refused("PATCH", "/actions/triggers/post-login/bindings", body, status=400)
    body["bindings"][0]["ref"] = {"type": "action_name", "value": "nobody"}
    management.refused("PATCH", "/actions/triggers/post-login/bindings", body, status=404)


def test_a_bound_action_is_deleted_only_by_force(management: Management) -> None:
    id = deployed(management, "a")
    bind(management, id)
    management.refused("DELETE", f"/actions/actions/{id}", status=400)
    assert management.ask("DELETE", f"/actions/actions/{id}", force="true").status_code == 204
    assert management.get("/actions/triggers/post-login/bindings")["bindings"] == []


def test_a_draft_is_tried_with_an_event(management: Management) -> None:
    id = create(management, "a")
    answer = management.ask("POST", f"/actions/actions/{id}/test", {"payload": {"event": {"user": {"user_id": "x"}}}})
    assert answer.status_code == 200, answer.text
    (command,) = answer.json()["payload"]["commands"]
    assert command["name"] == "accessToken.setCustomClaim"


def test_a_module_is_published_in_numbered_versions(management: Management) -> None:
    path = "/actions/modules"
    module = management.post(path, {"name": "greetings", "code": "module.exports = 1;"})
    assert module["all_changes_published"] is False
    first = management.post(f"{path}/{module['id']}/versions")
    assert first["version_number"] == 1
    management.refused("POST", f"{path}/{module['id']}/versions", status=409)
    management.patch(f"{path}/{module['id']}", {"code": "module.exports = 2;"})
    assert management.post(f"{path}/{module['id']}/versions")["version_number"] == 2
    versions = management.get(f"{path}/{module['id']}/versions")["versions"]
    assert [v["version_number"] for v in versions] == [2, 1]
    management.post(f"{path}/{module['id']}/rollback", {"module_version_id": first["id"]})
    assert management.get(f"{path}/{module['id']}")["code"] == "module.exports = 1;"


def test_a_token_exchange_profile_needs_its_action(management: Management) -> None:
    body = {"name": "partners", "subject_token_type": "https://a.example/t", "type": "custom_authentication"}
    management.refused("POST", "/token-exchange-profiles", {**body, "action_id": "none"}, status=400)
    triggers = [{"id": "custom-token-exchange", "version": "v1"}]
    id = create(management, "exchange", supported_triggers=triggers)
    profile = management.post("/token-exchange-profiles", {**body, "action_id": id})
    assert profile["id"].startswith("tep_")
    management.delete(f"/token-exchange-profiles/{profile['id']}")
