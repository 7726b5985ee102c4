"""Databases that the person names for contract tests: real servers, wrong addresses, and what is left alone."""

import contextlib
import os
from collections.abc import Iterator

import psycopg
import pytest

from identity.databases import generate
from identity.databases.contracts import database_for
from identity.databases.contracts.database import CannotConnect, User
from identity.databases.contracts.mysql_server import MysqlServerDatabase
from identity.databases.contracts.postgresql import PostgresqlDatabase
from identity.databases.contracts.run import run
from identity.databases.form import HASHES
from tests import mariadb
from tests.identity.contract_bench import HASHING, failures, form, scripts_for

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
        ] * 4
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
        assert failures(run(scripts_for(made), made, named, only=("get_user",))) == []
        assert named.count() == 0
        assert [one["email"] for one in server.users.find()] == ["real.person@larkspur.example"]
    finally:
        named.close()
        server.close()


@pytest.fixture(scope="module")
def mysql() -> Iterator[MysqlServerDatabase]:
    """The one that CASTELLAN_TEST_MYSQL names, whose tables the user may make and drop; else one of this machine."""
    with contextlib.ExitStack() as stack:
        named = os.environ.get("CASTELLAN_TEST_MYSQL")
        if named is None and mariadb.SERVER is None:
            pytest.skip("There is no MariaDB on this machine, and CASTELLAN_TEST_MYSQL names no server.")
        database = database_for("mysql", named or stack.enter_context(mariadb.running()))
        with database.connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS castellan_contract")
            cursor.execute(
                "CREATE TABLE castellan_contract (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) UNIQUE, "
                "password_hash VARCHAR(255), email_verified TINYINT(1), login_name VARCHAR(100), "
                "first_name VARCHAR(100))"
            )
        stack.callback(database.close)
        yield database


@pytest.mark.parametrize("hash_name", HASHES)
def test_generated_scripts_keep_the_contract_on_a_real_mysql(mysql, hash_name):
    made = form("mysql", table="castellan_contract", hash=hash_name)
    only = () if hash_name == "bcrypt" else HASHING
    assert failures(run(generate.scripts(made), made, mysql, only=only)) == []


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
