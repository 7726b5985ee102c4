"""`manage.py check`: what would go wrong later, said at the start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def secrets_are_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.ENCRYPTION_KEYS:
        found.append(
            Warning(
                "ENCRYPTION_KEYS is empty: no tenant's secret can be stored.",
                hint="manage.py make_key",
                id="portal.W001",
            )
        )
    if not settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN:
        found.append(
            Warning("AUTH0_DOMAIN is empty: nobody can sign in.", hint="README, “Connect a tenant”", id="portal.W002")
        )
    return found


@register(deploy=True)
def production_is_whole(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.REDIS_URL:
        found.append(Error("REDIS_URL is empty: web and workers would not share a queue.", id="portal.E001"))
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(Warning("DATABASE_URL is empty: SQLite serves one machine only.", id="portal.W003"))
    return found
