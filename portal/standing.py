"""What a tenant's machine-to-machine applications can do at this moment: for the tenant's page and for the doctor."""

from __future__ import annotations

import json
import shlex
import textwrap
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone

from portal import auth0, scopes
from portal.auth0 import limits, tokens, usage
from portal.auth0.token_endpoint import Credentials, Token
from portal.auth0.tokens import Trouble
from portal.errors import PortalError
from portal.models import Tenant
from portal.scopes import DANGEROUS, FEATURES, Granted

IDLE_DAYS = 90
# first word of a feature -> the part of the portal that it belongs to
AREAS = {
    "users": "Users",
    "mfa": "MFA policies",
    "databases": "Custom databases",
    "snapshots": "Snapshots",
    "promotions": "Promotions",
    "account": "The own password",
}


@dataclass(frozen=True)
class Area:
    """What one part of the portal lacks of an application. `scopes`: to grant, never a dangerous one; `needed`: of
    these, without which something is off. `command` grants them.
    """

    label: str
    scopes: list[str]
    needed: list[str]
    command: str


@dataclass(frozen=True)
class Application:
    """One machine-to-machine application of the tenant. `lacking`: of all areas together."""

    does: str
    client_id: str
    signs_in_with: str
    token_age_seconds: float
    token_left_seconds: float
    scope_count: int
    lacking: list[str]
    areas: list[Area]


@dataclass(frozen=True)
class FeatureState:
    """A feature at one tenant. `missing`: it is off without these; `reduced`: something is left out."""

    name: str
    label: str
    missing: list[str]
    reduced: list[str]


@dataclass(frozen=True)
class ScopeState:
    """A scope that is granted, or wanted by `features`. `last_used` is None where no use is on record."""

    name: str
    granted: bool
    features: list[str]
    last_used: date | None


@dataclass(frozen=True)
class Danger:
    """Scopes that are granted and dangerous for one reason, and the features that want them."""

    scopes: list[str]
    why: str
    features: list[str]


@dataclass(frozen=True)
class Standing:
    """`trouble`: the tenant gives no token now. The rest is then as it was at `known_at`, where it was ever known."""

    trouble: Trouble | None = None
    known_at: float | None = None
    applications: list[Application] = field(default_factory=list)
    rate_limit: dict[str, float] | None = None
    features: list[FeatureState] = field(default_factory=list)
    scopes: list[ScopeState] = field(default_factory=list)
    dangerous: list[Danger] = field(default_factory=list)
    recorded_since: date | None = None

    @property
    def problem(self) -> PortalError | None:
        return self.trouble.error if self.trouble else None

    @property
    def off(self) -> list[FeatureState]:
        return [feature for feature in self.features if feature.missing]

    @property
    def partly(self) -> list[FeatureState]:
        return [feature for feature in self.features if feature.reduced and not feature.missing]

    @property
    def missing(self) -> list[ScopeState]:
        """Wanted by a feature and not granted; dangerous ones are not wanted."""
        return [scope for scope in self.scopes if not scope.granted and scope.name not in DANGEROUS]

    @property
    def unneeded(self) -> list[ScopeState]:
        """Granted, and wanted by nothing in the portal. The dangerous ones have a list of their own."""
        return [s for s in self.scopes if s.granted and not s.features and s.name not in DANGEROUS]

    @property
    def idle(self) -> list[ScopeState]:
        """Granted and wanted, and not used for so many days. The dangerous ones have a list of their own."""
        limit = _today() - timedelta(days=IDLE_DAYS)
        wanted = (s for s in self.scopes if s.granted and s.features and s.name not in DANGEROUS)
        return [s for s in wanted if s.last_used is None or s.last_used < limit]

    @property
    def idle_since(self) -> str:
        """How long the idle ones have not been used, as far as records tell; "" where there is none."""
        if self.recorded_since is None:
            return ""
        if self.recorded_since <= _today() - timedelta(days=IDLE_DAYS):
            return f"for {IDLE_DAYS} days"
        return f"since records began on {self.recorded_since:%-d %b %Y}, which is not yet {IDLE_DAYS} days"


def of(tenant: Tenant, *, fresh: bool = False) -> Standing:
    """Asks for a token where none is at hand, and for a fresh one where something is missing. Never raises.

    `fresh`: signs in again in any case, which proves that the stored credentials still do.
    """
    local = auth0.is_local(tenant)
    held, trouble = _held(tenant, local, fresh)
    if held is None:
        return Standing(trouble, rate_limit=limits.last(tenant), recorded_since=usage.recorded_since(tenant))
    granted, wanted = _granted(held), scopes.needed(local=local)
    return Standing(
        trouble,
        min(token.fetched_at for token in held),
        applications=_applications(tenant, held, wanted),
        rate_limit=limits.last(tenant),
        features=_features(granted, local),
        scopes=_scopes(tenant, granted, wanted),
        dangerous=_dangerous(granted, wanted),
        recorded_since=usage.recorded_since(tenant),
    )


