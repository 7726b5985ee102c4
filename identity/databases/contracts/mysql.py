"""MySQL for contract tests: the real mysql2 driver talks MySQL's protocol to a server of ours (mysql-mimic).

The statements run on SQLite. A MariaDB or MySQL that the person names is used as it is.
"""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from functools import partial
from typing import Any

from mysql_mimic import MysqlServer, Session, packets
from mysql_mimic.errors import ErrorCode, MysqlError
from mysql_mimic.results import ResultColumn, ResultSet
from mysql_mimic.types import ColumnType
from sqlglot import exp, parse_one

from identity.databases.contracts.sqlite_engine import BadStatement, Duplicate, SqliteEngine, StandIn

NAME = "mysql.contract.test:3306"
WRITES = (exp.Insert, exp.Update, exp.Delete)
DUPLICATE_ENTRY = 1062


def parse_execution(capabilities: Any, client_charset: Any, data: bytes, get_stmt: Any) -> Any:
    """The execution of a prepared statement, each value a literal of the syntax tree.

    It stands in for mysql-mimic's own function, which puts values between quotes without escaping them, so that
    the server itself would be open to the injections that the tests look for in scripts.
    """
    reader = io.BytesIO(data)
    statement = get_stmt(packets.read_uint_4(reader))
    use_cursor, counted = packets._read_cursor_flags(reader)
    packets.read_uint_4(reader)  # iteration count, always 1
    count = statement.num_params
    if packets.Capabilities.CLIENT_QUERY_ATTRIBUTES in capabilities and (count or counted):
        count = packets.read_uint_len(reader)
    values = packets._read_params(capabilities, client_charset, reader, count, statement.param_buffers) if count else []
    attributes = {name: value for name, value in values[statement.num_params :] if name is not None}
    text = with_literals(statement.sql, [value for _, value in values[: statement.num_params]])
    return packets.ComStmtExecute(sql=text, query_attrs=attributes, stmt=statement, use_cursor=use_cursor)


def with_literals(statement: str, values: list[Any]) -> str:
    given = iter(values)
    tree = parse_one(statement, read="mysql")
    tree = tree.transform(lambda node: exp.convert(next(given)) if isinstance(node, exp.Placeholder) else node)
    return tree.sql(dialect="mysql")


packets.parse_com_stmt_execute = parse_execution


class ScriptSession(Session):
    """A connection of a script: writes tell how many rows they changed, errors carry MySQL's codes."""

    def __init__(self, database: MysqlDatabase) -> None:
        super().__init__()
        self.test_database = database

    async def query(self, expression: exp.Expression, sql: str, attrs: dict[str, str]) -> Any:
        if self.test_database.full:
            raise MysqlError("Too many connections", code=ErrorCode.CON_COUNT_ERROR)
        try:
            answer = self.test_database.engine.execute(expression)
        except Duplicate as problem:
            self.test_database.refuse(str(problem))
            raise MysqlError(f"Duplicate entry: {problem}", code=DUPLICATE_ENTRY) from None
        except BadStatement as problem:
            self.test_database.refuse(str(problem))
            raise MysqlError(str(problem), code=ErrorCode.PARSE_ERROR) from None
        if isinstance(expression, WRITES):
            self._tell_changed(answer.changed)
            return [], []
        columns = [ResultColumn(name, _type(answer.rows, index)) for index, name in enumerate(answer.columns)]
        return ResultSet(answer.rows, columns)

    def _tell_changed(self, number: int) -> None:
        """mysql-mimic has no word for changed rows; the next OK packet of this connection carries them."""
        connection: Any = self.connection
        original = type(connection).ok

        def ok(**more: Any) -> bytes:
            del connection.ok
            return original(connection, **{"affected_rows": number, **more})

        connection.ok = ok


def _type(rows: list[Any], index: int) -> ColumnType:
    value = next((row[index] for row in rows if row[index] is not None), None)
    return ColumnType.LONGLONG if isinstance(value, int) else ColumnType.VARCHAR


class MysqlDatabase(StandIn):
    notice = (
        "Not a real MySQL: the driver talks MySQL's protocol, and the statements run on SQLite. Name a MySQL or "
        "MariaDB of your own for a proof."
    )

    def __init__(self) -> None:
        logging.getLogger("mysql_mimic").setLevel(logging.CRITICAL)  # it logs each refused statement, with its values
        self.engine = SqliteEngine("mysql")
        self.doubles: dict[str, str] = {}
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="mysql", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        self.hosts = {NAME: f"127.0.0.1:{self.port}"}
        self.configuration = {"DATABASE_URL": f"mysql://scripts@{NAME}/contract"}

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(lambda *_: None)  # connections that a script or a fault cuts are no news
        server = MysqlServer(session_factory=partial(ScriptSession, self))
        self.loop.run_until_complete(server.start_server(host="127.0.0.1", port=0))
        self.port = server._server.sockets[0].getsockname()[1]
        self.server = server
        self._ready.set()
        self.loop.run_forever()

    def close(self) -> None:
        async def stop() -> None:
            self.server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()
        self.engine.close()
