"""The signing keys of one tenant: random RSA keys whose private part never leaves the process (or its key file).

They live beside the documents, not among them: neither a reset nor an exported state touches or shows them.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import string
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from sandbox.errors import ApiError
from sandbox.tenant import Tenant

_PEM_HEAD = b"-----BEGIN PRIVATE KEY-----"
_lock = threading.RLock()


@dataclass
class SigningKey:
    """One RSA key with its self-signed certificate. `private` is for `sandbox.tokens` alone."""

    kid: str
    private: rsa.RSAPrivateKey
    certificate: x509.Certificate
    current_since: str | None = None
    current_until: str | None = None
    revoked_at: str | None = None

    @cached_property
    def public_numbers(self) -> rsa.RSAPublicNumbers:
        return self.private.public_key().public_numbers()

    @cached_property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public key as /.well-known/jwks.json shows it."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        sha1 = self.certificate.fingerprint(hashes.SHA1())  # noqa: S303 - x5t is SHA-1 by its definition
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _number(self.public_numbers.n),
            "e": _number(self.public_numbers.e),
            "x5t": base64.urlsafe_b64encode(sha1.hex().upper().encode()).decode().rstrip("="),
            "x5c": [base64.b64encode(der).decode()],
        }


class KeyRing:
    """Auth0 keeps a current and a next key, and the previous one until it is revoked."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.keys: list[SigningKey] = []
        self.current: SigningKey | None = None
        self.file: Path | None = None

    def signing(self) -> SigningKey:
        with _lock:
            if self.current is None:
                self.current = self._add()
                self.current.current_since = self.tenant.timestamp()
            return self.current

    def next(self) -> SigningKey:
        with _lock:
            self.signing()
            waiting = [k for k in self.keys if k.current_since is None and k.revoked_at is None]
            return waiting[0] if waiting else self._add()

    def rotate(self) -> SigningKey:
        with _lock:
            new, old = self.next(), self.signing()
            now = self.tenant.timestamp()
            old.current_until = new.current_since = now
            self.current = new
            self._save()
            return new

    def valid(self) -> list[SigningKey]:
        self.next()
        return [key for key in self.keys if key.revoked_at is None]

    def _add(self) -> SigningKey:
        key = _generate(self.tenant.domain)
        self.keys.append(key)
        self._save()
        return key

    def _save(self) -> None:
        """Private keys and certificates of the valid keys, the current one first; readable by the owner alone."""
        if self.file is None:
            return
        order = sorted((k for k in self.keys if k.revoked_at is None), key=lambda k: k is not self.current)
        text = b"".join(_private_pem(k) + f"# {k.kid}\n".encode() + k.certificate_pem.encode() for k in order)
        new = self.file.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(text)
        new.replace(self.file)

    def read(self, file: Path) -> None:
        """Take the keys of an earlier run; an absent or damaged file means new keys."""
        self.file = file
        with contextlib.suppress(OSError, ValueError), _lock:
            parts = file.read_bytes().split(_PEM_HEAD)[1:]
            self.keys = [_read_key(_PEM_HEAD + part) for part in parts]
            self.current = self.keys[0] if self.keys else None
        if self.current is not None:
            self.current.current_since = self.tenant.timestamp(
                self.current.certificate.not_valid_before_utc.timestamp()
            )


def ring(tenant: Tenant) -> KeyRing:
    found = tenant.memory.get("keys")
    return found if found is not None else tenant.memory.setdefault("keys", KeyRing(tenant))


def current(tenant: Tenant) -> SigningKey:
    """The key that signs now; made at the first call (about 0.1 s)."""
    return ring(tenant).signing()


def keep_in(tenant: Tenant, folder: Path) -> None:
    """Keep the keys in a file there (mode 600), so that tokens outlive a restart. Call before the first use."""
    ring(tenant).read(folder / f"{tenant.name}-signing-keys.pem")


def by_kid(tenant: Tenant, kid: str | None) -> SigningKey | None:
    """The key with that id if tokens signed with it still count, else None."""
    known = [*ring(tenant).keys]
    return next((key for key in known if key.kid == kid and key.revoked_at is None), None)


