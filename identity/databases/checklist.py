"""Auth0's environment checklist and security guidance for one connection, as rows with evidence.

What a program can see is judged by the linter's findings and the contract tests' verdicts. What needs a person is
ticked with a name, a date and a note, and goes stale when a script changes.
"""

# ruff: noqa: E501 (a table reads best one point to a line)

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from identity.databases.contracts.run import Verdict
from identity.databases.lint import Finding

State = Literal["met", "not met", "not known", "open", "ticked", "stale"]
GROUPS = ENVIRONMENT, SECURITY = "Environment checklist", "Security guidance"
# state -> (status of the pages, its words)
BADGES: dict[State, tuple[str, str]] = {
    "met": ("passed", "Met"),
    "not met": ("failed", "Not met"),
    "not known": ("not_run", "Not known"),
    "open": ("pending", "Open"),
    "ticked": ("passed", "Ticked"),
    "stale": ("stale", ""),
}


@dataclass(frozen=True)
class Facts:
    """What is known about the scripts now. verdicts: None before the first run of the contract tests.

    unjudged: {rule: (state, why)} of rules that had nothing to look at.
    """

    scripts: Mapping[str, str]
    findings: Sequence[Finding]
    verdicts: Sequence[Verdict] | None
    unjudged: Mapping[str, tuple[State, str]] = field(default_factory=dict)
    import_mode: bool = False
    uses_api: bool = False


@dataclass(frozen=True)
class Tick:
    """A person's word. `fingerprint` is that of the scripts which the person looked at."""

    item: str
    person: str
    at: datetime
    note: str
    fingerprint: str


@dataclass(frozen=True)
class Item:
    """One point of the list.

    rules, cases: for a program: no finding of these rules, and these cases passed ("*-90" is every script's 90).
    Without both, a person ticks it. only: "import mode" or "api", where the point concerns nobody else.
    """

    id: str
    group: str
    title: str
    how: str
    rules: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    only: str | None = None

    @property
    def by_person(self) -> bool:
        return not self.rules and not self.cases


@dataclass(frozen=True)
class Row:
    item: Item
    state: State
    evidence: str

    @property
    def done(self) -> bool:
        return self.state in ("met", "ticked")

    @property
    def badge(self) -> tuple[str, str]:
        return BADGES[self.state]


INJECTIONS = (
    "login-2*",
    "login-30",
    "get_user-2*",
    "create-06",
    *(f"change_password-0{n}" for n in (5, 7, 8)),
    *(f"verify-0{n}" for n in (4, 6, 7)),
    "delete-04",
    "delete-06",
    *(f"change_email-0{n}" for n in (7, 8, 9)),
)

ITEMS = (
    Item("profile", ENVIRONMENT, "The store has a field for each profile attribute", "login and get_user give a complete profile, and the same one.", ("CDB29", "CDB30", "CDB38"), ("login-01", "login-13", "get_user-01")),
    Item("errors", ENVIRONMENT, "Errors can be used for troubleshooting", "A failing store gives an Error with a text of its own, and is never taken for a wrong password or an unknown user.", ("CDB16", "CDB33", "CDB35", "CDB46"), ("*-90", "*-91", "*-93", "*-95")),
    Item("unique-id", ENVIRONMENT, "user_id is unique over all custom database connections", "The connection's name stands in front of the store's own key.", ("CDB31",), ("login-14", "login-15", "get_user-08")),
    Item("latency", ENVIRONMENT, "Sign-in takes longer than with Auth0's own store", "Say what people will see, and that the applications' time-outs allow for it."),
    Item("reachable", ENVIRONMENT, "The store is reachable from Auth0", "Open the firewall for the addresses of the tenant's region, and try it from a development tenant."),
    Item("encryption", SECURITY, "Connections are encrypted and verified", "No http: address, no certificate check turned off.", ("CDB18",)),
    Item("secrets", SECURITY, "Secrets stand in the connection's settings alone", "No secret and no host in the code; every setting that is read exists.", ("CDB19", "CDB20", "CDB21")),
    Item("injection", SECURITY, "What a person types can't become part of a statement", "Values are parameters, and injections were tried.", ("CDB27",), INJECTIONS),
    Item("hashing", SECURITY, "Passwords are hashed with a library made for it", "Nothing is stored or compared as it was typed.", ("CDB26",), ("create-01", "change_password-01", "login-08", "login-09", "login-17")),
    Item("profile-secrets", SECURITY, "No secret in the profile", "Every administrator of the tenant can read it.", ("CDB32",), ("login-01", "get_user-01")),
    Item("privacy", SECURITY, "No personal data in the log, in global or in error texts", "The container serves other users next; logs reach other people.", ("CDB23", "CDB25", "CDB46")),
    Item("callback", SECURITY, "Each script calls back once, on every path", "A path without callback costs 20 seconds.", ("CDB13", "CDB14", "CDB15"), ("*-01",)),
    Item("time-outs", SECURITY, "Each outbound call has a time-out, and connections are closed", "Auth0 ends a script after 20 seconds.", ("CDB17", "CDB28"), ("*-92",)),
    Item("brute-force", SECURITY, "Brute-force protection is on", "Auth0 does not limit what the store is asked.", ("CDB48",)),
    Item("tenants", SECURITY, "The scripts are the same in all tenants", "Tenants differ by settings alone.", ("CDB51",)),
    Item("token", SECURITY, "The store's API takes access tokens, kept until they end", "Client credentials, cached in global.", ("CDB22", "CDB43"), only="api"),
    Item("token-denied", SECURITY, "People can't get tokens for that API", "A post-login Action denies event.resource_server.identifier.", ("CDB44",), only="api"),
    Item("least-privilege", SECURITY, "The scripts' account may do only what they need", "Its own account, this table alone; better still, an API in front of the database."),
    Item("firewall", SECURITY, "More than addresses protects the store", "Other tenants of the region use the same addresses: a credential is needed too."),
    Item("shared-address", SECURITY, "No two users share an e-mail address", "Look for duplicates in the store, without regard to case."),
    Item("load", SECURITY, "The store bears the load", "20 seconds at most, 250 executions at once per tenant, Auth0's rate limits."),
    Item("migration-mark", SECURITY, "Users are marked as moved only after the move", "When and where does the old store mark them?", only="import mode"),
    Item("migration-end", SECURITY, "There is a date on which the migration ends", "And a plan for the users who have not signed in by then.", only="import mode"),
)  # fmt: skip


