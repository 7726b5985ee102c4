"""What connections to SAML and WS-Federation providers read from certificates and metadata documents."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from xml.etree import ElementTree

from sandbox.errors import ApiError
from sandbox.kinds.certificates import describe_signing, in_pem
from sandbox.store import Document

METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
PASSIVE_ADDRESS = (
    ".//{http://docs.oasis-open.org/wsfed/federation/200706}PassiveRequestorEndpoint"
    "//{http://www.w3.org/2005/08/addressing}Address"
)
KEEP_CERTIFICATE = frozenset(["samlp"])
"""Strategies that show the certificate as it was sent, beside what it says."""
BINDINGS = ("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
"""The ones that Auth0 speaks, the usual one first."""


def described(strategy: str, sent: Document) -> Document:
    """The options with what the sent certificate or metadata tells. Raises ApiError 400 invalid_body."""
    if strategy == "adfs":
        return _adfs(sent)
    found = _saml(_root(sent["metadataXml"])) if sent.get("metadataXml") else {}
    options = {**found, **{key: value for key, value in sent.items() if key != "metadataXml"}}
    if not options.get("signingCert"):
        return options
    described = {**options, **describe_signing(options["signingCert"])}
    return described if strategy in KEEP_CERTIFICATE else {k: v for k, v in described.items() if k != "signingCert"}


def _root(document: str) -> ElementTree.Element:
    """Of an XML document without a DOCTYPE, so that it can name no entities."""
    try:
        if "<!DOCTYPE" in document:
            raise ElementTree.ParseError
        return ElementTree.fromstring(document)  # noqa: S314 - it has no document type
    except (ElementTree.ParseError, ValueError):
        raise ApiError(400, "The metadata is not a valid XML document.", "invalid_body") from None


def _saml(root: ElementTree.Element) -> Document:
    """Endpoints and certificate of the identity provider that the metadata of SAML 2.0 describes."""
    provider = root.find(f".//{METADATA}IDPSSODescriptor")
    if provider is None:
        raise ApiError(400, "The metadata describes no identity provider.", "invalid_body")
    binding, address = _service(provider, "SingleSignOnService")
    found = {
        "signInEndpoint": address,
        "protocolBinding": binding,
        "signOutEndpoint": _service(provider, "SingleLogoutService")[1],
        "signingCert": next((in_pem(text) for text in _certificates(provider)), None),
        "signSAMLRequest": provider.get("WantAuthnRequestsSigned") == "true" or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _service(provider: ElementTree.Element, name: str) -> tuple[str | None, str | None]:
    """Binding and address of the service, by the binding that is preferred."""
    offered = {item.get("Binding"): item.get("Location") for item in provider.iter(f"{METADATA}{name}")}
    return next(((binding, offered[binding]) for binding in BINDINGS if binding in offered), (None, None))


def _certificates(element: ElementTree.Element) -> Iterator[str]:
    """Base64 of the certificates with which the provider signs, each once."""
    keys = [key for key in element.iter(f"{METADATA}KeyDescriptor") if key.get("use", "signing") == "signing"]
    found = ["".join((item.text or "").split()) for key in keys for item in key.iter(CERTIFICATE)]
    yield from dict.fromkeys(found)


def _adfs(sent: Document) -> Document:
    if not sent.get("fedMetadataXml"):
        return sent
    root = _root(sent["fedMetadataXml"])
    found: Document = {"thumbprints": [_thumbprint(text) for text in _certificates(root)]}
    address = root.find(PASSIVE_ADDRESS)
    if address is not None and address.text:
        found["signInEndpoint"] = address.text.strip()
    return {**found, **sent}


def _thumbprint(text: str) -> str:
    try:
        return hashlib.sha1(base64.b64decode(text, validate=True), usedforsecurity=False).hexdigest()
    except ValueError:
        raise ApiError(400, "The metadata holds a certificate that is not Base64.", "invalid_body") from None
