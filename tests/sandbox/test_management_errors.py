"""What the Management API refuses, and in which words."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management

ERROR = {"statusCode", "error", "message"}


def send(management: Management, content: bytes, content_type: str) -> tuple[int, dict[str, object]]:
    headers = {**management.tenant.authorization(), "Content-Type": content_type}
    answer = management.tenant.http.post("/api/v2/roles", content=content, headers=headers)
    return answer.status_code, answer.json()


def test_a_call_without_a_token_is_refused(management: Management) -> None:
    answer = management.tenant.http.get("/api/v2/clients")
    assert answer.status_code == 401
    assert answer.json() == {"statusCode": 401, "error": "Unauthorized", "message": "Missing authentication"}


@pytest.mark.parametrize(("token", "status"), [("x", 400), ("a.b.c", 401), ("e30.e30.e30", 401)])
def test_a_token_that_is_none_is_refused(management: Management, token: str, status: int) -> None:
    assert management.ask("GET", "/clients", token=token).status_code == status


def test_a_missing_scope_is_named(management: Management) -> None:
    token = management.token_for("read:roles")
    assert management.ask("GET", "/roles", token=token).status_code == 200
    assert management.ask("GET", "/users", token=token).json() == {
        "statusCode": 403,
        "error": "Forbidden",
        "message": "Insufficient scope, expected any of: read:users,read:user_idp_tokens",
        "errorCode": "insufficient_scope",
    }


def test_every_answer_carries_a_request_id_of_its_own(management: Management) -> None:
    answers = [management.ask("GET", path) for path in ("/roles", "/roles", "/roles/rol_unknown", "/unknown")]
    answers.append(management.tenant.http.get("/api/v2/roles"))
    ids = {answer.headers["x-auth0-requestid"] for answer in answers}
    assert len(ids) == len(answers)
    assert "x-auth0-requestid" not in management.tenant.http.get("/.well-known/openid-configuration").headers


def test_malformed_json_is_refused(management: Management) -> None:
    for content in (b'{"name": ', b"\xff\xfe", b"{'name': 1}", b"[1, 2"):
        status, body = send(management, content, "application/json")
        assert status == 400
        assert set(body) >= ERROR


def test_another_content_type_is_refused(management: Management) -> None:
    status, body = send(management, b"<role/>", "application/xml")
    assert (status, body["error"]) == (415, "Unsupported Media Type")


def test_a_body_of_two_megabytes_is_refused(management: Management) -> None:
    status, body = send(management, b'{"name": "' + b"x" * 2_000_000 + b'"}', "application/json")
    assert (status, body["error"]) == (413, "Request Entity Too Large")


def test_deep_nesting_is_refused(management: Management) -> None:
    status, _ = send(management, b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json")
    assert status == 400


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "Missing required property: name"),
        ({"name": 7}, "Expected type string but found type integer' on property name"),
        ({"name": "a", "colour": "red"}, "Additional properties not allowed: colour"),
        ([], "Expected type object but found type array"),
        (None, "Expected type object but found type null"),
    ],
)
def test_a_wrong_body_is_refused_with_the_place(management: Management, body: object, problem: str) -> None:
    answer = management.refused("POST", "/roles", body, status=400)
    assert answer["errorCode"] == "invalid_body"
    assert problem in answer["message"]


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("/clients", {"name": "x", "app_type": "toaster"}, "No enum match for: toaster' on property app_type"),
        ("/clients", {"name": "x", "callbacks": "https://a.example"}, "Expected type array but found type string"),
        ("/clients", {"name": "<script>"}, "String does not match pattern"),
        ("/clients", {"name": "x", "description": "d" * 141}, "String is too long (141 chars), maximum 140"),
        ("/organizations", {"name": "Not A Name"}, "Object didn't pass validation for format organization-name"),
        ("/resource-servers", {"identifier": "https://a", "token_lifetime": "long"}, "on property token_lifetime"),
        ("/connections", {"name": "-x-", "strategy": "auth0"}, "String does not match pattern"),
    ],
)
def test_a_wrong_value_is_refused_with_the_place(
    management: Management, path: str, body: dict[str, object], problem: str
) -> None:
    assert problem in management.refused("POST", path, body, status=400)["message"]


def test_an_unknown_query_parameter_is_refused(management: Management) -> None:
    answer = management.refused("GET", "/clients", status=400, colour="red")
    assert answer["errorCode"] == "invalid_query_string"
    answer = management.refused("GET", "/actions/actions", status=400, include_totals="true")
    assert "Additional properties not allowed: include_totals" in answer["message"]


@pytest.mark.parametrize("query", [{"page": "x"}, {"per_page": "101"}, {"page": "-1"}, {"is_global": "maybe"}])
def test_a_wrong_query_is_refused(management: Management, query: dict[str, str]) -> None:
    assert management.refused("GET", "/clients", status=400, **query)["errorCode"] == "invalid_query_string"


@pytest.mark.parametrize("cursor", ["", "x", "!!", "Y2hlY2twb2ludDp4", "é", "0" * 500])
def test_a_bad_cursor_is_refused(management: Management, cursor: str) -> None:
    answer = management.ask("GET", "/organizations", **{"from": cursor, "take": 2})
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "invalid_query_string"


@pytest.mark.parametrize(
    "id", ["auth0%7Cx", "a%2Fb", "100%25", "%E2%82%AC", "%00", "..", "%2e%2e%2f", "a|b", "x" * 2000]
)
def test_strange_ids_are_not_found(management: Management, id: str) -> None:
    for kind in ("clients", "connections", "roles", "organizations", "resource-servers"):
        answer = management.ask("GET", f"/{kind}/{id}")
        assert answer.status_code in (400, 404), (kind, answer.text)
        assert set(answer.json()) >= ERROR


def test_an_id_of_the_wrong_form_is_told_apart_from_an_unknown_one(management: Management) -> None:
    wrong = management.refused("GET", "/network-acls/acl_short", status=400)
    assert wrong["errorCode"] == "invalid_uri"
    management.refused("GET", "/network-acls/acl_1111111111111111111111", status=404)


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/clients/x", "The client does not exist", "inexistent_client"),
        ("/connections/con_x", "The connection does not exist", "inexistent_connection"),
        ("/organizations/org_x", "No organization found by that id or name", None),
        ("/actions/actions/x", "That action does not exist.", None),
        (
            "/branding/themes/default",
            "There was an error retrieving branding settings: invalid theme ID",
            "theme_not_found",
        ),
        ("/emails/provider", "There is not a configured email provider", "inexistent_email_provider"),
        ("/email-templates/blocked_account", "The template does not exist.", "inexistent_email_template"),
        ("/flows/af_x", "Flow not found", None),
        ("/nothing/here", "Not Found", None),
    ],
)
def test_what_is_not_there_is_said_in_its_own_words(
    management: Management, path: str, message: str, code: str | None
) -> None:
    answer = management.refused("GET", path, status=404)
    assert (answer["message"], answer.get("errorCode")) == (message, code)


def test_a_method_that_an_endpoint_lacks_is_not_found(management: Management) -> None:
    management.refused("PUT", "/clients", {}, status=404)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/groups/grp_1", "invalid_uri"),
        ("/event-streams/est_1/deliveries", "invalid_uri"),
        ("/prompts/lunch/custom-text/en", "invalid_uri"),
        (f"/organizations/{'x' * 51}/members", "invalid_uri"),
        ("/users-by-email", "invalid_query_string"),
        ("/user-blocks?identifier=", "invalid_query_string"),
    ],
)
def test_a_path_or_query_that_can_not_be_meant_is_refused(management: Management, path: str, code: str) -> None:
    assert management.refused("GET", path, status=400)["errorCode"] == code
