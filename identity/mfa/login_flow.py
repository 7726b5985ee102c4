"""The tenant's side: the portal's Action, what is bound to the login flow, and the tenant's MFA settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from identity.mfa import drafts
from identity.mfa.factors import FACTORS, labels
from identity.mfa.generate import sha256
from identity.mfa.models import PolicyVersion, Publication
from identity.mfa.policy import PolicyRules
from portal import auth0
from portal.errors import Missing
from portal.models import Tenant

# One Action per tenant holds all rules: several would share Auth0's limit of four MFA commands per sign-in.
ACTION_NAME = "Castellan MFA policy"
TRIGGER = {"id": "post-login", "version": "v3"}
RUNTIME = "node22"
BINDINGS = "/actions/triggers/post-login/bindings"


@dataclass(frozen=True)
class Live:
    """What the tenant runs now. `action`: as GET /actions/actions gives it, or None. `bindings`: of post-login, in
    order. `version`: the version whose code is deployed, None where the portal does not know the code. `publication`:
    the portal's own record of what is live there.
    """

    action: dict[str, Any] | None = None
    bindings: list[dict[str, Any]] = field(default_factory=list)
    version: PolicyVersion | None = None
    publication: Publication | None = None

    @property
    def deployed_code(self) -> str:
        return ((self.action or {}).get("deployed_version") or {}).get("code") or ""

    @property
    def place(self) -> int | None:
        """1 for the first Action of the login flow; None where it is not bound."""
        ids = [(binding.get("action") or {}).get("id") for binding in self.bindings]
        return ids.index(self.action["id"]) + 1 if self.action and self.action["id"] in ids else None

    @property
    def status(self) -> str:
        """A status of the pages: not_published, live, not_bound or drifted."""
        if not self.deployed_code:
            return "drifted" if self.publication else "not_published"
        if self.version is None:
            return "drifted"
        return "live" if self.place else "not_bound"

    @cached_property
    def drift(self) -> str:
        """What differs from the portal's record, in a sentence; "" where nothing does."""
        recorded = self.publication.version if self.publication else None
        if recorded is None:
            foreign = self.deployed_code and not self.version
            return "Somebody wrote this Action's code outside Castellan." if foreign else ""
        if not self.deployed_code:
            return f"{recorded} was published, but its Action has been deleted or was never deployed again."
        if self.version is None:
            return f"The deployed code is not that of {recorded}: somebody changed it outside Castellan."
        if self.version != recorded:
            return f"{self.version} is deployed, not {recorded}, which was published here: perhaps by a promotion."
        return "" if self.place else f"{recorded} is deployed, but is not in the login flow any more: nobody is asked."

    @property
    def difference(self) -> str:
        """The deployed code against the published version's, as a unified diff."""
        recorded = self.publication.version if self.publication else None
        if recorded is None or not self.deployed_code:
            return ""
        return drafts.difference(recorded.code, self.deployed_code, name="action.js")


@dataclass(frozen=True)
class MfaSettings:
    """enabled: factors (types of FACTORS) that the tenant offers. customizable: whether Actions may choose factors.
    always: what Auth0's own policy asks for, such as ("all-applications",).
    """

    enabled: frozenset[str]
    customizable: bool = True
    always: tuple[str, ...] = ()

    def problems(self, policy: PolicyRules) -> list[str]:
        """Why this policy could not be met here, one sentence each; empty where it could."""
        found = []
        if not self.customizable:
            found.append(
                "“Customize MFA Factors using Actions” is off (Security > Multi-factor Auth > Additional Settings): "
                "Auth0 would not carry out what the Action asks for."
            )
        for number, rule in enumerate(policy.rules, start=1):
            if not any(FACTORS[type].independent for type in rule.factors if type in self.enabled):
                found.append(
                    f"Rule {number}: the tenant offers no first factor among {labels(rule.factors, last='and')}."
                )
        return found

    def remarks(self, policy: PolicyRules) -> list[str]:
        """What else to know, one sentence each."""
        named = [type for rule in policy.rules for type in rule.factors]
        off = [type for type in dict.fromkeys(named) if type not in self.enabled]
        found = [f"The tenant does not offer {labels(off)}; users will not see it."] if off else []
        if self.always:
            found.append("Auth0's own policy asks for MFA as well, also from users whom no rule names.")
        return found


def live(tenant: Tenant) -> Live:
    """Two reads (read:actions). Raises the gateway's errors."""
    publication = current_publication(tenant)
    action = find_action(tenant, publication.action_id if publication else "")
    code = ((action or {}).get("deployed_version") or {}).get("code") or ""
    version = PolicyVersion.objects.filter(code_sha256=sha256(code)).select_related("policy").first() if code else None
    return Live(action, bindings(tenant) if action else [], version, publication)


def current_publication(tenant: Tenant) -> Publication | None:
    found = Publication.objects.filter(tenant=tenant, state=Publication.State.LIVE)
    return found.select_related("version__policy", "requested_by", "run").first()


def find_action(tenant: Tenant, action_id: str = "") -> dict[str, Any] | None:
    """The portal's Action: by id where it is known, else by name (a promotion may have brought it)."""
    if action_id:
        with auth0.ignoring(Missing):
            return read_action(tenant, action_id)
    params = {"triggerId": TRIGGER["id"], "actionName": ACTION_NAME, "per_page": 100}
    found = auth0.request(tenant, "GET", "/actions/actions", params=params)["actions"]
    return next((action for action in found if action["name"] == ACTION_NAME), None)


def read_action(tenant: Tenant, action_id: str) -> dict[str, Any]:
    return auth0.request(tenant, "GET", f"/actions/actions/{auth0.segment(action_id)}")


def bindings(tenant: Tenant) -> list[dict[str, Any]]:
    """The login flow, in order (at most 20): [{"id", "display_name", "action": {"id", "name", ...}}]."""
    return auth0.request(tenant, "GET", BINDINGS, params={"per_page": 100})["bindings"]


def mfa_settings(tenant: Tenant) -> MfaSettings:
    """Three reads: read:guardian_factors, read:tenant_settings, read:mfa_policies."""
    factors = auth0.request(tenant, "GET", "/guardian/factors")
    params = {"fields": "customize_mfa_in_postlogin_action", "include_fields": "true"}
    settings = auth0.request(tenant, "GET", "/tenants/settings", params=params)
    on = {factor["name"] for factor in factors if factor.get("enabled")}
    return MfaSettings(
        enabled=frozenset(type for type, factor in FACTORS.items() if factor.guardian in on),
        customizable=bool(settings.get("customize_mfa_in_postlogin_action")),
        always=tuple(auth0.request(tenant, "GET", "/guardian/policies") or ()),
    )
