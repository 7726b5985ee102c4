"""The contract, case by case: what each script is asked, and what it must answer."""

# ruff: noqa: E501 (a table reads best one case to a line)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from identity.databases.contracts.database import DOMAIN, User
from identity.databases.contracts.expectations import (
    can_sign_in,
    cannot_sign_in,
    gone,
    hash_kept_quiet,
    identifier_tells,
    same_id_twice,
    same_profile_as_get_user,
    stored,
    total,
    unchanged,
    unique_id,
    verified,
)
from identity.databases.contracts.trial import (
    Expectation,
    Trial,
    all_of,
    answered,
    error,
    nobody,
    profile,
    refused,
    stored_password_is_safe,
    system_error,
    value,
    wrong_credentials,
)
from runtime.relay import Fault

INJECTIONS = (
    "' OR '1'='1' --",
    '" OR ""="',
    "'; DROP TABLE users; --",
    "%",
    "\\' OR 1=1 -- ",
    '{"$gt": ""}',
    "$$",
    "`;--",
    "') OR ('1'='1",  # closes the bracket of a function such as LOWER('...')
)
CLOSING = INJECTIONS[-1]


SILENT = Fault("silent")


@dataclass(frozen=True)
class Lacking:
    """The table has no column for this profile field."""

    field: str


@dataclass(frozen=True)
class Case:
    """`arguments` gets {email: id as the profile gives it} of the users that were stored.

    needs: "username" leaves the case out where the form has no such column, "hash" where the store itself checks
    passwords. fault: trouble with the database; "exhausted" and Lacking are played by the database itself.
    """

    id: str
    title: str
    arguments: Callable[[dict[str, str]], list[Any]]
    expect: Expectation
    users: tuple[User, ...] = ()
    needs: str | None = None
    fault: Fault | Lacking | str | None = None

    @property
    def script(self) -> str:
        return self.id.rsplit("-", 1)[0]


def mail(name: str) -> str:
    return f"{name}@{DOMAIN}"


ADA = User(
    mail("ada"), "Correct-Horse-7", username="ada_contract", fields={"given_name": "Ada", "family_name": "Byron"}
)
GRACE = User(mail("grace"), "Another-Secret-8", username="grace_contract", email_verified=True)
OBRIEN = User(mail("o'brien"), 'It\'s "quoted" \\ here; --', username="o'brien")
JORG = User(mail("jörg.müller"), "пароль-密码-🔑-ß", fields={"given_name": "Jörg", "family_name": "Müller"})
LONG = User(mail("long"), "x" * 64)
BLANK = User(mail("blank"), None)
# Leads to Ada's record where it stands in an address as it is.
BY_PATH = f"x/../{ADA.email}"
# As directories of old keep passwords; no form of ours makes such a hash.
OLD = User(mail("old"), "Correct-Horse-7", stored="{SSHA}V0hZTk9UX2FfcmVhbF9oYXNoX29mX2FueW9uZQ==")


def given(*arguments: Any) -> Callable[[dict[str, str]], list[Any]]:
    return lambda ids: list(arguments)


def person(name: str, password: str = "Fresh-Secret-9", **more: Any) -> dict[str, Any]:  # noqa: S107
    plain = {"tenant": "dev", "client_id": "client", "connection": "test", "user_metadata": {}, "app_metadata": {}}
    return {**plain, "email": mail(name), "username": f"{name}_contract", "password": password, **more}


def key(user: User) -> Callable[[dict[str, str]], list[Any]]:
    return lambda ids: [ids[user.email]]


def key_by_path(ids: dict[str, str]) -> list[Any]:
    """An id that leads to Ada's record where it stands in an address as it is."""
    connection, _, bare = ids[ADA.email].partition("|")
    return [f"{connection}|x/../{bare}"]


