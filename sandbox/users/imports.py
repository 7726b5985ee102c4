"""Imports of users: a JSON file, checked user by user; who fails is reported, the others are made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request

from sandbox import logs, mailbox
from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.users import job_runs, records

MOST_BYTES = 512_000
MOST_ACTIVE = 2
_AT_ONCE = 50
_PARSE_FAILED = "Failed to parse users file JSON when importing users. Make sure it is valid JSON."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BCRYPT = re.compile(r"\$2[ab]\$\d\d\$[./A-Za-z0-9]{53}")
_TYPES: dict[str, tuple[type, str]] = {
    "email": (str, "string"),
    "email_verified": (bool, "boolean"),
    "user_id": (str, "string"),
    "username": (str, "string"),
    "given_name": (str, "string"),
    "family_name": (str, "string"),
    "name": (str, "string"),
    "nickname": (str, "string"),
    "picture": (str, "string"),
    "phone_number": (str, "string"),
    "phone_verified": (bool, "boolean"),
    "blocked": (bool, "boolean"),
    "password_hash": (str, "string"),
    "custom_password_hash": (dict, "object"),
    "app_metadata": (dict, "object"),
    "user_metadata": (dict, "object"),
    "mfa_factors": (list, "array"),
    "permissions": (dict, "object"),
}
_ALGORITHMS = frozenset(
    ("argon2", "bcrypt", "hmac", "ldap", "md4", "md5", "pbkdf2", "scrypt", "sha1", "sha256", "sha512")
)
_UPSERTED = (
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "phone_number",
    "phone_verified",
    "blocked",
    "user_metadata",
    "app_metadata",
)


@dataclass(frozen=True)
class Upload:
    users: bytes
    connection_id: str
    upsert: bool
    external_id: str | None
    send_completion_email: bool


async def read(request: Request) -> Upload:
    """The multipart form. Raises ApiError 400 or 413."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise ApiError(415, "Unsupported Media Type")
    if int(request.headers.get("content-length") or 0) > MOST_BYTES + 64_000:
        raise _too_large()
    try:
        async with request.form(max_files=4, max_fields=20) as form:
            file = form.get("users")
            users = await file.read() if isinstance(file, UploadFile) else str(file or "").encode()
            fields = {key: value for key, value in form.items() if isinstance(value, str)}
    except ApiError:
        raise
    except Exception as problem:  # malformed multipart raises half a dozen unrelated classes
        raise ApiError(400, f"Invalid multipart payload format: {type(problem).__name__}", "invalid_body") from None
    return _upload(users, fields)


def _upload(users: bytes, fields: Mapping[str, str]) -> Upload:
    for name, present in (("users", bool(users)), ("connection_id", "connection_id" in fields)):
        if not present:
            raise ApiError(400, f"Payload validation error: 'Missing required property: {name}'.", "invalid_body")
    if len(users) > MOST_BYTES:
        raise _too_large()
    return Upload(
        users,
        fields["connection_id"],
        fields.get("upsert", "false").lower() == "true",
        fields.get("external_id") or None,
        fields.get("send_completion_email", "true").lower() != "false",
    )


def _too_large() -> ApiError:
    return ApiError(413, f"Payload content length greater than maximum allowed: {MOST_BYTES}")


def start(tenant: Tenant, id: str, connection: str, upload: Upload) -> None:
    job_runs.begin(tenant, id, lambda: run(tenant, id, connection, upload))


async def run(tenant: Tenant, id: str, connection: str, upload: Upload) -> None:
    """Import all users, a few at a time so that others are served in between."""
    try:
        users = orjson.loads(upload.users)
    except orjson.JSONDecodeError:
        users = None
    if not isinstance(users, list):
        job_runs.change(tenant, id, status="failed", status_details=_PARSE_FAILED)
        return
    job_runs.change(tenant, id, status="processing")
    summary = {"failed": 0, "updated": 0, "inserted": 0, "total": len(users)}
    errors: list[Document] = []
    for number, user in enumerate(users):
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        outcome, problems = _import(tenant, connection, user, upsert=upload.upsert)
        summary[outcome] += 1
        if problems:
            errors.append({"user": _without_secrets(user), "errors": problems})
    job_runs.change(tenant, id, status="completed", percentage_done=100, summary=summary, _errors=errors or None)
    logs.write(tenant, "sui", description="Users Import", connection=connection, details={"summary": summary})
    if upload.send_completion_email:
        _tell_owners(tenant, id, summary)


def _tell_owners(tenant: Tenant, id: str, summary: dict[str, int]) -> None:
    sentence = ", ".join(f"{count} {word}" for word, count in summary.items())
    text = f"The import {id} is complete: {sentence}."
    mailbox.send(
        tenant, f"owners@{tenant.name}.example", "users_import", "User import complete", f"<p>{text}</p>", text
    )


