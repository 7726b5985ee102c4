"""Password hashes, Auth0's password policies, and the foreign hashes that an import may bring along."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import pathlib
from collections.abc import Mapping
from typing import Any

# bcrypt's work factor for passwords hashed here. Local tenants hold invented people, and tests sign in often.
rounds = 4

LONGEST_BYTES = 72
_LENGTHS = {"none": 1, "low": 6, "fair": 8, "good": 8, "excellent": 10}
_DICTIONARY = pathlib.Path(__file__).with_name("common_passwords.txt")


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


def problem(options: Mapping[str, Any], password: str, user: Mapping[str, Any], previous: list[Any] = []) -> str | None:  # noqa: B006
    """Why a connection's policy refuses this password, or None.

    `options` are the connection's (passwordPolicy, password_complexity_options, password_history, password_dictionary,
    password_no_personal_info); `previous` the stored hashes of earlier passwords, newest first.
    Answers one of Auth0's names: PasswordStrengthError, PasswordTooLong, PasswordHistoryError, PasswordDictionaryError,
    PasswordNoUserInfoError, each followed by ": " and its text.
    """
    if len(password.encode()) > LONGEST_BYTES:
        return "PasswordTooLong: Password is too long, the maximum is 72 bytes"
    if not strong_enough(options, password):
        return "PasswordStrengthError: Password is too weak"
    if _enabled(options, "password_dictionary") and _in_dictionary(options["password_dictionary"], password):
        return "PasswordDictionaryError: Password is too common"
    if _enabled(options, "password_no_personal_info") and _holds_personal_data(password, user):
        return "PasswordNoUserInfoError: Password contains user information"
    if _enabled(options, "password_history"):
        size = int(options["password_history"].get("size", 5))
        if any(check(old, password) for old in previous[:size]):
            return "PasswordHistoryError: Password has previously been used"
    return None


def strong_enough(options: Mapping[str, Any], password: str) -> bool:
    policy = options.get("passwordPolicy") or "good"
    shortest = (options.get("password_complexity_options") or {}).get("min_length") or _LENGTHS.get(policy, 8)
    if len(password) < shortest:
        return False
    kinds = [any(test(c) for c in password) for test in (str.islower, str.isupper, str.isdigit, _special)]
    if policy in ("none", "low"):
        return True
    if policy == "fair":
        return all(kinds[:3])
    if sum(kinds) < 3:
        return False
    return policy != "excellent" or not _runs(password, 3)


def _special(character: str) -> bool:
    return not character.isalnum() and not character.isspace()


def _runs(password: str, length: int) -> bool:
    return any(len(set(password[i : i + length])) == 1 for i in range(len(password) - length + 1))


def _enabled(options: Mapping[str, Any], name: str) -> bool:
    return bool((options.get(name) or {}).get("enable"))


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(_DICTIONARY.read_text().split())


def _in_dictionary(dictionary: Mapping[str, Any], password: str) -> bool:
    own = {str(word).lower() for word in dictionary.get("dictionary") or ()}
    return password.lower() in _common() or password.lower() in own


def _holds_personal_data(password: str, user: Mapping[str, Any]) -> bool:
    values = [user.get(k) for k in ("name", "username", "nickname", "given_name", "family_name", "first", "last")]
    values.append(str(user.get("email") or "").partition("@")[0])
    metadata = user.get("user_metadata") or {}
    values += [metadata.get(k) for k in ("name", "first", "last")]
    lowered = password.lower()
    return any(len(str(v)) >= 3 and str(v).lower() in lowered for v in values if v)


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
