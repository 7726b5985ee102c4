"""Contract tests: every script really runs, with its real driver, against a database, and what it answers is judged.

`database_for` gives the database, `run.run` the verdicts. The cases are a table in `cases`.
"""

from __future__ import annotations

from importlib import import_module

from identity.databases.contracts.database import CannotConnect, Database

# store -> (module and class of our own database, those of one that the person names)
_DATABASES = {
    "postgresql": ("postgresql.PostgresqlDatabase", "postgresql.PostgresqlDatabase"),
    "mysql": ("mysql.MysqlDatabase", "mysql_server.MysqlServerDatabase"),
    "sqlserver": ("sqlserver.SqlserverDatabase", None),
    "mongodb": ("mongodb.MongodbDatabase", "mongodb_server.MongodbServerDatabase"),
    "https_api": ("https_api.HttpsApiDatabase", None),
}
NAMEABLE = tuple(store for store, (_, named) in _DATABASES.items() if named)


def database_for(store: str, dsn: str | None = None) -> Database:
    """A database to test scripts of this store against; close it afterwards. Raises CannotConnect.

    dsn: one that the person names for tests (a store in NAMEABLE); its table must exist, with the form's columns.
    Without a DSN one of our own starts; its `notice` says what is not real about it.
    """
    own, named = _DATABASES[store]
    if dsn is not None and named is None:
        raise CannotConnect("A store of this kind can't be named; leave the address empty to test on the stand-in.")
    # Imported when needed: drivers and stand-ins are heavy, and most processes need none.
    module, _, name = str(named if dsn is not None else own).partition(".")
    made = getattr(import_module(f"{__name__}.{module}"), name)
    return made() if dsn is None else made(dsn)