def grant_command(tenant: Tenant, client_id: str, wanted: Iterable[str]) -> str:
    """For a shell with the Auth0 CLI and jq: adds scopes to the application's grant for the Management API."""
    more = textwrap.fill(json.dumps(list(wanted)), 74, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(
        (
            "grant=$(auth0 api get client-grants \\",
            f"  -q {shlex.quote(f'client_id={client_id}')} \\",
            f"  -q {shlex.quote(f'audience={tenant.audience}')} | jq '.[0]')",
            f"more={shlex.quote(more)}",
            'auth0 api patch "client-grants/$(jq -r .id <<< "$grant")" --data \\',
            '  "$(jq -c --argjson more "$more" \\',
            '  \'{scope: (.scope + $more | unique)}\' <<< "$grant")"',
        )
    )


def _held(tenant: Tenant, local: bool, fresh: bool) -> tuple[tuple[Token, Token] | None, Trouble | None]:
    """The tokens that can be had now, else the latest there were; and why, where the tenant gives none."""
    held = None
    try:
        held = tokens.both(tenant, tokens.fetch if fresh else tokens.for_a_page(tokens.current))
        lacking = any(feature.missing or feature.reduced for feature in _features(_granted(held), local))
        if lacking or tokens.trouble(tenant):
            held = tokens.both(tenant, tokens.for_a_page(tokens.young))
    except PortalError as error:
        now = time.time()
        return held or tokens.latest(tenant), tokens.trouble(tenant) or Trouble(error, now, now)
    return held, tokens.trouble(tenant)


def _granted(held: tuple[Token, Token]) -> Granted:
    return Granted(held[0].scopes, held[1].scopes)


def _applications(tenant: Tenant, held: tuple[Token, Token], wanted: dict[str, list[str]]) -> list[Application]:
    """Each with what it lacks for its part: one application for everything, or one that reads and one that writes."""
    reader, writer = (tokens.credentials(tenant, writing=writing) for writing in (False, True))
    reads = [scope for scope in wanted if scope.startswith("read:")]
    writes = [scope for scope in wanted if not scope.startswith("read:")]
    if reader == writer:
        return [_application(tenant, "reads and writes", writer, held[1], wanted, list(wanted))]
    both = [scope for scope in reads if any(FEATURES[name].by_one for name in wanted[scope])]
    return [
        _application(tenant, "reads", reader, held[0], wanted, reads),
        _application(tenant, "writes, and reads for promotions", writer, held[1], wanted, [*both, *writes]),
    ]


def _application(
    tenant: Tenant, does: str, credentials: Credentials, token: Token, wanted: dict[str, list[str]], part: list[str]
) -> Application:
    """`part`: of the wanted scopes, those that are this application's to hold."""
    lacking = sorted(scope for scope in part if scope not in token.scopes and scope not in DANGEROUS)
    return Application(
        does,
        credentials.client_id,
        "private key JWT" if credentials.private_key else "client secret",
        token.age_seconds,
        token.left_seconds,
        len(token.scopes),
        lacking,
        _areas(tenant, credentials.client_id, {scope: wanted[scope] for scope in lacking}),
    )


def _areas(tenant: Tenant, client_id: str, lacking: dict[str, list[str]]) -> list[Area]:
    found = []
    for word, label in AREAS.items():
        mine = {s: [n for n in names if n.partition(".")[0] == word] for s, names in lacking.items()}
        scopes_of = [scope for scope, names in mine.items() if names]
        if scopes_of:
            needed = [scope for scope in scopes_of if any(scope in FEATURES[name].needs for name in mine[scope])]
            found.append(Area(label, scopes_of, needed, grant_command(tenant, client_id, scopes_of)))
    return found


def _dangerous(granted: Granted, wanted: dict[str, list[str]]) -> list[Danger]:
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for scope, why in DANGEROUS.items():
        if scope in granted.all:
            alike.setdefault((why, tuple(wanted.get(scope, []))), []).append(scope)
    return [Danger(names, why, list(features)) for (why, features), names in alike.items()]


def _features(granted: Granted, local: bool) -> list[FeatureState]:
    return [
        FeatureState(name, scopes.label(name), scopes.missing(name, granted), scopes.reduced(name, granted))
        for name, feature in FEATURES.items()
        if local or not feature.local
    ]


def _scopes(tenant: Tenant, granted: Granted, wanted: dict[str, list[str]]) -> list[ScopeState]:
    used = usage.last_used(tenant)
    return [
        ScopeState(
            scope,
            scope in granted.all and not (scope in wanted and granted.lacks(scope)),
            wanted.get(scope, []),
            used.get(scope),
        )
        for scope in sorted({*wanted, *granted.all})
    ]


def _today() -> date:
    return timezone.now().date()
