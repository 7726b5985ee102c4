"""Runs the post-login Actions of one login, pausing where they ask for a second factor or a redirect.

`advance` is called again after each pause. What it answers with tells the protocol (browser, password grant, refresh)
what to do next; the protocol decides what it can do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox import backchannel
from sandbox.kinds.actions import bound
from sandbox.login import factor_choice
from sandbox.login.effects import Effects
from sandbox.login.event import build
from sandbox.login.steps import Done, NeedsFactor, NeedsPrompt, NeedsRedirect, Refused, Step
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import new_id
from sandbox.users import records

BUDGET_SECONDS = 20.0
MOST_FACTOR_COMMANDS = 4
MOST_EXECUTIONS = 500


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
                step = factor_choice.by_command(self.login, self.effects.factor_commands[0])
                if isinstance(step, NeedsFactor):
                    return step
                self.effects.factor_commands.pop(0)
                self.ends = step if isinstance(step, Refused) else None
            elif self.effects.redirect:
                return NeedsRedirect(self.effects.redirect)
            elif self.effects.prompt:
                return self._prompt(self.effects.prompt)
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

    async def resume(self, prompt: dict[str, Any] | None = None) -> None:
        """The person is back from a redirect, or from a form (`prompt`, as the event has it).

        The Action that sent them away goes on in onContinuePostLogin.
        """
        self.effects.redirect = self.effects.prompt = None
        self.seconds_left = BUDGET_SECONDS
        self.position -= 1
        await self._execute("onContinuePostLogin", prompt)
        self.position += 1

    def _prompt(self, asked: dict[str, Any]) -> Step:
        if self.login.tenant.store.get("forms", asked["id"]) is None:
            self.ends = Refused("access_denied", f"The form {asked['id']} does not exist.")
            return self.ends
        return NeedsPrompt(**asked)

    def save_metadata(self) -> None:
        """Write what the Actions set, once, at the end of the flow."""
        tenant, user = self.login.tenant, self.login.user
        changes = {}
        for name, new in (("app_metadata", self.effects.app_metadata), ("user_metadata", self.effects.user_metadata)):
            if new:
                changes[name] = records.merge_metadata(user.get(name), new)
        if changes and not self.login.linked:
            records.update(tenant, user["user_id"], changes)
            self.effects.app_metadata, self.effects.user_metadata = {}, {}

    def revoke(self) -> None:
        """Carry out api.session.revoke and api.refreshToken.revoke."""
        login, store, session = self.login, self.login.tenant.store, self.effects.session
        if login.session is not None and session.get("revoked") is not None:
            backchannel.end(login.tenant, login.session, "session-revoked")
            issued = store.find("refresh_tokens", session_id=login.session["id"])
            for token in [] if session["preserves_refresh_tokens"] else issued:
                store.remove("refresh_tokens", token["id"])
        if login.refresh_token is not None and self.effects.refresh_token.get("revoked") is not None:
            store.remove("refresh_tokens", login.refresh_token["id"])

    async def _execute(self, handler: str, prompt: dict[str, Any] | None = None) -> None:
        from runtime import actions  # noqa: PLC0415 - tenants without Actions never start Node

        login, action = self.login, self.actions[self.position]
        cache = login.tenant.memory.setdefault("action_caches", {}).setdefault("post-login", {})
        started_at = login.tenant.timestamp()
        result = await actions.arun(
            action["code"],
            event=build(login, self.effects.transaction_metadata, prompt),
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
            reason = f"More than {MOST_FACTOR_COMMANDS} challenge or enroll commands in one login."
            self.ends = factor_choice.refused(self.login, reason)
        elif effects.session.get("revoked") is not None:
            self.ends = Refused("access_denied", effects.session["revoked"] or "The session was revoked.")
        elif self.login.refresh_token is not None and effects.refresh_token.get("revoked") is not None:
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

    def _at_the_end(self) -> Step:
        """multifactor.enable and the tenant's policy count only now, and only where no Action chose factors itself."""
        login, effects = self.login, self.effects
        if self.enrolls_in:
            done = login.passed_mfa(fresh=True)
            return Done() if done else NeedsFactor("enroll", self.enrolls_in, picker=len(self.enrolls_in) > 1)
        if self.factor_commands_used or effects.multifactor == "none":
            return Done()
        if effects.multifactor is not None:
            return factor_choice.by_provider(login, effects.multifactor, allow_remember=effects.allow_remember_browser)
        return factor_choice.by_policy(login)


def start(login: Login) -> Pipeline:
    return Pipeline(login, bound(login.tenant, "post-login"))
