"""SQL Server for contract tests: no server can be had here, so the modules mssql and tedious have doubles (doubles/).

What a script sends is parsed as T-SQL and run, with its parameters, on SQLite. That proves statements, parameters,
error handling and connections, and not SQL Server itself.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from identity.databases.contracts.lines import LocalServer
from identity.databases.contracts.sqlite_engine import BadStatement, Duplicate, SqliteEngine, StandIn

DOUBLES = Path(__file__).parent / "doubles"
NAME = "sqlserver.contract.test:1433"
DUPLICATE_KEY, SYNTAX, NO_ROOM = 2627, 102, 17809


class SqlserverDatabase(StandIn):
    notice = (
        "Not a real SQL Server: a double of the driver sends the T-SQL to SQLite. Try the scripts once on a SQL Server "
        "of your own before people use them."
    )

    def __init__(self) -> None:
        self.engine = SqliteEngine("tsql")
        self.server = LocalServer(self._serve)
        self.hosts = {NAME: self.server.address}
        self.configuration = {"DATABASE_URL": f"Server={NAME.replace(':', ',')};Database=contract;Encrypt=true"}
        mssql, tedious = ((DOUBLES / f"{name}.js").read_text(encoding="utf-8") for name in ("mssql", "tedious"))
        self.doubles = {"mssql": mssql, "tedious": mssql + tedious}

    def _serve(self, connection: socket.socket) -> None:
        """One JSON object per line: {"text", "parameters"} -> {"recordset", "rowsAffected"} or {"error", "number"}."""
        with connection.makefile("rwb") as stream:
            for line in stream:
                stream.write(json.dumps(self._answer(**json.loads(line))).encode() + b"\n")
                stream.flush()

    def _answer(self, text: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self.full:
            return {"error": "Could not connect: the maximum number of connections is reached.", "number": NO_ROOM}
        if text == "LOGIN":
            return {}
        try:
            answer = self.engine.execute(text, parameters)
        except Duplicate as problem:
            self.refuse(str(problem))
            return {"error": "Violation of UNIQUE KEY constraint.", "number": DUPLICATE_KEY}
        except BadStatement as problem:
            self.refuse(str(problem))
            return {"error": f"Incorrect syntax: {problem}", "number": SYNTAX}
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        for row in rows:
            self._bit(row)
        return {"recordset": rows, "recordsets": [rows], "rowsAffected": [len(rows) or answer.changed]}

    def _bit(self, row: dict[str, Any]) -> None:
        """SQL Server's bit comes back as true or false."""
        assert self.engine.form  # noqa: S101
        name = self.engine.form.columns["email_verified"]
        if row.get(name) is not None:
            row[name] = bool(row[name])

    def close(self) -> None:
        self.server.close()
        self.engine.close()