LOGIN = (
    Case("login-01", "Right e-mail and password", given(ADA.email, ADA.password), profile, (ADA, GRACE)),
    Case("login-02", "The e-mail in capitals", given(ADA.email.upper(), ADA.password), profile, (ADA,)),
    Case("login-03", "Right username and password", given(ADA.username, ADA.password), profile, (ADA, GRACE), "username"),
    Case("login-04", "Wrong password", given(ADA.email, "Wrong-Pass-1"), all_of(wrong_credentials, identifier_tells("known")), (ADA,)),
    Case("login-05", "Unknown user", given(mail("ghost"), "Wrong-Pass-1"), all_of(wrong_credentials, identifier_tells("unknown")), (ADA,)),
    Case("login-06", "Empty password", given(ADA.email, ""), wrong_credentials, (ADA, BLANK)),
    Case("login-07", "Another user's password", given(ADA.email, GRACE.password), wrong_credentials, (ADA, GRACE)),
    Case("login-08", "A user without a stored password", given(BLANK.email, "Wrong-Pass-1"), wrong_credentials, (BLANK,)),
    Case("login-09", "That user with an empty password", given(BLANK.email, ""), wrong_credentials, (BLANK,)),
    Case("login-10", "Quotes in e-mail and password", given(OBRIEN.email, OBRIEN.password), profile, (OBRIEN, ADA)),
    Case("login-11", "Letters and signs of other scripts", given(JORG.email, JORG.password), profile, (JORG,)),
    Case("login-12", "A password of 64 characters", given(LONG.email, LONG.password), profile, (LONG,)),
    Case("login-13", "The same profile as get_user", given(ADA.email, ADA.password), same_profile_as_get_user, (ADA, GRACE)),
    Case("login-14", "The same user_id at every sign-in", given(ADA.email, ADA.password), same_id_twice, (ADA,)),
    Case("login-15", "A user_id unique over all connections", given(ADA.email, ADA.password), unique_id, (ADA,)),
    Case("login-16", "A verified address is told", given(GRACE.email, GRACE.password), profile, (GRACE,)),
    Case("login-17", "A stored hash of an unknown format", given(OLD.email, OLD.password), all_of(refused, hash_kept_quiet), (OLD, ADA), "hash"),
    *(
        Case(f"login-{number}", f"Injection as identifier: {text}", given(text, ADA.password), all_of(wrong_credentials, total(2)), (ADA, GRACE))
        for number, text in enumerate(INJECTIONS, 20)
    ),
    Case("login-29", "Injection in the password", given(ADA.email, INJECTIONS[0]), wrong_credentials, (ADA,)),
    Case("login-30", "Injection behind a real e-mail", given(f"{ADA.email}' --", "Wrong-Pass-1"), wrong_credentials, (ADA,)),
)  # fmt: skip

GET_USER = (
    Case("get_user-01", "Known user", given(ADA.email), profile, (ADA, GRACE)),
    Case("get_user-02", "Unknown user", given(mail("ghost")), nobody, (ADA,)),
    Case("get_user-03", "The e-mail in capitals", given(ADA.email.upper()), profile, (ADA,)),
    Case("get_user-04", "A username", given(ADA.username), profile, (ADA, GRACE), "username"),
    Case("get_user-05", "Quotes in the e-mail", given(OBRIEN.email), profile, (OBRIEN,)),
    Case("get_user-06", "Letters of other scripts", given(JORG.email), profile, (JORG,)),
    Case("get_user-07", "Empty columns", given(BLANK.email), profile, (BLANK,)),
    Case("get_user-08", "A user_id unique over all connections", given(ADA.email), unique_id, (ADA,)),
    *(
        Case(f"get_user-{number}", f"Injection as e-mail: {text}", given(text), all_of(nobody, total(2)), (ADA, GRACE))
        for number, text in enumerate(INJECTIONS, 20)
    ),
    Case("get_user-29", "Injection as a path", given(BY_PATH), nobody, (ADA,)),
)  # fmt: skip

