"""Runs the post-login Actions of one login, pausing where they ask for a second factor or a redirect.

`advance` is called again after each pause. What it answers with tells the protocol (browser, password grant, refresh)
what to do next; the protocol decides what it can do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox import backchannel, logs
from sandbox.kinds.actions import bound
from sandbox.login import audiences, configuration, factors, remembered, risk
from sandbox.login.effects import Effects, FactorCommand
from sandbox.login.event import build
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import new_id
from sandbox.users import records

BUDGET_SECONDS = 20.0
MOST_FACTOR_COMMANDS = 4
MOST_EXECUTIONS = 500
NOTHING_USABLE = (
    "None of the factors that were asked for can be used: they are not enabled, not enrolled or done already."
)
CHALLENGE_FIRST = "Challenge with at least one existing factor before enrolling a new one"


@dataclass(frozen=True)
class Done:
    """Every Action ran and nothing is left to prove."""


@dataclass(frozen=True)
class Refused:
    """The login ends here. `error` and `description` go to the application."""

    error: str
    description: str


@dataclass(frozen=True)
class NeedsFactor:
    """kind: "challenge" or "enroll". types: what the person may choose from, the default first."""

    kind: str
    types: list[str]
    picker: bool = False
    may_remember: bool = False


@dataclass(frozen=True)
class NeedsRedirect:
    url: str


Step = Done | Refused | NeedsFactor | NeedsRedirect


@dataclass
class Pipeline:
    login: Login
    actions: list[Document]
    position: int = 0
    effects: Effects = field(default_factory=Effects)
    results: list[dict[str, Any]] = field(default_factory=list)
    execution_id: str = ""
    factor_commands_used: int = 0
    seconds_left: float = BUDGET_SECONDS
    ends: Step | None = None
    # Enrolment without a login (by a ticket): one of these, then done.
    enrolls_in: list[str] = field(default_factory=list)

    async def advance(self) -> Step:
        """Go on until something has to happen outside. The same step again until it has happened."""
        while self.ends is None:
            if self.effects.factor_commands:
                step = self._factor_step(self.effects.factor_commands[0])
                if step is not None:
                    return step
            elif self.effects.redirect:
                return NeedsRedirect(self.effects.redirect)
            elif self.position < len(self.actions):
                await self._execute("onExecutePostLogin")
                self.position += 1
            else:
                step = self._at_the_end()
                if not isinstance(step, Done):
                    return step
                self.ends = step
        return self.ends

    def factor_passed(self) -> None:
        """The person has done what NeedsFactor asked for (the method is noted in the login already)."""
        if self.effects.factor_commands:
            self.effects.factor_commands.pop(0)
        self.seconds_left = BUDGET_SECONDS

    async def resume(self) -> None:
        """The person is back from a redirect: the Action that sent them away goes on in onContinuePostLogin."""
        self.effects.redirect = None
        self.seconds_left = BUDGET_SECONDS
        self.position -= 1
        await self._execute("onContinuePostLogin")
        self.position += 1

    def save_metadata(self) -> None:
        """Write what the Actions set, once, at the end of the flow."""
        tenant, user = self.login.tenant, self.login.user
        changes = {}
        for name, new in (("app_metadata", self.effects.app_metadata), ("user_metadata", self.effects.user_metadata)):
            if new:
                changes[name] = records.merge_metadata(user.get(name), new)
        if changes:
            records.update(tenant, user["user_id"], changes)
            self.effects.app_metadata, self.effects.user_metadata = {}, {}

    def revoke(self) -> None:
        """Carry out api.session.revoke and api.refreshToken.revoke."""
        login, store = self.login, self.login.tenant.store
        if login.session is not None and self.effects.session.get("revoked") is not None:
            backchannel.end(login.tenant, login.session, "session-revoked")
        if login.refresh_token is not None and self.effects.refresh_token.get("revoked") is not None:
            store.remove("refresh_tokens", login.refresh_token["id"])

    async def _execute(self, handler: str) -> None:
        from runtime import actions  # noqa: PLC0415 - tenants without Actions never start Node

        login, action = self.login, self.actions[self.position]
        cache = login.tenant.memory.setdefault("action_caches", {}).setdefault(action["id"], {})
        started_at = login.tenant.timestamp()
        result = await actions.arun(
            action["code"],
            event=build(login, self.effects.transaction_metadata),
            secrets=action["secrets"],
            handler=handler,
            cache=cache,
            timeout_seconds=max(0.05, self.seconds_left),
            now=login.tenant.now(),
        )
        self.seconds_left -= result.duration_ms / 1000
        self._note(action, started_at, result)
        if result.outcome != "completed":
            self.ends = Refused("access_denied", (result.error or {}).get("message") or "The Action failed.")
            return
        self._take(result.commands)

    def _take(self, commands: list[dict[str, Any]]) -> None:
        effects = self.effects
        effects.apply(commands)
        for url in effects.recorded_methods:
            self.login.add_method(url)
        effects.recorded_methods.clear()
        self.factor_commands_used += len(effects.factor_commands)
        too_large = effects.too_large()
        if effects.denied:
            self.ends = Refused(*effects.denied)
        elif too_large:
            effects.app_metadata, effects.user_metadata = {}, {}
            self.ends = Refused("access_denied", too_large)
        elif self.factor_commands_used > MOST_FACTOR_COMMANDS:
            self.ends = self._fail(f"More than {MOST_FACTOR_COMMANDS} challenge or enroll commands in one login.")
        elif effects.session.get("revoked") is not None:
            self.ends = Refused("access_denied", effects.session["revoked"] or "The session was revoked.")
        elif effects.refresh_token.get("revoked") is not None:
            self.ends = Refused("invalid_grant", effects.refresh_token["revoked"] or "The refresh token was revoked.")

    def _note(self, action: Document, started_at: str, result: Any) -> None:
        entry = {
            "action_name": action["name"],
            "started_at": started_at,
            "ended_at": self.login.tenant.timestamp(),
            "response": {
                "logs": "\n".join(result.console),
                "commands": [command["name"] for command in result.commands],
                "stats": {"total_request_duration_ms": result.duration_ms},
            },
        }
        if result.error:
            entry["error"] = {"id": result.error.get("name"), "msg": result.error.get("message")}
        self.results.append(entry)

    def keep_execution(self) -> list[str]:
        """Store what GET /actions/executions/{id} shows, once; the ids for the log event."""
        if self.results and not self.execution_id:
            tenant, self.execution_id = self.login.tenant, new_id("", 40)
            failed = any("error" in result for result in self.results)
            document = {
                "id": self.execution_id,
                "trigger_id": "post-login",
                "status": "final" if not failed else "partial",
                "results": self.results,
                "created_at": self.results[0]["started_at"],
                "updated_at": tenant.timestamp(),
            }
            executions = tenant.store.ids("action_executions")
            if len(executions) >= MOST_EXECUTIONS:
                tenant.store.remove("action_executions", executions[0])
            tenant.store.put("action_executions", self.execution_id, document)
        return [self.execution_id] if self.execution_id else []

    def _factor_step(self, command: FactorCommand) -> Step | None:
        """None when the login has ended by this command."""
        tenant, user = self.login.tenant, self.login.user
        wanted = list(dict.fromkeys(type for type in map(factors.known, command.factors) if type))
        if command.enrolls:
            usable = [type for type in wanted if type in factors.enrollable(tenant, user)]
            if factors.independent(tenant, user) and not self.login.passed_mfa(fresh=True):
                self.ends = self._fail(CHALLENGE_FIRST)
                return None
        else:
            done = {method.get("type") for method in self.login.fresh}
            usable = [type for type in wanted if type in factors.usable(tenant, user) and type not in done]
        if not usable:
            self.ends = self._fail(NOTHING_USABLE)
            return None
        if len(usable) < len(command.factors):
            self._log("w", "Some of the factors that were asked for can't be used and were ignored.")
        return NeedsFactor(command.kind, usable, picker=command.any_of and len(usable) > 1)

    def _at_the_end(self) -> Step:
        """multifactor.enable and the tenant's policy count only now, and only where no Action chose factors itself."""
        login = self.login
        if self.enrolls_in:
            done = login.passed_mfa(fresh=True)
            return Done() if done else NeedsFactor("enroll", self.enrolls_in, picker=len(self.enrolls_in) > 1)
        if self.factor_commands_used or self.effects.multifactor == "none":
            return Done()
        if self.effects.multifactor is not None:
            if login.passed_mfa(fresh=True):
                return Done()
            if self.effects.allow_remember_browser and remembered.is_remembered(login):
                return Done()
            return self._any_factor(_of_provider(self.effects.multifactor), self.effects.allow_remember_browser)
        return self._policy()

    def _policy(self) -> Step:
        login, policy = self.login, configuration.mfa_policy(self.login.tenant)
        if login.audience == audiences.mfa_audience(login.tenant) and factors.independent(login.tenant, login.user):
            # Whoever manages their factors has to pass one, remembered browser or not.
            return Done() if login.passed_mfa() else self._any_factor(list(factors.FACTORS), may_remember=False)
        if not policy or login.passed_mfa() or not factors.enabled(login.tenant):
            return Done()
        if policy == "confidence-score":
            if risk.assess(login)["confidence"] != "low":
                return Done()
            return self._any_factor(list(factors.FACTORS), may_remember=False)
        if remembered.is_remembered(login) and not login.transaction.get("acr_values"):
            return Done()
        return self._any_factor(list(factors.FACTORS), may_remember=True)

    def _any_factor(self, types: list[str], may_remember: bool) -> Step:
        tenant, user = self.login.tenant, self.login.user
        independent = factors.independent(tenant, user)
        usable = [type for type in factors.usable(tenant, user) if type in types]
        if usable and (independent or "recovery-code" in usable or not factors.enrollable(tenant, user)):
            default = [type for type in usable if type != "recovery-code"] or usable
            return NeedsFactor("challenge", default, may_remember=may_remember)
        choices = [type for type in factors.enrollable(tenant, user) if type in types and type not in factors.DEPENDENT]
        if not choices:
            return self._fail(NOTHING_USABLE)
        return NeedsFactor("enroll", choices, picker=len(choices) > 1, may_remember=may_remember)

    def _fail(self, reason: str) -> Refused:
        self._log("mfar", reason)
        return Refused("access_denied", reason)

    def _log(self, kind: str, description: str) -> None:
        login = self.login
        logs.write(
            login.tenant,
            kind,
            description=description,
            user_id=login.user_id,
            ip=login.visitor.ip,
            client_id=login.client["client_id"],
            client_name=login.client.get("name"),
            connection=login.connection.get("name"),
            user_agent=login.visitor.user_agent,
        )


def _of_provider(provider: str) -> list[str]:
    narrow = {
        "google-authenticator": ["otp"],
        "guardian": ["push-notification", "phone", "otp", "recovery-code"],
        "duo": [],
    }
    return narrow.get(provider, list(factors.FACTORS))


def start(login: Login) -> Pipeline:
    return Pipeline(login, bound(login.tenant, "post-login"))
