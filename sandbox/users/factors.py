"""Second factors of a user: authentication methods, the older enrollments, recovery code, enrollment tickets."""

from __future__ import annotations

import re
from typing import Any

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import listing
from sandbox.store import Document
from sandbox.tenant import new_id
from sandbox.users import mails, records

_PATH = "/users/{id}/authentication-methods"
_ONE = _PATH + "/{authentication_method_id}"
_LISTED_NOT = frozenset(("user_id",))
_PREFIXES = {"totp": "totp|dev_", "phone": "phone|dev_", "email": "email|dev_", "passkey": "passkey|dev_"}
_NEEDED = {
    "phone": ("phone_number",),
    "email": ("email",),
    "totp": ("totp_secret",),
    "webauthn-roaming": ("public_key", "key_id", "relying_party_identifier"),
    "passkey": ("public_key", "key_id"),
}
_KEPT = (
    "name",
    "phone_number",
    "email",
    "preferred_authentication_method",
    "key_id",
    "public_key",
    "aaguid",
    "relying_party_identifier",
    "credential_device_type",
    "credential_backed_up",
    "identity_user_id",
    "user_agent",
    "user_handle",
    "transports",
)
MOST_PASSKEYS = 20
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
_BASE32 = re.compile(r"[A-Z2-7]+=*")
# What the older enrollments API calls a method.
_OLD_NAMES = {
    "totp": "authenticator",
    "phone": "sms",
    "push": "guardian",
    "guardian": "guardian",
    "webauthn-roaming": "webauthn-roaming",
    "webauthn-platform": "webauthn-platform",
}


def _user(call: Call) -> Document:
    return records.get(call.tenant, call.params["id"])


def _methods(call: Call, user: Document) -> list[Document]:
    return call.store.find("authentication_methods", user_id=user["user_id"])


def _shown(method: Document) -> Document:
    return {key: value for key, value in method.items() if key[0] != "_" and key not in _LISTED_NOT}


@operation("GET", _PATH)
def list_methods(call: Call) -> Any:
    return listing(call, [_shown(method) for method in _methods(call, _user(call))], "authenticators")


@operation("GET", _ONE)
def read_method(call: Call) -> Document:
    return _shown(_method(call))


def _method(call: Call) -> Document:
    user, wanted = _user(call), call.params["authentication_method_id"]
    method = call.store.get("authentication_methods", wanted)
    if method is None or method["user_id"] != user["user_id"]:
        raise ApiError(404, "The authentication method does not exist.", "inexistent_authentication_method")
    return method


@operation("POST", _PATH)
def create_method(call: Call) -> Document:
    user = _user(call)
    return _created(_add(call, user, call.body or {}), call.body or {})


@operation("PUT", _PATH)
def replace_methods(call: Call) -> Reply:
    user, wanted = _user(call), call.body
    if not isinstance(wanted, list):
        raise ApiError(400, "Payload validation error: 'Expected type array but found type object'.", "invalid_body")
    for item in wanted:
        _check(item)
    for method in _methods(call, user):
        if method["type"] in ("phone", "email", "totp"):
            call.store.remove("authentication_methods", method["id"])
    return Reply(200, [_created(_add(call, user, item), item) for item in wanted])


def _created(method: Document, sent: Document) -> Document:
    shown = _shown(method)
    if sent.get("totp_secret"):
        shown["totp_secret"] = sent["totp_secret"]
    return shown


def _check(sent: Any) -> None:
    if not isinstance(sent, dict) or sent.get("type") not in _NEEDED:
        raise ApiError(400, "Payload validation error: 'No enum match' on property type.", "invalid_body")
    for field in _NEEDED[sent["type"]]:
        if not isinstance(sent.get(field), str) or not sent[field]:
            raise ApiError(400, f"Payload validation error: 'Missing required property: {field}'.", "invalid_body")
    if sent["type"] == "phone" and not _PHONE_NUMBER.fullmatch(sent["phone_number"]):
        raise ApiError(400, "The phone number is not valid. Use E.164, such as +15551234567.", "invalid_body")
    if sent["type"] == "totp" and not _BASE32.fullmatch(sent["totp_secret"]):
        raise ApiError(400, "The totp_secret must be Base32.", "invalid_body")


def _add(call: Call, user: Document, sent: Any) -> Document:
    _check(sent)
    kind = sent["type"]
    distinct = {"phone": "phone_number", "email": "email", "passkey": "key_id", "webauthn-roaming": "key_id"}.get(kind)
    for method in _methods(call, user):
        if method["type"] == kind and (distinct is None or method.get(distinct) == sent.get(distinct)):
            raise ApiError(409, "The authentication method already exists.", "authentication_method_already_exists")
    if kind == "passkey" and len([m for m in _methods(call, user) if m["type"] == kind]) >= MOST_PASSKEYS:
        raise ApiError(400, f"A user has at most {MOST_PASSKEYS} passkeys.", "operation_not_supported")
    id, now = new_id(_PREFIXES.get(kind, f"{kind}|dev_")), call.tenant.timestamp()
    method = {"id": id, "user_id": user["user_id"], "type": kind, "confirmed": True, "created_at": now}
    method |= {"enrolled_at": now} | {field: sent[field] for field in _KEPT if sent.get(field) is not None}
    if kind == "phone":
        method.setdefault("preferred_authentication_method", "sms")
        method["authentication_methods"] = [{"id": id, "type": method["preferred_authentication_method"]}]
    if kind == "totp":
        method["_secret"] = sent["totp_secret"].rstrip("=")
        method["authentication_methods"] = [{"id": id, "type": "totp"}]
    return call.store.put("authentication_methods", id, method)