CREATE = (
    Case("create-01", "A new user, who can then sign in", given(person("new")), all_of(nobody, stored_password_is_safe(mail("new")), can_sign_in(mail("new"), "Fresh-Secret-9"))),
    Case("create-02", "An address that is taken", given(person("ada")), all_of(error("ValidationError", code="user_exists"), total(1), unchanged(ADA)), (ADA,)),
    Case("create-03", "An address that is taken, in capitals", given(person("x", email=ADA.email.upper())), all_of(error("ValidationError", code="user_exists"), total(1)), (ADA,)),
    Case("create-04", "Quotes in e-mail and password", given(person("o'neil", "it's; -- \"x\"")), all_of(nobody, can_sign_in(mail("o'neil"), "it's; -- \"x\""))),
    Case("create-05", "Letters of other scripts", given(person("žofie", "пароль🔑")), all_of(nobody, can_sign_in(mail("žofie"), "пароль🔑"))),
    Case("create-06", "Injection as e-mail", given(person("x', '1'); DROP TABLE users; --")), all_of(nobody, unchanged(ADA), total(2)), (ADA,)),
    Case("create-07", "A new user is not verified", given(person("new")), all_of(nobody, verified(mail("new"), False))),
    Case("create-08", "Absent optional fields", given(person("new", username=None)), nobody),
)  # fmt: skip

CHANGE_PASSWORD = (
    Case("change_password-01", "The new password works, the old one does not", given(ADA.email, "Brand-New-1"), all_of(value(True), stored_password_is_safe(ADA.email), can_sign_in(ADA.email, "Brand-New-1"), cannot_sign_in(ADA.email, str(ADA.password))), (ADA, GRACE)),
    Case("change_password-02", "Unknown user", given(mail("ghost"), "Brand-New-1"), all_of(value(False), total(1)), (ADA,)),
    Case("change_password-03", "The e-mail in capitals", given(ADA.email.upper(), "Brand-New-1"), value(True), (ADA,)),
    Case("change_password-04", "Nobody else's password changes", given(ADA.email, "Brand-New-1"), all_of(value(True), unchanged(GRACE)), (ADA, GRACE)),
    Case("change_password-05", "Injection as e-mail", given(INJECTIONS[0], "Brand-New-1"), all_of(value(False), unchanged(ADA, GRACE)), (ADA, GRACE)),
    Case("change_password-06", "Quotes and other scripts in the password", given(ADA.email, "it's 密码 \\ ; --"), all_of(value(True), can_sign_in(ADA.email, "it's 密码 \\ ; --")), (ADA,)),
    Case("change_password-07", "Injection as a path", given(BY_PATH, "Brand-New-1"), all_of(value(False), unchanged(ADA)), (ADA,)),
    Case("change_password-08", "Injection that closes a bracket", given(CLOSING, "Brand-New-1"), all_of(value(False), unchanged(ADA)), (ADA,)),
)  # fmt: skip

VERIFY = (
    Case("verify-01", "The address is verified", given(ADA.email), all_of(value(True), verified(ADA.email, True)), (ADA,)),
    Case("verify-02", "Nobody else's address is", given(ADA.email), all_of(value(True), verified(JORG.email, False)), (ADA, JORG)),
    Case("verify-03", "Unknown user", given(mail("ghost")), error(), (ADA,)),
    Case("verify-04", "Injection as e-mail", given(INJECTIONS[0]), all_of(error(), verified(ADA.email, False)), (ADA,)),
    Case("verify-05", "Already verified", given(GRACE.email), value(True), (GRACE,)),
    Case("verify-06", "Injection as a path", given(BY_PATH), all_of(error(), verified(ADA.email, False)), (ADA,)),
    Case("verify-07", "Injection that closes a bracket", given(CLOSING), all_of(error(), verified(ADA.email, False)), (ADA,)),
)  # fmt: skip

DELETE = (
    Case("delete-01", "The user is gone", key(ADA), all_of(nobody, gone(ADA.email)), (ADA, GRACE)),
    Case("delete-02", "Nobody else is", key(ADA), all_of(nobody, stored(GRACE.email), total(1)), (ADA, GRACE)),
    Case("delete-03", "A user who is not there", given("shop|987654321"), all_of(nobody, total(1)), (ADA,)),
    Case("delete-04", "Injection as id", given(INJECTIONS[0]), all_of(nobody, total(2)), (ADA, GRACE)),
    Case("delete-05", "An id with something behind it", lambda ids: [ids[ADA.email] + "abc"], all_of(nobody, total(1)), (ADA,)),
    Case("delete-06", "Injection as a path", key_by_path, all_of(nobody, total(1)), (ADA,)),
)  # fmt: skip

