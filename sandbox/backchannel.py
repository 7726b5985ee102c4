"""Sessions that end, and telling their applications so by back-channel (docs: OIDC Back-Channel Logout)."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlencode

from sandbox import logs, tokens
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_SECONDS = 120
# An application hears of these whatever it has selected.
ALWAYS_TOLD = ("rp-logout", "idp-logout")
_TIMEOUT_SECONDS = 5
# Before each try. Auth0 does not say how often it tries; what the application refuses (4xx) is not sent again.
_PAUSES_SECONDS = (0.0, 0.5, 2.0)
_waiting: set[asyncio.Task[None]] = set()


def end(tenant: Tenant, session: Document, initiator: str) -> None:
    """Remove a session. `initiator` is Auth0's name of the reason: rp-logout, password-changed, session-revoked ...

    Nobody waits for the applications' answers.
    """
    tenant.store.remove("sessions", session["id"])
    for entry in session.get("clients") or ():
        settings = (tenant.store.get("clients", entry["client_id"]) or {}).get("oidc_logout") or {}
        if not _tells(settings, initiator):
            continue
        for url in settings.get("backchannel_logout_urls") or ():
            token = _logout_token(tenant, entry["client_id"], session)
            task = asyncio.get_running_loop().create_task(_deliver(tenant, entry["client_id"], url, token))
            _waiting.add(task)
            task.add_done_callback(_waiting.discard)


def _tells(settings: Document, initiator: str) -> bool:
    chosen = settings.get("backchannel_logout_initiators") or {}
    selected = chosen.get("selected_initiators") or ()
    return chosen.get("mode") == "all" or initiator in ALWAYS_TOLD or initiator in selected


def _logout_token(tenant: Tenant, client_id: str, session: Document) -> str:
    now = int(tenant.now())
    body = {
        "iss": tenant.issuer,
        "sub": session["user_id"],
        "aud": client_id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_SECONDS,
        "jti": new_id("", 32),
        "events": {LOGOUT_EVENT: {}},
        "trace_id": new_id("", 16, "0123456789abcdef"),
        "sid": session["id"],
    }
    return tokens.issue(tenant, body)


async def _deliver(tenant: Tenant, client_id: str, url: str, token: str) -> None:
    status = 0
    for pause in _PAUSES_SECONDS:
        await asyncio.sleep(pause)
        status = await asyncio.to_thread(_send, url, token)
        if 0 < status < 500:
            break
    kind = "oidc_backchannel_logout_succeeded" if 200 <= status < 300 else "oidc_backchannel_logout_failed"
    logs.write(tenant, kind, client_id=client_id, details={"url": url, "status": status or None})


def _send(url: str, token: str) -> int:
    """The status that the application answered, 0 when it was not reached.

    Only to this machine or by HTTPS. The applications' certificates are their own: they are not checked.
    """
    if not url.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        return 0
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    body = urlencode({"logout_token": token}).encode()
    request = urllib.request.Request(url, body, method="POST")  # noqa: S310 - the scheme is checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return int(refused.code)
    except (OSError, ValueError):
        return 0
