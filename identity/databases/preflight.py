"""What is looked at before scripts are published: line by line, so that a page can show it before anybody confirms."""

from __future__ import annotations

from dataclasses import dataclass

from identity.databases import checks, lint, rehearse
from identity.databases.drift import Live
from identity.databases.models import OPEN, DatabasePublication, named
from identity.databases.scripts import Content
from portal import tenants
from portal.errors import MissingScope


@dataclass(frozen=True)
class Check:
    """One line of the preflight. status: passed, warning (a written reason is needed) or error (refused)."""

    label: str
    status: str
    detail: str
    url: str = ""


def look(live: Live, content: Content) -> list[Check]:
    """What stands in the way ("error"), or needs a written reason ("warning"); the rest is "passed"."""
    return [*access(live), *_lint(live, content), _tests(live, content)]


def access(live: Live) -> list[Check]:
    """The lines that concern the tenant, not the scripts."""
    return [_scopes(live), _options(live), _name(live), _rehearsal(live), _other(live)]


SCOPES = "Scopes"
HIDDEN = (
    "{0} does not show the options of its connections: grant its machine-to-machine application the scopes "
    "read:connections_options and update:connections_options."
)


def _scopes(live: Live) -> Check:
    if missing := tenants.missing_scopes(live.tenant, "databases.publish"):
        return Check(SCOPES, "error", MissingScope(missing, live.tenant.name, every=True).message)
    return Check(SCOPES, "passed", "The machine-to-machine application may read and write connections with options.")


def _options(live: Live) -> Check:
    if not live.readable:
        return Check("Options", "error", f"{live.tenant} does not show the options of its connections.")
    return Check("Options", "passed", "What is live can be read, so nothing of it is lost.")


def _name(live: Live) -> Check:
    strategy = live.document.get("strategy")
    if strategy != "auth0":
        return Check("Connection", "error", f"{live.name} is a connection of {strategy}, not a database.")
    return Check("Connection", "passed", f"{live.name} is a database connection.")


def _rehearsal(live: Live) -> Check:
    if left := rehearse.open_on(live):
        told = "is running" if rehearse.is_running(left) else "has left its traces: put the tenant back first"
        return Check("Rehearsal", "error", f"A rehearsal of {live.name} {told}.", left.get_absolute_url())
    return Check("Rehearsal", "passed", "No rehearsal changes the connection at this moment.")


def _other(live: Live) -> Check:
    open_ones = DatabasePublication.objects.filter(**named(live.tenant, live.id), state__in=OPEN)
    other = open_ones.select_related("tenant", "version", "requested_by").first()
    if other is None:
        return Check("Others", "passed", "Nobody else has asked to publish here.")
    told = f"{other.requested_by.email} has asked to publish to {live.name} already, and it has not ended yet."
    return Check("Others", "error", f"{told} Wait for it, or have it refused or withdrawn.", other.get_absolute_url())


def _lint(live: Live, content: Content) -> list[Check]:
    found = checks.findings(live, content)
    number = lint.counted(found)
    if number["error"]:
        return [Check("Lint", "error", f"The linter finds {counted(number['error'], 'error')} to mend.")]
    if number["warning"]:
        return [Check("Lint", "warning", f"The linter finds {counted(number['warning'], 'warning')}.")]
    return [Check("Lint", "passed", "The linter finds nothing to mend.")]


def _tests(live: Live, content: Content) -> Check:
    test, status = checks.latest_test(live.tenant, live.id, content)
    if status == "passed" and test:
        return Check("Contract tests", "passed", f"{len(test.verdicts)} cases passed against {test.database}.")
    words = {
        "failed": "Contract tests failed for exactly these scripts.",
        "running": "Contract tests are running. Wait for them.",
        "stale": "The scripts have changed since the contract tests last ran.",
        "not_run": "No contract test has run.",
    }
    return Check("Contract tests", "warning", words[status])


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
