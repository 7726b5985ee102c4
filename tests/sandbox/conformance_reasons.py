"""Why an answer of the sandbox can't be the recorded one: decided by program for each difference of the replay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.sandbox.conformance import Difference


@dataclass(frozen=True)
class Reason:
    title: str
    explanation: str


RANDOM = Reason(
    "a random value, or a time",
    "Auth0 drew it when the recording was made: names of AWS event sources, ciphertexts, certificates, times.",
)
NAME = Reason(
    "the recorded tenant's own name",
    "The answer holds the name or the domain of the tenant that was recorded; a local tenant has its own.",
)
DOCUMENT = Reason(
    "a document on the network",
    "Auth0 read it at an address in the request. The sandbox's Management API opens no connection to the outside: what "
    "it answers depends on the requests alone, and nobody can make it call other machines.",
)
ORDER = Reason(
    "the order of random ids",
    "Auth0 sorts the list by ids that it drew itself.",
)
MOMENT = Reason(
    "the moment of the request",
    "The answer tells how far a build was, whose packages Auth0 could not install.",
)
RIGHTS = Reason(
    "rights that the recorded application or plan lacked",
    "403, where the application that replays has every scope and no plan is set. A client grant with fewer scopes, or "
    "a plan set by `/_sandbox/conditions`, leads to the same refusal.",
)
UNLINKED = Reason(
    "an id that the replay can't translate",
    "The list from which the id was read shows nothing else of the document: nothing tells which id of the local "
    "tenant stands for it.",
)
EARLIER = Reason(
    "what was there before the recording",
    "Documents and settings that no request of the recording had made or written.",
)
OLDER = Reason(
    "an older behaviour",
    "Newer recordings of the same call show another answer, and nothing in the request tells the times apart.",
)
DISORDER = Reason(
    "a recording that contradicts itself",
    "The answer shows what an earlier request of the same recording had deleted.",
)
REASONS = (RANDOM, NAME, DOCUMENT, ORDER, MOMENT, RIGHTS, UNLINKED, EARLIER, OLDER, DISORDER)
"""Where an interaction differs for several reasons, the first of these counts."""

ID = r"/[^/ ]+"
Proof = Callable[[Difference, str], bool]


def _always(difference: Difference, problem: str) -> bool:
    return True


def _discovered(difference: Difference, problem: str) -> bool:
    """The connection names an OpenID Connect discovery document."""
    return bool(difference.row["response"]["options"].get("discovery_url"))


def _self_described(difference: Difference, problem: str) -> bool:
    """The application is described by a document at its own address."""
    return any("/clients/cimd/" in row["path"] for row in [*difference.before, difference.row])


def _sorted_by_id(difference: Difference, problem: str) -> bool:
    ids = [item["connection_id"].lower() for item in difference.row["response"]["connections"]]
    return ids == sorted(ids)


def _installing(difference: Difference, problem: str) -> bool:
    return bool(difference.row["response"]["dependencies"])


def _refused(difference: Difference, problem: str) -> bool:
    """The recorded answer is a 403 for a missing scope or feature."""
    return difference.row["response"].get("errorCode") in ("insufficient_scope", "insufficient_entitlement")


def _unmade(difference: Difference, problem: str) -> bool:
    """No earlier request of the recording made what the path names (404), or something that the body names (400)."""
    named = difference.path.split("/") if problem.startswith("status 404") else difference.row["body"]
    ids = [text for text in _texts(named) if _looks_random(text)]
    return not set(ids) <= _made(difference) if ids else _first_there(difference, problem)


def _first_there(difference: Difference, problem: str) -> bool:
    """No earlier request of the recording wrote anything at the path itself."""
    return not any(_same_place(row, difference.row) and row["method"] != "PATCH" for row in difference.before)


def _unmade_items(difference: Difference, problem: str) -> bool:
    """The recorded list holds documents that no earlier request of the recording made."""
    return not {text for text in _texts(difference.row["response"]) if _looks_random(text)} <= _made(difference)


def _made(difference: Difference) -> set[str]:
    return set(_texts([row["response"] for row in difference.before if row["method"] == "POST"]))


def _unwritten(difference: Difference, problem: str) -> bool:
    """No request up to this one wrote the property that differs, at the same path."""
    name = re.split(r"[.\]]+", re.sub(r"^no | is .*", "", problem))[-1]
    sent = [row["body"] for row in [*difference.before, difference.row] if _same_place(row, difference.row)]
    return name not in set(_keys(sent))


def _same_place(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return row["method"] != "GET" and row["path"].partition("?")[0] == other["path"].partition("?")[0]


def _unlisted(difference: Difference, problem: str) -> bool:
    """An earlier list showed the id of the path with at most the tenant's name beside it."""
    wanted = difference.path.split("/")[2]
    lists = [row["response"] for row in difference.before if "fields=client_id" in row["path"]]
    items = [item for answer in lists for item in answer["clients"]]
    return any(item["client_id"] == wanted and set(item) <= {"client_id", "tenant"} for item in items)


