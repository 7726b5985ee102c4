"""One case under way: a script has answered, and the expectations look at the answer and at the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from identity.databases.contracts.database import Database, User
from identity.databases.form import Form
from runtime.scripts import ScriptResult

MASK = "••••••"


@dataclass
class Trial:
    """`call(script, *arguments)` runs another of the scripts, to see what the first one did."""

    form: Form
    database: Database
    arguments: list[Any]
    users: tuple[User, ...]
    ids: dict[str, str]
    result: ScriptResult
    call: Callable[..., ScriptResult]
    others: list[ScriptResult] = field(default_factory=list)

    @property
    def passwords(self) -> set[str]:
        """Every password that occurs here, in clear."""
        return {user.password for user in self.users if user.password} | set(_passwords_in(self.arguments))


def _passwords_in(arguments: list[Any]) -> list[str]:
    found = [one["password"] for one in arguments if isinstance(one, dict) and one.get("password")]
    return [*found, *arguments[1:2]] if len(arguments) == 2 and isinstance(arguments[1], str) else found


Expectation = Callable[[Trial], list[str]]


# What Node says where a script does what only programs may -> what the script tried.
FORBIDDEN = {
    "--allow-child-process": "start another process",
    "--allow-worker": "start a thread",
    "--allow-fs-read": "read a file",
    "--allow-fs-write": "write a file",
    "--allow-addons": "load a native module",
    "--allow-inspector": "open a debugger",
    "dynamic import": "use import(); write require()",
}


NOT_HERE = (
    "is not installed where scripts are tested, so this script can't be tried here; Auth0 may have it. Use a module "
    "that is here (fetch needs none), have it installed beside them, or publish with a reason."
)
UNCAUGHT = "Listen for 'error' events (client.on('error', ...)), and put what is awaited into try { }."


def is_module_missing(result: ScriptResult) -> bool:
    """The script asked for a module that is not installed here, and made nothing of it."""
    return not result.callbacks and (result.error or {}).get("code") == "MODULE_NOT_FOUND"


def described(result: ScriptResult) -> str:
    """What came back, in a line for a person."""
    if result.outcome == "success":
        return f"callback(null, {json.dumps(result.value, ensure_ascii=False)})"
    if result.outcome != "error":
        return f"no callback. {explained(result)}"
    name = (result.error or {}).get("name") or "Error"
    return f"{'callback with' if result.callbacks else 'it threw'} {name}: {explained(result)}"


def explained(result: ScriptResult) -> str:
    """The text of the error, with what Node says to its operators put into words for a person."""
    text = str((result.error or {}).get("message") or "").strip() or "no text"
    if result.outcome == "timeout" and "20 seconds" not in text:
        text += " Auth0 waits 20 seconds."
    return next((f"Scripts can't {act}." for flag, act in FORBIDDEN.items() if flag in text), text)


def silent(result: ScriptResult) -> list[str]:
    """Why there is no answer to judge: the script has not called back."""
    if result.outcome in ("timeout", "crashed", "refused"):
        return [f"The script did not call back. {explained(result)}"]
    if result.outcome != "error" or result.callbacks:
        return []
    if is_module_missing(result):
        return [f"{explained(result).replace('Cannot find module', 'The module')} {NOT_HERE}"]
    told = described(result).removeprefix("it threw ")
    if (result.error or {}).get("uncaught"):
        return [f"An error that nothing in the script caught ended it. {told.removesuffix('.')}. {UNCAUGHT}"]
    return [f"The script threw instead of calling back. {told}"]


def answered(result: ScriptResult, who: str = "the script") -> str:
    """`described` as the end of a sentence."""
    return f"{who} answered {described(result).removesuffix('.')}."


def profile(trial: Trial, result: ScriptResult | None = None, user: User | None = None) -> list[str]:
    """A complete profile of this user, with nothing secret in it."""
    result, user = result or trial.result, user or trial.users[0]
    if result.outcome != "success" or not isinstance(result.value, dict):
        return [f"A profile was expected; {answered(result)}"]
    value, problems = result.value, []
    if not isinstance(value.get("user_id"), str) or not value["user_id"]:
        problems.append("The profile has no user_id that is text.")
    if str(value.get("email", "")).lower() != user.email.lower():
        problems.append("The profile's email is not the user's.")
    if bool(value.get("email_verified")) is not user.email_verified:
        problems.append("The profile's email_verified is not what is stored.")
    return problems + secrets_in(trial, value)


def secrets_in(trial: Trial, value: dict[str, Any]) -> list[str]:
    stored = [trial.database.find(user.email) for user in trial.users]
    hidden = {str(row["password"]) for row in stored if row and row.get("password")} | trial.passwords
    text = json.dumps(value, ensure_ascii=False)
    return ["The profile carries a password or its hash."] if any(one and one in text for one in hidden) else []


def wrong_credentials(trial: Trial) -> list[str]:
    error = trial.result.error or {}
    if trial.result.outcome != "error" or error.get("name") != "WrongUsernameOrPasswordError":
        return [f"A WrongUsernameOrPasswordError was expected; {answered(trial.result)}"]
    return []


def refused(trial: Trial) -> list[str]:
    """Nobody is signed in; whether it is told as an error or as wrong credentials."""
    if trial.result.outcome != "error":
        return [f"An error was expected; {answered(trial.result)}"]
    return []


def nobody(trial: Trial) -> list[str]:
    if trial.result.outcome != "success" or trial.result.value is not None:
        return [f"callback(null) was expected; {answered(trial.result)}"]
    return []


def value(expected: Any) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        if trial.result.outcome == "success" and _same(trial.result.value, expected):
            return []
        return [f"callback(null, {json.dumps(expected)}) was expected; {answered(trial.result)}"]

    return judge


def _same(given: Any, expected: Any) -> bool:
    changed = isinstance(given, dict) and "last_password_reset" in given
    return (expected is True and changed) or (given is expected if isinstance(expected, bool) else given == expected)


def error(*names: str, code: str | None = None) -> Expectation:
    """An error of one of these classes (any, when none is named), with this code."""

    def judge(trial: Trial) -> list[str]:
        found = trial.result.error or {}
        fits = trial.result.outcome == "error" and (not names or found.get("name") in names)
        if fits and (code is None or found.get("code") == code):
            return []
        return [f"{' or '.join(names) or 'An error'} was expected; {answered(trial.result)}"]

    return judge


def system_error(trial: Trial) -> list[str]:
    """A plain Error: neither "wrong password" nor "not found" nor success, whatever is broken behind the script."""
    found = trial.result.error or {}
    special = ("WrongUsernameOrPasswordError", "ValidationError", "UnauthorizedError", "TimeoutError")
    if trial.result.outcome != "error" or found.get("name") in special:
        return [f"callback(new Error(...)) was expected; {answered(trial.result)}"]
    return leaks(trial, found.get("message", ""))


def leaks(trial: Trial, text: str) -> list[str]:
    """Hosts, codes of drivers, tables, values: what must not stand in an error that people and logs see."""
    hosts = [name.rsplit(":", 1)[0] for name in trial.database.hosts]
    inner = ["ECONN", "ETIMEDOUT", "EPIPE", "at Object.", "node_modules", "password authentication", "too many"]
    words = [*hosts, *inner, f'"{trial.form.table}"', *trial.passwords, *(user.email for user in trial.users)]
    found = [word for word in words if word and word.lower() in text.lower()]
    return [f"The text of the error tells too much: {text[:120]!r}."] if found else []


def stored_password_is_safe(email: str) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        row = trial.database.find(email)
        if row is None:
            return [f"{email} is not in the database."]
        kept = str(row.get("password") or "")
        if trial.form.store != "https_api" and (not kept or any(one in kept for one in trial.passwords)):
            return ["The password is stored as it was typed, or not at all."]
        return []

    return judge


def all_of(*expectations: Expectation) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        return next((problems for one in expectations if (problems := one(trial))), [])

    return judge


def invariants(trial: Trial, *, silence: bool = False) -> list[str]:
    """What holds for every execution, whatever the case. silence: the database never answers, so drivers that were told
    to close may still wait for it.
    """
    problems = []
    for result in (trial.result, *trial.others):
        if result.outcome in ("success", "error") and result.callbacks > 1:
            problems.append(f"The callback was called {result.callbacks} times.")
        problems += silent(result)
        if result.late_error:
            advice = f" {UNCAUGHT}" if result.late_error.get("uncaught") else ""
            said = result.late_error["message"][:200].rstrip(".")
            problems.append(f"After its callback the script failed: {said}.{advice}")
        # A client of HTTP keeps connections for the next request, and that is well.
        if result.open_connections and trial.form.store != "https_api" and not silence:
            problems.append(f"{result.open_connections} connection(s) to the database stayed open.")
        if any(one in line for one in trial.passwords for line in result.console):
            problems.append("A password was written to the log.")
    return problems