def fingerprint(scripts: Mapping[str, str]) -> str:
    """Changes with every character of every script."""
    return hashlib.sha256(json.dumps(scripts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def rows(facts: Facts, ticks: Sequence[Tick] = ()) -> list[Row]:
    """Every point that concerns this connection, with its state and why. Of several ticks the newest counts."""
    newest = {tick.item: tick for tick in sorted(ticks, key=lambda one: one.at)}
    return [_row(item, facts, newest.get(item.id)) for item in ITEMS if _concerns(item, facts)]


def complete(found: Sequence[Row]) -> bool:
    return all(row.done for row in found)


def document(found: Sequence[Row], *, title: str, about: Sequence[str]) -> str:
    """The list as a Markdown document for an audit. `about`: what it says before the list, a paragraph each."""
    head = [f"# {_plain(title)}", *(_plain(paragraph) for paragraph in about)]
    for group in GROUPS:
        table = ["| Point | State | Evidence |", "|---|---|---|"]
        table += [
            f"| {_plain(row.item.title)} | {row.state} | {_plain(row.evidence)} |"
            for row in found
            if row.item.group == group
        ]
        head += [f"## {group}", "\n".join(table)]
    return "\n\n".join(head) + "\n"


def _concerns(item: Item, facts: Facts) -> bool:
    return {"import mode": facts.import_mode, "api": facts.uses_api}.get(item.only or "", item.only is None)


def _row(item: Item, facts: Facts, tick: Tick | None) -> Row:
    return _ticked(item, facts, tick) if item.by_person else _checked(item, facts)


def _ticked(item: Item, facts: Facts, tick: Tick | None) -> Row:
    measured = _latency(facts) if item.id == "latency" else ""
    if tick is None:
        return Row(item, "open", measured or item.how)
    words = " ".join(part for part in (f"{tick.person}, {tick.at:%Y-%m-%d}: {tick.note}", measured) if part)
    if tick.fingerprint != fingerprint(facts.scripts):
        return Row(item, "stale", f"The scripts have changed since. {words}")
    return Row(item, "ticked", words)


def _checked(item: Item, facts: Facts) -> Row:
    broken = [finding for finding in facts.findings if finding.rule in item.rules]
    if broken:
        others = sum(1 + finding.more for finding in broken) - 1
        more = f" {others} more." if others else ""
        where = f"{broken[0].script}, line {broken[0].line}: " if broken[0].script else ""
        return Row(item, "not met", f"{broken[0].rule}: {where}{broken[0].message}{more}")
    for rule in item.rules:
        if rule in facts.unjudged:
            return Row(item, *facts.unjudged[rule])
    by_rules = f"No finding of {', '.join(item.rules)}." if item.rules else ""
    if not item.cases:
        return Row(item, "met", by_rules)
    if facts.verdicts is None:
        return Row(item, "not known", f"{by_rules} The contract tests have not run.".strip())
    concerned = [verdict for verdict in facts.verdicts if any(_fits(verdict.case, case) for case in item.cases)]
    failed = [verdict for verdict in concerned if verdict.passed is False]
    if failed:
        return Row(item, "not met", f"Case {failed[0].case}: {failed[0].reason}")
    tried = [verdict for verdict in concerned if verdict.passed]
    if not tried:
        return Row(item, "not known", f"{by_rules} None of its cases could be tried.".strip())
    return Row(item, "met", f"{by_rules} {len(tried)} cases passed.".strip())


def _fits(case: str, pattern: str) -> bool:
    if pattern.startswith("*"):
        return case.endswith(pattern[1:])
    return case.startswith(pattern[:-1]) if pattern.endswith("*") else case == pattern


def _latency(facts: Facts) -> str:
    times = [one.duration_ms for one in facts.verdicts or [] if one.script == "login" and one.passed]
    if not times:
        return ""
    return f"login took {statistics.median(times):.0f} ms at the median against the test database."


def _plain(text: str) -> str:
    """One cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
