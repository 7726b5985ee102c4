"""Passkeys: signing in with one, and the offers to keep one (or the device's biometrics) at the end of a login."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.login import ceremonies, factors, flow, offers, passkeys
from sandbox.login.attempts import Attempt, SignInRefused
from sandbox.login.ceremonies import NotProven
from sandbox.login.credentials import name_of, refuse_blocked
from sandbox.login.pages import ceremony_page, webauthn
from sandbox.login.subject import Login
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit
from sandbox.store import Document

FIELD = "passkey"
_TEXTS = {
    offers.PASSKEY: "With a passkey you sign in with your fingerprint, your face or the PIN of your device.",
    offers.LOCAL_PASSKEY: "You used a passkey of another device. Create one for this device, too?",
    offers.BIOMETRICS: "Next time, confirm with your fingerprint, your face or the PIN of this device.",
}


def request(visit: Visit, connection: Document | None) -> dict[str, Any]:
    """What the login page needs to ask for a passkey; {} where the connection has none."""
    if connection is None or not passkeys.offered(visit.call.tenant, connection):
        return {}
    interface = passkeys.options(connection)["challenge_ui"]
    return {
        "options": ceremony_page.options_to_get(visit, "passkey", []),
        "button": interface in ("button", "both"),
        "autofill": interface in ("autofill", "both"),
    }


async def sign_in(visit: Visit, connection: Document) -> Response:
    """Raises SignInRefused for a key that does not open this connection."""
    transaction = visit.transaction
    attempt = Attempt(transaction.tenant, transaction.client, connection, visitor(visit.call))
    try:
        method, user = _holder(visit, connection)
    except NotProven as problem:
        attempt.log("f", description=str(problem), details={"authentication_methods": ["passkey"]})
        raise SignInRefused(400, "invalid_grant", str(problem), problem.page_text) from None
    refuse_blocked(attempt, user)
    factors.touch(transaction.tenant, method)
    transaction.cross_device = ceremonies.attachment(visit.call.parameters[FIELD]) == "cross-platform"
    return await flow.signed_in(transaction, visit.call, user, connection, "passkey")


def _holder(visit: Visit, connection: Document) -> tuple[Document, Document]:
    method = ceremony_page.proven_key(visit, "passkey", None, FIELD)
    user = visit.call.tenant.store.get("users", method["user_id"])
    if user is None or not any(identity["connection"] == connection["name"] for identity in user["identities"]):
        reason = f"The passkey belongs to no user of {connection['name']}"
        raise NotProven(reason, "This passkey belongs to another account. Try another one.")
    return method, user


# --- offers ----------------------------------------------------------------------------------------------------------


async def passkey_enrollment(visit: Visit) -> Response:
    """/u/passkey-enrollment: progressive enrolment."""
    declines = [("abort-passkey-enrollment", "Continue without passkeys")]
    return await _offer(visit, offers.PASSKEY, "passkey", declines)


async def local_passkey_enrollment(visit: Visit) -> Response:
    """/u/passkey-enrollment-local: one more passkey, for this device."""
    declines = [("abort-passkey-enrollment", "Not now")]
    return await _offer(visit, offers.LOCAL_PASSKEY, "local-passkey", declines)


_enroll_biometrics = webauthn.enrollment("webauthn-platform")


async def biometrics_enrollment(visit: Visit) -> Response:
    """/u/mfa-webauthn-platform-enrollment: an Action asks for it, or it is offered after another factor."""
    if visit.transaction.offer != offers.BIOMETRICS:
        answer: Response = await _enroll_biometrics(visit)
        return answer
    declines = [("snooze-enrollment", "Remind me later"), ("refuse-add-device", "Not on this device")]
    return await _offer(visit, offers.BIOMETRICS, "webauthn-platform", declines)


async def _offer(visit: Visit, path: str, use: str, declines: list[tuple[str, str]]) -> Response:
    transaction, login = visit.transaction, visit.transaction.login
    if login is None or transaction.offer != path:
        return await flow.proceed(transaction, visit.call)
    error = ""
    if visit.posted:
        error = _taken_up(visit, login, path, use, [action for action, _ in declines])
        if not error:
            transaction.offer, transaction.ceremony = "", None
            transaction.offered.add(path)
            return await flow.proceed(transaction, visit.call)
    return ceremony_page.shown(
        visit,
        error,
        **_new_key(visit, login, use),
        text=_TEXTS[path],
        declines=declines,
        may_silence=path == offers.LOCAL_PASSKEY,
    )


def _taken_up(visit: Visit, login: Login, path: str, use: str, declines: list[str]) -> str:
    """Keep the new key or the refusal; what went wrong, "" when nothing did."""
    if visit.typed("action") in declines:
        _declined(visit, login, path)
        return ""
    try:
        name = FIELD if use != "webauthn-platform" else "response"
        key = ceremony_page.created_key(visit, use, name)
    except NotProven as problem:
        details = {"authentication_methods": ["passkey"]} if use != "webauthn-platform" else None
        ceremony_page.log_failure(visit, "gd_webauthn_enrollment_failed", problem, details=details)
        return problem.page_text
    if use == "webauthn-platform":
        factors.enroll(login.tenant, login.user_id, use, name=webauthn.key_name(visit, use), **key)
    else:
        passkeys.keep(login.tenant, login.user, login.connection, key, visit.call.user_agent)
    return ""


def _declined(visit: Visit, login: Login, path: str) -> None:
    if path == offers.PASSKEY:
        offers.delay(login)
    elif visit.typed("dont_show_again") == "on" or visit.typed("action") == "refuse-add-device":
        offers.decline(login, path)


def _new_key(visit: Visit, login: Login, use: str) -> dict[str, Any]:
    if use == "webauthn-platform":
        return {key: value for key, value in webauthn.new_key(visit, use, login.user).items() if key != "text"}
    known = passkeys.of_user(login.tenant, login.user_id)
    asked = {"name": name_of(login.user), "handle": passkeys.handle_of(login.tenant, login.user_id)}
    return {
        "title": "Create a passkey",
        "button": "Create a passkey",
        "ceremony": "create",
        "answer": FIELD,
        # A passkey of another device does not stand in the way of one for this device.
        "options": ceremony_page.options_to_create(visit, use, known=[] if use == "local-passkey" else known, **asked),
    }


PAGES = [
    (offers.PASSKEY, passkey_enrollment),
    (offers.LOCAL_PASSKEY, local_passkey_enrollment),
    (offers.BIOMETRICS, biometrics_enrollment),
]
