"""The address of a database that a person names for tests: what it may say, and how pages call it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import psycopg
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from identity.databases.contracts import NAMEABLE
from identity.databases.form import STORES
from portal.errors import Invalid

EXAMPLES = {
    "postgresql": "postgresql://scripts:password@db.example:5432/name?sslmode=require",
    "mysql": "mysql://scripts:password@db.example:3306/name",
    "mongodb": "mongodb://scripts:password@db.example:27017/name",
}
# Others would read files of the worker, or lead to several servers.
POSTGRESQL_PARTS = {"host", "port", "user", "password", "dbname", "sslmode"}
URL_OPTIONS = {"tls", "ssl", "authsource", "authmechanism", "serverselectiontimeoutms"}
LOCAL = {"", "localhost", "127.0.0.1", "::1"}


def check(address: str, store: str) -> str:
    """The "host:port/name" of an address, for pages. Raises Invalid, never with the password in its text."""
    if store not in NAMEABLE:
        raise Invalid(f"{STORES[store]} can't be named here; leave the address empty to test on the stand-in.")
    host, port, user, name = _postgresql(address) if store == "postgresql" else _url(address, store)
    if not host or "/" in host or "," in host or not port.isdigit():
        raise Invalid(f"Name one server by host and port, as in {EXAMPLES[store]}.")
    if not user or not name:
        raise Invalid(f"Name the user and the database too, as in {EXAMPLES[store]}.")
    if store == "postgresql":
        _not_our_own(host, port, name)
    return f"{host}:{port}/{name}"


def _postgresql(address: str) -> tuple[str, str, str, str]:
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    except psycopg.Error:
        raise Invalid(f"This is no connection string. Write it as {EXAMPLES['postgresql']}.") from None
    _only(set(parts), POSTGRESQL_PARTS)
    return parts.get("host", ""), parts.get("port", "5432"), parts.get("user", ""), parts.get("dbname", "")


def _url(address: str, store: str) -> tuple[str, str, str, str]:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise Invalid(f"Name one server by host and port, as in {EXAMPLES[store]}.") from None
    if parts.scheme != store:
        raise Invalid(f"This is no connection string. Write it as {EXAMPLES[store]}.")
    _only({name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}, URL_OPTIONS)
    host = "" if "," in parts.netloc.rpartition("@")[2] else parts.hostname or ""
    usual = EXAMPLES[store].rpartition(":")[2].partition("/")[0]
    return host, str(port or usual), parts.username or "", parts.path.strip("/")


def _only(given: set[str], allowed: set[str]) -> None:
    if odd := sorted(given - allowed):
        raise Invalid(f"Leave out {', '.join(odd)}: only {', '.join(sorted(allowed))} are taken.")


def _not_our_own(host: str, port: str, name: str) -> None:
    """The portal's own database is no place for tests."""
    own = connection.settings_dict
    if connection.vendor != "postgresql" or str(own.get("NAME")) != name:
        return
    ours = str(own.get("HOST") or "")
    if str(own.get("PORT") or "5432") == port and (ours == host or {ours, host} <= LOCAL):
        raise Invalid("This is the portal's own database. Name one that is there for tests.")
