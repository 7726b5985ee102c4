"""What identity providers' connections hold beyond what was sent: a table of strategies."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sandbox.kinds import validation
from tests.sandbox.certificates import new_certificate, pem
from tests.sandbox.management import Management

GOOGLE = "https://www.googleapis.com/auth"
GRAPH = "https://graph.microsoft.com"
SCOPES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "google by itself": ("google-oauth2", {}, ["email", "profile"]),
    "google with flags": (
        "google-oauth2",
        {"email": True, "profile": True, "calendar_events": True, "drive": True, "tasks": False},
        ["email", "profile", f"{GOOGLE}/calendar.events", f"{GOOGLE}/drive"],
    ),
    "google without profiles": ("google-oauth2", {"email": True, "profile": False}, ["email"]),
    "google workspace": ("google-apps", {"scope": ["x"]}, ["email", "profile"]),
    "google workspace with scopes of its own": (
        "google-apps",
        {"allow_setting_login_scopes": True, "email": True, "scope": [f"{GOOGLE}/tasks"]},
        ["email", "profile", f"{GOOGLE}/tasks"],
    ),
    "github": ("github", {"email": True, "read_user": True, "repo": False}, ["user:email", "read:user"]),
    "freeform scopes": ("github", {"email": True, "freeform_scopes": ["gist", "x"]}, ["user:email", "gist", "x"]),
    "facebook": ("facebook", {"email": True, "public_profile": True}, "email,public_profile"),
    "apple": ("apple", {"name": True, "email": True}, "name email"),
    "amazon": ("amazon", {"profile": True, "postal_code": True}, ["profile", "postal_code"]),
    "line": ("line", {"profile": True, "email": False}, ["profile"]),
    "twitter": ("twitter", {"tweet_read": True, "users_read": True}, ["tweet.read", "users.read"]),
    "paypal": ("paypal", {"profile": True, "phone": True}, ["openid", "profile", "phone"]),
    "salesforce without flags": ("salesforce", {}, []),
    "salesforce": ("salesforce-sandbox", {"profile": True}, ["profile"]),
    "linkedin": ("linkedin", {"openid": True, "email": True}, ["openid", "email"]),
    "linkedin 2": (
        "linkedin",
        {"strategy_version": 2, "profile": True, "email": True},
        ["r_liteprofile", "r_emailaddress"],
    ),
    "linkedin 1": ("linkedin", {"strategy_version": 1, "basic_profile": True}, ["r_basicprofile"]),
    "windowslive": (
        "windowslive",
        {"graph_user": True, "mail_send": True},
        [f"{GRAPH}/User.Read", f"{GRAPH}/Mail.Send"],
    ),
    "windowslive 1": ("windowslive", {"strategy_version": 1, "signin": True, "basic": True}, ["wl.signin", "wl.basic"]),
    "a scope without flags": ("line", {"scope": ["openid", "email"]}, ["openid", "email"]),
    "a strategy without flags": ("dropbox", {"scope": "account_info.read"}, "account_info.read"),
}


@pytest.mark.parametrize(("strategy", "options", "scope"), SCOPES.values(), ids=SCOPES)
def test_a_provider_is_asked_for_the_scopes_that_the_flags_name(
    management: Management, strategy: str, options: dict[str, Any], scope: Any
) -> None:
    body = {"name": "social", "strategy": strategy, "options": {"client_id": "c", **options}}
    created = management.post("/connections", body)
    assert created["options"]["scope"] == scope
    again = management.patch(f"/connections/{created['id']}", {"options": created["options"]})
    assert again["options"] == created["options"]


STRATEGIES = validation._resolved({"$": "ConnectionIdentityProviderEnum"})["e"]


def test_every_strategy_keeps_what_it_is_given(management: Management) -> None:
    options = {
        "client_id": "c",
        "client_secret": "s",
        "domain_aliases": ["larkspur.example"],
        "icon_url": "https://larkspur.example/logo.svg",
        "non_persistent_attrs": ["gender"],
        "set_user_root_attributes": "never_on_login",
        "upstream_params": {"screen_name": {"alias": "login_hint"}},
        "something_new": {"a": [1]},
    }
    for strategy in STRATEGIES:
        made = management.post("/connections", {"name": f"x-{strategy}", "strategy": strategy, "options": options})
        assert made["options"].items() >= options.items(), strategy
        again = management.patch(f"/connections/{made['id']}", {"options": options, "metadata": {"a": "b"}})
        assert again["options"].items() >= options.items(), strategy
        assert again["metadata"] == {"a": "b"}


def test_a_google_connection_asks_for_who_it_is_unless_it_says_otherwise(management: Management) -> None:
    options = management.post("/connections", {"name": "g", "strategy": "google-oauth2"})["options"]
    assert options == {"email": True, "profile": True, "scope": ["email", "profile"]}


def test_a_changed_workspace_keeps_how_users_are_named(management: Management) -> None:
    options = {"client_id": "c", "map_user_id_to_id": True}
    created = management.post("/connections", {"name": "w", "strategy": "google-apps", "options": options})
    assert created["options"]["handle_login_from_social"] is True
    changed = management.patch(f"/connections/{created['id']}", {"options": {"client_id": "d"}})["options"]
    assert (changed["map_user_id_to_id"], changed["handle_login_from_social"]) == (True, True)


@pytest.mark.parametrize(("strategy", "channel"), [("oidc", "front_channel"), ("okta", "back_channel")])
def test_how_tokens_travel_unless_the_connection_says_otherwise(
    management: Management, strategy: str, channel: str
) -> None:
    body = {"name": "idp", "strategy": strategy, "options": {"client_id": "c"}}
    assert management.post("/connections", body)["options"]["type"] == channel


# Databases


def test_a_change_of_options_leaves_a_database_with_what_it_needs_and_what_was_sent(management: Management) -> None:
    id = management.post("/connections", {"name": "staff", "strategy": "auth0"})["id"]
    options = management.patch(f"/connections/{id}", {"options": {"import_mode": False}})["options"]
    assert options.keys() == {"brute_force_protection", "authentication_methods", "passkey_options", "import_mode"}


# Certificates and metadata


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    return new_certificate("idp.example", datetime(2040, 1, 1, tzinfo=UTC))


def described(certificate: x509.Certificate) -> dict[str, Any]:
    thumbprint = hashlib.sha1(certificate.public_bytes(serialization.Encoding.DER), usedforsecurity=False).hexdigest()
    subject, expires = {"commonName": "idp.example"}, "2040-01-01T00:00:00.000Z"
    return {"cert": pem(certificate), "thumbprints": [thumbprint], "expires": expires, "subject": subject}


def base64_der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def key_descriptor(certificate: x509.Certificate) -> str:
    text = base64_der(certificate)
    return (
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{text}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
    )


def saml_metadata(certificate: x509.Certificate) -> str:
    binding = "urn:oasis:names:tc:SAML:2.0:bindings"
    return (
        '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example">'
        f'<IDPSSODescriptor WantAuthnRequestsSigned="true">{key_descriptor(certificate)}'
        f'<SingleLogoutService Binding="{binding}:HTTP-POST" Location="https://idp.example/out"/>'
        f'<SingleSignOnService Binding="{binding}:HTTP-POST" Location="https://idp.example/post"/>'
        f'<SingleSignOnService Binding="{binding}:HTTP-Redirect" Location="https://idp.example/in"/>'
        "</IDPSSODescriptor></EntityDescriptor>"
    )


def federation_metadata(certificate: x509.Certificate) -> str:
    return (
        '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" '
        'xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706">'
        f"<RoleDescriptor>{key_descriptor(certificate)}<fed:PassiveRequestorEndpoint>"
        '<EndpointReference xmlns="http://www.w3.org/2005/08/addressing"><Address>https://adfs.example/ls/</Address>'
        "</EndpointReference></fed:PassiveRequestorEndpoint></RoleDescriptor></EntityDescriptor>"
    )


def federated(management: Management, strategy: str, options: dict[str, Any]) -> dict[str, Any]:
    body = {"name": "partner", "strategy": strategy, "options": options}
    found: dict[str, Any] = management.post("/connections", body)["options"]
    return found


@pytest.mark.parametrize("strategy", ["samlp", "pingfederate"])
@pytest.mark.parametrize("form", ["PEM", "Base64 of PEM", "Base64 of DER"])
def test_a_signing_certificate_is_shown_by_what_it_says(
    management: Management, certificate: x509.Certificate, strategy: str, form: str
) -> None:
    text = pem(certificate)
    binary = base64_der(certificate)
    sent = {"PEM": text, "Base64 of PEM": base64.b64encode(text.encode()).decode(), "Base64 of DER": binary}[form]
    options = federated(management, strategy, {"signingCert": sent, "signInEndpoint": "https://idp.example/in"})
    assert options == {
        "signInEndpoint": "https://idp.example/in",
        **({"signingCert": sent} if strategy == "samlp" else {}),
        **described(certificate),
    }


def test_saml_metadata_is_read_and_not_kept(management: Management, certificate: x509.Certificate) -> None:
    options = federated(management, "samlp", {"metadataXml": saml_metadata(certificate), "debug": True})
    assert options == {
        "signInEndpoint": "https://idp.example/in",
        "signOutEndpoint": "https://idp.example/out",
        "protocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
        "signSAMLRequest": True,
        "signingCert": pem(certificate),
        "debug": True,
        **described(certificate),
    }


def test_what_is_sent_beside_metadata_wins(management: Management, certificate: x509.Certificate) -> None:
    sent = {"metadataXml": saml_metadata(certificate), "signInEndpoint": "https://other.example/in"}
    assert federated(management, "samlp", sent)["signInEndpoint"] == "https://other.example/in"


def test_federation_metadata_tells_the_endpoint_and_the_thumbprints(
    management: Management, certificate: x509.Certificate
) -> None:
    xml = federation_metadata(certificate)
    assert federated(management, "adfs", {"fedMetadataXml": xml}) == {
        "fedMetadataXml": xml,
        "signInEndpoint": "https://adfs.example/ls/",
        "thumbprints": described(certificate)["thumbprints"],
    }


WRONG = {
    "no XML": ("samlp", {"metadataXml": "hello"}),
    "no identity provider": ("samlp", {"metadataXml": "<EntityDescriptor/>"}),
    "a document type": ("samlp", {"metadataXml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
    "no certificate": ("samlp", {"signingCert": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}),
    "no Base64": ("pingfederate", {"signingCert": "é"}),
    "a certificate that is no text": ("samlp", {"signingCert": {"pem": "a"}}),
    "scopes that are no list": ("github", {"freeform_scopes": "gist"}),
    "discovered metadata that is no object": ("oidc", {"client_id": "c", "oidc_metadata": "a"}),
    "two sources of metadata": ("adfs", {"adfs_server": "https://adfs.example", "fedMetadataXml": "<a/>"}),
}


@pytest.mark.parametrize(("strategy", "options"), WRONG.values(), ids=WRONG)
def test_metadata_and_certificates_that_cannot_be_read_are_refused(
    management: Management, strategy: str, options: dict[str, Any]
) -> None:
    body = {"name": "partner", "strategy": strategy, "options": options}
    assert management.refused("POST", "/connections", body, status=400)["errorCode"] == "invalid_body"