CHANGE_EMAIL = (
    Case("change_email-01", "The new address signs in", given(ADA.email, mail("ada.new"), True), all_of(value(True), gone(ADA.email), can_sign_in(mail("ada.new"), str(ADA.password))), (ADA, GRACE)),
    Case("change_email-02", "The new address is verified if Auth0 says so", given(ADA.email, mail("ada.new"), True), verified(mail("ada.new"), True), (ADA,)),
    Case("change_email-03", "And not if it does not", given(GRACE.email, mail("grace.new"), False), verified(mail("grace.new"), False), (GRACE,)),
    Case("change_email-04", "Unknown user", given(mail("ghost"), mail("new"), True), all_of(value(False), total(1)), (ADA,)),
    Case("change_email-05", "An address that is taken", given(ADA.email, GRACE.email, True), all_of(error(), unchanged(ADA, GRACE)), (ADA, GRACE)),
    Case("change_email-06", "Quotes in the new address", given(ADA.email, mail("ada.o'brien"), True), all_of(value(True), stored(mail("ada.o'brien"))), (ADA,)),
    Case("change_email-07", "Injection as e-mail", given(INJECTIONS[0], mail("new"), True), all_of(value(False), unchanged(ADA)), (ADA,)),
    Case("change_email-08", "Injection as a path", given(BY_PATH, mail("new"), True), all_of(value(False), unchanged(ADA)), (ADA,)),
    Case("change_email-09", "Injection that closes a bracket", given(CLOSING, mail("new"), True), all_of(value(False), unchanged(ADA)), (ADA,)),
)  # fmt: skip

# What a script is asked while its database is in trouble.
ORDINARY: dict[str, Callable[[dict[str, str]], list[Any]]] = {
    "login": given(ADA.email, ADA.password),
    "get_user": given(ADA.email),
    "create": given(person("trouble")),
    "change_password": given(ADA.email, "Brand-New-1"),
    "verify": given(ADA.email),
    "delete": key(ADA),
    "change_email": given(ADA.email, mail("ada.new"), True),
}
# The part of the statement at which the connection breaks.
MARKER = {"create": mail("trouble"), "change_email": mail("ada.new"), "delete": "delete"}


# The column that a script can't do without.
SEARCHED = {script: "user_id" if script == "delete" else "email" for script in ORDINARY}


def answers_anyway(trial: Trial) -> list[str]:
    if trial.result.outcome == "success":
        return []
    return [f"The database was only slow; {answered(trial.result)}"]


def troubles(script: str) -> tuple[Case, ...]:
    """Each script while the database is down, breaks off, is slow, has no room, or is not as it was."""
    arguments, users = ORDINARY[script], () if script == "create" else (ADA,)
    down = system_error if script != "create" else all_of(system_error, total(0))
    dropped = Fault("dropped", marker=MARKER.get(script, ADA.email))
    return (
        Case(f"{script}-90", "The database is down", arguments, down, users, fault=Fault("down")),
        Case(f"{script}-91", "The connection breaks in the middle", arguments, system_error, users, fault=dropped),
        Case(
            f"{script}-92", "The database is slow", arguments, answers_anyway, users, fault=Fault("slow", seconds=0.02)
        ),
        Case(f"{script}-93", "The database has no room", arguments, system_error, users, fault="exhausted"),
        Case(f"{script}-95", "A column is missing", arguments, system_error, users, fault=Lacking(SEARCHED[script])),
    )


def silence(script: str) -> Case:
    """Takes as long as the script's own time-outs."""
    users = () if script == "create" else (ADA,)
    title = "The database never answers"
    return Case(f"{script}-94", title, ORDINARY[script], system_error, users, fault=SILENT)


CASES: dict[str, tuple[Case, ...]] = {
    "login": (*LOGIN, *troubles("login")),
    "get_user": (*GET_USER, *troubles("get_user")),
    "create": (*CREATE, *troubles("create")),
    "change_password": (*CHANGE_PASSWORD, *troubles("change_password")),
    "verify": (*VERIFY, *troubles("verify")),
    "delete": (*DELETE, *troubles("delete")),
    "change_email": (*CHANGE_EMAIL, *troubles("change_email")),
}
