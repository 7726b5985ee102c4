"""What must be true after a script has answered, looked at through the other scripts and the database itself."""

from __future__ import annotations

from identity.databases.contracts.database import User
from identity.databases.contracts.trial import Expectation, Trial, answered, described


def unchanged(*users: User) -> Expectation:
    """These users are still there and still sign in with their passwords."""

    def judge(trial: Trial) -> list[str]:
        lost = [user.email for user in users if trial.database.find(user.email) is None]
        if lost:
            return [f"{', '.join(lost)} is gone from the database."]
        changed = [user.email for user in users if not signs_in(trial, user.email, user.password)]
        return [f"{', '.join(changed)} can't sign in any more."] if changed else []

    return judge


def signs_in(trial: Trial, email: str, password: str | None) -> bool:
    return password is None or trial.call("login", email, password).outcome == "success"


def can_sign_in(email: str, password: str) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        answer = trial.call("login", email, password)
        return [] if answer.outcome == "success" else [f"The user can't sign in; {answered(answer, 'login')}"]

    return judge


def cannot_sign_in(email: str, password: str) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        answer = trial.call("login", email, password)
        wrong = answer.outcome == "error" and (answer.error or {}).get("name") == "WrongUsernameOrPasswordError"
        return [] if wrong else [f"The old password should be wrong now; {answered(answer, 'login')}"]

    return judge


def same_profile_as_get_user(trial: Trial) -> list[str]:
    other = trial.call("get_user", trial.users[0].email)
    if trial.result.value == other.value:
        return []
    return [f"login and get_user differ: {described(trial.result)} and {described(other)}."]


def unique_id(trial: Trial) -> list[str]:
    found = str((trial.result.value or {}).get("user_id"))
    bare = trial.ids.get(trial.users[0].email)
    if found == bare and len(found) < 32:
        return [f"user_id {found!r} is the store's own key; another connection could have the same."]
    return []


def same_id_twice(trial: Trial) -> list[str]:
    again = trial.call("login", trial.users[0].email, trial.users[0].password)
    first, second = ((one.value or {}).get("user_id") for one in (trial.result, again))
    return [] if first and first == second else [f"The user_id changes: {first!r}, then {second!r}."]


def identifier_tells(expected: str) -> Expectation:
    """The first argument of the error: text for a wrong password ("known"), anything but the wrong way round."""

    def judge(trial: Trial) -> list[str]:
        identifier = (trial.result.error or {}).get("identifier")
        if expected == "unknown" and identifier:
            return ["The error says that the user exists (its first argument should be null)."]
        if expected == "known" and not identifier and trial.form.store != "https_api":
            return ["The error says that the user does not exist (its first argument should be the identifier)."]
        return []

    return judge


def hash_kept_quiet(trial: Trial) -> list[str]:
    """What stands in the column of the hash is in no error and in no log."""
    said = [str((trial.result.error or {}).get("message")), *trial.result.console]
    kept = [user.stored for user in trial.users if user.stored]
    return ["The stored hash is told."] if any(one in line for one in kept for line in said) else []


def stored(email: str) -> Expectation:
    return lambda trial: [] if trial.database.find(email) else [f"{email} is not in the database."]


def gone(email: str) -> Expectation:
    return lambda trial: [f"{email} is still in the database."] if trial.database.find(email) else []


def verified(email: str, expected: bool) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        row = trial.database.find(email)
        if row is None or bool(row["email_verified"]) is not expected:
            return [f"email_verified of {email} should be {str(expected).lower()}."]
        return []

    return judge


def total(number: int) -> Expectation:
    def judge(trial: Trial) -> list[str]:
        found = trial.database.count()
        return [] if found == number else [f"There are {found} users; {number} were expected."]

    return judge
