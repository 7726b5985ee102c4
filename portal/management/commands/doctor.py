"""Say in a terminal what is wrong with this installation and its tenants: all that the tenant's page says."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.checks import ERROR, WARNING, run_checks
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal import plans, standing
from portal.models import Run, Tenant
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
        installation, found = list(_installation(tenant)), Tenant.objects.all()
        tenants = [_examined(each, plan) for each in (found.filter(slug__in=tenant) if tenant else found)]
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
            for application in each.standing.applications:
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
        plans.ask(tenant)
    return Examined(tenant, found, plans.answers(tenant))


def _installation(wanted: list[str]) -> Iterator[Line]:
    """About this process's own surroundings."""
    for message in run_checks():
        if message.level >= WARNING:
            bad = message.level >= ERROR or message.id == "portal.W001"
            yield WRONG if bad else NOTE, f"{message.msg} {message.hint or ''}".strip()
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    yield (WRONG, f"database: {waiting} migrations wait: manage.py migrate") if waiting else (OK, "database")
    yield OK, f"background runs waiting: {Run.objects.filter(status=Run.Status.QUEUED).count()}"
    known = set(Tenant.objects.values_list("slug", flat=True))
    yield from ((WRONG, f"no tenant {slug} is registered") for slug in wanted if slug not in known)


def _lines(each: Examined) -> Iterator[Line]:
    if each.standing.problem:
        yield WRONG, each.standing.problem.message
    else:
        yield from _connection(each.standing)
        yield from _features(each.standing)
        yield from _scopes(each.standing)
    for answer in each.answers:
        if answer.status != "not_run":
            has = {"enabled": "yes", "disabled": "no", "unknown": "not known"}[answer.status]
            yield NOTE, f"plan: {answer.name}: {has}, asked on {answer.asked_at:%d %b %Y}. {answer.said}".strip()


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
        at = datetime.fromtimestamp(limit["at"], UTC)
        yield OK, f"rate limit: {limit['left']:.0f} of {limit['limit']:.0f} calls were left at {at:%H:%M:%S} UTC"


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
