"""Settings of which a tenant has one, and what is shown of their secrets."""

from __future__ import annotations

import pytest

from tests.sandbox.management import Management

PAGE = "<!DOCTYPE html><html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>"


def test_a_new_tenant_has_its_defaults(management: Management) -> None:
    assert management.get("/guardian/policies") == []
    assert {factor["enabled"] for factor in management.get("/guardian/factors")} == {False}
    assert management.get("/attack-protection/brute-force-protection")["max_attempts"] == 10
    assert management.get("/prompts")["universal_login_experience"] == "new"
    assert [c["name"] for c in management.get("/connections")] == ["Username-Password-Authentication"]


def test_tenant_settings_merge_flags_and_null_empties(management: Management) -> None:
    before = management.get("/tenants/settings")["flags"]
    body = {"flags": {"enable_pipeline2": True}, "friendly_name": "Larkspur", "support_url": "https://a.example"}
    changed = management.patch("/tenants/settings", body)
    assert changed["flags"] == {**before, "enable_pipeline2": True}
    assert management.patch("/tenants/settings", {"support_url": None})["support_url"] == ""
    assert "mtls" not in management.patch("/tenants/settings", {"mtls": None})
    assert management.get("/tenants/settings", fields="friendly_name") == {"friendly_name": "Larkspur"}


def test_session_lifetimes_are_given_in_minutes_or_hours(management: Management) -> None:
    changed = management.patch("/tenants/settings", {"session_lifetime_in_minutes": 90})
    assert changed["session_lifetime"] == 1.5
    assert "session_lifetime_in_minutes" not in changed


def test_the_default_directory_must_exist(management: Management) -> None:
    management.refused("PATCH", "/tenants/settings", {"default_directory": "nowhere"}, status=400)


def test_factors_and_policies_are_switched(management: Management) -> None:
    assert management.put("/guardian/factors/otp", {"enabled": True}) == {"enabled": True}
    enabled = [factor["name"] for factor in management.get("/guardian/factors") if factor["enabled"]]
    assert enabled == ["otp"]
    assert management.put("/guardian/policies", ["all-applications"]) == ["all-applications"]
    management.refused("PUT", "/guardian/policies", ["everybody"], status=400)
    management.refused("PUT", "/guardian/factors/telepathy", {"enabled": True}, status=400)


def test_keys_of_push_providers_are_never_read_back(management: Management) -> None:
    path = "/guardian/factors/push-notification/providers"
    sns = {"aws_access_key_id": "a", "aws_secret_access_key": "hush", "aws_region": "eu-west-1"}
    management.put(f"{path}/sns", sns)
    assert "hush" not in management.ask("GET", f"{path}/sns").text
    assert management.put(f"{path}/fcm", {"server_key": "hush"}) == {}
    assert "p12" not in management.put(f"{path}/apns", {"bundle_id": "com.a", "p12": "hush", "sandbox": False})


def test_an_email_provider_is_made_changed_and_removed(management: Management) -> None:
    provider = {"name": "smtp", "credentials": {"smtp_host": "mail.example", "smtp_port": 25, "smtp_pass": "hush"}}
    created = management.post("/emails/provider", provider)
    assert created["credentials"] == {"smtp_host": "mail.example", "smtp_port": 25}
    management.refused("POST", "/emails/provider", provider, status=409)
    changed = management.patch("/emails/provider", {"name": "sendgrid", "credentials": {"api_key": "hush"}})
    assert (changed["name"], changed["credentials"]) == ("sendgrid", {})
    management.delete("/emails/provider")
    management.refused("GET", "/emails/provider", status=404)


def test_email_templates_exist_once_they_are_written(management: Management) -> None:
    body = {
        "template": "blocked_account",
        "subject": "Welcome",
        "body": "<p>Hi</p>",
        "syntax": "liquid",
        "enabled": True,
    }
    management.refused("PATCH", "/email-templates/blocked_account", {"subject": "Hello"}, status=404)
    template = {**body, "from": "a@larkspur.example"}
    management.post("/email-templates", template)
    management.refused("POST", "/email-templates", template, status=409)
    assert management.patch("/email-templates/blocked_account", {"subject": "Hello"})["subject"] == "Hello"
    management.refused("PUT", "/email-templates/love_letter", template, status=400)
    management.post("/email-templates", {**template, "template": "auth_email_by_code"})
    assert management.get("/email-templates/auth_email_by_code")["template"] == "auth_email_by_code"


def test_a_log_stream_without_filters_shows_none(management: Management) -> None:
    filters = [{"type": "category", "name": "auth.login.fail"}]
    body = {"name": "a", "type": "http", "sink": {"httpEndpoint": "https://logs.example"}, "filters": filters}
    path = f"/log-streams/{management.post('/log-streams', body)['id']}"
    assert management.get(path)["filters"] == filters
    assert "filters" not in management.patch(path, {"filters": []})


def test_texts_and_partials_of_a_prompt_are_replaced(management: Management) -> None:
    path = "/prompts/login/custom-text/en"
    assert management.get(path) == {}
    management.put(path, {"login": {"title": "Come in"}})
    assert management.get(path) == {"login": {"title": "Come in"}}
    management.put(path, {})
    assert management.get(path) == {}
    partials = {"login": {"form-content-start": "<b>Hi</b>"}}
    assert management.put("/prompts/login/partials", partials) == partials
    management.put("/prompts/customized-consent/partials", {"customized-consent": {"form-content": "<b>Hi</b>"}})
    management.refused("PUT", "/prompts/login/partials", {"login": {"middle": "x"}}, status=400)


