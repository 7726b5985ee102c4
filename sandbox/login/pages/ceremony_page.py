"""What pages with a WebAuthn ceremony share: the options that go out, and the answer that comes back once."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from sandbox import logs
from sandbox.login import ceremonies, factor_paths
from sandbox.login.ceremonies import Ceremony, NotProven
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.store import Document

# Auth0's own words in a form: the browser could not carry the ceremony out.
_REPORT = "showError::"
_OF_BROWSER = {
    "NotAllowedError": "It was cancelled, or it took too long. Nothing has changed: try again when you are ready.",
    "AbortError": "It was cancelled. Nothing has changed: try again when you are ready.",
    "InvalidStateError": "This key is registered already. Use another one.",
    "NotSupportedError": "This key can't do what is asked of it. Use another one.",
    "ConstraintError": "This key can't do what is asked of it, such as a PIN. Use another one.",
}


def created_key(visit: Visit, use: str, name: str = "response") -> dict[str, Any]:
    """The fields of the method that holds the new key. Raises NotProven."""
    ceremony, answer = _answered(visit, name)
    return ceremonies.created(visit.call.tenant, ceremony, use, answer)


def proven_key(visit: Visit, use: str, methods: list[Document] | None, name: str = "response") -> Document:
    """The method whose key has answered, one of `methods` (None: any passkey). Raises NotProven."""
    ceremony, answer = _answered(visit, name)
    return ceremonies.proven(visit.call.tenant, ceremony, use, answer, methods)


def _answered(visit: Visit, name: str) -> tuple[Ceremony | None, str]:
    """The ceremony, which this answer ends, and the answer. Raises NotProven for an error that the browser reports."""
    transaction, action = visit.transaction, visit.typed("action")
    ceremony, transaction.ceremony = transaction.ceremony, None
    if action.startswith(_REPORT):
        raise _reported(visit, action.removeprefix(_REPORT), ceremony)
    answer = visit.call.parameters.get(name)
    return ceremony, answer if isinstance(answer, str) else ""


def _reported(visit: Visit, text: str, ceremony: Ceremony | None) -> NotProven:
    try:
        problem = orjson.loads(text)
    except ValueError:
        problem = {}
    kind = str(problem.get("name") or "")[:50] if isinstance(problem, dict) else ""
    message = str(problem.get("message") or "")[:300] if isinstance(problem, dict) else ""
    if kind == "SecurityError" and ceremony is not None:
        domain = ceremonies.relying_party(visit.call.tenant, ceremony.use)
        return NotProven(f"{kind}: {message}", f"Keys of this tenant belong to {domain}. Open this page at that name.")
    known = _OF_BROWSER.get(kind, "The browser could not ask for a key. Please try again.")
    return NotProven(f"{kind or 'Error'}: {message or 'no reason given'}", known)


def log_failure(visit: Visit, kind: str, problem: NotProven, **fields: Any) -> None:
    """kind: gd_webauthn_enrollment_failed or gd_webauthn_challenge_failed."""
    at, client, login = visitor(visit.call), visit.transaction.client, visit.transaction.login
    logs.write(
        visit.call.tenant,
        kind,
        description=str(problem),
        user_id=login.user_id if login else None,
        client_id=client.get("client_id"),
        client_name=client.get("name"),
        ip=at.ip,
        user_agent=at.user_agent,
        **fields,
    )


def options_to_create(visit: Visit, use: str, **asked: Any) -> str:
    """Begin a ceremony for a new key; `asked` as for ceremonies.to_create."""
    visit.transaction.ceremony, options = ceremonies.to_create(visit.call.tenant, use, **asked)
    return options


def options_to_get(visit: Visit, use: str, allowed: list[Document]) -> str:
    visit.transaction.ceremony, options = ceremonies.to_get(visit.call.tenant, use, allowed=allowed)
    return options


def shown(visit: Visit, error: str, **context: Any) -> Response:
    """The page; templates/webauthn.html names what it can hold."""
    usual = {
        "answer": "response",
        "asks_name": False,
        "virtual": False,
        "declines": [],
        "may_silence": False,
        "remember_browser": None,
        "others": False,
        "other_path": "",
        "recovery": False,
        "detection": factor_paths.DETECTION,
    }
    return visit.render("webauthn", 400 if error else 200, error=error, **{**usual, **context})
