"""Actions of the triggers beside post-login: machines, sign-up, changed passwords."""

from __future__ import annotations

from tests.sandbox.web_login import CONNECTION, PASSWORD, Person, bind, claims, new_client, new_user


def machine_token(tenant):
    secret = {"client_id": tenant.client_id, "client_secret": tenant.client_secret}
    body = {"grant_type": "client_credentials", "audience": f"{tenant.url}/api/v2/", **secret}
    return tenant.http.post("/oauth/token", json=body)


def test_a_credentials_exchange_action_adds_claims_or_denies(tenant):
    code = "exports.onExecuteCredentialsExchange = async (event, api) => { %s };"
    claim = code % "api.accessToken.setCustomClaim('https://a.example/who', event.client.name);"
    bind(tenant, claim, trigger="credentials-exchange", version="v2")
    body = claims(machine_token(tenant).json()["access_token"])
    assert body["https://a.example/who"]
    assert body["sub"] == f"{tenant.client_id}@clients"
    bind(
        tenant,
        code % "api.access.deny('invalid_request', 'Not from here');",
        trigger="credentials-exchange",
        version="v2",
    )
    answer = machine_token(tenant)
    assert answer.status_code == 403
    assert answer.json() == {"error": "invalid_request", "error_description": "Not from here"}


def test_a_pre_user_registration_action_refuses_or_fills_in(tenant):
    client = new_client(tenant)
    code = """exports.onExecutePreUserRegistration = async (event, api) => {
      const closed = event.user.email.endsWith("@closed.example");
      if (closed) return api.access.deny("closed", "Please ask your administrator");
      api.user.setAppMetadata("from", event.connection.name);
    };"""
    bind(tenant, code, trigger="pre-user-registration", version="v2")
    body = {"client_id": client["client_id"], "connection": CONNECTION, "password": PASSWORD}
    refused = tenant.http.post("/dbconnections/signup", json={**body, "email": "a@closed.example"})
    assert (refused.status_code, refused.json()["description"]) == (400, "Please ask your administrator")
    assert tenant.http.post("/dbconnections/signup", json={**body, "email": "a@open.example"}).status_code == 200
    assert tenant.user("a@open.example")["app_metadata"] == {"from": CONNECTION}


def test_a_failing_post_change_password_action_does_not_undo_the_change(tenant):
    user, client = new_user(tenant), new_client(tenant)
    code = "exports.onExecutePostChangePassword = async (event) => { throw new Error(event.user.user_id); };"
    bind(tenant, code, trigger="post-change-password", version="v2")
    person = Person(tenant, client)
    person.open(tenant.api("POST", "/tickets/password-change", {"user_id": user["user_id"]})["ticket"])
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert "Password Changed!" in person.text
    assert person.sign_in(user["email"], "Another-demo-2")
    events = tenant.api("GET", "/logs", per_page=20, sort="date:-1")
    assert user["user_id"] in [e["description"] for e in events if e["type"] == "actions_execution_failed"]
