"""THE gateway to Auth0: the only place that imports the Auth0 SDK or an HTTP client.

`management(tenant)` gives the SDK's client. Below it, portal.auth0.transport turns each answer into a decision of
portal.errors, fetches and renews tokens, keeps within the tenant's rate limit, and refuses writes where the
installation or the tenant is read only. So callers catch portal.errors alone, and never retry.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import jwt
from auth0.management.client import Auth0 as ManagementClient
from django.conf import settings

from portal.auth0 import tokens, transport
from portal.auth0.transport import check_writable as check_writable
from portal.auth0.transport import in_background as in_background
from portal.auth0.transport import note_write as note_write
from portal.auth0.transport import noting_writes as noting_writes
from portal.errors import Invalid, PortalError
from portal.models import Tenant

_clients: dict[tuple[int, int, str], tuple[ManagementClient, transport.Gateway]] = {}


def management(tenant: Tenant) -> ManagementClient:
    """The SDK's Management API client for a tenant; one keep-alive connection pool per process and tenant.

    Each call raises Refused, MissingScope, NotConnected, ReadOnly, Invalid, Missing, Conflict, Unavailable or Unknown.
    """
    return _connected(tenant)[0]


def request(tenant: Tenant, method: str, path: str, **kwargs: Any) -> Any:
    """One Management API call that the SDK can't say (raw bodies): `path` below /api/v2, keywords as in httpx.

    Returns the decoded JSON, or None for an empty answer. Same errors as `management`.
    """
    answer = _connected(tenant)[1].request(method, f"{tenant.url}/api/v2{path}", **kwargs)
    return json.loads(answer.content) if answer.content else None


def pages(
    tenant: Tenant, path: str, key: str, *, per_page: int = 100, most: int = 1000, **params: Any
) -> Iterator[Any]:
    """Walk an offset-paged list. `key` is the list's name in the answer. Stops at the total, or at `most` entries."""
    for page in range(max(1, -(-most // per_page))):
        answer = request(
            tenant, "GET", path, params={**params, "page": page, "per_page": per_page, "include_totals": "true"}
        )
        items = answer if isinstance(answer, list) else answer.get(key, [])
        yield from items
        if len(items) < per_page:
            return


def segment(value: str) -> str:
    """One path segment, percent-encoded whole: a user_id holds `|`, and may hold `/`."""
    return quote(value, safe="")


def send_password_reset(tenant: Tenant, *, email: str, connection: str, client_id: str = "") -> None:
    """Ask Auth0 to mail a password-reset link (Authentication API, POST /dbconnections/change_password).

    Auth0 answers the same for an unknown address: look the user up first. Ten per address, then one a minute.
    """
    body = {"email": email, "connection": connection}
    if client_id:
        body["client_id"] = client_id
    _connected(tenant)[1].request("POST", f"{tenant.url}/dbconnections/change_password", json=body)


def sign_in_with_password(
    tenant: Tenant, *, client_id: str, client_secret: str, realm: str, username: str, password: str, ip: str
) -> dict[str, Any]:
    """Sign in as a user (POST /oauth/token, password-realm) and give the ID token's claims; the tokens are dropped.

    For rehearsals on local tenants, whose counters of failed sign-ins see `ip` where the application is trusted with
    that. Raises Refused where the user can't sign in, with Auth0's text.
    """
    grant = "http://auth0.com/oauth/grant-type/password-realm"
    body = {"grant_type": grant, "client_id": client_id, "realm": realm, "scope": "openid profile email"}
    body |= {"client_secret": client_secret, "username": username, "password": password}
    url, headers = f"{tenant.url}/oauth/token", {"auth0-forwarded-for": ip}
    answer = _connected(tenant)[1].request("POST", url, json=body, headers=headers)
    # Read from the answer itself over TLS: there is nobody in between whose signature would have to be checked.
    return dict(jwt.decode(answer.json()["id_token"], options={"verify_signature": False}))


def is_local(tenant: Tenant) -> bool:
    """Whether this is one of the local tenants, where things may be tried that Auth0 has no undo for."""
    host = tenant.domain.partition(":")[0]
    if host not in ("localhost", "127.0.0.1"):
        return False
    try:
        return bool(_connected(tenant)[1].request("GET", f"{tenant.url}/_sandbox/clock").is_success)
    except PortalError:
        return False


def local_documents(tenant: Tenant) -> dict[str, dict[str, dict[str, Any]]]:
    """kind -> id -> document of a local tenant, with what no API shows (hashes of passwords). For rehearsals."""
    answer = _connected(tenant)[1].request("GET", f"{tenant.url}/_sandbox/state")
    return dict(answer.json()["documents"])


def change_local_documents(tenant: Tenant, documents: dict[str, dict[str, dict[str, Any] | None]]) -> None:
    """Put these documents of a local tenant in the place of what it has; None removes one. The rest stays."""
    _connected(tenant)[1].request("PATCH", f"{tenant.url}/_sandbox/state", json={"documents": documents})


def forget(tenant: Tenant) -> None:
    """Drop this process's connections and the shared token, after credentials were changed."""
    tokens.forget(tenant)
    for key in [key for key in _clients if key[1] == tenant.pk]:
        _clients.pop(key)


@contextmanager
def ignoring(*errors: type[PortalError]) -> Iterator[None]:
    """For reads whose absence is an answer: `with ignoring(Missing): ...`."""
    try:
        yield
    except errors:
        return


def _connected(tenant: Tenant) -> tuple[ManagementClient, transport.Gateway]:
    if not tenant.pk:
        raise Invalid("Save the tenant before calling it.")
    key = (os.getpid(), tenant.pk, f"{tenant.domain} {tenant.client_id} {tenant.updated_at} {tenant.read_only}")
    if key not in _clients:
        for stale in [k for k in _clients if k[1] == tenant.pk]:
            _clients.pop(stale)
        gateway = transport.gateway(tenant)
        _clients[key] = (_sdk(tenant, gateway), gateway)
    return _clients[key]


def _sdk(tenant: Tenant, gateway: transport.Gateway) -> ManagementClient:
    # The client beneath the SDK's ManagementClient: that one insists on a domain and on its own token fetcher.
    return ManagementClient(
        base_url=f"{tenant.url}/api/v2",
        token="set at the wire",  # noqa: S106  the transport knows whether the call reads or writes
        httpx_client=gateway,
        max_retries=0,
        timeout=settings.AUTH0_TIMEOUT_SECONDS,
    )
