"""What `configuration` holds in the tests: the database's own settings, and its parts under names of the scripts' own.

Whoever writes scripts by hand has settings such as DB_HOST and DB_USER; the name says what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

READ = re.compile(r"""\bconfiguration\s*(?:\??\.\s*([A-Za-z_$][\w$]*)|\[\s*['"]([^'"]+)['"]\s*\])""")
TAKEN_APART = re.compile(r"\{([^{}]*)\}\s*=\s*configuration\b")

# What the end of a name asks for; the first that fits counts.
ENDINGS = (
    (r"token_?(url|uri|endpoint)", "TOKEN_URL"),
    (r"audience", "API_AUDIENCE"),
    (r"client_?id", "CLIENT_ID"),
    (r"client_?secret", "CLIENT_SECRET"),
    (r"api_?(url|uri|base|endpoint)|base_?(url|uri)|endpoint", "API_URL"),
    (r"url|uri|dsn|conn(ection)?(_?str(ing)?)?", "DATABASE_URL"),
    (r"port", "port"),
    (r"host|host_?name|server|address", "host"),
    (r"user|user_?name|login|uid", "user"),
    (r"pass|password|pwd|secret", "password"),
    (r"database|database_?name|db|db_?name|catalog|schema", "database"),
)
ASKS_FOR = tuple((re.compile(rf"(.*_|.*[a-z](?=[A-Z])|)({ending})", re.IGNORECASE), part) for ending, part in ENDINGS)


def names(code: str) -> set[str]:
    """Which settings a script reads."""
    parts = [part for inner in TAKEN_APART.findall(code) for part in inner.split(",")]
    taken = {re.split(r"[:=]", part)[0].strip() for part in parts}
    return {dotted or quoted for dotted, quoted in READ.findall(code)} | (taken - {""})


def given(scripts: Iterable[str], own: Mapping[str, str]) -> dict[str, str]:
    """`own`, and a value for each other name that asks for a part of it."""
    known = {**_parts(own.get("DATABASE_URL", "")), **own}
    used = set().union(*map(names, scripts)) - set(own)
    return {**own, **{name: known[part] for name in sorted(used) if (part := _part(name)) in known}}


def without_value(code: str, configuration: Mapping[str, str]) -> list[str]:
    """A hint for a script that reads what it is not given here."""
    missing = sorted(names(code) - set(configuration))
    return [f"In these tests there is no value for {', '.join(missing)} in configuration."] if missing else []


def _part(name: str) -> str | None:
    return next((part for pattern, part in ASKS_FOR if pattern.fullmatch(name)), None)


def _parts(address: str) -> dict[str, str]:
    if "://" not in address:  # Server=host,port;Database=...
        pairs = dict(pair.split("=", 1) for pair in address.split(";") if "=" in pair)
        host, _, port = pairs.get("Server", "").partition(",")
        return {"host": host, "port": port, "user": "scripts", "password": "", "database": pairs.get("Database", "")}
    url = urlsplit(address)
    found = {"user": url.username, "password": url.password, "database": url.path.lstrip("/")}
    return {
        "host": url.hostname or "",
        "port": str(url.port or ""),
        **{name: unquote(value or "") for name, value in found.items()},
    }