def derived(tenant: Tenant, purpose: bytes) -> bytes:
    """A symmetric key of 32 bytes for one purpose, as lasting as the first signing key."""
    current(tenant)
    private = ring(tenant).keys[0].private.private_numbers().d
    raw = private.to_bytes((private.bit_length() + 7) // 8, "big")
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose).derive(raw)


def jwks(tenant: Tenant) -> dict[str, Any]:
    """/.well-known/jwks.json; the tenant's flag takes the algorithm out, for who checks other ones."""
    settings = tenant.store.get("settings", "settings/tenants/settings") or {}
    hidden = "alg" if (settings.get("flags") or {}).get("remove_alg_from_jwks") else ""
    found = [key.jwk for key in ring(tenant).valid()]
    return {"keys": [{name: value for name, value in jwk.items() if name != hidden} for jwk in found]}


def describe(tenant: Tenant) -> list[dict[str, Any]]:
    """GET /keys/signing: each key with `current`, `next`, `previous`, `cert`, `pkcs7`, `fingerprint`, `thumbprint`."""
    keys = ring(tenant)
    following, signing = keys.next(), keys.signing()
    return [_described(key, signing, following) for key in keys.keys]


def describe_one(tenant: Tenant, kid: str) -> dict[str, Any]:
    """GET /keys/signing/{kid}. Raises ApiError 404."""
    found = [key for key in describe(tenant) if key["kid"] == kid]
    if not found:
        raise ApiError(404, "Key not found", "signing_key_not_found")
    return found[0]


def rotate(tenant: Tenant) -> dict[str, Any]:
    """POST /keys/signing/rotate: the next key becomes the current one; answers `{"cert", "kid"}` of the new one."""
    new = ring(tenant).rotate()
    return {"kid": new.kid, "cert": new.certificate_pem}


def revoke(tenant: Tenant, kid: str) -> dict[str, Any]:
    """PUT /keys/signing/{kid}/revoke. The current key can't be revoked (rotate first). Raises ApiError 400/404."""
    describe_one(tenant, kid)
    keys = ring(tenant)
    if keys.signing().kid == kid:
        raise ApiError(400, "The current signing key can't be revoked. Rotate it first.", "invalid_operation")
    key = next(k for k in keys.keys if k.kid == kid)
    key.revoked_at = key.revoked_at or tenant.timestamp()
    tenant.memory.pop("verified_tokens", None)
    keys._save()
    return {"kid": key.kid, "cert": key.certificate_pem}


def _described(key: SigningKey, signing: SigningKey, following: SigningKey) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "kid": key.kid,
        "cert": key.certificate_pem,
        "pkcs7": pkcs7.serialize_certificates([key.certificate], serialization.Encoding.PEM).decode(),
        "fingerprint": _fingerprint(key),
        "thumbprint": _fingerprint(key).replace(":", ""),
        "current": key is signing,
        "next": key is following,
        "previous": True,  # Auth0 says so of every key
        "current_since": key.current_since,
        "current_until": key.current_until,
        "revoked": key.revoked_at is not None,
        "revoked_at": key.revoked_at,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _fingerprint(key: SigningKey) -> str:
    digest = key.certificate.fingerprint(hashes.SHA1())  # noqa: S303 - as the API shows it
    return digest.hex(":").upper()


def _generate(domain: str) -> SigningKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain.partition(":")[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=5000))
        .sign(private, hashes.SHA256())
    )
    return SigningKey(_new_kid(), private, certificate)


def _new_kid() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits + "_-") for _ in range(21))


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _private_pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_key(text: bytes) -> SigningKey:
    private = serialization.load_pem_private_key(text.partition(b"# ")[0], password=None)
    kid, _, certificate = text.partition(b"# ")[2].partition(b"\n")
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("The key file holds a key that is not RSA.")
    return SigningKey(kid.decode(), private, x509.load_pem_x509_certificate(certificate))