def _import(tenant: Tenant, connection: str, user: Any, *, upsert: bool) -> tuple[str, list[Document]]:
    problems = check(user)
    if problems:
        return "failed", problems
    known = _existing(tenant, connection, user)
    if known is not None and not upsert:
        return "failed", [_problem("DUPLICATED_USER", "The user already exist", "")]
    if known is not None:
        records.update(tenant, known["user_id"], {f: user[f] for f in _UPSERTED if f in user})
        return "updated", []
    try:
        made = records.create(
            tenant,
            {**user, "connection": connection, "email_verified": user.get("email_verified", False)},
            password_hash=user.get("password_hash") or user.get("custom_password_hash"),
        )
    except ApiError as refused:
        return "failed", [_problem("DUPLICATED_USER" if refused.status == 409 else "NOT_PASSED", str(refused), "")]
    _enroll(tenant, made, user.get("mfa_factors") or ())
    return "inserted", []


def _existing(tenant: Tenant, connection: str, user: Document) -> Document | None:
    if user.get("user_id"):
        found = records.find_by_identity(tenant, "auth0", str(user["user_id"]))
        if found is not None:
            return found
    for field in ("email", "username", "phone_number"):
        if user.get(field):
            found = records.find_by_identifier(tenant, user[field], connection)
            if found is not None:
                return found
    return None


def _enroll(tenant: Tenant, user: Document, factors: Any) -> None:
    for factor in factors:
        kind, value = next(iter(factor.items()))
        field = {"totp": ("_secret", "secret"), "phone": ("phone_number", "value"), "email": ("email", "value")}[kind]
        id, now = new_id(f"{kind}|dev_"), tenant.timestamp()
        method = {"id": id, "user_id": user["user_id"], "type": kind, "confirmed": True, "created_at": now}
        method |= {"enrolled_at": now, field[0]: value[field[1]]}
        tenant.store.put("authentication_methods", id, method)


def check(user: Any) -> list[Document]:
    """What is wrong with one user of the file, as GET /jobs/{id}/errors words it."""
    if not isinstance(user, dict):
        return [_problem("INVALID_TYPE", f"Expected type object but found type {_name(user)}", "")]
    found = [
        _problem("INVALID_TYPE", f"Expected type {expected} but found type {_name(user[field])}", field)
        for field, (kind, expected) in _TYPES.items()
        if field in user and (not isinstance(user[field], kind) or (kind is not bool and user[field] is True))
    ]
    found += [
        _problem("OBJECT_ADDITIONAL_PROPERTIES", f"Additional properties not allowed: {field}", field)
        for field in user
        if field not in _TYPES
    ]
    return found or _check_values(user)


def _check_values(user: Document) -> list[Document]:
    found = []
    if not any(user.get(field) for field in ("email", "phone_number", "username")):
        found.append(_problem("OBJECT_REQUIRED", "Missing required property: email", ""))
    if user.get("email") and not _EMAIL.fullmatch(user["email"]):
        found.append(
            _problem("INVALID_FORMAT", f"Object didn't pass validation for format email: {user['email']}", "email")
        )
    if "password_hash" in user and "custom_password_hash" in user:
        found.append(_problem("NOT_PASSED", "Use either password_hash or custom_password_hash", "password_hash"))
    if "password_hash" in user and not _BCRYPT.fullmatch(user["password_hash"]):
        found.append(_problem("PATTERN", "The password_hash must be bcrypt ($2a$ or $2b$)", "password_hash"))
    custom = user.get("custom_password_hash")
    if custom is not None and (custom.get("algorithm") not in _ALGORITHMS or not isinstance(custom.get("hash"), dict)):
        found.append(_problem("ENUM_MISMATCH", "Unknown algorithm, or no hash", "custom_password_hash.algorithm"))
    for number, factor in enumerate(user.get("mfa_factors") or ()):
        if not _is_factor(factor):
            found.append(_problem("NOT_PASSED", "A factor is totp, phone or email", f"mfa_factors[{number}]"))
    return found


def _is_factor(factor: Any) -> bool:
    if not isinstance(factor, dict) or len(factor) != 1:
        return False
    kind, value = next(iter(factor.items()))
    key = {"totp": "secret", "phone": "value", "email": "value"}.get(kind)
    return key is not None and isinstance(value, dict) and isinstance(value.get(key), str)


def _problem(code: str, message: str, path: str) -> Document:
    return {"code": code, "message": message, "path": path}


def _name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _without_secrets(user: Any) -> Any:
    if not isinstance(user, dict):
        return {}
    secret = ("password_hash", "custom_password_hash", "mfa_factors", "password")
    return {key: "*****" if key in secret else value for key, value in user.items()}
