"""Authorization codes: from the browser's redirect to the exchange at /oauth/token, once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from sandbox.errors import OAuthError
from sandbox.login.effects import Effects
from sandbox.login.issuing import Extras
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction
from sandbox.login.transient import transient
from sandbox.tenant import Tenant, new_id

LIFETIME_SECONDS = 300.0
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True)
class Code:
    login: Login
    effects: Effects
    extras: Extras
    client_id: str
    redirect_uri: str
    challenge: str
    challenge_method: str
    thumbprint: str


def issue(transaction: Transaction, login: Login, effects: Effects, extras: Extras) -> str:
    parameters, value = transaction.parameters, new_id("", 43)
    code = Code(
        login,
        effects,
        extras,
        transaction.client["client_id"],
        parameters.get("_redirect_uri_sent", ""),
        parameters.get("code_challenge", ""),
        parameters.get("code_challenge_method") or "plain",
        parameters.get("dpop_jkt", ""),
    )
    transient(transaction.tenant, "codes").put(value, code, LIFETIME_SECONDS)
    return value


def redeem(tenant: Tenant, value: str, client_id: str, redirect_uri: str, verifier: str) -> Code:
    """The code's contents; it is spent by the first try. Raises OAuthError 403 invalid_grant."""
    found: Code | None = transient(tenant, "codes").pop(value)
    if found is None or found.client_id != client_id:
        raise OAuthError(403, "invalid_grant", "Invalid authorization code")
    if found.redirect_uri and found.redirect_uri != redirect_uri:
        raise OAuthError(
            403,
            "invalid_grant",
            "The redirect URI is wrong. You sent {}, and we expected {}".format(
                redirect_uri or "null", found.redirect_uri
            ),
        )
    if found.challenge and not _verifies(found, verifier):
        raise OAuthError(403, "invalid_grant", "Failed to verify code verifier")
    if verifier and not found.challenge:
        raise OAuthError(403, "invalid_grant", "Failed to verify code verifier")
    return found


def _verifies(code: Code, verifier: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(verifier, code.challenge)
