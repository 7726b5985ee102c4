"""What is known about a connection's scripts without touching the tenant: lint, tests, checklist, settings.

Findings are kept in the cache by what was looked at: Node takes half a second for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache

from identity.databases import checklist, lint, scripts
from identity.databases.contracts.run import Verdict
from identity.databases.drift import Live
from identity.databases.models import (
    ChecklistTick,
    ConfigurationValue,
    DatabasePublication,
    DatabaseTest,
    named,
)
from identity.databases.scripts import Content
from portal import audit, auth0
from portal.errors import Conflict, Invalid, PortalError, Unavailable
from portal.models import Tenant

FINDINGS_SECONDS = 24 * 3600
MOST_ACTIONS = 100


def findings(live: Live, content: Content) -> list[lint.Finding]:
    """The linter's findings in `content`, were it published to this connection.

    Raises Unavailable where the linter did not finish.
    """
    return _found(content, _as_linted(live, content, {}))


def _found(content: Content, connection: lint.Connection) -> list[lint.Finding]:
    key = _key(content, connection)
    found = cache.get(key)
    if found is None:
        try:
            found = lint.check(content.scripts, connection)
        except lint.LintFailed as problem:
            raise Unavailable(str(problem)) from None
        cache.set(key, found, FINDINGS_SECONDS)
    return list(found)


def kept_findings(live: Live, content: Content) -> list[lint.Finding] | None:
    """What the linter has found in exactly this before; None where it has not looked, and never a wait for it."""
    return cache.get(_key(content, _as_linted(live, content, {})))


def lint_status(found: Sequence[lint.Finding]) -> str:
    """A status of the pages: error, warning, or passed."""
    levels = {finding.level for finding in found}
    return next((level for level in ("error", "warning") if level in levels), "passed")


def latest_test(tenant: Tenant, connection_id: str, content: Content) -> tuple[DatabaseTest | None, str]:
    """The newest contract test of exactly these scripts, and a status: passed, failed, running, stale or not_run."""
    tests = DatabaseTest.objects.filter(**named(tenant, connection_id)).select_related("run", "tenant")
    mine = tests.filter(sha256=content.sha256)
    if test := mine.filter(passed__isnull=False).first():
        return test, "passed" if test.passed else "failed"
    if (test := mine.first()) and test.run and not test.run.is_final:
        return test, "running"
    return None, "stale" if tests.filter(passed__isnull=False).exists() else "not_run"


def verdicts(test: DatabaseTest | None) -> list[Verdict] | None:
    return [Verdict(**one) for one in test.verdicts] if test and test.passed is not None else None


def checklist_rows(live: Live, content: Content) -> list[checklist.Row]:
    """Every point of the checklist for this connection, by what other tenants and the tenant's Actions say too, which
    takes a read (read:actions).
    """
    test, _ = latest_test(live.tenant, live.id, content)
    draft = scripts.draft_of(live.tenant, live.id)
    connection = _as_linted(live, content, _surroundings(live, content))
    facts = checklist.Facts(
        scripts=content.scripts,
        findings=_found(content, connection),
        unjudged=_unjudged(connection),
        verdicts=verdicts(test),
        import_mode=content.import_mode,
        uses_api=bool(draft and draft.store_form.get("store") == "https_api"),
    )
    ticks = ChecklistTick.objects.filter(**named(live.tenant, live.id)).select_related("person")
    given = [checklist.Tick(one.item, one.person.email, one.at, one.note, one.fingerprint) for one in ticks]
    return checklist.rows(facts, given)


def tick(live: Live, content: Content, item: str, *, note: str, fingerprint: str, actor: User) -> ChecklistTick:
    """A person's word about one point. `fingerprint`: of the scripts that were on the screen.

    Raises Invalid for a point that a program judges, Conflict for scripts that have changed since.
    """
    if item not in {one.id for one in checklist.ITEMS if one.by_person}:
        raise Invalid("A program judges this point; it can't be ticked.")
    if fingerprint != checklist.fingerprint(content.scripts):
        raise Conflict("The scripts have changed since this page was opened. Look at them again before you tick.")
    where = {"target": live.id, "target_label": live.name}
    with audit.recorded(actor, "databases.edit", tenant=live.tenant, reason=note, **where) as entry:
        entry.detail = f"Ticked “{item}” on the checklist."
        return ChecklistTick.objects.create(
            **named(live.tenant, live.id), connection_name=live.name, item=item, note=note, fingerprint=fingerprint,
            person=actor,
        )  # fmt: skip


# Settings of the scripts


def settings_of(tenant: Tenant, connection_id: str) -> list[ConfigurationValue]:
    return list(ConfigurationValue.objects.filter(**named(tenant, connection_id)).select_related("updated_by"))


def configuration_keys(live: Live) -> list[str]:
    """The names that `configuration` will have after a publication."""
    ours = settings_of(live.tenant, live.id)
    gone = {one.name for one in ours if one.removed}
    return sorted(({*live.configuration_keys} | {one.name for one in ours}) - gone)


def settings_told(tenant: Tenant, connection_id: str) -> list[dict[str, Any]]:
    """What a publication brings along, without values: [{"name", "removed", "by", "at" (ISO 8601)}]."""
    return [
        {"name": one.name, "removed": one.removed, "by": one.updated_by.email, "at": one.updated_at.isoformat()}
        for one in settings_of(tenant, connection_id)
    ]


def keep_setting(live: Live, name: str, value: str, *, actor: User) -> None:
    """Store a value, encrypted; the next publication brings it to the tenant."""
    _change_setting(live, name, actor, value=value, removed=False, detail=f"Entered a value for the setting {name}.")


def remove_setting(live: Live, name: str, *, actor: User) -> None:
    """The next publication takes the setting away; until then it can be kept after all."""
    _change_setting(live, name, actor, removed=True, detail=f"The setting {name} is to be removed.")


def keep_after_all(live: Live, name: str, *, actor: User) -> None:
    """Take a removal back: the value that is stored here goes with the next publication, or the tenant's own stays."""
    _change_setting(live, name, actor, removed=False, detail=f"The setting {name} is kept after all.")
    ConfigurationValue.objects.filter(**named(live.tenant, live.id), name=name, value="").delete()


