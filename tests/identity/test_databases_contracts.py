"""Contract tests: generated scripts keep the contract on every store, and a script with a fault is found out."""
# ruff: noqa: E501 (tables of scripts read best one to a line)

import os
import time

import psycopg
import pytest

from identity.databases import generate, lint
from identity.databases.contracts import database_for
from identity.databases.contracts.cases import CASES, mail
from identity.databases.contracts.database import CannotConnect, User
from identity.databases.contracts.postgresql import PostgresqlDatabase
from identity.databases.contracts.run import Verdict, passed, run
from identity.databases.form import DEFAULT_COLUMNS, HASHES, Form
from runtime import scripts as runtime_scripts

COLUMNS = {**DEFAULT_COLUMNS, "username": "login_name", "given_name": "first_name"}


def form(store: str = "postgresql", **changes) -> Form:
    columns = {**COLUMNS, **({"user_id": "_id"} if store == "mongodb" else {})}
    if store == "https_api":
        columns = {name: name for name in COLUMNS} | {"user_id": "id"}
    return Form(**{"store": store, "connection": "shop", "columns": columns, **changes})


@pytest.fixture(scope="module")
def postgresql():
    database = PostgresqlDatabase()
    yield database
    database.close()
    runtime_scripts.pool.close()


def impatient(made: Form) -> dict[str, str]:
    """Generated scripts that wait a quarter of a second for a connection, not five."""
    return {name: code.replace("5000", "250") for name, code in generate.scripts(made).items()}


def failures(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.case, verdict.reason) for verdict in verdicts if verdict.passed is False]


# --- the cases


def test_there_are_enough_cases_and_each_is_its_own():
    cases = [case for of_script in CASES.values() for case in of_script]
    assert len(cases) >= 40
    assert len({case.id for case in cases}) == len(cases)
    assert list(CASES) == list(generate.SCRIPTS)
    for script, of_script in CASES.items():
        assert {case.script for case in of_script} == {script}
        assert sum(case.fault is not None for case in of_script) == 4


# --- generated scripts


@pytest.mark.parametrize("hash_name", HASHES)
def test_generated_scripts_for_postgresql_keep_the_contract(postgresql, hash_name):
    made = form(hash=hash_name)
    only = () if hash_name == "bcrypt" else ("login", "create", "change_password")
    verdicts = run(generate.scripts(made), made, postgresql, only=only)
    assert failures(verdicts) == []
    assert all(verdict.passed for verdict in verdicts)


@pytest.mark.parametrize("store", ["mysql", "sqlserver", "https_api"])
def test_generated_scripts_for_other_stores_keep_the_contract(store):
    made, database = form(store), database_for(store)
    try:
        verdicts = run(generate.scripts(made), made, database)
    finally:
        database.close()
    assert failures(verdicts) == []
    assert all(verdict.passed for verdict in verdicts)
    assert database.notice


def test_generated_scripts_for_mongodb_keep_the_contract():
    """With shorter time-outs: the driver looks for a server that is down until its time is up."""
    made, database = form("mongodb"), database_for("mongodb")
    try:
        verdicts = run(impatient(made), made, database, only=("login", "create", "change_email", "delete"))
    finally:
        database.close()
    assert failures(verdicts) == []
    assert all(verdict.passed for verdict in verdicts)


def test_import_mode_scripts_are_tested_too(postgresql):
    made = form(import_mode=True)
    verdicts = run(generate.scripts(made), made, postgresql)
    assert {verdict.script for verdict in verdicts} == {"login", "get_user"}
    assert failures(verdicts) == []


def test_a_table_in_a_schema_with_other_column_names(postgresql):
    columns = {"user_id": "Key", "email": "E_Mail", "password": "Pass", "email_verified": "Is_Verified"}
    made = form(table="crm.People", columns=columns)
    verdicts = run(generate.scripts(made), made, postgresql, only=("login", "verify", "delete"))
    assert failures(verdicts) == []
    left_out = [verdict for verdict in verdicts if verdict.passed is None]
    assert [verdict.case for verdict in left_out] == ["login-03"]
    assert "username" in left_out[0].reason


