"""What the Management API tells about certificates and public keys that it holds or is given."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from sandbox import keys
from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant

NOT_SHOWN = "[not shown]"
DER = b"\x30"
"""How a certificate in DER begins: with a sequence."""
NAMES = {
    NameOID.COUNTRY_NAME: ("C", "countryName"),
    NameOID.STATE_OR_PROVINCE_NAME: ("ST", "stateOrProvinceName"),
    NameOID.LOCALITY_NAME: ("L", "localityName"),
    NameOID.ORGANIZATION_NAME: ("O", "organizationName"),
    NameOID.ORGANIZATIONAL_UNIT_NAME: ("OU", "organizationalUnitName"),
    NameOID.COMMON_NAME: ("CN", "commonName"),
}


def signing_keys(tenant: Tenant, *, with_key: bool = False) -> list[Document]:
    """The certificate that an application sees: the tenant's current one. The private key stays here: only its place
    is shown where Auth0 shows it (when an application has just been created)."""
    key = keys.current(tenant)
    remembered: dict[str, list[Document]] = tenant.memory.setdefault("client_signing_keys", {})
    if key.kid not in remembered:
        bundle = pkcs7.serialize_certificates([key.certificate], serialization.Encoding.PEM).decode()
        subject = f"/CN={tenant.domain.partition(':')[0]}"
        remembered[key.kid] = [{"cert": key.certificate_pem, "pkcs7": bundle, "subject": subject}]
    return [{**entry, "key": NOT_SHOWN} for entry in remembered[key.kid]] if with_key else remembered[key.kid]


def read(pem: str, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise ApiError(400, f"The {name} is not a valid PEM certificate.", "invalid_body") from None


def public_key(pem: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Of a PEM public key or certificate. Raises ApiError 400."""
    try:
        key: object
        if "BEGIN CERTIFICATE" in pem:
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = serialization.load_pem_public_key(pem.encode())
    except ValueError:
        raise ApiError(400, "The pem is not a valid public key or certificate.", "invalid_body") from None
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ApiError(400, "The pem must hold an RSA or EC public key.", "invalid_body")
    return key


def rsa_thumbprint(pem: str) -> str:
    """RFC 7638: base64url SHA-256 of the key's canonical JWK; also the kid that a credential gets."""
    key = public_key(pem)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        jwk = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    else:
        point = key.public_numbers()
        size = (key.key_size + 7) // 8
        jwk = {"crv": "P-256", "kty": "EC", "x": _number(point.x, size), "y": _number(point.y, size)}
    return _base64url(hashlib.sha256(orjson.dumps(jwk)).digest())


def thumbprint_sha256(pem: str) -> str:
    return _base64url(read(pem, "pem").fingerprint(hashes.SHA256()))


def expiry(pem: str) -> str:
    return _instant(read(pem, "pem"))


def _instant(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def subject_lines(pem: str) -> str:
    """The subject as a credential of type cert_subject_dn shows it: one part a line, C=es first."""
    name = read(pem, "pem").subject
    return "\n".join(f"{NAMES[part.oid][0]}={part.value!s}" for part in name if part.oid in NAMES)


def describe_signing(sent: str) -> Document:
    """What a SAML connection tells of its signing certificate (PEM, or Base64 of PEM or DER): thumbprints, expires,
    subject, cert. Raises ApiError 400."""
    pem = sent if "BEGIN" in sent else _decoded(sent)
    certificate = read(pem, "signingCert")
    return {
        "cert": pem,
        "thumbprints": [certificate.fingerprint(hashes.SHA1()).hex()],  # noqa: S303 - as the API shows it
        "expires": _instant(certificate),
        "subject": {NAMES[part.oid][1]: part.value for part in certificate.subject if part.oid in NAMES},
    }


def _decoded(text: str) -> str:
    try:
        raw = base64.b64decode(text)
    except ValueError:
        raw = b""
    if not raw.startswith(DER):
        return raw.decode("utf-8", "replace")
    return in_pem(text)


def in_pem(text: str) -> str:
    """A certificate of which this is the Base64."""
    whole = "".join(text.split())
    lines = "\n".join(whole[at : at + 64] for at in range(0, len(whole), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def connection_key(name: str) -> dict[str, Any]:
    """A new RSA key of a connection, as GET /connections/{id}/keys shows it but for the place of the key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .sign(private, hashes.SHA256())
    )
    fingerprint = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as the API shows it
    return {
        "kid": secrets.token_urlsafe(32),
        "algorithm": "RS256",
        "key_use": "signing",
        "subject_dn": f"/CN={name}",
        "cert": certificate.public_bytes(serialization.Encoding.PEM).decode().replace("\n", "\r\n"),
        "pkcs": pkcs7.serialize_certificates([certificate], serialization.Encoding.PEM).decode().replace("\n", "\r\n"),
        "fingerprint": ":".join(fingerprint[at : at + 2].upper() for at in range(0, len(fingerprint), 2)),
        "thumbprint": fingerprint.upper(),
    }


def _number(value: int, size: int | None = None) -> str:
    return _base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
