"""MongoDB for contract tests: the real mongodb driver talks MongoDB's protocol to a small server of ours.

The documents live in mongomock. Only what scripts for a user store need is understood; anything else is answered by
MongoDB's own "no such command".
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from typing import Any

import bson
import mongomock
from bson import ObjectId
from mongomock.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from identity.databases.contracts.database import DOMAIN, OwnServer, User, by_profile_field
from identity.databases.contracts.lines import LocalServer, read_exactly
from identity.databases.form import Form

NAME = "mongodb.contract.test:27017"
OP_MSG, OP_QUERY, OP_REPLY = 2013, 2004, 1
NO_SUCH_COMMAND, DUPLICATE_KEY, TOO_MANY = 59, 11000, 202
HELLO = {
    "ismaster": True,
    "isWritablePrimary": True,
    "helloOk": True,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 1000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "readOnly": False,
    "ok": 1.0,
}


class MongodbDatabase(OwnServer):
    notice = (
        "Not a real MongoDB: the driver talks MongoDB's protocol to a stand-in that keeps documents in memory. Name a "
        "MongoDB of your own for a proof."
    )

    def __init__(self) -> None:
        self.form: Form | None = None
        self.doubles: dict[str, str] = {}
        self.client: Any = mongomock.MongoClient()
        self._lock = threading.Lock()
        self.server = LocalServer(self._serve)
        self.hosts = {NAME: self.server.address}
        self.configuration = {"DATABASE_URL": f"mongodb://{NAME}/contract?directConnection=true"}

    # --- the protocol

    def _serve(self, connection: socket.socket) -> None:
        while True:
            size, request, _, kind = struct.unpack("<iiii", read_exactly(connection, 16))
            body = read_exactly(connection, size - 16)
            if kind == OP_MSG:
                command, reply = parse_message(body), 0
                answer = b"\x00\x00\x00\x00\x00" + bson.encode(self._answer(command))
            else:
                command, reply = parse_query(body), OP_REPLY
                answer = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(self._answer(command))
            connection.sendall(struct.pack("<iiii", 16 + len(answer), 0, request, reply or OP_MSG) + answer)

    def _answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        work = COMMANDS.get(name.lower())
        if work is None:
            return self._failure(NO_SUCH_COMMAND, f"no such command: '{name}'")
        if self.full and name.lower() not in ("hello", "ismaster"):
            return self._failure(TOO_MANY, "too many connections")
        try:
            with self._lock:
                return {**work(self, command, self._collection(command, name)), "ok": 1.0}
        except (PyMongoError, NotImplementedError, TypeError) as problem:
            return self._failure(2, str(problem))

    def _failure(self, code: int, message: str) -> dict[str, Any]:
        self.refuse(message)
        return {"ok": 0.0, "code": code, "errmsg": message}

    def _collection(self, command: dict[str, Any], name: str) -> Collection:
        named = command[name] if isinstance(command[name], str) else "none"
        return self.client[command.get("$db", "contract")][named]

    # --- the test users

    @property
    def users(self) -> Collection:
        assert self.form  # noqa: S101 (prepare comes first)
        return self.client["contract"][self.form.table]

    def prepare(self, form: Form) -> None:
        self.form = form
        self.users.drop()

    def add(self, user: User) -> str:
        assert self.form  # noqa: S101
        key, column = ObjectId(), self.form.columns["user_id"]
        named = {} if column == "_id" else {column: str(key)}
        self.users.insert_one({"_id": key, **user.row(self.form), **named})
        return str(key)

    def find(self, email: str) -> dict[str, Any] | None:
        assert self.form  # noqa: S101
        return by_profile_field(self.form, self.users.find_one({self.form.columns["email"]: email}))

    def count(self) -> int:
        return int(self.users.count_documents({}))

    def clear(self) -> None:
        assert self.form  # noqa: S101
        self.users.delete_many({self.form.columns["email"]: {"$regex": re.escape(DOMAIN)}})

    def taken(self, document: dict[str, Any], *, besides: Any = None) -> bool:
        """The unique index on the address, which compares without regard to case."""
        assert self.form  # noqa: S101
        address = document.get(self.form.columns["email"])
        if address is None:
            return False
        found = self.users.find_one({self.form.columns["email"]: same_text(str(address))})
        return found is not None and found["_id"] != besides

    def close(self) -> None:
        self.server.close()


def parse_message(body: bytes) -> dict[str, Any]:
    """OP_MSG: a document, and lists of documents that belong into it."""
    command: dict[str, Any] = {}
    position = 4
    while position < len(body):
        kind, position = body[position], position + 1
        (size,) = struct.unpack_from("<i", body, position)
        if kind == 0:
            command = {**bson.decode(body[position : position + size]), **command}
        else:
            end = body.index(b"\0", position + 4)
            documents = bson.decode_all(body[end + 1 : position + size])
            command[body[position + 4 : end].decode()] = documents
        position += size
    first = next(name for name in command if name not in ("documents", "updates", "deletes"))
    return {first: command[first], **command}


def parse_query(body: bytes) -> dict[str, Any]:
    """The old OP_QUERY, with which drivers say hello."""
    end = body.index(b"\0", 4)
    return bson.decode(body[end + 1 + 8 :])


def same_text(text: str) -> dict[str, Any]:
    return {"$regex": f"^{re.escape(text)}$", "$options": "i"}


def ignoring_case(query: Any, collation: dict[str, Any] | None) -> Any:
    """A collation of strength 1 or 2 compares text without regard to case."""
    if not collation or collation.get("strength", 3) > 2:
        return query
    if isinstance(query, list):
        return [ignoring_case(one, collation) for one in query]
    if not isinstance(query, dict):
        return query
    return {
        name: same_text(value)
        if isinstance(value, str) and not name.startswith("$")
        else ignoring_case(value, collation)
        for name, value in query.items()
    }


def matching(users: Collection, query: dict[str, Any], collation: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The documents that a query means; $expr is understood in the one form {$eq: [{$toString: "$field"}, text]}."""
    query = dict(query)
    compared = query.pop("$expr", None)
    found = list(users.find(ignoring_case(query, collation)))
    if compared is None:
        return found
    if set(compared) != {"$eq"} or set(compared["$eq"][0]) != {"$toString"}:
        raise NotImplementedError("This $expr is not known to the stand-in.")
    field, wanted = compared["$eq"][0]["$toString"].lstrip("$"), compared["$eq"][1]
    return [one for one in found if str(one.get(field)) == wanted]


