"""What happens at the wire, for every call to a tenant: read only, rate limit, token renewal, errors, retries.

Retries live here and nowhere else. A person's request waits at most a moment; background work (see `in_background`)
leaves room for people and waits for the limit to refill.
"""

from __future__ import annotations

import contextvars
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.conf import settings

from portal.auth0 import decisions, endpoints, limits, token_endpoint, tokens, usage
from portal.errors import NotConnected, ReadOnly, Unavailable, Unknown
from portal.models import Tenant

API = "/api/v2/"
SAFE = {"GET", "HEAD", "OPTIONS"}
PERSON_RETRIES, BACKGROUND_RETRIES = 1, 8
PERSON_PATIENCE_SECONDS, BACKGROUND_PATIENCE_SECONDS = 1.5, 90.0

_background: contextvars.ContextVar[bool] = contextvars.ContextVar("background", default=False)
_writes: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("writes", default=None)


@contextmanager
def in_background() -> Iterator[None]:
    """Calls inside leave a fifth of the tenant's rate limit to people, and wait instead of failing."""
    token = _background.set(True)
    try:
        yield
    finally:
        _background.reset(token)


@contextmanager
def noting_writes() -> Iterator[list[str]]:
    """Yields a list that grows by Auth0's id (header x-auth0-requestid) of each write that succeeds inside."""
    noted: list[str] = []
    token = _writes.set(noted)
    try:
        yield noted
    finally:
        _writes.reset(token)


def note_write(request_id: str) -> None:
    """A write has succeeded; called here, and by engines that call the tenant themselves."""
    noted = _writes.get()
    if noted is not None and request_id:
        noted.append(request_id)


class Gateway(httpx.Client):
    """An HTTP client whose every answer is a success; everything else has become an error of portal.errors."""

    tenant: Tenant

    def send(self, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        _refuse_writes(self.tenant, request)
        renewed = False
        for attempt in range(BACKGROUND_RETRIES + 1):
            limits.wait(self.tenant, background=_background.get())
            self._authorise(request)
            answer = self._once(request, attempt, **kwargs)
            if answer is None:
                continue
            if not renewed and self._token_is_outdated(request, answer):
                renewed = True
                tokens.forget(self.tenant, request.headers["Authorization"].removeprefix("Bearer "))
                continue
            self._note_scopes(request, answer)
            if answer.is_success:
                if request.method not in SAFE:
                    note_write(answer.headers.get("x-auth0-requestid", ""))
                return answer
            problem = decisions.problem(self.tenant, request, answer)
            if not _wait_to_retry(problem, request, attempt):
                raise problem
        raise Unavailable(f"{self.tenant.name} did not answer after {BACKGROUND_RETRIES} tries.")

    def _authorise(self, request: httpx.Request) -> None:
        """Calls of the Management API carry a token of the application that reads or writes; others carry none."""
        if request.url.path.startswith(API):
            # Threads share this client: the tenant at hand must be the one whose credentials were refused.
            tenant, writing = self.tenant, request.method not in SAFE
            try:
                token = tokens.management_token(tenant, writing=writing)
            except NotConnected:
                rotated = _rotated(tenant, writing=writing)
                if rotated is None:
                    raise
                self.tenant, token = rotated, tokens.management_token(rotated, writing=writing)
            request.headers["Authorization"] = f"Bearer {token}"

    def _token_is_outdated(self, request: httpx.Request, answer: httpx.Response) -> bool:
        """Refused, or older than a moment and short of a scope, which may have been granted since it was fetched."""
        if "Authorization" not in request.headers or answer.status_code not in (401, 403):
            return False
        if answer.status_code == 401:
            return True
        token = tokens.current(self.tenant, tokens.credentials(self.tenant, writing=request.method not in SAFE))
        return b"insufficient_scope" in answer.content and token.age_seconds > tokens.YOUNG_SECONDS

    def _note_scopes(self, request: httpx.Request, answer: httpx.Response) -> None:
        path = request.url.raw_path.decode().partition("?")[0]
        if path.startswith(API) and answer.status_code in usage.ANSWERED:
            usage.note(self.tenant, endpoints.scopes_of(request.method, path.removeprefix(API)))

    def _once(self, request: httpx.Request, attempt: int, **kwargs: Any) -> httpx.Response | None:
        """One try; None where a read was lost on the way and may be tried again."""
        try:
            answer = super().send(request, **kwargs)
            answer.read()
        except httpx.HTTPError as error:
            problem = _lost(self.tenant, request, error)
            if not _wait_to_retry(problem, request, attempt):
                raise problem from None
            return None
        limits.learn(self.tenant, answer.headers)
        return answer


def gateway(tenant: Tenant) -> Gateway:
    client = Gateway(
        verify=token_endpoint.trust(tenant),
        timeout=settings.AUTH0_TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30),
    )
    client.tenant = tenant
    # One that is no longer wanted may still be answering somebody: its connections close when nobody holds it any more.
    weakref.finalize(client, client._transport.close)
    return client


def _rotated(tenant: Tenant, *, writing: bool) -> Tenant | None:
    """The tenant with the credentials that are stored now, for work that began before they were rotated; else None."""
    stored = Tenant.objects.filter(pk=tenant.pk, domain=tenant.domain).first()
    if stored and tokens.credentials(stored, writing=writing) != tokens.credentials(tenant, writing=writing):
        return stored
    return None


def _refuse_writes(tenant: Tenant, request: httpx.Request) -> None:
    if request.method not in SAFE:
        check_writable(tenant)


def check_writable(tenant: Tenant) -> None:
    """Raise ReadOnly where writes are refused: for engines that call the tenant themselves."""
    if settings.AUTH0_READ_ONLY:
        raise ReadOnly("This installation of Castellan is set to read only (AUTH0_READ_ONLY).")
    if tenant.read_only:
        raise ReadOnly(f"{tenant.name} is set to read only in Castellan. An administrator can change that on its page.")


def _lost(tenant: Tenant, request: httpx.Request, error: httpx.HTTPError) -> Unavailable:
    reason = "took too long to answer" if isinstance(error, httpx.TimeoutException) else "can't be reached"
    if request.method in SAFE or isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return Unavailable(f"{tenant.name} {reason}. Nothing was changed; try again.")
    return Unknown(
        f"{tenant.name} {reason}, so it is not known whether the change was made. Reload and look before trying again."
    )


def _wait_to_retry(problem: Exception, request: httpx.Request, attempt: int) -> bool:
    """Sleep and answer True where another try is right: never after a write whose answer was lost."""
    if not isinstance(problem, Unavailable) or isinstance(problem, Unknown):
        return False
    # 429 was not carried out, so even a write may be sent again; a 5xx write may have been.
    if problem.code != "429" and request.method not in SAFE:
        return False
    background = _background.get()
    delay = problem.retry_after_seconds or min(0.25 * 2**attempt, 20)
    if attempt >= (BACKGROUND_RETRIES if background else PERSON_RETRIES):
        return False
    if delay > (BACKGROUND_PATIENCE_SECONDS if background else PERSON_PATIENCE_SECONDS):
        return False
    time.sleep(delay)
    return True
