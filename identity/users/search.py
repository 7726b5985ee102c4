"""The one search box: an exact identifier opens its user, anything else becomes an escaped Lucene query.

User search lags behind writes and ends at 1,000 results, so identifiers never go through it where Auth0 has a look-up
that is immediate: GET /users/{id}, GET /users-by-email.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from portal import auth0
from portal.errors import Missing, Unavailable
from portal.models import Tenant

PER_PAGE = 25
# Auth0 returns no more than this for one query, however many match.
CAP = 1000
FIELDS = ",".join(
    ("user_id", "email", "name", "nickname", "username", "phone_number", "picture", "blocked", "email_verified")
    + ("last_login", "logins_count", "identities")
)

_USER_ID = re.compile(r"^[A-Za-z0-9-]+\|\S+$")
_EMAIL = re.compile(r"^[^\s@]+@[^\s@]+$")
_PHONE = re.compile(r"^\+?[\d\s()./-]{6,24}$")
_SPECIAL = re.compile(r'([\\+\-!(){}\[\]^"~*?:/&|<>=\s])')
_WORD_FIELDS = ("email", "name", "given_name", "family_name", "nickname", "username")

# filter -> (label, clause)
FILTERS: dict[str, tuple[str, str]] = {
    "blocked": ("Blocked", "blocked:true"),
    "unverified": ("E-mail not verified", "email_verified:false"),
    "never": ("Never signed in", "NOT _exists_:last_login"),
}


@dataclass(frozen=True)
class Found:
    """One page of users. `exact`: found by an identifier; `query`: the Lucene query that was sent, if one was."""

    users: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    page: int = 0
    query: str = ""
    exact: bool = False
    problem: str = ""

    @property
    def capped(self) -> bool:
        return self.total > CAP

    @property
    def pages(self) -> int:
        return -(-min(self.total, CAP) // PER_PAGE)


def find(tenant: Tenant, text: str, *, filters: tuple[str, ...] = (), page: int = 0) -> Found:
    """Users for what somebody typed. `page` counts from 0. Raises the gateway's errors."""
    text = text.strip()
    exact = [] if filters else _exact(tenant, text)
    if exact:
        return Found(users=exact, total=len(exact), exact=True)
    return _search(tenant, query(text, filters), page)


def query(text: str, filters: tuple[str, ...] = ()) -> str:
    """The Lucene query for free text and filters; whatever is typed stays text, never syntax."""
    clauses = [
        clause for clause in (_text_clause(text.strip()), *(FILTERS[name][1] for name in filters if name in FILTERS))
    ]
    return " AND ".join(f"({clause})" for clause in clauses if clause)


def escape(text: str) -> str:
    """Text as one Lucene term: each character with a meaning gets a backslash."""
    return _SPECIAL.sub(r"\\\1", text)


def _exact(tenant: Tenant, text: str) -> list[dict[str, Any]]:
    if _USER_ID.match(text):
        with auth0.ignoring(Missing):
            return [auth0.request(tenant, "GET", f"/users/{auth0.segment(text)}", params={"fields": FIELDS})]
    if _EMAIL.match(text):
        return _by_email(tenant, text)
    return []


def _by_email(tenant: Tenant, email: str) -> list[dict[str, Any]]:
    # Case-sensitive at Auth0: its own databases store lower case, federated users keep their provider's spelling.
    found: dict[str, dict[str, Any]] = {}
    for spelling in dict.fromkeys((email.lower(), email)):
        params = {"email": spelling, "fields": FIELDS}
        found |= {user["user_id"]: user for user in auth0.request(tenant, "GET", "/users-by-email", params=params)}
    return list(found.values())


def _search(tenant: Tenant, lucene: str, page: int) -> Found:
    page = max(0, min(page, CAP // PER_PAGE - 1))
    params = {"page": page, "per_page": PER_PAGE, "include_totals": "true", "search_engine": "v3", "fields": FIELDS}
    params |= {"q": lucene} if lucene else {"sort": "created_at:-1"}
    try:
        answer = auth0.request(tenant, "GET", "/users", params=params)
    except Unavailable as error:
        if error.code != "query_timeout":
            raise
        return Found(
            query=lucene, problem="The search took Auth0 too long. Type more of the name, or the whole e-mail address."
        )
    return Found(users=answer["users"], total=answer["total"], page=page, query=lucene)


def _text_clause(text: str) -> str:
    if not text:
        return ""
    if _PHONE.match(text) and sum(c.isdigit() for c in text) >= 6:
        return _phone_clause(text)
    words = text.split()
    each = " AND ".join(f"({_word_clause(word)})" for word in words)
    return each if len(words) == 1 else f"name:{escape(' '.join(words))}* OR ({each})"


def _word_clause(word: str) -> str:
    return " OR ".join(f"{name}:{escape(word)}*" for name in _WORD_FIELDS)


def _phone_clause(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    spellings = {f"+{digits}"} if text.strip().startswith("+") else {f"+{digits}", f"+{digits.lstrip('0')}", digits}
    return " OR ".join(f'phone_number:"{spelling}"' for spelling in sorted(spellings))
