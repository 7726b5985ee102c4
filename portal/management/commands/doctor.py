"""Say in a terminal what is wrong with this installation and its tenants: all that the tenant's page says."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal import auth0, plans, standing
from portal.errors import PortalError
from portal.models import Run, Tenant
from portal.redaction import clean
from portal.standing import Application, FeatureState, Standing

WRONG, NOTE, OK = "WRONG", "note", "ok"
COLUMNS = 79
Line = tuple[str, str]


class Command(BaseCommand):
    help = "Check the installation and each registered tenant. Exits with 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--tenant", action="append", default=[], metavar="SLUG", help="this tenant; may be repeated"
        )
        parser.add_argument("--plan", action="store_true", help="ask each tenant what its plan has (some reads)")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, tenant: list[str], plan: bool, **options: Any) -> None:
        footings = list(_footings())
        tenants = [] if WRONG in dict(footings) else [_examined(each, plan) for each in _chosen(tenant)]
        known = {each.tenant.slug for each in tenants}
        unknown = [slug for slug in tenant if tenants and slug not in known]
        installation = [*_checks(), *footings, *((WRONG, f"no tenant {slug} is registered") for slug in unknown)]
        lines = installation + [line for each in tenants for line in _lines(each)]
        problems = sum(level == WRONG for level, _ in lines)
        if options["json"]:
            self.stdout.write(json.dumps(_data(installation, tenants, problems), cls=DjangoJSONEncoder, indent=2))
        else:
            self._report(installation, tenants)
        if problems:
            raise CommandError(f"{problems} thing{'s' if problems > 1 else ''} to mend.")
        if not options["json"]:
            self.stdout.write("\nAll is well.")

    def _report(self, installation: list[Line], tenants: list[Examined]) -> None:
        self._say("Castellan", installation)
        for each in tenants:
            self._say(f"{each.tenant.name} ({each.tenant.domain}, {each.tenant.stage})", list(_lines(each)))
            for application in [] if each.standing.trouble else each.standing.applications:
                self._tell_how(each.tenant, application)

    def _tell_how(self, tenant: Tenant, application: Application) -> None:
        """The command that turns on what is off; what is only left out is for a person to choose."""
        needed = sorted({scope for area in application.areas for scope in area.needed})
        if needed:
            self.stdout.write(
                f"\n  To turn on what is off, grant this to {application.client_id}:\n"
                "  Auth0's dashboard > Applications > APIs > Auth0 Management API > Machine to\n"
                "  Machine Applications; or, with the Auth0 CLI and jq:\n"
            )
            self.stdout.write(standing.grant_command(tenant, application.client_id, needed))

    def _say(self, title: str, lines: list[Line]) -> None:
        self.stdout.write(f"\n{title}")
        for level, text in lines:
            self.stdout.write(
                textwrap.fill(
                    text, COLUMNS, initial_indent=f"  {level:<5}  ", subsequent_indent=" " * 9,
                    break_long_words=False, break_on_hyphens=False,
                )
            )  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """A tenant, what was found out about its applications, and what its plan has."""

    tenant: Tenant
    standing: Standing
    answers: list[plans.Answer]


def _examined(tenant: Tenant, plan: bool) -> Examined:
    found = standing.of(tenant, fresh=True)
    if plan and not found.problem:
        with auth0.ignoring(PortalError):  # what it said before is told with its date
            plans.ask(tenant)
    return Examined(tenant, found, plans.answers(tenant))


def _chosen(slugs: list[str]) -> Iterable[Tenant]:
    return Tenant.objects.filter(slug__in=slugs) if slugs else Tenant.objects.all()


def _checks() -> Iterator[Line]:
    """What Django and the portal find in the settings."""
    for message in run_checks():
        if message.level >= WARNING:
            bad = message.level >= ERROR or message.id == "portal.W001"
            yield WRONG if bad else NOTE, f"{message.msg} {message.hint or ''}".strip()


def _footings() -> Iterator[Line]:
    """What everything else stands on, one after the other; the first that fails is the last that is told."""
    for name, (ask, advice) in FOOTINGS.items():
        try:
            yield OK, f"{name}{ask()}"
        except Exception as error:
            said = (clean(str(error)).splitlines() or [type(error).__name__])[0].rstrip(".")
            yield WRONG, f"{name}: {said}. {advice}"
            return


def _migrated() -> str:
    executor = MigrationExecutor(connection)
    if waiting := len(executor.migration_plan(executor.loader.graph.leaf_nodes())):
        raise CommandError(f"{waiting} migrations wait")
    return ""


def _cache_answers() -> str:
    cache.set("doctor", "here", timeout=60)
    return ""


def _secrets_are_readable() -> str:
    """The tenants' secrets are decrypted as their rows are read."""
    return f" of {len(Tenant.objects.all())} tenants"


