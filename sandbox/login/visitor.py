"""Where a request comes from: what log events and Actions are told about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.login.calls import Call

_SECRETS = ("password", "newPassword", "client_secret", "client_assertion", "otp", "code", "refresh_token", "mfa_token")
_CODES = {"DE": "DEU", "FR": "FRA", "GB": "GBR", "US": "USA", "NL": "NLD", "CA": "CAN", "AU": "AUS", "JP": "JPN"}


@dataclass(frozen=True)
class Visitor:
    """`geoip` has Auth0's keys (countryCode ...) and is empty when the place is unknown, as it is for this machine."""

    ip: str
    user_agent: str = ""
    method: str = "GET"
    hostname: str = "localhost"
    language: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    geoip: dict[str, Any] = field(default_factory=dict)


def visitor(call: Call) -> Visitor:
    """The visitor of this request.

    A test plays someone from elsewhere with the headers `X-Sandbox-IP` and `X-Sandbox-Country` (ISO 3166 alpha-2).
    """
    headers = call.request.headers
    body = {} if call.request.method == "GET" else call.parameters
    return Visitor(
        ip=headers.get("x-sandbox-ip") or call.ip,
        user_agent=call.user_agent,
        method=call.request.method,
        hostname=call.request.url.hostname or "localhost",
        language=headers.get("accept-language", "").partition(",")[0].partition(";")[0],
        query=dict(call.request.query_params),
        body={k: v for k, v in body.items() if k not in _SECRETS},
        geoip=_geoip(headers.get("x-sandbox-country", "")),
    )


def _geoip(country: str) -> dict[str, Any]:
    country = country.strip().upper()
    if len(country) != 2 or not country.isalpha():
        return {}
    found = {"countryCode": country}
    return found | {"countryCode3": _CODES[country]} if country in _CODES else found
