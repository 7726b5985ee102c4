"""Contract tests of scripts that no form of ours has made: other drivers, callbacks, settings of other names."""

# ruff: noqa: E501 (a table reads best one fault to a line)

from pathlib import Path

import pytest

from identity.databases import generate
from identity.databases.contracts import database_for, settings
from identity.databases.contracts.run import passed, run
from identity.databases.form import Form, default_columns
from runtime import scripts as runtime_scripts
from tests.identity.contract_bench import failures

FOLDER = Path(__file__).parent / "scripts_by_hand"
SOME = [f"login-{case}" for case in ("01", "02", "04", "05", "13", "17", "20", "90", "91")]
SOME += [f"get_user-{case}" for case in ("01", "02", "05", "20", "91", "93")]


def by_hand(store: str) -> tuple[Form, dict[str, str]]:
    made = Form(store=store, connection="shop", columns=default_columns(store))
    return made, {name: (FOLDER / f"{store}.{name}.js").read_text(encoding="utf-8") for name in ("login", "get_user")}


@pytest.fixture(scope="module")
def databases(postgresql):
    others = {store: database_for(store) for store in ("mysql", "sqlserver", "mongodb", "https_api")}
    yield {"postgresql": postgresql, **others}
    for database in others.values():
        database.close()
    runtime_scripts.pool.close()


@pytest.mark.parametrize("store", ["postgresql", "mysql", "sqlserver", "mongodb", "https_api"])
def test_correct_scripts_with_callbacks_and_promises_pass(databases, store):
    made, scripts = by_hand(store)
    verdicts = run(scripts, made, databases[store], only=SOME)
    assert failures(verdicts) == []
    judged = set(SOME) - ({"login-17"} if store == "https_api" else set())  # an API compares hashes itself
    assert {verdict.case for verdict in verdicts if verdict.passed} == judged


# (store, script, text, instead, case, what the verdict says)
FAULTS = [
    ("postgresql", "login", "      client.end();\n", "", "login-01", "1 connection(s) to the database stayed open."),
    (
        *("postgresql", "login", "  client.on('error', function () {});\n", "", "login-91"),
        "After its callback the script failed: Connection terminated unexpectedly. Listen for 'error' events",
    ),
    ("mysql", "login", "if (err) return", "if (!err) return", "login-01", "A profile was expected; the script answered"),
    (
        *("mysql", "login", "configuration.DB_HOST", "configuration.WHERE_IT_IS", "login-01"),
        "In these tests there is no value for WHERE_IT_IS in configuration.",
    ),
    # The driver itself calls twice where a prepared statement meets a server that is down.
    ("mysql", "get_user", "execute(", "execute(", "get_user-90", "The callback was called 2 times."),
    ("sqlserver", "get_user", "if (rowCount < 1) return callback();", "", "get_user-02", "did not call back. Nothing is"),
    ("mongodb", "login", "        client.close();\n", "", "login-05", "connection(s) to the database stayed open."),
]  # fmt: skip


@pytest.mark.parametrize(("store", "script", "text", "instead", "case", "says"), FAULTS)
def test_a_fault_put_into_one_is_told(databases, store, script, text, instead, case, says):
    made, scripts = by_hand(store)
    assert text in scripts[script]
    scripts[script] = scripts[script].replace(text, instead, 1)
    [verdict] = run(scripts, made, databases[store], only=(case,))
    assert verdict.passed is False
    assert says in verdict.reason


def test_a_module_that_is_not_here_is_told_once_and_nothing_counts_as_passed(databases):
    made = Form(store="postgresql", connection="shop")
    needs = "function getUser(email, callback) { require('request@2.88.2'); return callback(null); }"
    only = ("get_user", "delete")
    verdicts = run({**generate.scripts(made), "get_user": needs}, made, databases["postgresql"], only=only)
    assert [verdict.passed for verdict in verdicts] == [False, *[None] * (len(verdicts) - 1)]
    assert verdicts[0].reason.startswith("The module 'request@2.88.2' is not installed where scripts are tested")
    assert verdicts[0].came == "it threw Error: Cannot find module 'request@2.88.2'"
    assert {verdict.reason for verdict in verdicts[1:]} == {
        "The script needs a module that is not here.",
        "The script get_user is needed to look at the result.",
    }
    assert not passed(verdicts)


def test_settings_of_other_names_get_the_part_of_the_address_that_they_ask_for():
    code = """const { DB_HOST, dbPort: port, DB_PASS = '' } = configuration;
    use(configuration.sqlUser, configuration['DB_NAME'], configuration?.MONGO_URI, configuration.COLOUR, configurations.X);"""
    own = {"DATABASE_URL": "mysql://scripts:s%3Acret@db.test:3307/contract"}
    given = settings.given([code], own)
    assert given == {
        **own,
        "DB_HOST": "db.test",
        "dbPort": "3307",
        "DB_PASS": "s:cret",
        "sqlUser": "scripts",
        "DB_NAME": "contract",
        "MONGO_URI": own["DATABASE_URL"],
    }
    assert settings.without_value(code, given) == ["In these tests there is no value for COLOUR in configuration."]
