"""What applications of others may ask for whose security mode is strict (docs: Security Controls for Third-Party
Applications)."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.errors import OAuthError
from sandbox.store import Document

_REFUSED = ("claims", "id_token_hint", "invitation", "login_ticket", "request", "screen_hint")


def is_strict(client: Document) -> bool:
    return not client.get("is_first_party", True) and client.get("third_party_security_mode") == "strict"


def check(client: Document, parameters: Mapping[str, str], *, plain: bool) -> None:
    """The rules for /authorize; `plain`: neither pushed nor signed. Raises OAuthError 400."""
    if not is_strict(client):
        return
    refused = [name for name in _REFUSED if parameters.get(name)]
    if refused or not plain:
        raise OAuthError(400, "invalid_request", f"Unsupported parameter: {(refused or ['request_uri'])[0]}")
    if not parameters.get("code_challenge"):
        raise OAuthError(400, "invalid_request", "PKCE is required for this client")
