"""Say in a terminal what is wrong with this installation and its tenants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import ERROR, WARNING, run_checks
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal import tenants
from portal.models import Run, Tenant


class Command(BaseCommand):
    help = "Check the installation and each registered tenant. Exits with 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant", nargs="*", help="slugs of the tenants to check; all without any")
        parser.add_argument("--plan", action="store_true", help="ask each tenant what its plan has (some reads)")

    def handle(self, *args: Any, tenant: list[str], plan: bool, **options: Any) -> None:
        problems = sum(self._say(*line) for line in _installation())
        found = Tenant.objects.filter(slug__in=tenant) if tenant else Tenant.objects.all()
        unknown = set(tenant) - {t.slug for t in found}
        problems += sum(self._say(True, f"no tenant {slug} is registered") for slug in sorted(unknown))
        for each in found:
            self.stdout.write(f"\n{each.name} ({each.domain}, {each.stage})")
            problems += sum(self._say(*line) for line in _tenant(each))
            for name, why in tenants.plan_features(each) if plan else ():
                self.stdout.write(f"       plan: {name}: {why or 'yes'}")
        if problems:
            raise CommandError(f"{problems} thing{'s' if problems > 1 else ''} to mend.")
        self.stdout.write("\nAll is well.")

    def _say(self, wrong: bool, text: str) -> int:
        self.stdout.write(f"  {'WRONG' if wrong else 'ok   '} {text}")
        return int(wrong)


def _installation() -> Iterator[tuple[bool, str]]:
    """(wrong?, what) about this process's own surroundings."""
    for message in run_checks():
        if message.level >= WARNING:
            yield message.level >= ERROR or message.id == "portal.W001", f"{message.msg} {message.hint or ''}".strip()
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield bool(waiting), f"database: {len(waiting)} migrations wait: manage.py migrate" if waiting else "database"
    stuck = Run.objects.filter(status=Run.Status.QUEUED).count()
    yield False, f"background runs waiting: {stuck}"


def _tenant(tenant: Tenant) -> Iterator[tuple[bool, str]]:
    state = tenants.state(tenant)
    if state.problem:
        yield True, state.problem.message
        return
    yield False, f"answers; token {state.token_age_seconds:.0f} s old, ends in {state.token_left_seconds / 3600:.1f} h"
    for feature in state.features:
        if feature.missing:
            yield True, f"{feature.permission} is off: missing {', '.join(feature.missing)}"
        elif feature.reduced:
            yield False, f"{feature.permission} leaves something out: missing {', '.join(feature.reduced)}"
    for scope, why in state.dangerous:
        yield False, f"dangerous scope {scope}: {why}"
    if state.unused:
        yield False, f"granted and needed by nothing here: {len(state.unused)} scopes"
