"""Seeded faults in generated scripts, over all stores: each is caught by the rule or the case that is there for it."""
# ruff: noqa: E501 (a table reads best one fault to a line)

import pytest

from identity.databases import lint
from identity.databases.contracts import database_for
from identity.databases.contracts.cases import CASES
from identity.databases.contracts.run import run
from identity.databases.form import STORES
from runtime import scripts as runtime_scripts
from tests.identity.contract_bench import form, scripts_for

TROUBLE = "return callback(new Error('The user database could not be reached. Please try again later.'));"
UNKNOWN_HASH = "return callback(new Error('The stored password of this user has a format that login does not know.'));"
UNKNOWN_USER = "return callback(new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password.'));"

# what is wrong: (store, script, rules and cases that must find it, (text, instead), ...)
FAULTS = {
    # statements
    "a value in the statement": ("postgresql", "get_user", "CDB27 get_user-20 get_user-28", ("'SELECT", "`SELECT"), ("$1) OR \"login_name\" = $2'", "'${email}') OR \"login_name\" = $1`"), ("[email, email]", "[email]")),
    "a value in a verification": ("mysql", "verify", "CDB27 verify-07", ("LOWER(?)'", "LOWER(\\'' + email + '\\')'"), ("[true, email]", "[true]")),
    "a value in T-SQL": ("sqlserver", "get_user", "CDB27 get_user-05", ("LOWER(@p1) OR [login_name] = @p2'", "LOWER(\\'' + email + '\\')'"), ("{ p1: email, p2: email }", "{}")),
    "a query taken as it comes": ("mongodb", "get_user", "CDB27 get_user-01", ("{ $or: [{ email: String(email) }, { login_name: String(email) }] }", "JSON.parse(email)")),
    "a path put together": ("https_api", "get_user", "get_user-29", ("encodeURIComponent(String(identifier))", "identifier")),
    "a path put together, to delete": ("https_api", "delete", "delete-06", ("encodeURIComponent(String(identifier))", "identifier")),
    "no parameter given": ("postgresql", "login", "login-01", ("[userNameOrEmail, userNameOrEmail]", "[]")),
    # the callback
    "a second callback": ("postgresql", "change_password", "CDB14 change_password-01", ("return callback(null, changed);", "callback(null, changed); return callback(null, changed);")),
    "a second callback in a handler": ("mysql", "change_email", "CDB14 change_email-01", ("connection.on('error', () => {});", "connection.on('end', () => callback(null, false));")),
    "a callback that is not returned": ("sqlserver", "get_user", "CDB14 get_user-02", ("    return callback(null);", "    callback(null);")),
    "a path without callback": ("postgresql", "get_user", "CDB13 get_user-02", ("    return callback(null);", "    return;")),
    "an error that nobody catches": ("postgresql", "verify", "CDB16 verify-90", ("  try {\n    verified =", "  {\n    verified ="), (f"  }} catch (error) {{\n    {TROUBLE}\n  }}", "  }")),
    "the callback before the work": ("postgresql", "verify", "CDB15 verify-90", ("    verified = (await query(", "    query('SELECT 1', []);\n    verified = (await query(")),
    "work that nobody awaits": ("sqlserver", "change_password", "change_password-01", ("changed = (await query(", "changed = (query(")),
    # connections
    "a leaked connection": ("postgresql", "get_user", "CDB28 get_user-01", ("await client.end().catch(() => {});", "")),
    "a leaked connection to MySQL": ("mysql", "login", "CDB28 login-01", ("await connection.end().catch(() => {});", "")),
    "a leaked pool": ("sqlserver", "create", "CDB28 create-01", ("await pool.close().catch(() => {});", "")),
    "a leaked client": ("mongodb", "delete", "CDB28 delete-01", ("await client.close().catch(() => {});", "")),
    "a connection closed on errors alone": ("postgresql", "verify", "CDB28 verify-01", ("    } finally {\n      await client.end().catch(() => {});\n    }", "    } catch (error) {\n      await client.end().catch(() => {});\n      throw error;\n    }")),
    "no time-out": ("postgresql", "login", "CDB17", ("      connectionTimeoutMillis: 5000,\n", "")),
    "no time-out of a request": ("https_api", "change_password", "CDB17", ("      signal: AbortSignal.timeout(8000),\n", "")),
    "encryption checks off": ("postgresql", "login", "CDB18", ("      query_timeout: 8000,", "      query_timeout: 8000,\n      ssl: { rejectUnauthorized: false },")),
    # passwords
    "passwords stored as typed": ("postgresql", "create", "create-01", ("bcrypt.hash(given, 12)", "Promise.resolve(given)")),
    "passwords stored as typed, on change": ("mysql", "change_password", "change_password-01", ("bcrypt.hash(given, 12)", "given")),
    "a hash that costs too little": ("postgresql", "create", "CDB26", ("bcrypt.hash(given, 12)", "bcrypt.hash(given, 4)")),
    "every password is right": ("postgresql", "login", "login-04 login-07", ("matches = stored !== '' && (await", "matches = stored !== '' || (await")),
    "no password is enough": ("mysql", "login", "login-08 login-09", ("matches = stored !== '' && (await", "matches = stored === '' || (await")),
    "an unknown hash signs in": ("sqlserver", "login", "login-17", (UNKNOWN_HASH, "matches = true;")),
    "an unknown hash is told": ("postgresql", "login", "login-17", (UNKNOWN_HASH, "return callback(new Error(stored));")),
    "everybody's password": ("postgresql", "change_password", "change_password-04", (' WHERE LOWER("email") = LOWER($2)', " WHERE $2::text IS NOT NULL")),
    "the old password stays": ("mongodb", "change_password", "change_password-01", ("$set: { password_hash: hash }", "$set: { new_hash: hash }")),
    # answers
    "a wrong password is a fault": ("postgresql", "login", "login-04", ("new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong e-mail or password.')", "new Error('Please try again.')")),
    "login without profile": ("postgresql", "login", "CDB33 login-05", (UNKNOWN_USER, "return callback(null);")),
    "known and unknown users changed": ("postgresql", "login", "login-05", ("new WrongUsernameOrPasswordError(null,", "new WrongUsernameOrPasswordError(userNameOrEmail,")),
    "not found is an error": ("mongodb", "get_user", "CDB35 get_user-02", ("    return callback(null);", "    return callback(new Error('There is no such user.'));")),
    "an error is not found": ("postgresql", "get_user", "CDB35 get_user-90 get_user-91 get_user-93", (TROUBLE, "return callback(null);")),
    "a refusal of the API is \"no such user\"": ("https_api", "change_password", "change_password-93", ("response.status !== 404", "response.status < 400")),
    "always changed": ("postgresql", "change_password", "change_password-02", ("return callback(null, changed);", "return callback(null, true);")),
    "capitals matter": ("postgresql", "login", "login-02", ('LOWER("email") = LOWER($1)', '"email" = $1')),
    "capitals matter in documents": ("mongodb", "get_user", "get_user-03", ("      ...ignoringCase,\n", "")),
    "a taken address is a fault": ("postgresql", "create", "create-02", ("error.code === '23505'", "error.code === 'DUPLICATE'")),
    "a taken address is a fault of the API": ("https_api", "create", "create-02", ("error.status === 409", "error.status === 400")),
    "a wrong code for a taken address": ("postgresql", "create", "CDB36 create-02", ("'user_exists'", "'exists'")),
    "the driver's error to the person": ("mysql", "verify", "CDB46 verify-90", ("new Error('The user database could not be reached. Please try again later.')", "error")),
    # users
    "everybody deleted": ("mysql", "delete", "delete-02 delete-04", (" WHERE CAST(`id` AS char) = ?", " WHERE ? IS NOT NULL")),
    "whose number begins like another": ("mysql", "delete", "delete-05", ("CAST(`id` AS char) = ?", "`id` = ? + 0")),
    "anybody deleted": ("mongodb", "delete", "delete-03", ("{ $expr: { $eq: [{ $toString: '$_id' }, key] } }", "{}")),
    "the prefix is not removed": ("postgresql", "delete", "delete-01", (".replace(/^shop\\|/, '')", "")),
    "verify does nothing": ("postgresql", "verify", "verify-01", ('"email_verified" = $1', '"email_verified" = "email_verified" AND $1')),
    "the verified flag is ignored": ("postgresql", "change_email", "change_email-02", ("verified, email]", "false, email]")),
    "the verified flag is left out": ("https_api", "change_email", "change_email-02 change_email-03", (", email_verified: verified", "")),
    "new users are verified": ("postgresql", "create", "create-07", ("        false,", "        true,")),
    "a user kept for the next one": ("postgresql", "get_user", "CDB23 get_user-02", ("    user = await query(", "    user = global.cached || await query("), ("  return callback(null, {", "  global.cached = global.cached || user;\n  return callback(null, {")),
    # profiles
    "a user_id that is not unique": ("postgresql", "login", "login-15", ("user_id: `shop|${user.id}`", "user_id: String(user.id)")),
    "a user_id of the moment": ("sqlserver", "login", "login-14", ("`shop|${user.id}`", "`shop|${Date.now()}${Math.random()}`")),
    "no user_id": ("postgresql", "login", "CDB29 login-01", ("    user_id: `shop|${user.id}`,\n", "")),
    "a hash in the profile": ("postgresql", "get_user", "CDB32 get_user-01", ("    given_name: user.first_name,", "    given_name: user.first_name,\n    check: user.password_hash,")),
    "the record as profile": ("mongodb", "get_user", "CDB32 get_user-01", ("return callback(null, {", "return callback(null, user); ({")),
    # secrets
    "a password in the log": ("postgresql", "login", "CDB25 login-01", ("  let user;", "  console.log(`sign-in of ${userNameOrEmail} with ${password}`);\n  let user;")),
    "a request in the log": ("https_api", "login", "CDB25 login-04", ("    user = await checkPassword", "    console.log(JSON.stringify([userNameOrEmail, password]));\n    user = await checkPassword")),
    "a secret in the code": ("postgresql", "login", "CDB19", ("configuration.DATABASE_URL", "'postgresql://scripts:s3cret@db.larkspur.example/shop'")),
    "a module without version": ("postgresql", "login", "CDB24", ("require('pg@8.11.3')", "require('pg')")),
    "data of a user in global": ("postgresql", "login", "CDB23", ("  let user;", "  global.lastUser = global.lastUser || userNameOrEmail;\n  let user;")),
}  # fmt: skip


