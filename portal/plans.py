"""What a tenant's plan has: found out by asking the tenant, remembered with the date, asked again on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from portal import auth0
from portal.errors import Missing, MissingScope, NotConnected, PortalError, Refused, Unavailable
from portal.models import PlanAnswer, Tenant

# Auth0's error codes for "not with this plan"
LACKING = {"insufficient_entitlement", "operation_not_supported"}


@dataclass(frozen=True)
class PlanFeature:
    """A feature that plans may lack. `ask` makes reads alone; what it raises is the answer. `used_for`: here."""

    name: str
    used_for: str
    ask: Callable[[Tenant], Any]


@dataclass(frozen=True)
class Answer:
    """status: enabled, disabled, unknown or not_run (never asked) of the pages."""

    name: str
    used_for: str
    status: str
    said: str = ""
    asked_at: Any = None


def _reads(path: str, **params: Any) -> Callable[[Tenant], Any]:
    return lambda tenant: auth0.request(tenant, "GET", path, params=params)


def _sessions(tenant: Tenant) -> Any:
    """Sessions are read of a user: of the first that there is."""
    users = auth0.request(tenant, "GET", "/users", params={"per_page": 1, "fields": "user_id"})
    if not users:
        raise Unavailable("The tenant has no user yet, so it can't be asked for sessions.", code="no_user")
    return auth0.request(tenant, "GET", f"/users/{auth0.segment(users[0]['user_id'])}/sessions", params={"take": 1})


PLAN_FEATURES = (
    PlanFeature("User sessions", "the sessions on a user's page", _sessions),
    PlanFeature("Organizations", "organizations in exports and promotions", _reads("/organizations", take=1)),
    PlanFeature("Custom domains", "custom domains in exports", _reads("/custom-domains")),
    PlanFeature("Log streams", "log streams in exports and promotions", _reads("/log-streams")),
    PlanFeature("Bot detection", "attack protection in promotions", _reads("/attack-protection/bot-detection")),
    PlanFeature("Self-service profiles", "the same in exports and promotions", _reads("/self-service-profiles")),
    PlanFeature("Network ACLs", "the same in exports and promotions", _reads("/network-acls")),
)


def ask(tenant: Tenant) -> None:
    """Ask the tenant for each feature (one read or two) and remember what it said.

    Raises NotConnected or Unavailable where the tenant does not answer at all: what it said before stays.
    """
    for feature in PLAN_FEATURES:
        available, said = _asked(tenant, feature)
        PlanAnswer.objects.update_or_create(
            tenant=tenant,
            feature=feature.name,
            defaults={"available": available, "said": said, "asked_at": timezone.now()},
        )


def answers(tenant: Tenant) -> list[Answer]:
    """What is remembered; nothing is asked."""
    kept = {answer.feature: answer for answer in PlanAnswer.objects.filter(tenant=tenant)}
    return [_answer(feature, kept.get(feature.name)) for feature in PLAN_FEATURES]


def _asked(tenant: Tenant, feature: PlanFeature) -> tuple[bool | None, str]:
    """A missing scope or a tenant in trouble says nothing about the plan; another refusal does."""
    try:
        feature.ask(tenant)
    except MissingScope as error:
        return None, f"The application lacks {' or '.join(error.scopes)}."
    except NotConnected:
        raise
    except PortalError as error:
        if isinstance(error, Unavailable) and not error.code:  # no answer: the others would wait as long
            raise
        return False if isinstance(error, (Refused, Missing)) or error.code in LACKING else None, error.message
    return True, ""


def _answer(feature: PlanFeature, kept: PlanAnswer | None) -> Answer:
    if kept is None:
        return Answer(feature.name, feature.used_for, "not_run")
    status = {True: "enabled", False: "disabled", None: "unknown"}[kept.available]
    return Answer(feature.name, feature.used_for, status, kept.said, kept.asked_at)
