"""Which scopes the portal has really used at a tenant, and when: one row per scope, of which a day writes one field."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.utils import timezone

from portal.models import ScopeUse, Tenant

logger = logging.getLogger(__name__)
DAY_SECONDS = 24 * 3600
# Statuses of answers for which a scope was used: the call was let in.
ANSWERED = {*range(200, 300), 400, 404, 409}


def note(tenant: Tenant, scopes: Iterable[str]) -> None:
    """The tenant has answered a call that used these scopes. The day's first use of each writes; the rest only look."""
    today = timezone.now().date()
    fresh = [scope for scope in scopes if cache.add(f"scope-used:{tenant.pk}:{scope}:{today}", "1", DAY_SECONDS)]
    if fresh:
        _write(tenant, fresh, today)


def last_used(tenant: Tenant) -> dict[str, date]:
    return dict(ScopeUse.objects.filter(tenant=tenant).values_list("scope", "last_used_on"))


def recorded_since(tenant: Tenant) -> date | None:
    """The day of the first record about this tenant; None where there is none."""
    first = ScopeUse.objects.filter(tenant=tenant).order_by("first_used_on").first()
    return first.first_used_on if first else None


def _write(tenant: Tenant, scopes: list[str], today: date) -> None:
    rows = [ScopeUse(tenant=tenant, scope=s, first_used_on=today, last_used_on=today) for s in scopes]
    try:
        with transaction.atomic():
            ScopeUse.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["tenant", "scope"], update_fields=["last_used_on"]
            )
    except DatabaseError as error:  # the call itself has been answered, and must not fail for its record
        logger.warning("The use of %s could not be recorded (%s)", ", ".join(scopes), type(error).__name__)