def test_a_verdict_takes_less_than_a_second_per_script(postgresql):
    """A second of a machine that does nothing else: other work that waits for the same processors counts for it."""
    made = form()
    scripts = generate.scripts(made)
    for name in scripts:
        best = 9.0
        for _ in range(3):
            started = time.monotonic()
            run(scripts, made, postgresql, only=(name,))
            best = min(best, (time.monotonic() - started) / max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
            if best < 1:
                break
        assert best < 1, name


def test_the_table_says_what_was_sent_and_what_came_back_without_passwords(postgresql):
    made = form()
    seen: list[Verdict] = []
    verdicts = run(generate.scripts(made), made, postgresql, only=("login", "create"), progress=seen.append)
    assert seen == verdicts
    first = verdicts[0]
    assert first.sent == f'"{mail("ada")}", "••••••"'
    assert first.came.startswith('callback(null, {"user_id": "shop|')
    whole = " ".join(f"{verdict.sent} {verdict.came} {verdict.reason}" for verdict in verdicts)
    for password in ("Correct-Horse-7", "Another-Secret-8", "Fresh-Secret-9", "Wrong-Pass-1"):
        assert password not in whole


def test_a_database_that_never_answers_is_given_up_by_the_script_itself(postgresql):
    made = form()
    quick = generate.scripts(made)["get_user"].replace("5000", "300").replace("8000", "300")
    scripts = {"login": generate.scripts(made)["login"], "get_user": quick}
    [silent] = [one for one in run(scripts, made, postgresql, only=("get_user",), thorough=True) if "-94" in one.case]
    assert silent.passed, silent.reason
    endless = (
        generate.scripts(made)["get_user"]
        .replace("connectionTimeoutMillis: 5000,", "")
        .replace("query_timeout: 8000,", "")
    )
    found = lint.check({**scripts, "get_user": endless})
    assert "CDB17" in {finding.rule for finding in found}


# --- databases that the person names


def test_a_named_database_keeps_everything_but_test_users(postgresql):
    made = form(table="customers")
    postgresql.prepare(made)
    postgresql.add(User("real.person@larkspur.example", "x"))
    socket_folder = str(postgresql.server.folder)
    named = PostgresqlDatabase(f"host={socket_folder} user=postgres dbname=postgres")
    try:
        verdicts = run(generate.scripts(made), made, named, only=("get_user", "verify"))
        # "total" counts test users only, and the real person is nobody's business.
        assert failures(verdicts) == []
        assert [one.reason for one in verdicts if one.passed is None] == [
            "This can't be played with this database."
        ] * 2
        assert named.count() == 0
        assert named.find("real.person@larkspur.example") is not None
    finally:
        named.close()


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        ("postgresql://u:hush-hush@127.0.0.1:1/x", "refused"),
        ("postgresql://u:hush-hush@nowhere.invalid/x", "can't be reached"),
        ("no dsn at all hush-hush", "connection string"),
        ("mysql://u:hush-hush@localhost/x", "connection string"),
    ],
)
def test_a_wrong_address_is_a_clear_error_without_the_password(dsn, text):
    with pytest.raises(CannotConnect, match=text) as refused:
        database_for("postgresql", dsn)
    assert "hush-hush" not in str(refused.value)


def test_a_table_that_is_not_there_is_named(postgresql):
    named = PostgresqlDatabase(f"host={postgresql.server.folder} user=postgres dbname=postgres")
    with pytest.raises(CannotConnect, match="table nobody_has_this"):
        named.prepare(form(table="nobody_has_this"))
    named.connection.close()


@pytest.mark.parametrize("store", ["sqlserver", "https_api"])
def test_a_store_that_cannot_be_named_says_so(store):
    with pytest.raises(CannotConnect, match="can't be named"):
        database_for(store, "anything")


def test_a_named_mongodb_is_used_as_it_is():
    """The stand-in plays the server that the person has: what is tested is how it is reached and kept clean."""
    made, server = form("mongodb"), database_for("mongodb")
    server.prepare(made)
    named = database_for("mongodb", f"mongodb://{next(iter(server.hosts.values()))}/contract?directConnection=true")
    try:
        server.users.insert_one({"email": "real.person@larkspur.example"})
        assert failures(run(impatient(made), made, named, only=("get_user",))) == []
        assert named.count() == 0
        assert [one["email"] for one in server.users.find()] == ["real.person@larkspur.example"]
    finally:
        named.close()
        server.close()


@pytest.mark.skipif("CASTELLAN_TEST_MYSQL" not in os.environ, reason="CASTELLAN_TEST_MYSQL names no MySQL or MariaDB")
def test_generated_scripts_keep_the_contract_on_a_real_mysql():
    """mysql://user:password@host:3306/database, whose tables the user may make and drop."""
    made = form("mysql", table="castellan_contract")
    database = database_for("mysql", os.environ["CASTELLAN_TEST_MYSQL"])
    with database.connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS castellan_contract")
        cursor.execute(
            "CREATE TABLE castellan_contract (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) UNIQUE, "
            "password_hash VARCHAR(255), email_verified TINYINT(1), login_name VARCHAR(100), first_name VARCHAR(100))"
        )
    try:
        assert failures(run(generate.scripts(made), made, database)) == []
    finally:
        database.close()


