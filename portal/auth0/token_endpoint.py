"""POST /oauth/token with client credentials: how an application proves itself, and what each refusal means."""

from __future__ import annotations

import ssl
import time
import uuid
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

import httpx
import jwt
from django.conf import settings

from portal.auth0 import decisions
from portal.errors import NotConnected, PortalError, Unavailable
from portal.models import Tenant

# Auth0 takes assertions from clocks that differ by this much.
CLOCK_SKEW_SECONDS = 10


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


def ask(tenant: Tenant, application: Credentials, *, timeout: float) -> Token:
    """A token of the application, which signs in by its secret or private key JWT. `timeout`: seconds.

    Raises NotConnected, which says what to mend, or Unavailable.
    """
    body = {"grant_type": "client_credentials", "audience": tenant.audience, "client_id": application.client_id}
    try:
        with httpx.Client(verify=trust(tenant), timeout=timeout) as client:
            answer = client.post(f"{tenant.url}/oauth/token", json=body | _proof(tenant, application))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(tenant, error) from None
    if answer.status_code != 200:
        raise _refusal(tenant, application, answer)
    try:
        said, now = answer.json(), time.time()
        lifetime = float(said.get("expires_in", 86400))
        return Token(str(said["access_token"]), now + lifetime, now, str(said.get("scope", "")))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotConnected(f"What answers at {tenant.domain} is no Auth0 tenant. Check the domain.") from None


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


def _unreachable(tenant: Tenant, error: Exception) -> PortalError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return NotConnected(
            f"The certificate of {tenant.domain} is not trusted here. Add its authority to the tenant's CA bundle."
        )
    return Unavailable(f"{tenant.name} ({tenant.domain}) can't be reached: {type(error).__name__}.")


def _refusal(tenant: Tenant, application: Credentials, answer: httpx.Response) -> PortalError:
    status, said = answer.status_code, decisions.text_of(answer)
    if status == 429 or status >= 500:
        return Unavailable(f"{tenant.name} gives no access token now (status {status}). Try again.")
    advice = (_OF_A_KEY if application.private_key else _OF_ANOTHER) if status == 401 else _OTHERWISE.get(status, "")
    sentence = (advice or _OF_A_DOMAIN).format(
        tenant=tenant.name, application=application.client_id, audience=tenant.audience, status=status
    )
    quoted = f" {tenant.name} says: {said}" if said else ""
    return NotConnected(f"{sentence}{quoted}{_clock(tenant, application, answer)}")


_OF_A_KEY = (
    "{tenant} does not take the private key of application {application}: register its public key there "
    "(Applications > the application > Credentials > Private Key JWT), or a new one where it has expired. Auth0 needs "
    "a moment, and a plan that has private key JWT."
)
_OF_ANOTHER = (
    "{tenant} refuses the credentials of application {application}: the client id or its secret is wrong. An "
    "administrator can enter the right ones on the tenant's page."
)
_OF_A_DOMAIN = "{tenant} gives no access token (status {status}). Check its domain and client id."
_OTHERWISE = {
    403: "Application {application} of {tenant} may not use the Management API ({audience}). Authorise it in Auth0: "
    "Applications > APIs > Auth0 Management API > Machine to Machine Applications."
}


def _clock(tenant: Tenant, application: Credentials, answer: httpx.Response) -> str:
    """A private key signs the time as well: what this machine's clock says, where the tenant's differs."""
    try:
        ahead = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return ""
    if not application.private_key or abs(ahead) <= CLOCK_SKEW_SECONDS:
        return ""
    words = f"{abs(ahead):.0f} seconds {'ahead of' if ahead > 0 else 'behind'}"
    return f" This machine's clock is {words} that of {tenant.name}, and what a key signs holds for a moment: set it."