def test_rendering_of_a_screen_is_listed_once_it_is_changed(management: Management) -> None:
    path = "/prompts/login-id/screen/login-id/rendering"
    assert management.get(path)["rendering_mode"] == "standard"
    management.patch(path, {"rendering_mode": "advanced"})
    (config,) = management.get("/prompts/rendering")
    assert (config["prompt"], config["screen"], config["rendering_mode"]) == ("login-id", "login-id", "advanced")


def test_a_page_template_needs_a_custom_domain_and_its_tags(management: Management) -> None:
    path = "/branding/templates/universal-login"
    management.refused("GET", path, status=404)
    management.refused("PUT", path, PAGE, status=403)
    management.post("/custom-domains", {"domain": "login.larkspur.example", "type": "auth0_managed_certs"})
    management.refused("PUT", path, "<html></html>", status=400)
    assert management.ask("PUT", path, PAGE).status_code == 201
    assert management.ask("PUT", path, {"template": PAGE}).status_code == 204
    assert management.get(path) == {"body": PAGE}
    management.delete(path)
    management.refused("GET", path, status=404)


def test_a_custom_domain_becomes_the_default_once_it_is_verified(management: Management) -> None:
    domain = management.post("/custom-domains", {"domain": "login.larkspur.example", "type": "auth0_managed_certs"})
    assert domain["status"] == "pending_verification"
    body = {"domain": "login.larkspur.example"}
    management.refused("PATCH", "/custom-domains/default", body, status=400)
    assert management.post(f"/custom-domains/{domain['custom_domain_id']}/verify")["status"] == "ready"
    assert management.patch("/custom-domains/default", body)["is_default"] is True
    assert management.get("/custom-domains/default")["domain"] == "login.larkspur.example"


def test_secrets_of_a_hook_are_listed_by_name(management: Management) -> None:
    hook = {"name": "h", "script": "module.exports = () => {};", "triggerId": "credentials-exchange"}
    path = f"/hooks/{management.post('/hooks', hook)['id']}/secrets"
    management.post(path, {"KEY": "hush"})
    assert management.get(path) == {"KEY": "_VALUE_NOT_SHOWN_"}
    management.refused("PATCH", path, {"OTHER": "x"}, status=404)
    management.delete(path, ["KEY"])
    assert management.get(path) == {}


def test_rules_run_in_an_order_of_their_own(management: Management) -> None:
    script = "function (user, context, callback) { callback(null, user, context); }"
    orders = [management.post("/rules", {"name": name, "script": script})["order"] for name in ("b", "a")]
    assert orders == [1, 2]
    management.refused("POST", "/rules", {"name": "c", "script": script, "order": 2}, status=409)
    management.put("/rules-configs/KEY", {"value": "hush"})
    assert management.get("/rules-configs") == [{"key": "KEY"}]


def test_signing_keys_rotate(management: Management) -> None:
    before = {key["kid"]: key for key in management.get("/keys/signing")}
    waiting = next(kid for kid, key in before.items() if key["next"])
    assert management.post("/keys/signing/rotate")["kid"] == waiting
    assert next(key["kid"] for key in management.get("/keys/signing") if key["current"]) == waiting
    assert management.get(f"/keys/signing/{waiting}")["current"] is True


def test_forms_drop_what_is_empty(management: Management) -> None:
    form = management.post("/forms", {"name": "Address", "languages": {"primary": "en"}, "messages": {}, "nodes": []})
    assert "messages" not in form
    assert "nodes" not in form
    (listed,) = management.get("/forms")
    assert set(listed) == {"id", "name", "created_at", "updated_at", "flow_count"}


@pytest.mark.parametrize("kind", ["text", "voice"])
def test_a_phone_template_is_tried_out_in_the_mail_box(management: Management, kind: str) -> None:
    content = {"body": {"text": "Hello {{code}}", "voice": "Hello"}, "from": "+100000000"}
    template = {"type": "otp_verify", "disabled": False, "content": content}
    id = management.post("/branding/phone/templates", template)["id"]
    body = {"to": "+15550100200", "delivery_method": kind}
    assert management.ask("POST", f"/branding/phone/templates/{id}/try", body).status_code == 202
    assert any("Hello {{code}}" in str(message) for message in management.tenant.mail())


def test_a_metadata_document_is_registered_under_its_address(management: Management) -> None:
    body = {"external_client_id": "https://app.example/client.json"}
    preview = management.post("/clients/cimd/preview", body)
    assert "client_id" not in preview
    registered = management.post("/clients/cimd/register", body)
    client = management.get(f"/clients/{registered['client_id']}")
    assert client["external_client_id"] == body["external_client_id"]
    assert (client["oidc_conformant"], client["refresh_token"]["rotation_type"]) == (True, "rotating")
    assert management.post("/clients/cimd/register", body)["client_id"] == registered["client_id"]
    management.refused("POST", "/clients/cimd/preview", {"external_client_id": "http://app.example/"}, status=400)