def _change_setting(live: Live, name: str, actor: User, *, detail: str, **fields: Any) -> None:
    where = {"target": live.id, "target_label": live.name}
    with audit.recorded(actor, "databases.edit", tenant=live.tenant, **where) as entry:
        entry.detail = detail
        ConfigurationValue.objects.update_or_create(
            **named(live.tenant, live.id), name=name,
            defaults={**fields, "connection_name": live.name, "updated_by": actor},
        )  # fmt: skip


def _as_linted(live: Live, content: Content, known: dict[str, Any]) -> lint.Connection:
    """The connection as it will be when `content` is published."""
    configuration = dict.fromkeys(configuration_keys(live), "")
    options = {**live.options, **content.as_options(), "configuration": configuration}
    seen = lint.Connection.of({**live.document, "options": options}, **known)
    return seen if live.readable else lint.Connection(name=live.name, import_mode=content.import_mode)


def _unjudged(connection: lint.Connection) -> dict[str, tuple[checklist.State, str]]:
    """Rules that had nothing to look at: no finding of theirs is no evidence."""
    rules: dict[str, tuple[bool, checklist.State, str]] = {
        "CDB20": (connection.configuration is None, "not known", "The tenant does not show the connection's settings."),
        "CDB48": (connection.brute_force_protection is None, "not known", "The tenant does not show whether it is on."),
        "CDB44": (
            connection.api_audience is None or connection.actions is None, "not known",
            "Store the setting API_AUDIENCE here, and let Castellan read the tenant's Actions (read:actions).",
        ),
        "CDB51": (not connection.elsewhere, "met", "No other tenant has scripts that were published from here."),
    }  # fmt: skip
    return {rule: (state, why) for rule, (applies, state, why) in rules.items() if applies}


def _surroundings(live: Live, content: Content) -> dict[str, Any]:
    elsewhere = DatabasePublication.objects.filter(connection_name=live.name, state=DatabasePublication.State.LIVE)
    others = elsewhere.exclude(tenant=live.tenant).select_related("tenant", "version")
    known: dict[str, Any] = {"elsewhere": {one.tenant.name: one.version.content["scripts"] for one in others}}
    audience = next((one.value for one in settings_of(live.tenant, live.id) if one.name == "API_AUDIENCE"), "")
    if audience:
        known |= {"api_audience": audience, "actions": _actions(live.tenant)}
    return known


def _actions(tenant: Tenant) -> tuple[str, ...] | None:
    """Code of the deployed post-login Actions; None where they can't be read."""
    params = {"triggerId": "post-login", "deployed": "true", "per_page": MOST_ACTIONS}
    try:
        found = auth0.request(tenant, "GET", "/actions/actions", params=params)["actions"]
    except PortalError:
        return None
    return tuple((action.get("deployed_version") or {}).get("code") or "" for action in found)


def _key(content: Content, connection: lint.Connection) -> str:
    # A set's repr has no fixed order, so its names are told apart.
    stable = repr(replace(connection, configuration=None))
    seen = [content.to_json(), stable, sorted(connection.configuration or ()), lint.edition()]
    text = json.dumps(seen, sort_keys=True)
    return "database-lint:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
