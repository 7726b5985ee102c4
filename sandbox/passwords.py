"""Password hashes, and the foreign ones that an import may bring along."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

# bcrypt's work factor for passwords hashed here. Local tenants hold invented people, and tests sign in often.
rounds = 4

LONGEST_BYTES = 72


def hash(password: str) -> str:  # noqa: A001 - the field term
    """A bcrypt hash. Like Auth0, which refuses longer ones, only the first 72 bytes count."""
    import bcrypt

    return bcrypt.hashpw(password.encode()[:LONGEST_BYTES], bcrypt.gensalt(rounds)).decode()


def check(stored: str | Mapping[str, Any] | None, password: str) -> bool:
    """Whether the password is the one behind `stored`: a bcrypt or PHC string, or an import's custom_password_hash."""
    if not stored:
        return False
    try:
        if isinstance(stored, str):
            return _check_text(stored, password)
        return _CUSTOM[stored["algorithm"]](stored, password)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return False


def _check_text(stored: str, password: str) -> bool:
    if stored.startswith("$argon2"):
        return _argon2(stored, password)
    if stored.startswith("$2"):
        import bcrypt

        return bcrypt.checkpw(password.encode()[:LONGEST_BYTES], stored.encode())
    if stored.startswith(("$pbkdf2-", "$scrypt$")):
        return _check_phc(stored, password)
    if stored.startswith("{"):
        return _check_ldap(stored, password)
    return False


def _argon2(stored: str, password: str) -> bool:
    import argon2

    try:
        return argon2.PasswordHasher().verify(stored, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _check_phc(stored: str, password: str) -> bool:
    """$pbkdf2-sha256$i=100000,l=32$salt$hash and $scrypt$ln=14,r=8,p=1$salt$hash, base64 without padding."""
    _, algorithm, options, salt_text, hash_text = stored.split("$")
    numbers = {k: int(v) for k, v in (part.split("=") for part in options.split(","))}
    salt, wanted = _base64(salt_text), _base64(hash_text)
    if algorithm == "scrypt":
        found = hashlib.scrypt(
            password.encode(),
            salt=salt,
            n=2 ** numbers["ln"],
            r=numbers["r"],
            p=numbers["p"],
            maxmem=256 * 1024 * 1024,
            dklen=len(wanted),
        )
    else:
        digest = algorithm.removeprefix("pbkdf2-")
        found = hashlib.pbkdf2_hmac(digest, password.encode(), salt, numbers["i"], dklen=len(wanted))
    return hmac.compare_digest(found, wanted)


def _check_ldap(stored: str, password: str) -> bool:
    """RFC 2307: {SHA}, {SSHA}, {MD5}, {SMD5}, {SSHA256}, {SSHA512}; the salt follows the digest."""
    scheme, _, text = stored[1:].partition("}")
    name = scheme.lower().removeprefix("s") if scheme.upper() != "SHA" else "sha"
    digest = {"sha": "sha1", "sha256": "sha256", "sha512": "sha512", "md5": "md5", "ha": "sha1", "ha256": "sha256"}
    algorithm = digest.get(name if name in digest else scheme.lower(), "sha512" if "512" in scheme else "sha1")
    raw = _base64(text)
    size = hashlib.new(algorithm).digest_size
    return hmac.compare_digest(hashlib.new(algorithm, password.encode() + raw[size:]).digest(), raw[:size])


def _base64(text: str) -> bytes:
    text = text.replace("-", "+").replace("_", "/").replace(".", "+")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _decoded(part: Mapping[str, Any], encoding: str = "utf8") -> bytes:
    encoding = part.get("encoding", encoding)
    value = str(part["value"])
    if encoding == "hex":
        return bytes.fromhex(value)
    if encoding == "base64":
        return _base64(value)
    return value.encode(
        {"utf8": "utf-8", "ascii": "ascii", "latin1": "latin-1", "ucs2": "utf-16-le"}.get(encoding, encoding)
    )


def _salted(custom: Mapping[str, Any], password: str) -> bytes:
    encoding = (custom.get("password") or {}).get("encoding", "utf8")
    plain = _decoded({"value": password, "encoding": encoding})
    salt = custom.get("salt")
    if not salt:
        return plain
    raw = _decoded(salt)
    return raw + plain if salt.get("position", "prefix") == "prefix" else plain + raw


def _digest(custom: Mapping[str, Any], password: str) -> bool:
    wanted = _decoded(custom["hash"], "hex")
    return hmac.compare_digest(hashlib.new(custom["algorithm"], _salted(custom, password)).digest(), wanted)


def _md4(custom: Mapping[str, Any], password: str) -> bool:
    from sandbox.md4 import md4

    return hmac.compare_digest(md4(_salted(custom, password)), _decoded(custom["hash"], "hex"))


def _keyed(custom: Mapping[str, Any], password: str) -> bool:
    described = custom["hash"]
    found = hmac.new(_decoded(described["key"]), _salted(custom, password), described["digest"]).digest()
    return hmac.compare_digest(found, _decoded(described, "hex"))


def _text(custom: Mapping[str, Any], password: str) -> bool:
    return _check_text(str(custom["hash"]["value"]), password)


def _scrypt(custom: Mapping[str, Any], password: str) -> bool:
    wanted = _decoded(custom["hash"], "base64")
    found = hashlib.scrypt(
        password.encode(),
        salt=_decoded(custom["salt"]),
        n=int(custom.get("cost", 16384)),
        r=int(custom.get("blockSize", 8)),
        p=int(custom.get("parallelization", 1)),
        maxmem=256 * 1024 * 1024,
        dklen=int(custom.get("keylen", len(wanted))),
    )
    return hmac.compare_digest(found, wanted)


_CUSTOM = {
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512"), _digest),
    **dict.fromkeys(("argon2", "bcrypt", "pbkdf2", "ldap"), _text),
    "hmac": _keyed,
    "md4": _md4,
    "scrypt": _scrypt,
}