def _runs_waiting() -> str:
    return f": {Run.objects.filter(status=Run.Status.QUEUED).count()}"


# name -> (what raises or tells more, what to do where it raises)
FOOTINGS: dict[str, tuple[Callable[[], str], str]] = {
    "database": (_migrated, "Check DATABASE_URL, and that the database runs; then: manage.py migrate"),
    "cache and queue": (_cache_answers, "Check REDIS_URL, and that Redis or Valkey runs."),
    "stored secrets": (_secrets_are_readable, "ENCRYPTION_KEYS holds the keys, old ones too."),
    "background runs waiting": (_runs_waiting, ""),
}


def _lines(each: Examined) -> Iterator[Line]:
    if each.standing.trouble:
        yield from _trouble(each.standing)
    else:
        yield from _connection(each.standing)
        yield from _features(each.standing)
        yield from _scopes(each.standing)
    for answer in each.answers:
        if answer.status != "not_run":
            has = {"enabled": "yes", "disabled": "no", "unknown": "not known"}[answer.status]
            yield NOTE, f"plan: {answer.name}: {has}, asked on {answer.asked_at:%d %b %Y}. {answer.said}".strip()


def _trouble(found: Standing) -> Iterator[Line]:
    assert found.trouble  # noqa: S101  (for the type checker)
    yield WRONG, found.trouble.error.message
    yield NOTE, f"it first failed at {_moment(found.trouble.since)}"
    if found.known_at:
        yield NOTE, f"signed in to last at {_moment(found.known_at)}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y %H:%M:%S} UTC"


def _connection(found: Standing) -> Iterator[Line]:
    for application in found.applications:
        yield (
            OK,
            (
                f"{application.client_id} answers ({application.does}; {application.signs_in_with}); token "
                f"{application.token_age_seconds:.0f} s old, ends in {application.token_left_seconds / 3600:.1f} h; "
                f"{application.scope_count} scopes"
            ),
        )
    if limit := found.rate_limit:
        yield OK, f"rate limit: {limit['left']:.0f} of {limit['limit']:.0f} calls were left at {_moment(limit['at'])}"


def _features(found: Standing) -> Iterator[Line]:
    """Features that lack the same are told together."""
    off, partly = _alike(found.features, "missing"), _alike(found.features, "reduced")
    yield from ((WRONG, f"{names}: off; missing {scopes}") for scopes, names in off.items())
    yield from ((NOTE, f"{names}: something is left out; missing {scopes}") for scopes, names in partly.items())


def _alike(features: list[FeatureState], which: str) -> dict[str, str]:
    """{scopes: features}, both joined"""
    found: dict[str, list[str]] = {}
    for feature in features:
        if scopes := getattr(feature, which):
            found.setdefault(", ".join(scopes), []).append(feature.name)
    return {scopes: ", ".join(names) for scopes, names in found.items()}


def _scopes(found: Standing) -> Iterator[Line]:
    for danger in found.dangerous:
        wanted = f"wanted by {', '.join(danger.features)}" if danger.features else "needed by nothing here"
        yield NOTE, f"dangerous: {', '.join(danger.scopes)} ({wanted}). {danger.why}"
    if found.unneeded:
        yield NOTE, f"granted and needed by nothing here: {', '.join(scope.name for scope in found.unneeded)}"
    if found.recorded_since and found.idle:
        yield NOTE, f"needed, and not used {found.idle_since}: {', '.join(scope.name for scope in found.idle)}"


def _data(installation: list[Line], tenants: list[Examined], problems: int) -> dict[str, Any]:
    return {
        "problems": problems,
        "installation": [{"level": level, "text": text} for level, text in installation],
        "tenants": [_tenant_data(each) for each in tenants],
    }


def _tenant_data(each: Examined) -> dict[str, Any]:
    tenant, found = each.tenant, each.standing
    return {
        "slug": tenant.slug,
        "domain": tenant.domain,
        "stage": tenant.stage,
        "problem": found.problem.message if found.problem else None,
        "problem_since": found.trouble.since if found.trouble else None,
        "known_at": found.known_at,
        "applications": [asdict(application) for application in found.applications],
        "rate_limit": found.rate_limit,
        "features": [asdict(feature) for feature in found.features],
        "missing": [scope.name for scope in found.missing],
        "unneeded": [scope.name for scope in found.unneeded],
        "idle": [scope.name for scope in found.idle],
        "recorded_since": found.recorded_since,
        "dangerous": [asdict(danger) for danger in found.dangerous],
        "plan": [asdict(answer) for answer in each.answers],
    }