@pytest.mark.parametrize(
    ("store", "dsn", "text"),
    [
        ("mysql", "mysql://u:hush-hush@127.0.0.1:1/x", "can't be reached"),
        ("mysql", "hush-hush", "no address of a MySQL"),
        ("mysql", "mysql://u:hush-hush@localhost", "no address of a MySQL"),
        ("mongodb", "hush-hush", "no address of a MongoDB"),
        ("mongodb", "mongodb://u:hush-hush@127.0.0.1:1/", "names no database"),
        ("mongodb", "mongodb://u:hush-hush@127.0.0.1:1/x?serverSelectionTimeoutMS=200", "can't be reached"),
    ],
)
def test_a_wrong_address_of_another_store_is_a_clear_error_too(store, dsn, text):
    with pytest.raises(CannotConnect, match=text) as refused:
        database_for(store, dsn)
    assert "hush-hush" not in str(refused.value)


def test_nothing_of_the_embedded_server_is_left_behind():
    database = PostgresqlDatabase()
    process, folder = database.server.process, database.server.folder
    database.close()
    assert process.poll() is not None
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host={folder} user=postgres")


# --- scripts that misbehave


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for (;;) {}", "did not answer"),
        ("process.exit(0);", "did not answer"),
        ("", "did not answer"),
        ("throw new Error('x');", "threw instead"),
        ("require('fs').readFileSync('/etc/passwd'); callback(null);", "threw instead"),
        ("callback(null); callback(null);", "called 2 times"),
        ("callback(null); setTimeout(() => callback(null), 1);", "called 2 times"),
        ("callback(null); throw new Error('late');", "late"),
        ("callback(null, 'nonsense');", "was expected"),
        ("callback('text');", "was expected"),
        ("require('net').connect(80, 'elsewhere.example').on('error', () => callback(null, 1));", "was expected"),
    ],
)
def test_a_misbehaving_script_gets_a_verdict(postgresql, monkeypatch, body, reason):
    monkeypatch.setattr("identity.databases.contracts.run.TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("identity.databases.contracts.run.CASES", {"get_user": CASES["get_user"][:2]})
    made = form()
    bad = f"function getUser(email, callback) {{ {body} }}"
    verdicts = run({**generate.scripts(made), "get_user": bad}, made, postgresql)
    assert verdicts[0].passed is False
    assert reason in verdicts[0].reason


def test_a_script_that_is_too_large_or_does_not_parse_fails_every_case(postgresql, monkeypatch):
    monkeypatch.setattr("identity.databases.contracts.run.CASES", {"get_user": CASES["get_user"][:3]})
    made = form()
    for bad in ("function getUser(email, callback) { ", "//" + "x" * 100_000):
        verdicts = run({**generate.scripts(made), "get_user": bad}, made, postgresql)
        assert [verdict.passed for verdict in verdicts] == [False] * 3


# --- seeded faults: (script, text, instead)

FAULTS = {
    "a value in the statement": ("get_user", "LOWER($1)", "LOWER('\" + email + \"')"),
    "no parameter given": ("login", "[userNameOrEmail, userNameOrEmail]", "[]"),
    "a second callback": ("change_password", "return callback(null, changed);", "callback(null, changed); return callback(null, changed);"),
    "a callback that is not returned": ("get_user", "    return callback(null);", "    callback(null);"),
    "a leaked connection": ("get_user", "await client.end().catch(() => {});", ""),
    "a connection that is closed on success alone": ("verify", "    } finally {\n      await client.end().catch(() => {});\n    }", "    } catch (error) {\n      throw error;\n    }"),
    "passwords stored as typed": ("create", "bcrypt.hash(given, 12)", "Promise.resolve(given)"),
    "passwords stored as typed, on change": ("change_password", "bcrypt.hash(given, 12)", "given"),
    "every password is right": ("login", "matches = Boolean(user) && (await passwordMatches(password, user.password_hash));", "matches = Boolean(user);"),
    "a wrong password is a fault": ("login", "new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong e-mail or password.')", "new Error('Please try again.')"),
    "login without profile": ("login", "return callback(new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password.'));", "return callback(null);"),
    "not found is an error": ("get_user", "    return callback(null);", "    return callback(new Error('There is no such user.'));"),
    "an error is not found": ("get_user", "return callback(new Error('The user database could not be reached. Please try again later.'));", "return callback(null);"),
    "a user_id that is not unique": ("login", "user_id: `shop|${user.id}`", "user_id: String(user.id)"),
    "user_id missing": ("login", "    user_id: `shop|${user.id}`,\n", ""),
    "a hash in the profile": ("get_user", "    given_name: user.first_name,", "    given_name: user.first_name,\n    check: user.password_hash,"),
    "the record as profile": ("get_user", "return callback(null, {", "return callback(null, user); ({"),
    "always changed": ("change_password", "return callback(null, changed);", "return callback(null, true);"),
    "everybody's password": ("change_password", ' WHERE LOWER("email") = LOWER($2)', " WHERE $2 <> ''"),
    "everybody deleted": ("delete", ' WHERE CAST("id" AS text) = $1', " WHERE $1 <> ''"),
    "the prefix is not removed": ("delete", ".replace(/^shop\\|/, '')", ""),
    "verify does nothing": ("verify", '"email_verified" = $1', '"email_verified" = "email_verified" AND $1'),
    "capitals matter": ("login", 'LOWER("email") = LOWER($1)', '"email" = $1'),
    "a taken address is a fault": ("create", "error.code === '23505'", "error.code === 'DUPLICATE'"),
    "a wrong code for a taken address": ("create", "'user_exists'", "'exists'"),
    "a path without callback": ("get_user", "    return callback(null);", "    return;"),
    "an error nobody catches": ("verify", "  try {\n    verified =", "  {\n    verified ="),
    "a password in the log": ("login", "  let user;", "  console.log(`sign-in of ${userNameOrEmail} with ${password}`);\n  let user;"),
    "the driver's error to the person": ("verify", "new Error('The user database could not be reached. Please try again later.')", "error"),
    "a secret in the code": ("login", "configuration.DATABASE_URL", "'postgresql://scripts:s3cret@db.larkspur.example/shop'"),
    "no time-out": ("login", "      connectionTimeoutMillis: 5000,\n", ""),
    "the verified flag is ignored": ("change_email", "verified, email]", "false, email]"),
    "new users are verified": ("create", "        false,", "        true,"),
    "a module without version": ("login", "require('pg@8.11.3')", "require('pg')"),
    "known and unknown users changed": ("login", "new WrongUsernameOrPasswordError(null,", "new WrongUsernameOrPasswordError(userNameOrEmail,"),
    "user data in global": ("login", "  let user;", "  global.lastUser = global.lastUser || userNameOrEmail;\n  let user;"),
    "the callback before the work": ("verify", "    verified = (await query(", "    query('SELECT 1', []);\n    verified = (await query("),
    "encryption checks off": ("login", "      query_timeout: 8000,", "      query_timeout: 8000,\n      ssl: { rejectUnauthorized: false },"),
}  # fmt: skip


def broken(name: str) -> tuple[str, dict[str, str]]:
    script, text, instead = FAULTS[name]
    scripts = generate.scripts(form())
    quote = "'" if "email + " in instead else ""
    code = scripts[script]
    assert text in code, f"{name}: the generated script has changed; {text!r} is not in it"
    code = code.replace(text, instead, 1)
    if quote:
        code = (
            code.replace("'SELECT", '"SELECT')
            .replace("= $2'", '= $2"')
            .replace('"id"', "id")
            .replace('"email"', "email")
        )
        code = code.replace('"password_hash"', "password_hash").replace('"email_verified"', "email_verified")
        code = (
            code.replace('"login_name"', "login_name").replace('"first_name"', "first_name").replace('"users"', "users")
        )
        code = code.replace("$2", "$1").replace("[email, email]", "[email]")
    if name == "an error nobody catches":
        start = code.index("  } catch (error) {\n    return callback")
        code = code[:start] + "  }\n" + code[code.index("  if (!verified)") :]
    return script, {**scripts, script: code}


@pytest.fixture(scope="module")
def linted():
    """Which faults the linter finds, all in one run of Node."""
    entries = [(FAULTS[name][0], broken(name)[1][FAULTS[name][0]]) for name in FAULTS]
    seen = lint.eslint(entries, import_mode=False, context=False)
    levels = {
        name: {lint.RULES[one["rule"]].level for one in found["findings"]}
        for name, found in zip(FAULTS, seen, strict=True)
    }
    return {name for name, found in levels.items() if found - {"info"}}


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught_by_linter_or_tests(postgresql, linted, name):
    if name in linted:
        return
    script, scripts = broken(name)
    assert not passed(run(scripts, form(), postgresql, only=(script,))), name


def test_both_the_linter_and_the_tests_catch_faults(linted):
    assert len(FAULTS) >= 20
    assert 8 <= len(linted) < len(FAULTS)