def find(database: MongodbDatabase, command: dict[str, Any], users: Collection) -> dict[str, Any]:
    found = matching(users, command.get("filter", {}), command.get("collation"))
    shown = [name for name, wanted in command.get("projection", {}).items() if wanted]
    if shown:
        found = [{name: one[name] for name in ("_id", *shown) if name in one} for one in found]
    batch = found[: command.get("limit") or len(found)]
    return {"cursor": {"id": bson.Int64(0), "ns": f"contract.{users.name}", "firstBatch": batch}}


def duplicate(index: int) -> dict[str, Any]:
    return {"index": index, "code": DUPLICATE_KEY, "errmsg": "E11000 duplicate key error"}


def insert(database: MongodbDatabase, command: dict[str, Any], users: Collection) -> dict[str, Any]:
    errors = []
    for index, document in enumerate(command["documents"]):
        if database.taken(document):
            errors.append(duplicate(index))
            continue
        with contextlib.suppress(DuplicateKeyError):
            users.insert_one(document)
    answer: dict[str, Any] = {"n": len(command["documents"]) - len(errors)}
    return {**answer, "writeErrors": errors} if errors else answer


def update(database: MongodbDatabase, command: dict[str, Any], users: Collection) -> dict[str, Any]:
    number, errors = 0, []
    for index, change in enumerate(command["updates"]):
        found = matching(users, change["q"], change.get("collation"))
        for document in found if change.get("multi") else found[:1]:
            if database.taken(change["u"].get("$set", {}), besides=document["_id"]):
                errors.append(duplicate(index))
                continue
            users.update_one({"_id": document["_id"]}, change["u"])
            number += 1
    answer: dict[str, Any] = {"n": number, "nModified": number}
    return {**answer, "writeErrors": errors} if errors else answer


def delete(database: MongodbDatabase, command: dict[str, Any], users: Collection) -> dict[str, Any]:
    number = 0
    for removal in command["deletes"]:
        found = matching(users, removal["q"], removal.get("collation"))
        for document in found[:1] if removal.get("limit") else found:
            number += users.delete_one({"_id": document["_id"]}).deleted_count
    return {"n": number}


COMMANDS = {
    "hello": lambda *_: HELLO,
    "ismaster": lambda *_: HELLO,
    "ping": lambda *_: {},
    "endsessions": lambda *_: {},
    "find": find,
    "insert": insert,
    "update": update,
    "delete": delete,
}