@operation("PATCH", _ONE)
def change_method(call: Call) -> Document:
    method, body = _method(call), call.body or {}
    if "preferred_authentication_method" in body and method["type"] != "phone":
        raise ApiError(400, "Only a phone has a preferred_authentication_method.", "operation_not_supported")
    changed = {key: body[key] for key in ("name", "preferred_authentication_method") if key in body}
    new = call.store.put("authentication_methods", method["id"], {**method, **changed})
    return {key: value for key, value in _shown(new).items() if key not in ("enrolled_at", "last_auth_at")}


@operation("DELETE", _ONE)
def delete_method(call: Call) -> Reply:
    user = _user(call)
    method = call.store.get("authentication_methods", call.params["authentication_method_id"])
    if method is not None and method["user_id"] == user["user_id"]:
        _unenroll(call, method)
    return Reply(204)


@operation("DELETE", _PATH)
def delete_methods(call: Call) -> Reply:
    """All but passkeys, which may be the only way in and are removed one by one."""
    return _unenroll_all(call)


@operation("DELETE", "/users/{id}/authenticators")
def delete_authenticators(call: Call) -> Reply:
    return _unenroll_all(call)


def _unenroll_all(call: Call) -> Reply:
    for method in _methods(call, _user(call)):
        if method["type"] not in ("passkey", "password"):
            _unenroll(call, method)
    return Reply(204)


@operation("DELETE", "/users/{id}/multifactor/{provider}")
def delete_provider(call: Call) -> Reply:
    user, provider = _user(call), call.params["provider"]
    if provider not in ("duo", "google-authenticator"):
        raise ApiError(
            400, f"Path validation error: 'No enum match for: {provider}' on property provider.", "invalid_uri"
        )
    for method in _methods(call, user):
        if provider == "google-authenticator" and method["type"] == "totp":
            _unenroll(call, method)
    if provider in user.get("multifactor", ()):
        left = [name for name in user["multifactor"] if name != provider]
        records.update(call.tenant, user["user_id"], {"multifactor": left or None})
    return Reply(204)


@operation("POST", "/users/{id}/multifactor/actions/invalidate-remember-browser")
def forget_browsers(call: Call) -> Reply:
    user = _user(call)
    records.update(call.tenant, user["user_id"], {"_browsers_forgotten_at": call.tenant.now()})
    for remembered in call.store.find("remembered_browsers", user_id=user["user_id"]):
        call.store.remove("remembered_browsers", remembered["id"])
    return Reply(204)


def _unenroll(call: Call, method: Document) -> None:
    call.store.remove("authentication_methods", method["id"])
    logs.write(
        call.tenant, "gd_unenroll", user_id=method["user_id"], details={"authenticator": {"type": method["type"]}}
    )


@operation("POST", "/users/{id}/recovery-code-regeneration")
def new_recovery_code(call: Call) -> Reply:
    from sandbox.login import factors

    user = _user(call)
    if not any(method.get("confirmed") for method in _methods(call, user)):
        raise ApiError(404, "Enrollment not found.", "enrollment_not_found")
    return Reply(200, {"recovery_code": factors.new_recovery_code(call.tenant, user["user_id"])})


@operation("GET", "/users/{id}/enrollments")
def list_enrollments(call: Call) -> list[Document]:
    """The first confirmed one, in the older form."""
    confirmed = [m for m in _methods(call, _user(call)) if m.get("confirmed") and m["type"] in _OLD_NAMES]
    return [_old_form(method) for method in confirmed[:1]]


def _old_form(method: Document) -> Document:
    form = {
        "id": method["id"].partition("|")[2] or method["id"],
        "status": "confirmed" if method.get("confirmed") else "pending",
        "type": _OLD_NAMES.get(method["type"], method["type"]),
        "auth_method": _OLD_NAMES.get(method["type"], method["type"]),
        "enrolled_at": method.get("enrolled_at") or method["created_at"],
    }
    if method.get("last_auth_at"):
        form["last_auth"] = method["last_auth_at"]
    return form | {field: method[field] for field in ("name", "phone_number") if method.get(field)}


def _enrollment(call: Call) -> Document:
    wanted = call.params["id"]
    for method in call.store.all("authentication_methods"):
        if wanted in (method["id"], method["id"].partition("|")[2]):
            return method
    raise ApiError(404, "The enrollment does not exist.", "enrollment_not_found")


@operation("GET", "/guardian/enrollments/{id}")
def read_enrollment(call: Call) -> Document:
    method = _enrollment(call)
    form = _old_form(method)
    names = ("id", "status", "name", "identifier", "phone_number", "enrolled_at", "last_auth")
    return {name: form[name] for name in names if name in form}


@operation("DELETE", "/guardian/enrollments/{id}")
def delete_enrollment(call: Call) -> Reply:
    _unenroll(call, _enrollment(call))
    return Reply(204)


@operation("POST", "/guardian/enrollments/ticket")
def enrollment_ticket(call: Call) -> Reply:
    from sandbox.login import emails

    body = call.body or {}
    user = records.get(call.tenant, str(body.get("user_id")))
    factor = body.get("factor")
    ticket = mails.new_ticket(
        call.tenant,
        "enrollment",
        user,
        **({"factor": factor} if factor else {}),
        allow_multiple_enrollments=bool(body.get("allow_multiple_enrollments")),
    )
    if body.get("send_mail"):
        to = {**user, "email": body.get("email") or user.get("email")}
        emails.deliver(call.tenant, "enrollment_email", to, ticket["url"])
    return Reply(200, {"ticket_id": ticket["id"], "ticket_url": ticket["url"]})
