"""Security keys and device biometrics as second factors: enrolling one, being asked for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox import logs
from sandbox.login import factor_paths, factors, flow, mfa
from sandbox.login.ceremonies import NotProven
from sandbox.login.credentials import name_of
from sandbox.login.factors import FACTORS
from sandbox.login.pages import ceremony_page
from sandbox.login.pages.factor_page import context, enrolled, factor_page, passed
from sandbox.login.steps import NeedsFactor
from sandbox.login.visits import Visit
from sandbox.store import Document
from sandbox.tenant import Tenant

_LONGEST_NAME = 20
_NO_WEBAUTHN = "This browser can't use this method. Open the login in another browser, or choose another method."
_TEXTS = {
    "webauthn-roaming": {
        "enroll": "Insert your security key and press the button; the browser says when to touch it.",
        "challenge": "Make sure that your security key is at hand, press the button, and touch the key.",
        "button": "Use security key",
    },
    "webauthn-platform": {
        "enroll": "Confirm that it is you with your fingerprint, your face or the PIN of this device.",
        "challenge": "Press the button, then confirm with your fingerprint, your face or the PIN of this device.",
        "button": "Continue",
    },
}


def enrollment(type: str) -> Any:
    return _page("enroll", type, _enroll, new_key, "gd_webauthn_enrollment_failed")


def challenge(type: str) -> Any:
    return _page("challenge", type, _prove, _asked, "gd_webauthn_challenge_failed")


def _page(
    kind: str,
    type: str,
    take: Callable[[Visit, str, Document], None],
    ask: Callable[[Visit, str, Document], dict[str, Any]],
    failure: str,
) -> Any:
    """take: what is done with an answer, or NotProven. ask: what the page shows. failure: the type of the log event."""

    @factor_page(kind, type)
    async def page(visit: Visit, step: NeedsFactor, user: Document) -> Response:
        error = ""
        if visit.posted:
            try:
                take(visit, type, user)
                return await passed(visit, step, type)
            except NotProven as problem:
                ceremony_page.log_failure(visit, failure, problem)
                error = problem.page_text
        _start(visit, user, type, enrolling=kind == "enroll")
        return ceremony_page.shown(visit, error, **ask(visit, type, user), **context(visit, step, type))

    return page


def _enroll(visit: Visit, type: str, user: Document) -> None:
    key = ceremony_page.created_key(visit, type)
    enrolled(visit, type, name=key_name(visit, type), **key)


def key_name(visit: Visit, type: str) -> str:
    return visit.typed("name").strip()[:_LONGEST_NAME] or FACTORS[type].label


def new_key(visit: Visit, type: str, user: Document) -> dict[str, Any]:
    """What the page shows to enroll a key of this factor."""
    known = factors.methods(visit.call.tenant, user["user_id"], type)
    shown = {"title": "Secure your account", "button": _TEXTS[type]["button"], "ceremony": "create", "asks_name": True}
    if not _possible(visit, type):
        return {**shown, "text": _NO_WEBAUTHN, "options": ""}
    options = ceremony_page.options_to_create(visit, type, name=name_of(user), known=known)
    return {**shown, "text": _TEXTS[type]["enroll"], "options": options}


def _possible(visit: Visit, type: str) -> bool:
    can = visit.transaction.capabilities
    return can is None or can.allow(type)


def _prove(visit: Visit, type: str, user: Document) -> None:
    tenant, id = visit.call.tenant, user["user_id"]
    virtual = factors.virtual(tenant, id, type)
    if virtual and visit.typed("action") == "virtual-key":
        method = virtual[0]
    else:
        method = ceremony_page.proven_key(visit, type, _held(tenant, id, type))
    factors.touch(tenant, method)
    logs.write(tenant, "gd_auth_succeed", user_id=id)


def _held(tenant: Tenant, user_id: str, type: str) -> list[Document]:
    """The keys that somebody holds."""
    return [method for method in factors.methods(tenant, user_id, type) if method.get("public_key")]


def _asked(visit: Visit, type: str, user: Document) -> dict[str, Any]:
    tenant, id, possible = visit.call.tenant, user["user_id"], _possible(visit, type)
    virtual, held = factors.virtual(tenant, id, type), _held(tenant, id, type)
    return {
        "title": "Verify Your Identity",
        "text": _TEXTS[type]["challenge"] if possible or virtual else _NO_WEBAUTHN,
        "button": _TEXTS[type]["button"],
        "ceremony": "get",
        "options": ceremony_page.options_to_get(visit, type, held) if possible and held else "",
        "virtual": bool(virtual),
    }


def _start(visit: Visit, user: Document, type: str, *, enrolling: bool) -> None:
    """Once per challenge, for the log."""
    asked = visit.transaction.challenge
    if asked is None or asked.type != type or bool(asked.enrolling) != enrolling:
        enrolled = {"type": type} if enrolling else None
        visit.transaction.challenge = mfa.start(visit.call.tenant, user, type, enrolling=enrolled)


async def detection(visit: Visit) -> Response:
    """/u/mfa-detect-browser-capabilities: what can this browser do? Its script answers by itself."""
    if visit.posted:
        visit.note_capabilities()
        return await flow.proceed(visit.transaction, visit.call)
    return visit.render("detection")


PAGES = [
    (factor_paths.DETECTION, detection),
    (factor_paths.ENROLLMENTS["webauthn-roaming"], enrollment("webauthn-roaming")),
    *((factor_paths.CHALLENGES[type], challenge(type)) for type in factors.WEBAUTHN),
]
