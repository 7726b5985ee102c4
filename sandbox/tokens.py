"""Issues and checks the JSON Web Tokens of one tenant."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from sandbox import keys
from sandbox.errors import ApiError
from sandbox.tenant import Tenant

Claims = dict[str, Any]

# What the signing keys of a tenant sign with; an API or an application chooses.
_ALGORITHMS: dict[str, tuple[padding.AsymmetricPadding, SHA256 | SHA512]] = {
    "RS256": (padding.PKCS1v15(), SHA256()),
    "RS512": (padding.PKCS1v15(), SHA512()),
    "PS256": (padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256()),
}
_REMEMBERED_TOKENS = 2000
_RECENT_TOKENS = 20


class InvalidTokenError(Exception):
    """The text is a reason as Auth0 words it: "Invalid token", "Expired token received for ...", ..."""


def issue(tenant: Tenant, claims: Claims, *, typ: str = "JWT", algorithm: str = "RS256") -> str:
    """Sign the claims with the current key. `iss`, `iat`, `exp` are the caller's to set."""
    key = keys.current(tenant)
    signed = _head(algorithm, typ, key.kid) + b"." + _encode(orjson.dumps(claims))
    # What is signed again within the same second may as well come out the same.
    recent: dict[bytes, str] = tenant.memory.setdefault("recent_tokens", {})
    token = recent.get(signed)
    if token is None:
        token = (signed + b"." + _encode(key.private.sign(signed, *_ALGORITHMS[algorithm]))).decode()
        if len(recent) >= _RECENT_TOKENS:
            del recent[next(iter(recent))]
        recent[signed] = token
    return token


@lru_cache(maxsize=100)
def _head(algorithm: str, typ: str, kid: str) -> bytes:
    return _encode(orjson.dumps({"alg": algorithm, "typ": typ, "kid": kid}))


def issue_symmetric(claims: Claims, secret: str, *, typ: str = "JWT") -> str:
    """HS256 with a secret: an application's for its ID tokens, an API's for its access tokens."""
    signed = _encode(orjson.dumps({"alg": "HS256", "typ": typ})) + b"." + _encode(orjson.dumps(claims))
    return (signed + b"." + _encode(_authenticated(signed, secret))).decode()


def _authenticated(signed: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), signed, hashlib.sha256)


def unverified(token: str) -> Claims:
    """What the token claims. Raises InvalidTokenError when it is no JSON Web Token."""
    return _parts(token)[1]


def verify_symmetric(token: str, secret: str) -> Claims:
    """The claims of an HS256 token, expired or not. Raises InvalidTokenError."""
    head, claims, signed, signature = _parts(token)
    if head.get("alg") != "HS256" or not hmac.compare_digest(signature, _authenticated(signed, secret)):
        raise InvalidTokenError("Invalid signature received for JSON Web Token validation")
    return claims


def verify(tenant: Tenant, token: str, *, expired_is_fine: bool = False) -> Claims:
    """The claims of a token that this tenant issued. Raises InvalidTokenError with Auth0's wording."""
    head, claims, signed, signature = _parts(token)
    key = keys.by_kid(tenant, head.get("kid"))
    if key is None or str(head.get("alg")) not in _ALGORITHMS:
        raise InvalidTokenError("Invalid signature received for JSON Web Token validation")
    try:
        key.private.public_key().verify(signature, signed, *_ALGORITHMS[head["alg"]])
    except InvalidSignature:
        raise InvalidTokenError("Invalid signature received for JSON Web Token validation") from None
    if claims.get("iss") != tenant.issuer:
        raise InvalidTokenError("Invalid token")
    if not expired_is_fine and claims.get("exp", 0) <= tenant.now():
        raise InvalidTokenError("Expired token received for JSON Web Token validation")
    return claims


def seal(tenant: Tenant, claims: Claims) -> str:
    """An opaque token: claims that only this tenant can read (compact JWE, as Auth0's)."""
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, orjson.dumps(claims), _sealing_key(tenant))


def unseal(tenant: Tenant, token: str) -> Claims:
    """Raises InvalidTokenError for a foreign, damaged or expired one."""
    try:
        claims = orjson.loads(jwe.decrypt_compact(token, _sealing_key(tenant)).plaintext or b"null")
    except (JoseError, ValueError, UnicodeEncodeError):
        raise InvalidTokenError("Invalid token") from None
    if not isinstance(claims, dict) or claims.get("exp", 0) <= tenant.now():
        raise InvalidTokenError("Invalid token")
    return claims


def _sealing_key(tenant: Tenant) -> OctKey:
    found = tenant.memory.get("sealing_key")
    if found is None:
        found = tenant.memory["sealing_key"] = OctKey.import_key(keys.derived(tenant, b"opaque tokens"))
    return found


def management_audiences(tenant: Tenant) -> set[str]:
    """The Management API's identifier, and the addresses it is also reached at."""
    found = tenant.memory.get("management_audiences")
    if found is None:
        ports = (("https", tenant.https_port), ("http", tenant.http_port))
        hosts = ("localhost", "127.0.0.1")
        found = {f"{scheme}://{host}:{port}/api/v2/" for scheme, port in ports for host in hosts}
        tenant.memory["management_audiences"] = found
    return found


def verify_management_token(tenant: Tenant, authorization_header: str | None) -> Claims:
    """The claims of a Management API request. Raises ApiError 401 or 400 as Auth0 words them."""
    if not authorization_header:
        raise ApiError(401, "Missing authentication")
    scheme, _, token = authorization_header.partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2:
        raise ApiError(400, "Bad HTTP authentication header format", "Bearer")
    remembered: dict[str, Claims] = tenant.memory.setdefault("verified_tokens", {})
    claims = remembered.get(token)
    if claims is None or claims["exp"] <= tenant.now():
        claims = _checked_management_token(tenant, token)
        if len(remembered) >= _REMEMBERED_TOKENS:
            remembered.clear()
        remembered[token] = claims
    return claims


def _checked_management_token(tenant: Tenant, token: str) -> Claims:
    try:
        claims = verify(tenant, token)
        audiences = claims.get("aud")
        audiences = audiences if isinstance(audiences, list) else [audiences]
        if management_audiences(tenant).isdisjoint(audiences):
            raise InvalidTokenError(f"Bad audience: {','.join(map(str, audiences))}")
    except InvalidTokenError as problem:
        raise ApiError(401, str(problem), attributes={"error": str(problem)}) from None
    return claims


def _parts(token: str) -> tuple[dict[str, Any], Claims, bytes, bytes]:
    try:
        head, claims, signature = token.encode("ascii").split(b".")
        decoded = orjson.loads(_decode(head)), orjson.loads(_decode(claims))
        if not all(isinstance(part, dict) for part in decoded):
            raise ValueError
        return *decoded, head + b"." + claims, _decode(signature)
    except ValueError:
        raise InvalidTokenError("Invalid token") from None


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
