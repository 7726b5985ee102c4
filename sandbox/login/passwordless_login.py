"""Codes by e-mail or SMS in place of a password: sending one, checking it, finding or making the user."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox import logs, mailbox
from sandbox.errors import ApiError
from sandbox.login import configuration, emails
from sandbox.login.attempts import SignInRefused, wrong_credentials
from sandbox.login.transient import transient
from sandbox.login.visits import Visit
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import records

# Unless the connection's options.totp says something else.
LIFETIME_SECONDS = 180
DIGITS = 6
MOST_TRIES = 3


@dataclass
class SentCode:
    code: str
    connection: str
    tries: int = 0


def send(visit: Visit, connection: Document, identifier: str) -> None:
    start(visit.call.tenant, connection, identifier)
    visit.transaction.connection = connection


def start(tenant: Tenant, connection: Document, identifier: str, link: dict[str, str] | None = None) -> None:
    """Send a code, and with `link` (parameters of /authorize) a link that needs no typing."""
    identifier = normal(connection, identifier)
    digits, seconds = _shape(connection)
    code = f"{secrets.randbelow(10**digits):0{digits}d}"
    transient(tenant, "passwordless").put(_key(connection, identifier), SentCode(code, connection["name"]), seconds)
    if connection["strategy"] == "sms":
        mailbox.text(tenant, identifier, f"Your verification code is: {code}", code)
    else:
        query = {"connection": connection["name"], "email": identifier, "verification_code": code, **(link or {})}
        url = f"{tenant.browser_url}passwordless/verify_redirect?{urlencode(query)}" if link is not None else None
        emails.deliver(tenant, "passwordless_email", {"email": identifier}, url, code=code)
    kind = "cs" if connection["strategy"] == "sms" else "cls"
    logs.write(tenant, kind, connection=connection["name"], user_name=identifier)


def _shape(connection: Document) -> tuple[int, int]:
    """Digits and lifetime in seconds of a code: the connection's options.totp, as far as it makes sense."""
    asked = configuration.option(connection, "totp")
    given = asked if isinstance(asked, dict) else {}
    digits, seconds = given.get("length"), given.get("time_step")
    return (
        digits if isinstance(digits, int) and 4 <= digits <= 40 else DIGITS,
        seconds if isinstance(seconds, int) and seconds > 0 else LIFETIME_SECONDS,
    )


def check(tenant: Tenant, connection: Document, identifier: str, code: str) -> Document:
    """The user who holds that address or number; made at the first time. Raises SignInRefused."""
    identifier = normal(connection, identifier)
    codes = transient(tenant, "passwordless")
    sent: SentCode | None = codes.get(_key(connection, identifier))
    if sent is None:
        raise SignInRefused(403, "invalid_grant", "The verification code has expired. Please try to login again.")
    sent.tries += 1
    if not hmac.compare_digest(sent.code.encode(), "".join(code.split()).encode()):
        if sent.tries >= MOST_TRIES:
            codes.pop(_key(connection, identifier))
            raise SignInRefused(
                403, "invalid_grant", "You've reached the maximum number of attempts. Please try to login again."
            )
        raise SignInRefused(403, "invalid_grant", "Wrong email or verification code.")
    codes.pop(_key(connection, identifier))
    return _user(tenant, connection, identifier)


def _user(tenant: Tenant, connection: Document, identifier: str) -> Document:
    found = records.find_by_identifier(tenant, identifier, connection["name"])
    if found is not None:
        return found
    sms = connection["strategy"] == "sms"
    fields = (
        {"phone_number": identifier, "phone_verified": True} if sms else {"email": identifier, "email_verified": True}
    )
    if (connection.get("options") or {}).get("disable_signup"):
        raise wrong_credentials()
    try:
        user = records.create(tenant, {"connection": connection["name"], **fields})
    except ApiError:
        raise wrong_credentials() from None
    logs.write(tenant, "ss", user_id=user["user_id"], user_name=identifier, connection=connection["name"])
    return user


def normal(connection: Document, identifier: str) -> str:
    text = identifier.strip()
    return text if connection["strategy"] == "sms" else text.lower()


def _key(connection: Document, identifier: str) -> str:
    return f"{connection['name']} {identifier}"
