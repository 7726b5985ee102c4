"""What a tenant's machine-to-machine applications can do at this moment: for the tenant's page and for the doctor."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone

from portal import auth0, scopes
from portal.auth0 import limits, tokens, usage
from portal.auth0.tokens import Credentials, Token
from portal.errors import PortalError
from portal.models import Tenant
from portal.scopes import DANGEROUS, FEATURES, Granted

IDLE_DAYS = 90


@dataclass(frozen=True)
class Application:
    """One machine-to-machine application of the tenant. `lacking`: what to grant to it; never a dangerous scope."""

    does: str
    client_id: str
    signs_in_with: str
    token_age_seconds: float
    token_left_seconds: float
    scope_count: int
    lacking: list[str]


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
class Standing:
    """`problem` is None where the applications answer; otherwise nothing else is known."""

    problem: PortalError | None = None
    applications: list[Application] = field(default_factory=list)
    rate_limit: dict[str, float] | None = None
    features: list[FeatureState] = field(default_factory=list)
    scopes: list[ScopeState] = field(default_factory=list)
    dangerous: list[tuple[str, str, list[str]]] = field(default_factory=list)
    recorded_since: date | None = None

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
        """Granted and wanted, and not used for so many days."""
        limit = _today() - timedelta(days=IDLE_DAYS)
        wanted = (s for s in self.scopes if s.granted and s.features)
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
    wanted = scopes.needed(local=auth0.is_local(tenant))
    try:
        held = _tokens(tenant, tokens.fetch if fresh else tokens.current)
        if any(_granted(held).lacks(scope) for scope in wanted):
            held = _tokens(tenant, tokens.young)
    except PortalError as error:
        return Standing(problem=error)
    granted = _granted(held)
    names = {name for features in wanted.values() for name in features}
    return Standing(
        applications=_applications(tenant, held, wanted),
        rate_limit=limits.last(tenant),
        features=[_feature(name, granted) for name in FEATURES if name in names],
        scopes=_scopes(tenant, granted, wanted),
        dangerous=[(s, why, wanted.get(s, [])) for s, why in DANGEROUS.items() if s in granted.all],
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


def _tokens(tenant: Tenant, get: Callable[[Tenant, Credentials], Token]) -> tuple[Token, Token]:
    """(of the application that reads, of the one that writes): the same where there is one."""
    reads, writes = (get(tenant, tokens.credentials(tenant, writing=writing)) for writing in (False, True))
    return reads, writes


def _granted(held: tuple[Token, Token]) -> Granted:
    return Granted(held[0].scopes, held[1].scopes)


def _applications(tenant: Tenant, held: tuple[Token, Token], wanted: dict[str, list[str]]) -> list[Application]:
    """Each with what it lacks for its part: one application for everything, or one that reads and one that writes."""
    reader, writer = (tokens.credentials(tenant, writing=writing) for writing in (False, True))
    reads = [scope for scope in wanted if scope.startswith("read:")]
    writes = [scope for scope in wanted if not scope.startswith("read:")]
    if reader == writer:
        return [_application("reads and writes", writer, held[1], wanted)]
    both = [scope for scope in reads if any(FEATURES[name].by_one for name in wanted[scope])]
    return [
        _application("reads", reader, held[0], reads),
        _application("writes, and reads for promotions", writer, held[1], [*both, *writes]),
    ]


def _application(does: str, credentials: Credentials, token: Token, wanted: Iterable[str]) -> Application:
    return Application(
        does,
        credentials.client_id,
        "private key JWT" if credentials.private_key else "client secret",
        token.age_seconds,
        token.left_seconds,
        len(token.scopes),
        sorted(scope for scope in wanted if scope not in token.scopes and scope not in DANGEROUS),
    )


def _feature(name: str, granted: Granted) -> FeatureState:
    return FeatureState(name, scopes.label(name), scopes.missing(name, granted), scopes.reduced(name, granted))


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
