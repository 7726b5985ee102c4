"""Formats of texts that the Management API checks beyond length and pattern."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>.]+(\.[^\s@<>.]+)*")
_COLOR = re.compile(r"#[0-9A-Fa-f]{3,8}")
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_ORGANIZATION = re.compile(r"(?!org_)[a-z0-9][a-z0-9_-]*")
_CLIENT = re.compile(r"[A-Za-z0-9_./:-]{1,256}")


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _url(value: str, *schemes: str) -> bool:
    """An absolute URL; placeholders such as {organization_name} count as letters."""
    try:
        parts = urlsplit(value.replace("{", "").replace("}", ""))
    except ValueError:
        return False
    return bool(parts.scheme) and (not schemes or parts.scheme in schemes) and bool(parts.netloc or parts.path)


def _https(value: str) -> bool:
    return _url(value, "https")


def _empty_or(check: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: not value or check(value)


def _address(kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return isinstance(ipaddress.ip_address(value), kind)
        except ValueError:
            return False

    return check


def _network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _instant(value: str) -> bool:
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _prefixed(prefix: str) -> Callable[[str], bool]:
    return _matches(re.compile(rf"{prefix}_[A-Za-z0-9]+"))


FORMATS: dict[str, Callable[[str], bool]] = {
    "email": _matches(_EMAIL),
    "email-or-empty": _empty_or(_matches(_EMAIL)),
    "html-color": _matches(_COLOR),
    "html-color-or-null": _matches(_COLOR),
    "hostname": _matches(_HOST),
    "hostname-rfc2181": _matches(_HOST),
    "organization-name": _matches(_ORGANIZATION),
    "client-id": _matches(_CLIENT),
    "ipv4": _address(ipaddress.IPv4Address),
    "ipv6": _address(ipaddress.IPv6Address),
    "cidr": _network,
    "ipv6_cidr": _network,
    "date-time": _instant,
    "url": _url,
    "uri": _url,
    "url-or-null": _url,
    "url-with-placeholders": _url,
    "callback-url": _url,
    "strict-uri": _url,
    "strict-https-uri": _https,
    "strict-https-uri-or-null": _https,
    "absolute-uri-or-empty": _empty_or(_url),
    "absolute-https-uri-or-empty": _empty_or(_https),
    "absolute-https-uri-with-placeholders-or-empty": _empty_or(_https),
    "ec-initiate-login-uri-template-url": _empty_or(_https),
    "non-empty-string": bool,
    "connection-id": _prefixed("con"),
    "organization-id": _prefixed("org"),
    "role-id": _prefixed("rol"),
    "client-grant-id": _prefixed("cgr"),
    "credential-id": _prefixed("cred"),
    "flow-id": _prefixed("af"),
    "flows-vault-connections-id": _prefixed("ac"),
    "user-attribute-profile-id": _prefixed("uap"),
    "connection-profile-id": _prefixed("cop"),
}
"""Name of a format -> whether a text has it. Formats that are not here are not checked."""
