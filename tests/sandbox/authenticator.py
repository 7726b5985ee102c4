"""A WebAuthn authenticator in software: holds keys, and answers a page's options as a browser would."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import encode_cbor

from tests.sandbox.web_login import Person

PRESENT, VERIFIED, MAY_BE_BACKED_UP, BACKED_UP, WITH_KEY = 0x01, 0x04, 0x08, 0x10, 0x40
WITH_WEBAUTHN = {"webauthn-available": "true", "webauthn-platform-available": "true"}


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Key:
    rp_id: str
    user_handle: str
    id: bytes = b""
    private: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0

    def cose(self) -> bytes:
        numbers = self.private.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return bytes(encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y}))

    def cose_text(self) -> str:
        return base64.b64encode(self.cose()).decode()

    def spki(self) -> str:
        """The public key as other systems export it, in Base64."""
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()


@dataclass
class Authenticator:
    """`verifies`: whether it knows who holds it (PIN, fingerprint). `origin`: of the page, as the browser sees it."""

    origin: str
    verifies: bool = True
    attachment: str = "cross-platform"
    keys: list[Key] = field(default_factory=list)

    def create(self, options: dict[str, Any], *, rp_id: str = "", origin: str = "", id: bytes = b"") -> str:
        """What navigator.credentials.create answers, as JSON."""
        key = Key(rp_id or options["rp"]["id"], options["user"]["id"], id=id or secrets.token_bytes(32))
        self.keys.append(key)
        attested = bytes(16) + len(key.id).to_bytes(2, "big") + key.id + key.cose()
        data = self._data(key, WITH_KEY) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"attestationObject": text(attestation), "transports": ["usb"]}
        return self._answer(key, "webauthn.create", options, response, origin)

    def get(self, options: dict[str, Any], *, rp_id: str = "", origin: str = "", key: Key | None = None) -> str:
        """What navigator.credentials.get answers, as JSON: with `key`, else with one that the page allows."""
        allowed = [allowed["id"] for allowed in options.get("allowCredentials") or []]
        key = key or next(key for key in self.keys if not allowed or text(key.id) in allowed)
        key.count += 1
        data = self._data(Key(rp_id, "", count=key.count) if rp_id else key, 0)
        client_data = self._client_data("webauthn.get", options, origin)
        signature = key.private.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": text(data), "signature": text(signature), "userHandle": key.user_handle}
        return self._answer(key, "webauthn.get", options, response, origin)

    def _data(self, key: Key, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(key.rp_id.encode()).digest() + bytes([flags]) + key.count.to_bytes(4, "big")

    def _client_data(self, type: str, options: dict[str, Any], origin: str) -> bytes:
        told = {"type": type, "challenge": options["challenge"], "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, key: Key, type: str, options: dict[str, Any], response: dict[str, Any], origin: str) -> str:
        whole = {**response, "clientDataJSON": text(self._client_data(type, options, origin))}
        ids = {"id": text(key.id), "rawId": text(key.id), "type": "public-key"}
        return json.dumps({**ids, "authenticatorAttachment": self.attachment, "response": whole})


def person(tenant: Any, client: dict[str, Any]) -> Person:
    """Somebody whose browser can use keys."""
    found = Person(tenant, client)
    found.told = dict(WITH_WEBAUTHN)
    return found


def of(tenant: Any, **more: Any) -> Authenticator:
    """An authenticator at a browser that shows the tenant's pages."""
    return Authenticator(tenant.browser_url, **more)


def options_on(person: Person) -> dict[str, Any]:
    """What the page asks of an authenticator."""
    assert person.page is not None
    found = re.search(r'data-options="([^"]+)"', person.page.text)
    assert found, person.text
    return dict(json.loads(unescape(found[1])))


def use(person: Person, authenticator: Authenticator, **fields: str) -> str:
    """Let the authenticator answer the page, and send its answer as the page's script does."""
    options = options_on(person)
    answer = authenticator.create(options) if "user" in options else authenticator.get(options)
    return person.send_answer(answer, **fields)


def enroll(person: Person, email: str) -> Authenticator:
    """Enroll a security key at a first login, and go as far as the page that asks for it at the next one."""
    key = of(person.tenant)
    person.sign_in(email)
    use(person, key)
    assert "code" in person.answer, person.text
    person.sign_in(email, prompt="login")
    return key


def report(person: Person, error: str) -> str:
    """What the page's script sends when the browser could not ask."""
    problem = json.dumps({"name": error, "message": "The operation failed."})
    return person.send_answer("", action=f"showError::{problem}")
