"""Contract tests: every script really runs, with its real driver, against a database, and what it answers is judged.

`database_for` gives the database, `run.run` the verdicts. The cases are a table in `cases`.
"""

from __future__ import annotations

from identity.databases.contracts.database import CannotConnect, Database


def database_for(store: str, dsn: str | None = None) -> Database:
    """A database to test scripts of this store against; close it afterwards. Raises CannotConnect.

    dsn: a PostgreSQL that the person names for tests, whose table must exist. For the other stores, and without a
    DSN, a database of our own starts; its `notice` says what is not real about it.
    """
    # Imported when needed: drivers and stand-ins are heavy, and most processes need none.
    if store == "postgresql":
        from identity.databases.contracts.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(dsn)
    if dsn is not None:
        raise CannotConnect("Only a PostgreSQL can be named so far; leave the address empty to test on the stand-in.")
    if store == "mysql":
        from identity.databases.contracts.mysql import MysqlDatabase

        return MysqlDatabase()
    if store == "sqlserver":
        from identity.databases.contracts.sqlserver import SqlserverDatabase

        return SqlserverDatabase()
    if store == "mongodb":
        from identity.databases.contracts.mongodb import MongodbDatabase

        return MongodbDatabase()
    from identity.databases.contracts.https_api import HttpsApiDatabase

    return HttpsApiDatabase()
