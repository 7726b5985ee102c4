"""Signing in on a local tenant through its token endpoint, and finding out what became of each attempt.

An application of its own is made for it and removed again. Why somebody could not sign in stands in the tenant's log,
and whether somebody moved, in the tenant's own store: both are read from the local tenant's documents.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from identity.databases.drift import Live
from identity.databases.generate import UNKNOWN_HASH
from identity.databases.rehearsal_report import WORDS, Row
from portal import auth0
from portal.errors import Conflict, Missing, PortalError

APPLICATION = "Castellan rehearsal"
GRANT = "http://auth0.com/oauth/grant-type/password-realm"
# Types of Auth0's log events.
FAILED_TYPES = {"fu": "unknown_user", "fp": "wrong_password"}

Documents = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class SignIn:
    """What the token endpoint answered: the user's id, or why there is none."""

    identifier: str
    user_id: str = ""
    problem: PortalError | None = None


@dataclass(frozen=True)
class Application:
    """May ask for passwords of one connection."""

    live: Live
    client_id: str
    client_secret: str

    def sign_in(self, identifier: str, password: str) -> SignIn:
        # Tenants count failures by address, and block it; nobody comes from 198.18.0.0/15, set aside for measurements.
        ip = f"198.18.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        try:
            claims = auth0.sign_in_with_password(
                self.live.tenant, client_id=self.client_id, client_secret=self.client_secret, realm=self.live.name,
                username=identifier, password=password, ip=ip,
            )  # fmt: skip
        except PortalError as problem:
            return SignIn(identifier, problem=problem)
        return SignIn(identifier, user_id=str(claims["sub"]))


@contextmanager
def application(live: Live) -> Iterator[Application]:
    """An application while it is needed, trusted with telling where people come from."""
    body = {
        "name": APPLICATION, "app_type": "regular_web", "token_endpoint_auth_method": "client_secret_post",
        "is_token_endpoint_ip_header_trusted": True, "grant_types": [GRANT], "oidc_conformant": True,
        "jwt_configuration": {"alg": "RS256"},
    }  # fmt: skip
    made = auth0.request(live.tenant, "POST", "/clients", json=body)
    try:
        path = f"/connections/{auth0.segment(live.id)}/clients"
        auth0.request(live.tenant, "PATCH", path, json=[{"client_id": made["client_id"], "status": True}])
        yield Application(live, made["client_id"], made["client_secret"])
    finally:
        remove(live.tenant, made["client_id"])


def remove(tenant: Any, client_id: str) -> None:
    with auth0.ignoring(Missing):
        auth0.request(tenant, "DELETE", f"/clients/{auth0.segment(client_id)}")


class Evidence:
    """What the tenant's documents say about the sign-ins of one application at one connection."""

    def __init__(self, documents: Documents, app: Application) -> None:
        self.users = documents.get("users", {})
        self.live = app.live
        events = [one for one in documents.get("logs", {}).values() if one.get("client_id") == app.client_id]
        self.events = {str(one.get("user_name")).lower(): one for one in events}

    def user_of(self, sign_in: SignIn) -> Mapping[str, Any] | None:
        if sign_in.user_id:
            return self.users.get(sign_in.user_id)
        wanted = sign_in.identifier.lower()
        return next((one for one in self.users.values() if self.is_ours(one) and wanted in names(one)), None)

    def is_ours(self, user: Mapping[str, Any]) -> bool:
        return any(identity["connection"] == self.live.name for identity in user["identities"])

    def said(self, sign_in: SignIn) -> str:
        """What the tenant answered to a sign-in that failed."""
        text = sign_in.problem.message if sign_in.problem else ""
        return text.removeprefix(f"{self.live.tenant.name} says: ")

    def reason(self, sign_in: SignIn) -> tuple[str, str]:
        """(outcome, words) of a sign-in that failed."""
        said, problem = self.said(sign_in), sign_in.problem
        if said == UNKNOWN_HASH:
            return "unknown_hash", WORDS["unknown_hash"]
        if isinstance(problem, Conflict):
            return "duplicate", f"{said} Another user of the tenant has this user_id or address."
        outcome = FAILED_TYPES.get(str(self.events.get(sign_in.identifier.lower(), {}).get("type")), "failed")
        known = problem is not None and problem.code == "invalid_grant" and outcome in WORDS
        return (outcome, WORDS[outcome]) if known else ("failed", said)


def judged(tried: SignIn, before: Evidence, after: Evidence) -> Row:
    """What became of one sign-in, by what the tenant held before it and holds after it."""
    user = after.user_of(tried)
    had = has_password(before.users.get(user["user_id"])) if user else False
    # What MFA or an Action says comes after the move.
    if user and (tried.problem is None or (has_password(user) and not had)):
        outcome = "had_moved" if had else "moved"
        remark = f" Then the tenant stopped the sign-in: {after.said(tried)}" if tried.problem else ""
        return Row(tried.identifier, outcome, WORDS[outcome] + remark, str(user["user_id"]))
    outcome, words = after.reason(tried)
    return Row(tried.identifier, outcome, words)


def names(user: Mapping[str, Any] | None) -> set[str]:
    """What a user can sign in by."""
    return {str(user[name]).lower() for name in ("email", "username") if user and user.get(name)}


def has_password(user: Mapping[str, Any] | None) -> bool:
    """Does the tenant's own store hold a hash for this user?"""
    return bool(user and (user.get("_password") or user.get("_identity_passwords")))
