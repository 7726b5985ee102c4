"""An API of users for contract tests: tokens by client credentials, the paths that generated scripts call.

It speaks plain HTTP, because the scripts' Node knows no private certificate authority; the addresses come from
`configuration`, so the code under test is the same.
"""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from identity.databases.contracts.database import OwnServer, User
from identity.databases.form import Form

NAME = "api.contract.test:80"
BASE = "http://api.contract.test/"
VERSION = "v1"  # no slash at its end, as people write addresses


class HttpsApiDatabase(OwnServer):
    notice = "Not your API: a stand-in with the paths that generated scripts call. Name a test instance for a proof."

    def __init__(self) -> None:
        self.form: Form | None = None
        self.doubles: dict[str, str] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.token, self.secret = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._next = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        arguments: dict[str, Any] = {"poll_interval": 0.05}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=arguments, daemon=True)
        self._thread.start()
        self.hosts = {NAME: f"127.0.0.1:{self._server.server_address[1]}"}
        self.configuration = {
            "API_URL": f"{BASE}{VERSION}",
            "API_AUDIENCE": "https://users.contract.test",
            "TOKEN_URL": f"{BASE}oauth/token",
            "CLIENT_ID": "contract",
            "CLIENT_SECRET": self.secret,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        database = self

        class Handler(BaseHTTPRequestHandler):
            # One request per connection: a script's kept connection would count as left open.
            def answer(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                token = self.headers.get("authorization", "").removeprefix("Bearer ")
                status, document = database.answer(self.command, unquote(self.path), body, token)
                if status >= 400:
                    database.refuse(f"{self.command} {self.path} is answered with {status}.")
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                """Silent: requests carry passwords."""

        return Handler

    def answer(self, method: str, path: str, body: dict[str, Any], token: str) -> tuple[int, Any]:
        """(status, document) of one request."""
        if self.full:
            return 503, {"error": "busy"}
        if path == "/oauth/token":
            return self._token(body)
        if not secrets.compare_digest(token, self.token):
            return 401, {"error": "unauthorized"}
        with self._lock:
            return self._users(method, path.removeprefix(f"/{VERSION}"), self._by_profile_field(body))

    def _token(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("client_secret") != self.secret or body.get("grant_type") != "client_credentials":
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"}

    def _users(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if (method, path) == ("POST", "/users"):
            return self._create(body)
        if (method, path) == ("POST", "/users/check-password"):
            found = self._named(str(body.get("identifier")))
            matches = found and found["password"] is not None and found["password"] == body.get("password")
            return (200, self._public(found)) if found and matches else (404, {})
        found = self._named(path.removeprefix("/users/")) if path.startswith("/users/") else None
        if found is None:
            return 404, {}
        if method == "PATCH":
            return self._change(found, body)
        if method == "DELETE":
            del self.records[found["id"]]
        return 200, self._public(found)

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        if self._named(str(body["email"])):
            return 409, {"error": "exists"}
        self._next += 1
        self.records[str(self._next)] = {**body, "id": str(self._next)}
        return 201, self._public(self.records[str(self._next)])

    def _change(self, found: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        other = self._named(str(body.get("email", "")))
        if other is not None and other is not found:
            return 409, {"error": "exists"}
        found.update(body)
        return 200, self._public(found)

    def _by_profile_field(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a script sends, in the names of profile fields; of two that share a JSON field, the first."""
        assert self.form  # noqa: S101 (prepare comes first)
        fields = {column: name for name, column in reversed(self.form.columns.items())}
        return {fields.get(column, column): value for column, value in body.items()}

    def _public(self, record: dict[str, Any]) -> dict[str, Any]:
        """What the API shows of a user, in the form's JSON fields."""
        assert self.form  # noqa: S101
        known = {**record, "user_id": record["id"]}
        columns = {name: column for name, column in self.form.columns.items() if column and name != "password"}
        return {column: known.get(name) for name, column in reversed(columns.items())}

    def _named(self, identifier: str) -> dict[str, Any] | None:
        for record in self.records.values():
            if identifier in (record["id"], record.get("username")):
                return record
            if str(record["email"]).lower() == identifier.lower():
                return record
        return None

    # --- the test users

    def prepare(self, form: Form) -> None:
        self.form = form
        self.records = {}

    def add(self, user: User) -> str:
        self._next += 1
        record = {**user.fields, "email": user.email, "email_verified": user.email_verified, "username": user.username}
        self.records[str(self._next)] = {**record, "password": user.password, "id": str(self._next)}
        return str(self._next)

    def find(self, email: str) -> dict[str, Any] | None:
        return next((record for record in self.records.values() if record["email"] == email), None)

    def count(self) -> int:
        return len(self.records)

    def clear(self) -> None:
        self.records = {}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