def broken(name: str) -> str:
    store, script, _, *edits = FAULTS[name]
    code = scripts_for(form(store))[script]
    for text, instead in edits:
        assert text in code, f"{name}: the generated script has changed; {text!r} is not in it"
        code = code.replace(text, instead, 1)
    return code


@pytest.fixture(scope="module")
def linted() -> dict[str, dict[str, str]]:
    """name -> {rule: level} of what the linter finds; all in one run of Node."""
    seen = lint.eslint([(FAULTS[name][1], broken(name)) for name in FAULTS], import_mode=False, context=False)
    return {
        name: {one["rule"]: one["level"] or lint.RULES[one["rule"]].level for one in found["findings"]}
        for name, found in zip(FAULTS, seen, strict=True)
    }


@pytest.fixture(scope="module")
def databases(postgresql):
    """store -> its database, started when it is first asked for."""
    started = {"postgresql": postgresql}

    def of(store):
        started.setdefault(store, None)
        started[store] = started[store] or database_for(store)
        return started[store]

    yield of
    for store, database in started.items():
        if store != "postgresql":
            database.close()
    runtime_scripts.pool.close()


def test_there_are_faults_for_every_store_and_script():
    assert len(FAULTS) >= 20
    assert {store for store, *_ in FAULTS.values()} == set(STORES)
    assert {script for _, script, *_ in FAULTS.values()} == set(CASES)


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught_by_what_is_there_for_it(databases, linted, name):
    store, script, catchers, *_ = FAULTS[name]
    rules = {one for one in catchers.split() if one.startswith("CDB")}
    cases = [one for one in catchers.split() if one not in rules]
    assert {rule for rule in rules if linted[name].get(rule) in ("error", "warning")} == rules
    made = form(store)
    scripts = {**scripts_for(made), script: broken(name)}
    # The first case comes before: some faults show in the second execution of a container.
    verdicts = run(scripts, made, databases(store), only=[f"{script}-01", *cases]) if cases else []
    assert {verdict.case for verdict in verdicts if verdict.passed is False} >= set(cases)


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_one_that_a_person_could_make(linted, name):
    """The script still runs: what is caught is the fault, not a slip of the test."""
    assert "CDB00" not in linted[name]
