"""The discovery document lists what is there, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

PATH = "/.well-known/openid-configuration"


def document(tenant, **headers):
    return tenant.http.get(PATH, headers=headers).json()


def test_every_address_in_the_document_answers(tenant):
    tenant.api("PATCH", "/tenants/settings", {"pushed_authorization_requests_supported": True})
    found = document(tenant)
    addresses = {name: value for name, value in found.items() if str(value).startswith("http") and name != "issuer"}
    assert len(addresses) == 11
    for name, address in addresses.items():
        path = urlsplit(address).path
        statuses = {tenant.http.request(method, path).status_code for method in ("GET", "POST")}
        assert 404 not in statuses, name
    assert tenant.http.get("/.well-known/oauth-authorization-server").json() == found


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"pushed_authorization_requests_supported": True}, "pushed_authorization_request_endpoint"),
        ({"authorization_response_iss_parameter_supported": True}, "authorization_response_iss_parameter_supported"),
    ],
)
def test_what_the_tenant_turns_on_is_in_the_document_from_then_on(tenant, settings, name):
    assert name not in document(tenant)
    tenant.api("PATCH", "/tenants/settings", settings)
    assert name in document(tenant)
    assert name in document(tenant, Origin="http://localhost:3000")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"oidc_logout": {"rp_logout_end_session_endpoint_discovery": False}}, "end_session_endpoint"),
        ({"flags": {"enable_dynamic_client_registration": False}}, "registration_endpoint"),
    ],
)
def test_what_the_tenant_turns_off_leaves_the_document(tenant, settings, name):
    assert name in document(tenant)
    tenant.api("PATCH", "/tenants/settings", settings)
    assert name not in document(tenant)


@pytest.mark.parametrize(("agent", "port"), [("curl/8", "http_port"), ("openid-client/6", "https_port")])
def test_libraries_that_refuse_plain_http_are_given_https_throughout(tenant, agent, port):
    address = document(tenant, **{"User-Agent": agent})["authorization_endpoint"]
    assert urlsplit(address).port == getattr(tenant, port)
