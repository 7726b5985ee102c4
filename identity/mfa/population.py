"""A draft against the tenant's users: who would meet what, compared with the policy that is live now.

Names and addresses of users stay in the cache for a day, encrypted, and never reach the run's row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse

from identity.mfa import generate, login_flow, simulate
from identity.mfa import policy as policies
from identity.mfa.factors import enrolled
from identity.mfa.login_flow import MfaSettings
from identity.mfa.policy import PolicyRules
from identity.mfa.simulate import KINDS, LOCKED_OUT, Verdict
from identity.users import records
from portal import auth0, runs, tenants
from portal.crypto import decrypt, encrypt
from portal.models import Run, Tenant
from portal.runs import Progress

RUN_KIND = "identity.preview_policy"
# Auth0 gives at most 1,000 users for one query.
MOST_USERS = 1000
# So many places are kept for users whom no rule names.
OTHERS = 200
PER_PAGE = 100
MOST_ROWS = 300
KEPT_SECONDS = 24 * 3600
FIELDS = ",".join(simulate.USER_FIELDS)

# change -> its words; in the order of the page, the worst first
CHANGES: dict[str, str] = {
    "locked_out": "Can no longer sign in",
    "still_locked_out": "Cannot sign in, as before",
    "newly_asked": "Asked for MFA from now on",
    "no_longer_asked": "No longer asked",
    "differently": "Asked for something else",
    "same": "As before",
}


@dataclass(frozen=True)
class Found:
    """users: at most MOST_USERS. named: how many users the rules' searches find in all; total: in the tenant."""

    users: list[dict[str, Any]]
    named: int
    total: int


def request(tenant: Tenant, name: str, rules: PolicyRules, *, actor: User) -> Run:
    """Start the preview of a draft, saved or not. Raises MissingScope."""
    tenants.require(tenant, "mfa.preview")
    title = f"Preview {name or 'a policy'} for the users of {tenant}"
    return runs.request(
        RUN_KIND, actor=actor, title=title[:200], tenant=tenant, name=name, content=policies.to_json(rules)
    )


def page(run: Run) -> str:
    """The preview of a run."""
    return reverse("identity:policy-preview", args=[run.tenant.slug, run.pk]) if run.tenant else ""


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler. Returns the counts; the rows are for `rows_of`."""
    tenant = run.tenant
    assert tenant is not None  # noqa: S101 (for the type checker)
    rules = policies.from_json(run.parameters["content"])
    draft = generate.code_of(rules, name=run.parameters["name"], version=None)
    live = login_flow.live(tenant)
    current = live.deployed_code if live.place else ""
    settings = login_flow.mfa_settings(tenant)
    queries = policies.searches(rules)
    if current and live.version:
        queries += policies.searches(policies.from_json(live.version.content))
    found = gather(tenant, list(dict.fromkeys(queries)), progress)
    progress.say(f"Found {len(found.users)} users to look at; the tenant has {found.total}.")
    rows = compare(tenant, found.users, current, draft, settings, progress)
    _keep(run, rows)
    counts = dict(Counter(row["change"] for row in rows))
    kinds = dict(Counter(row["kind"] for row in rows))
    return {"looked_at": len(rows), "named": found.named, "total": found.total, "changes": counts, "kinds": kinds}


def gather(tenant: Tenant, queries: list[str], progress: Progress) -> Found:
    """The users whom the rules name, then others up to the limit."""
    users: dict[str, dict[str, Any]] = {}
    named = 0
    for query in queries:
        count, page = _search(tenant, query, MOST_USERS - OTHERS - len(users))
        named += count - len(page) + len({user["user_id"] for user in page} - set(users))
        users.update((user["user_id"], user) for user in page)
        progress.check()
    total, others = _search(tenant, "", MOST_USERS)
    for user in others:
        if len(users) < MOST_USERS:
            users.setdefault(user["user_id"], user)
    return Found(list(users.values()), named, total)


def compare(
    tenant: Tenant, users: list[dict[str, Any]], current: str, draft: str, settings: MfaSettings, progress: Progress
) -> list[dict[str, Any]]:
    """One row per user: {user_id, label, change, kind, before, after, rule}."""
    # Our code asks somebody with factors only where it would ask the same person without: the others' are not read.
    bare = [simulate.event_of(user, []) for user in users]
    touched = [
        user
        for user, *verdicts in zip(
            users, simulate.verdicts(draft, bare, settings), simulate.verdicts(current, bare, settings), strict=True
        )
        if any(verdict.kind != "not_asked" for verdict in verdicts)
    ]
    progress.say(f"Reading the factors of the {len(touched)} users whom a rule is about.")
    factors = dict(_factors(tenant, touched, progress))
    events = [simulate.event_of(user, factors.get(user["user_id"], [])) for user in users]
    before = simulate.verdicts(current, events, settings)
    after = simulate.verdicts(draft, events, settings)
    return [_row(user, old, new) for user, old, new in zip(users, before, after, strict=True)]


def change(before: Verdict, after: Verdict) -> str:
    """A key of CHANGES."""
    if after.kind in LOCKED_OUT:
        return "still_locked_out" if before.kind in LOCKED_OUT else "locked_out"
    if after.kind == "not_asked":
        return "same" if before.kind == "not_asked" else "no_longer_asked"
    if before.kind == "not_asked":
        return "newly_asked"
    return "same" if before.words == after.words else "differently"


def rows_of(run: Run) -> list[dict[str, Any]] | None:
    """The rows of a finished preview, the worst first; None where they are no longer kept."""
    kept = cache.get(_key(run))
    return json.loads(decrypt(kept)) if kept else None


def _search(tenant: Tenant, query: str, most: int) -> tuple[int, list[dict[str, Any]]]:
    """(how many there are, the first `most` of them)."""
    found: list[dict[str, Any]] = []
    params = {"fields": FIELDS, "include_fields": "true", "include_totals": "true", "per_page": PER_PAGE}
    total, page = 1, 0
    while (len(found) < min(most, total) or page == 0) and page * PER_PAGE < MOST_USERS:
        search = {"q": query, "search_engine": "v3"} if query else {}
        answer = auth0.request(tenant, "GET", "/users", params={**params, **search, "page": page})
        total = answer["total"]
        found.extend(answer["users"])
        page += 1
        if len(answer["users"]) < PER_PAGE:
            break
    return total, found[: max(0, most)]


def _factors(
    tenant: Tenant, users: list[dict[str, Any]], progress: Progress
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for number, user in enumerate(users, start=1):
        yield user["user_id"], enrolled(records.methods(tenant, user["user_id"]), user)
        if number % 100 == 0:
            progress.say(f"{number} of {len(users)} read.")
        progress.check()


def _row(user: dict[str, Any], before: Verdict, after: Verdict) -> dict[str, Any]:
    return {
        "user_id": user["user_id"],
        "label": records.label(user),
        "change": change(before, after),
        "kind": after.kind,
        "status": KINDS[after.kind][1],
        "before": before.words,
        "after": after.words,
        "rule": after.rule,
    }


def _keep(run: Run, rows: list[dict[str, Any]]) -> None:
    order = list(CHANGES)
    worst_first = sorted(rows, key=lambda row: (order.index(row["change"]), row["label"]))
    shown: Counter[str] = Counter()
    kept = []
    for row in worst_first:
        shown[row["change"]] += 1
        if shown[row["change"]] <= MOST_ROWS:
            kept.append(row)
    cache.set(_key(run), encrypt(json.dumps(kept)), timeout=KEPT_SECONDS)


def _key(run: Run) -> str:
    return f"mfa-preview:{run.pk}"