def _deleted(difference: Difference, problem: str) -> bool:
    paths = [row["path"] for row in difference.before if row["method"] == "DELETE"]
    return any(difference.row["path"].startswith(f"{path}/") for path in paths)


CAUSES: tuple[tuple[str, str, Reason, Proof], ...] = (
    (r"event-streams|log-streams", r"(aws_partner_event_source|awsPartnerEventSource) is ", RANDOM, _always),
    (rf"connections({ID})?$", r"options\.configuration\.", RANDOM, _always),
    (rf"connections{ID}/keys", r"(pkcs|current_since) is ", RANDOM, _always),
    ("scim-configuration$", "updated_on is ", RANDOM, _always),
    ("custom-domains", r"verification\.methods\.\[\]\.record is ", NAME, _always),
    ("", r"^(clients\.\[\]\.)?tenant(_name)? is ", NAME, _always),
    ("resource-servers$", r"identifier is .*/api/v2/", NAME, _always),
    (rf"connections({ID})?$", r"options\.(oidc_metadata\.|token_endpoint |userinfo_endpoint )", DOCUMENT, _discovered),
    (rf"clients{ID}", r"^(mapped_fields\.)?name is ", DOCUMENT, _self_described),
    (rf"organizations{ID}/connections$", r"connections\.\[\]\.", ORDER, _sorted_by_id),
    (rf"actions/actions{ID}$", r'status is "buil(t|ding)", recorded "(retrying|building|failed)"', MOMENT, _installing),
    ("", r"^status 200, recorded 403", RIGHTS, _refused),
    (rf"clients{ID}$", r"^status 404", UNLINKED, _unlisted),
    ("", r"^status 40[04], recorded 20[04]", DISORDER, _deleted),
    ("", r"^status 40[04], recorded 20[04]", EARLIER, _unmade),
    ("branding/templates/universal-login$", "^status 201, recorded 204", EARLIER, _first_there),
    (
        "tenants/settings|branding$|prompts/mfa-push|providers/apns|attack-protection/|email-templates/",
        " is | ?no ",
        EARLIER,
        _unwritten,
    ),
    ("custom-domains/default", "^no ", EARLIER, _unwritten),
    ("^/(clients|connections)$", r"^(no )?(clients|connections)\.\[\]\.", EARLIER, _unmade_items),
    ("custom-domains", r'primary is false|methods\.\[\]\.name is "(CNAME|TXT)"', OLDER, _always),
    (rf"connections{ID}$", "^status 202, recorded 204", OLDER, _always),
)
"""Where, which problem, why, and what must hold besides. The first that fits counts."""


def reason(difference: Difference) -> Reason | None:
    """Why the answer differs; None where a problem is left that nothing explains."""
    problems = difference.problems[:1] if difference.problems[0].startswith("status ") else difference.problems
    found = [_cause(difference, problem) for problem in problems]
    if None in found:
        return None
    return next(reason for reason in REASONS if reason in found)


def _cause(difference: Difference, problem: str) -> Reason | None:
    for where, text, why, proof in CAUSES:
        if re.search(where, difference.path) and re.search(text, problem) and proof(difference, problem):
            return why
    return None


def unexplained(difference: Difference) -> list[str]:
    return [problem for problem in difference.problems if _cause(difference, problem) is None]


def _looks_random(text: str) -> bool:
    return len(text) >= 16 and re.fullmatch(r"[A-Za-z0-9_-]+", text) is not None and any(c.isdigit() for c in text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _texts(item)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)
