"""Access tokens of the machine-to-machine applications: fetched once for all processes, kept encrypted in the cache."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import jwt
from django.conf import settings
from django.core.cache import cache

from portal.crypto import decrypt, encrypt
from portal.errors import NotConnected, Unavailable
from portal.models import Tenant

# Renew this long before the end, so that no call starts with a token that ends on the way.
LEEWAY_SECONDS = 120
LOCK_SECONDS = 20
# Where a scope is missing, a token that is older is fetched anew: the scope may have been granted since.
YOUNG_SECONDS = 60


@dataclass(frozen=True)
class Token:
    value: str = field(repr=False)
    expires_at: float
    fetched_at: float
    scopes_text: str

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scopes_text.split())

    @property
    def age_seconds(self) -> float:
        return time.time() - self.fetched_at

    @property
    def left_seconds(self) -> float:
        return self.expires_at - time.time()


@dataclass(frozen=True)
class Credentials:
    """One machine-to-machine application of a tenant: with a secret, or with a private key (PEM)."""

    client_id: str
    secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)


Get = Callable[[Tenant, Credentials], Token]


def credentials(tenant: Tenant, *, writing: bool = True) -> Credentials:
    """What a call signs in with: reads use the tenant's reading application, where there is one."""
    if tenant.reader_client_id and not writing:
        return Credentials(tenant.reader_client_id, tenant.reader_client_secret, tenant.reader_private_key)
    return Credentials(tenant.client_id, tenant.client_secret, tenant.private_key)


def management_token(tenant: Tenant, *, writing: bool = True) -> str:
    """A token for the tenant's Management API, good for at least a moment. Raises NotConnected or Unavailable."""
    return current(tenant, credentials(tenant, writing=writing)).value


def current(tenant: Tenant, application: Credentials | None = None) -> Token:
    """The shared token; fetched by the first process that finds none, while the others wait for it."""
    application = application or credentials(tenant)
    key, deadline = _key(tenant, application), time.monotonic() + LOCK_SECONDS
    while True:
        if token := _cached(key):
            return token
        if cache.add(key + ":lock", "1", timeout=LOCK_SECONDS):
            try:
                return _cached(key) or fetch(tenant, application)
            finally:
                cache.delete(key + ":lock")
        if time.monotonic() > deadline:
            raise Unavailable(f"{tenant.name} gives no access token: another process has been waiting for it too long.")
        time.sleep(0.05)


def both(tenant: Tenant, get: Get) -> tuple[Token, Token]:
    """(of the application that reads, of the one that writes) by `get`: current, young or fetch; asked once for one."""
    reader, writer = (credentials(tenant, writing=writing) for writing in (False, True))
    of_writer = get(tenant, writer)
    return (of_writer if reader == writer else get(tenant, reader)), of_writer


def young(tenant: Tenant, application: Credentials | None = None) -> Token:
    """The shared token, fetched anew where it is older than a moment: it carries what is granted now."""
    token = current(tenant, application)
    return token if token.age_seconds <= YOUNG_SECONDS else fetch(tenant, application)


def fetch(tenant: Tenant, application: Credentials | None = None) -> Token:
    """POST /oauth/token with client credentials (secret, or private key JWT), and share the answer."""
    application = application or credentials(tenant)
    body = {"grant_type": "client_credentials", "audience": tenant.audience, "client_id": application.client_id}
    try:
        with httpx.Client(verify=trust(tenant), timeout=settings.AUTH0_TIMEOUT_SECONDS) as client:
            answer = client.post(f"{tenant.url}/oauth/token", json=body | _proof(tenant, application))
    except httpx.HTTPError as error:
        raise _unreachable(tenant, error) from None
    if answer.status_code != 200:
        raise _refusal(tenant, application, answer)
    return _share(_key(tenant, application), answer.json())


def forget(tenant: Tenant) -> None:
    for writing in (True, False):
        cache.delete(_key(tenant, credentials(tenant, writing=writing)))


def trust(tenant: Tenant) -> ssl.SSLContext:
    """The TLS context: the usual authorities, those of CA_BUNDLE, and the tenant's own.

    Reading hundreds of certificates takes longer than a call, so it is done once for the same ones.
    """
    bundle = settings.CA_BUNDLE
    return _trust(bundle, Path(bundle).stat().st_mtime_ns if bundle else 0, tenant.ca_bundle)


@lru_cache(maxsize=64)
def _trust(bundle: str, changed_at_ns: int, own: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if bundle:
        context.load_verify_locations(cafile=bundle)
    if own:
        context.load_verify_locations(cadata=own)
    return context


def _proof(tenant: Tenant, application: Credentials) -> dict[str, str]:
    if not application.private_key:
        return {"client_secret": application.secret}
    now, client_id = int(time.time()), application.client_id
    claims = {"iss": client_id, "sub": client_id, "aud": f"{tenant.url}/", "iat": now, "exp": now + 60}
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims | {"jti": uuid.uuid4().hex}, application.private_key, algorithm="RS256"),
    }


def _share(key: str, answer: dict[str, Any]) -> Token:
    now, lifetime = time.time(), float(answer.get("expires_in", 86400))
    token = Token(answer["access_token"], now + lifetime, now, answer.get("scope", ""))
    cache.set(key, encrypt(json.dumps(asdict(token))), timeout=max(1, int(lifetime - LEEWAY_SECONDS)))
    return token


def _cached(key: str) -> Token | None:
    stored = cache.get(key)
    token = Token(**json.loads(decrypt(stored))) if stored else None
    return token if token and token.expires_at - LEEWAY_SECONDS > time.time() else None


def _key(tenant: Tenant, application: Credentials) -> str:
    # The secret is part of the key: a token of old credentials is never used for new ones.
    identity = f"{tenant.domain} {application.client_id} {application.secret} {application.private_key}"
    return f"token:{tenant.pk}:{hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def _unreachable(tenant: Tenant, error: httpx.HTTPError) -> Exception:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return NotConnected(
            f"The certificate of {tenant.domain} is not trusted here. Add its authority to the tenant's CA bundle."
        )
    return Unavailable(f"{tenant.name} ({tenant.domain}) can't be reached: {type(error).__name__}.")


def _refusal(tenant: Tenant, application: Credentials, answer: httpx.Response) -> Exception:
    if answer.status_code == 429 or answer.status_code >= 500:
        return Unavailable(f"{tenant.name} gives no access token now (status {answer.status_code}). Try again.")
    if answer.status_code == 401 and application.private_key:
        return NotConnected(
            f"{tenant.name} does not know the private key of application {application.client_id}: register its public "
            "key there (Applications > the application > Credentials > Private Key JWT), and save. Auth0 needs a "
            "moment, and a plan that has private key JWT."
        )
    if answer.status_code == 401:
        return NotConnected(
            f"{tenant.name} refuses the credentials of application {application.client_id}: "
            "the client id or its secret is wrong. An administrator can enter the right ones on the tenant's page."
        )
    if answer.status_code == 403:
        return NotConnected(
            f"Application {application.client_id} of {tenant.name} may not use the Management API ({tenant.audience}). "
            "Authorise it in Auth0: Applications > APIs > Auth0 Management API > Machine to Machine Applications."
        )
    return NotConnected(
        f"{tenant.name} gives no access token (status {answer.status_code}). Check its domain and client id."
    )
