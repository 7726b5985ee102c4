"""/clients/search and its siblings: Lucene's or SCIM's filter syntax over one kind, oldest first or sorted.

SCIM's filters are written as Lucene queries, which the users' search index answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.kinds import paging
from sandbox.kinds.operations import OPERATIONS, Call, Operation
from sandbox.users import index, query

MOST_CONDITIONS = 5
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_SCIM = re.compile(r'"(?:\\.|[^"\\])*"|[()]|[^\s()"]+')
_SPECIAL = re.compile(r'([+\-&|!(){}\[\]^"~*?:\\/\s])')
_COMPARED = {
    "eq": "{0}:{quoted}",
    "ne": "(NOT {0}:{quoted})",
    "sw": "{0}:{plain}*",
    "ew": "{0}:*{plain}",
    "co": "{0}:*{plain}*",
    "gt": "{0}:{{{quoted} TO *}}",
    "ge": "{0}:[{quoted} TO *]",
    "lt": "{0}:{{* TO {quoted}}}",
    "le": "{0}:[* TO {quoted}]",
}


@dataclass(frozen=True, slots=True)
class Search:
    path: str
    store: str
    fields: frozenset[str]
    bare: tuple[str, ...]
    """What a word without a field is looked for in."""
    metadata: str = "metadata"
    """The property in which metadata.KEY looks."""
    never: frozenset[str] = frozenset()
    """Properties that an answer never holds."""


SEARCHES = (
    Search(
        "/clients/search",
        "clients",
        frozenset({"client_id", "external_client_id", "name", "app_type", "is_first_party", "updated_at"}),
        ("name", "client_id"),
        "client_metadata",
        frozenset({"client_secret", "encryption_key", "signing_keys", "owners", "addons"}),
    ),
    Search(
        "/organizations/search",
        "organizations",
        frozenset({"id", "name", "display_name", "created_at"}),
        ("name", "display_name"),
    ),
    Search(
        "/resource-servers/search",
        "resource_servers",
        frozenset({"id", "identifier", "name", "updated_at"}),
        ("name", "identifier"),
        never=frozenset({"signing_secret"}),
    ),
    Search(
        "/client-grants/search",
        "client_grants",
        frozenset({"audience", "client_id", "subject_type", "allow_any_organization", "updated_at", "default_for"}),
        ("client_id", "audience"),
    ),
)


def find(search: Search, call: Call) -> Any:
    text = call.query.get("q", "")
    try:
        if call.query.get("parser") == "scim":
            text = _from_scim(text)
        known = index.of(call.tenant, search.store, search.bare)
        ids = query.find(known, _checked(search, text))
    except query.InvalidQueryError as problem:
        raise paging.invalid_query(str(problem)) from None
    found = [known.rows[id] for id in known.ordered(ids, call.query.get("sort"), descending=False)]
    shown = [{key: value for key, value in one.items() if key not in search.never} for one in found]
    return paging.checkpoint(call, shown, search.store)


def _checked(search: Search, text: str) -> str:
    """The query with metadata where the documents keep it. Raises InvalidQueryError for what is not searched."""
    parts = re.split(r"([\w.{}\-]+):(?!//)", _QUOTED.sub(lambda quoted: quoted[0].replace(":", "\0"), text))
    names = [parts[at] for at in range(1, len(parts), 2)]
    if len(names) > MOST_CONDITIONS:
        raise query.InvalidQueryError(f"A query may hold {MOST_CONDITIONS} filters at most")
    for at, name in enumerate(names):
        if name.startswith("metadata."):
            parts[2 * at + 1] = search.metadata + name.removeprefix("metadata")
        elif name not in search.fields and name != "_exists_":
            raise query.InvalidQueryError(f"The field {name} can't be searched")
    joined = "".join(part + ":" if at % 2 else part for at, part in enumerate(parts))
    return joined.replace("_exists_:metadata.", f"_exists_:{search.metadata}.").replace("\0", ":")


def _from_scim(text: str) -> str:
    """`name sw "auth" and app_type eq "spa"` -> `name:auth* AND app_type:"spa"`."""
    words = [match[0] for match in _SCIM.finditer(text)]
    result: list[str] = []
    while words:
        word = words.pop(0)
        if word in ("(", ")") or word.lower() in ("and", "or", "not"):
            result.append(word.upper())
            continue
        operator = words.pop(0).lower() if words else ""
        if operator == "pr":
            result.append(f"_exists_:{word}")
        elif operator in _COMPARED and words:
            result.append(_compared(word, operator, words.pop(0)))
        else:
            raise query.InvalidQueryError(f'{word} needs an operator and a value, such as {word} eq "x"')
    return " ".join(result)


def _compared(field: str, operator: str, value: str) -> str:
    plain = value[1:-1] if value.startswith('"') else value
    quoted = '"' + plain.replace('"', '\\"') + '"'
    return _COMPARED[operator].format(field, plain=_SPECIAL.sub(r"\\\1", plain), quoted=quoted)


def _bound(search: Search) -> Any:
    def handler(call: Call) -> Any:
        return find(search, call)

    return handler


for _search in SEARCHES:
    OPERATIONS["GET", _search.path] = Operation(_bound(_search))
