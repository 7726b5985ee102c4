"""The first factor: an identifier and a password, in Auth0's store or in a custom database."""

from __future__ import annotations

from sandbox import passwords
from sandbox.login import attack_protection, custom_database
from sandbox.login.attack_protection import Target
from sandbox.login.attempts import (
    Attempt,
    SignInRefused,
    too_many_attempts,
    too_many_logins,
    user_blocked,
    wrong_credentials,
)
from sandbox.login.custom_database import ScriptError
from sandbox.login.transient import allow_user
from sandbox.store import Document
from sandbox.users import records

LONGEST_IDENTIFIER = 320


async def check_password(
    attempt: Attempt, identifier: str, password: str, organization: Document | None = None
) -> Document:
    """The record of the user whom both prove. Raises SignInRefused; each refusal leaves its log event."""
    tenant, connection = attempt.tenant, attempt.connection
    identifier = identifier.strip().lower()
    if not identifier or not password or len(identifier) > LONGEST_IDENTIFIER:
        raise wrong_credentials()
    known = records.find_by_identifier(tenant, identifier, connection["name"])
    target = Target(identifier, attempt.visitor.ip, connection["name"], known["user_id"] if known else None)
    _refuse_if_protected(attempt, target)
    if custom_database.is_legacy(connection) or (
        custom_database.imports(connection) and _not_moved_yet(known, attempt)
    ):
        user = await _by_script(attempt, target, password, organization)
    else:
        user = _by_hash(attempt, target, known, password)
    attack_protection.succeeded(tenant, target)
    _refuse_blocked(attempt, user)
    return user


def _refuse_if_protected(attempt: Attempt, target: Target) -> None:
    allowed, _ = allow_user(attempt.tenant, "login", f"{target.connection} {target.identifier} {target.ip}")
    if not allowed:
        raise too_many_logins()
    fields = {"user_name": target.identifier, "user_id": target.user_id}
    if attack_protection.ip_throttled(attempt.tenant, target.ip):
        attempt.log("limit_mu", **fields)
        raise too_many_attempts()
    if attack_protection.blocked(attempt.tenant, target):
        attempt.log("limit_wc", **fields)
        raise too_many_attempts()


def _not_moved_yet(known: Document | None, attempt: Attempt) -> bool:
    return known is None or records.password_of(known, attempt.connection["name"]) is None


def _by_hash(attempt: Attempt, target: Target, known: Document | None, password: str) -> Document:
    stored = records.password_of(known, attempt.connection["name"]) if known else None
    if known is not None and passwords.check(stored, password):
        return known
    _count_failure(attempt, target, "fp" if known else "fu")
    raise wrong_credentials()


def _count_failure(attempt: Attempt, target: Target, kind: str, user_id: str | None = None) -> None:
    attempt.log(
        kind,
        description="Wrong email or password.",
        user_name=target.identifier,
        user_id=user_id or target.user_id or "",
    )
    attack_protection.failed(attempt.tenant, target)
    attack_protection.ip_failed(attempt.tenant, target.ip)


async def _by_script(attempt: Attempt, target: Target, password: str, organization: Document | None) -> Document:
    try:
        return await custom_database.login(
            attempt.tenant, attempt.connection, target.identifier, password, organization
        )
    except ScriptError as problem:
        if problem.name == "WrongUsernameOrPasswordError":
            named = f"auth0|{problem.identifier}" if problem.identifier else None
            _count_failure(attempt, target, "fp" if named else "fu", named)
            raise wrong_credentials() from None
        attempt.log(
            "f",
            description=str(problem),
            user_name=target.identifier,
            user_id=target.user_id or "",
            details={"error": {"name": problem.name, "message": str(problem)}},
        )
        raise _script_failure(problem) from None


def _script_failure(problem: ScriptError) -> SignInRefused:
    if problem.name == "UnauthorizedError":
        return SignInRefused(403, "unauthorized", str(problem))
    if problem.name == "ValidationError":
        return SignInRefused(400, problem.code or "invalid_request", str(problem))
    sorry = "We're sorry, something went wrong when attempting to log in."
    return SignInRefused(403, "access_denied", str(problem) or sorry, sorry)


def _refuse_blocked(attempt: Attempt, user: Document) -> None:
    if user.get("blocked"):
        attempt.log("f", description=user_blocked().description, user_id=user["user_id"], user_name=name_of(user))
        raise user_blocked()


def refuse_blocked(attempt: Attempt, user: Document) -> None:
    """For sign-ins without a password (code, upstream identity provider, session). Raises SignInRefused."""
    _refuse_blocked(attempt, user)


def name_of(user: Document) -> str:
    """The user as log events name them."""
    return str(user.get("email") or user.get("username") or user.get("phone_number") or user["user_id"])
