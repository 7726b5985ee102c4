"""Access tokens of the machine-to-machine applications: fetched once for all processes, kept encrypted in the cache."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.core.cache import cache

from portal.auth0 import token_endpoint
from portal.auth0.token_endpoint import Credentials, Token
from portal.crypto import decrypt, encrypt
from portal.errors import PortalError, Unavailable
from portal.models import Tenant

# Renew this long before the end, so that no call starts with a token that ends on the way.
LEEWAY_SECONDS = 120
LOCK_SECONDS = 20
# Where a scope is missing, a token that is older is fetched anew: the scope may have been granted since.
YOUNG_SECONDS = 60
# A page that only shows what is granted waits no longer, and asks a tenant in trouble again after a while alone.
PAGE_TIMEOUT_SECONDS = 3.0
TROUBLE_SECONDS = 30
REMEMBER_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Trouble:
    """That a tenant gave no token: why, since when and when last (epoch seconds)."""

    error: PortalError
    since: float
    at: float


Get = Callable[[Tenant, Credentials], Token]


def credentials(tenant: Tenant, *, writing: bool = True) -> Credentials:
    """What a call signs in with: reads use the tenant's reading application, where there is one."""
    if tenant.reader_client_id and not writing:
        return Credentials(tenant.reader_client_id, tenant.reader_client_secret, tenant.reader_private_key)
    return Credentials(tenant.client_id, tenant.client_secret, tenant.private_key)


def management_token(tenant: Tenant, *, writing: bool = True) -> str:
    """A token for the tenant's Management API, good for at least a moment. Raises NotConnected or Unavailable."""
    return current(tenant, credentials(tenant, writing=writing)).value


def current(tenant: Tenant, application: Credentials | None = None, *, timeout: float | None = None) -> Token:
    """The shared token; fetched by the first process that finds none, while the others wait for what it gets."""
    application = application or credentials(tenant)
    key, began, deadline = _key(tenant, application), time.time(), time.monotonic() + LOCK_SECONDS
    while True:
        if token := _cached(key):
            return token
        if (trouble := _trouble(key)) and trouble.at > began:
            raise trouble.error
        if cache.add(key + ":lock", "1", timeout=LOCK_SECONDS):
            try:
                return _cached(key) or fetch(tenant, application, timeout=timeout)
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


def young(tenant: Tenant, application: Credentials | None = None, *, timeout: float | None = None) -> Token:
    """The shared token, fetched anew where it is older than a moment: it carries what is granted now."""
    token = current(tenant, application, timeout=timeout)
    return token if token.age_seconds <= YOUNG_SECONDS else fetch(tenant, application, timeout=timeout)


def fetch(tenant: Tenant, application: Credentials | None = None, *, timeout: float | None = None) -> Token:
    """POST /oauth/token with client credentials (secret, or private key JWT), and share the answer.

    Raises NotConnected or Unavailable, which is remembered: `trouble` tells since when.
    """
    application = application or credentials(tenant)
    key = _key(tenant, application)
    try:
        token = token_endpoint.ask(tenant, application, timeout=timeout or settings.AUTH0_TIMEOUT_SECONDS)
    except PortalError as error:
        _note_trouble(key, error)
        raise
    _share(key, token)
    return token


def for_a_page(get: Callable[..., Token]) -> Get:
    """`current` or `young` with little patience: a tenant that was in trouble a moment ago is not asked again."""

    def quickly(tenant: Tenant, application: Credentials) -> Token:
        key = _key(tenant, application)
        recent = _trouble(key)
        if not recent or time.time() - recent.at > TROUBLE_SECONDS:
            return get(tenant, application, timeout=PAGE_TIMEOUT_SECONDS)
        if token := _cached(key):
            return token
        raise recent.error

    return quickly


def latest(tenant: Tenant) -> tuple[Token, Token] | None:
    """As `both`: the tokens that the tenant gave last, perhaps ended by now, without their values; None before any."""
    known = [cache.get(_key(tenant, credentials(tenant, writing=writing)) + ":latest") for writing in (False, True)]
    return (Token(**known[0]), Token(**known[1])) if all(known) else None


def trouble(tenant: Tenant) -> Trouble | None:
    """Why the tenant gave no token when it was last asked for one; None where it did."""
    found = (_trouble(_key(tenant, credentials(tenant, writing=writing))) for writing in (True, False))
    return next(filter(None, found), None)


def forget(tenant: Tenant, value: str = "") -> None:
    """Drop the shared tokens. `value`: only the one that was refused, which another process may have renewed by now."""
    for writing in (True, False):
        key = _key(tenant, credentials(tenant, writing=writing))
        held = _cached(key) if value else None
        if not value or (held and held.value == value):
            cache.delete(key)


def _share(key: str, token: Token) -> None:
    cache.delete(key + ":trouble")
    cache.set(key + ":latest", asdict(replace(token, value="")), timeout=REMEMBER_SECONDS)
    seconds = token.expires_at - token.fetched_at - LEEWAY_SECONDS
    cache.set(key, encrypt(json.dumps(asdict(token))), timeout=max(1, int(seconds)))


def _trouble(key: str) -> Trouble | None:
    return cache.get(key + ":trouble")


def _note_trouble(key: str, error: PortalError) -> None:
    before, now = _trouble(key), time.time()
    cache.set(key + ":trouble", Trouble(error, before.since if before else now, now), timeout=REMEMBER_SECONDS)


def _cached(key: str) -> Token | None:
    stored = cache.get(key)
    token = Token(**json.loads(decrypt(stored))) if stored else None
    return token if token and token.expires_at - LEEWAY_SECONDS > time.time() else None


def _key(tenant: Tenant, application: Credentials) -> str:
    # The secret is part of the key: a token of old credentials is never used for new ones.
    identity = f"{tenant.domain} {application.client_id} {application.secret} {application.private_key}"
    return f"token:{tenant.pk}:{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
