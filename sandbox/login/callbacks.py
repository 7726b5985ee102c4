"""Addresses that an application has registered: callbacks and logout URLs."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def allowed(registered: list[str], url: str) -> bool:
    """Whether the address is one of those; a registered `https://*.example.com/x` stands for one label.

    Query and fragment have to be equal, too; credentials in an address never pass.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.scheme or parts.username or "\\" in url or any(ord(c) < 33 for c in url):
        return False
    if parts.scheme in ("javascript", "data", "vbscript", "file"):
        return False
    return any(url == known or _wildcard(known, url) for known in registered)


def _wildcard(known: str, url: str) -> bool:
    scheme, separator, rest = known.partition("://*.")
    if not separator or "*" in rest:
        return False
    return re.fullmatch(rf"{re.escape(scheme)}://[A-Za-z0-9-]+\.{re.escape(rest)}", url) is not None


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
