"""Auth0's published rate limits per plan, as (burst, requests per second) per group of endpoints."""

from __future__ import annotations

import re

_MINUTE, _DAY = 60.0, 86_400.0
Rates = dict[str, tuple[float, float]]

_EVERY_PLAN: Rates = {
    "prompt partials": (5, 5 / _MINUTE),
    "signing key rotation": (5, 5 / _DAY),
}
PLANS: dict[str, Rates] = {
    "free": {
        "management": (2, 2),
        "authentication": (300, 300 / _MINUTE),
        "token": (30, 30),
    },
    "professional": {
        "users read": (40, 500 / _MINUTE),
        "users write": (20, 200 / _MINUTE),
        "clients read": (5, 100 / _MINUTE),
        "connections read": (5, 50 / _MINUTE),
        "logs read": (10, 100 / _MINUTE),
        "organizations read": (5, 50 / _MINUTE),
        "organizations write": (5, 25 / _MINUTE),
        "management": (10, 150 / _MINUTE),
        "authentication": (25, 25),
    },
    "enterprise": {"management": (50, 16), "authentication": (100, 100)},
    "enterprise-non-production": {"management": (10, 2), "authentication": (100, 100)},
}
PLANS = {plan: {**rates, **_EVERY_PLAN} for plan, rates in PLANS.items()}
# Of one user, on every plan; the limits on second factors and password mails hold without a plan, too.
PER_USER: Rates = {
    "userinfo": (10, 5 / _MINUTE),
    "login": (20, 10 / _MINUTE),
}

# What a plan does not include: feature -> the plans that lack it.
_LACKING = {
    "session management": ("free", "professional"),
    "user export jobs": ("free",),
    "bot detection": ("free", "professional"),
    "Akamai Signals": ("free", "professional"),
}
_REFUSALS = {"Akamai Signals": ("Please upgrade your subscription to enable Akamai Signals.", "insufficient_scope")}
_SPECIAL = (
    (re.compile(r"[A-Z]+ /api/v2/prompts/[^/]+/partials"), "prompt partials"),
    (re.compile(r"POST /api/v2/keys/signing/rotate"), "signing key rotation"),
)
_AUTHENTICATION = (
    *("/oauth/", "/dbconnections/", "/userinfo", "/mfa/", "/passwordless/", "/co/"),
    *("/oidc/register", "/bc-authorize"),
)


def lacks(plan: str | None, feature: str) -> bool:
    """Whether a tenant on this plan (None: no plan was set) can't use the feature."""
    return plan in _LACKING[feature]


def refusal(feature: str) -> tuple[str, str]:
    """Message and errorCode of the 403 to who uses what the plan lacks."""
    return _REFUSALS.get(feature, (f"Please upgrade your subscription to use {feature}", "insufficient_entitlement"))


def group_of(plan: str | None, method: str, path: str) -> str | None:
    """The group of endpoints whose bucket a request draws from, or None for what is not limited."""
    if path.startswith("/api/v2/"):
        return _management_group(PLANS[plan], method, path) if plan else "management"
    if path == "/oauth/token" and plan and "token" in PLANS[plan]:
        return "token"
    return "authentication" if path.startswith(_AUTHENTICATION) else None


def _management_group(rates: Rates, method: str, path: str) -> str:
    for pattern, group in _SPECIAL:
        if pattern.fullmatch(f"{method} {path}"):
            return group
    resource = path[8:].partition("/")[0]
    kind = "read" if method in ("GET", "HEAD") else "write"
    group = f"{'users' if resource == 'users-by-email' else resource} {kind}"
    return group if group in rates else "management"
