"""Public keys of WebAuthn credentials as the Management API takes them, for verification."""

from __future__ import annotations

import base64
import binascii


def cose(public_key: str) -> bytes:
    """A stored public key in the form of the authenticators: it may be COSE or SubjectPublicKeyInfo, in Base64.

    Raises ValueError where it is neither.
    """
    from webauthn.helpers import decode_credential_public_key  # noqa: PLC0415

    text = "".join(line for line in public_key.splitlines() if "-----" not in line).strip()
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("The stored public key is not Base64") from None
    if raw[:1] == b"\x30":
        raw = _cose_of_spki(raw)
    decode_credential_public_key(raw)
    return raw


def _cose_of_spki(der: bytes) -> bytes:
    """RFC 9053: numbers of the key's parameters. Raises ValueError for an algorithm that WebAuthn does not know."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415
    from webauthn.helpers import encode_cbor  # noqa: PLC0415

    key = load_der_public_key(der)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        numbers = key.public_numbers()
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
    if isinstance(key, rsa.RSAPublicKey):
        n, e = key.public_numbers().n, key.public_numbers().e
        return encode_cbor({1: 3, 3: -257, -1: n.to_bytes(key.key_size // 8, "big"), -2: e.to_bytes(3, "big")})
    if isinstance(key, ed25519.Ed25519PublicKey):
        return encode_cbor({1: 1, 3: -8, -1: 6, -2: key.public_bytes_raw()})
    raise ValueError("The stored public key is of a kind that WebAuthn does not use")
