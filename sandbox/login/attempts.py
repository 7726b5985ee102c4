"""What a sign-in can come to short of success, and the log event that it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox import logs
from sandbox.errors import TOO_MANY_REQUESTS
from sandbox.login.visitor import Visitor
from sandbox.store import Document
from sandbox.tenant import Tenant

WRONG_CREDENTIALS = "Wrong email or password."
USER_BLOCKED = "user is blocked"
TOO_MANY_ATTEMPTS = (
    "Your account has been blocked after multiple consecutive login attempts. We've sent you a notification via your "
    "preferred contact method with instructions on how to unblock it."
)


class SignInRefused(Exception):  # noqa: N818 - a decision, not a fault
    """`code` is the OAuth error of /oauth/token; `page_text` is what the login page says."""

    def __init__(self, status: int, code: str, description: str, page_text: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description
        self.page_text = page_text or description


@dataclass(frozen=True)
class Attempt:
    """Somebody, somewhere, at an application."""

    tenant: Tenant
    client: Document
    connection: Document
    visitor: Visitor

    def log(self, kind: str, **fields: Any) -> None:
        logs.write(
            self.tenant,
            kind,
            **{
                "client_id": self.client.get("client_id"),
                "client_name": self.client.get("name"),
                "connection": self.connection.get("name"),
                "connection_id": self.connection.get("id"),
                "strategy": self.connection.get("strategy"),
                "strategy_type": "database" if self.connection.get("strategy") == "auth0" else None,
                "ip": self.visitor.ip,
                "user_agent": self.visitor.user_agent,
                "hostname": self.visitor.hostname,
                **fields,
            },
        )


def wrong_credentials() -> SignInRefused:
    return SignInRefused(403, "invalid_grant", WRONG_CREDENTIALS)


def user_blocked() -> SignInRefused:
    return SignInRefused(403, "unauthorized", USER_BLOCKED, "Your account is blocked. Please contact support.")


def too_many_attempts() -> SignInRefused:
    return SignInRefused(429, "too_many_attempts", TOO_MANY_ATTEMPTS)


def too_many_logins() -> SignInRefused:
    """One user from one address, however right the password."""
    page_text = "You have tried to log in too often. Please wait a minute, then try again."
    return SignInRefused(429, "too_many_requests", TOO_MANY_REQUESTS, page_text)
