"""The parity page is the program's own, and true: each endpoint answers the least valid call with the status that is
documented, in the shape that the SDK declares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pydantic
import pytest
from auth0.management.core.pydantic_utilities import parse_obj_as

from sandbox.kinds import registry, routes
from sandbox.kinds.operations import OPERATIONS
from tests.sandbox import generate_parity, sdk_models
from tests.sandbox.furnished import Furnished
from tests.sandbox.generate_parity import documented, recorded

GROUPS = sorted({endpoint.path.split("/")[1] for endpoint in routes.endpoints()})


class WebAuthnSettings(pydantic.BaseModel):
    """As Auth0's Go SDK declares it."""

    overrideRelyingParty: bool  # noqa: N815
    relyingPartyIdentifier: str | None = None  # noqa: N815
    userVerification: str | None = None  # noqa: N815


class Tokenset(pydantic.BaseModel):
    """As the OpenAPI description declares it."""

    id: str
    connection: str
    scope: str
    expires_at: datetime | None
    issued_at: datetime
    last_used_at: datetime | None


BEYOND_SDK: dict[str, Any] = {
    "GET /guardian/factors/webauthn-roaming/settings": WebAuthnSettings,
    "PUT /guardian/factors/webauthn-roaming/settings": WebAuthnSettings,
    "PUT /guardian/factors/webauthn-platform/settings": WebAuthnSettings,
    "GET /users/{id}/federated-connections-tokensets": list[Tokenset],
}
LIKE = {
    "POST /experimentation/experiments/{id}/status": "PATCH /experimentation/experiments/{id}",
    "POST /experimentation/feature-flags/{id}/status": "PATCH /experimentation/feature-flags/{id}",
}
"""Endpoints that the SDK does not know -> one that answers the same."""
OTHER_STATUS = {
    "PATCH /clients/{client_id}/credentials/{credential_id}": 200,
    "GET /connections/{id}/status": 404,
}
"""Some PATCHes are documented with 201, of which all that were recorded answered 200; no directory is online here."""
RECORDED_OTHERWISE = frozenset(
    [
        "DELETE /connections/{id}",
        "POST /network-acls",
        "DELETE /network-acls/{id}",
        "PATCH /token-exchange-profiles/{id}",
    ]
)
"""The SDK declares no body, and the recordings of real tenants show one."""


def test_the_parity_page_is_up_to_date() -> None:
    written = generate_parity.TARGET.read_text(encoding="utf-8")
    assert written == generate_parity.page(), "run: python -m tests.sandbox.generate_parity"


def test_all_endpoints_that_are_known_are_routed() -> None:
    known = {(endpoint.method, endpoint.path) for endpoint in routes.endpoints()}
    assert recorded() <= known
    assert set(documented()) <= known
    assert set(sdk_models.endpoints()) <= known


def test_every_endpoint_has_a_handler() -> None:
    registry.load()
    assert set(OPERATIONS) == {(endpoint.method, endpoint.path) for endpoint in routes.endpoints()}


@pytest.fixture(scope="module")
def furnished() -> Iterator[Furnished]:
    yield Furnished()


@pytest.mark.parametrize("group", GROUPS)
def test_the_least_valid_call_is_answered_as_declared(furnished: Furnished, group: str) -> None:
    wrong = [
        f"{endpoint.method} {endpoint.path}: {problem}"
        for endpoint in routes.endpoints()
        if endpoint.path.split("/")[1] == group
        for problem in problems(furnished, endpoint)
    ]
    assert not wrong, "\n".join(wrong)


def problems(furnished: Furnished, endpoint: routes.Endpoint) -> Iterator[str]:
    """How the answer differs from what is declared."""
    place = f"{endpoint.method} {endpoint.path}"
    answer = furnished.answer(endpoint, **paging(LIKE.get(place, place)))
    if answer.status_code not in statuses(endpoint):
        yield f"answered {answer.status_code}: {answer.body!r}"
    elif answer.status_code < 300 and answer.media_type != "text/event-stream" and place not in RECORDED_OTHERWISE:
        content = orjson.loads(answer.body) if answer.body else None
        declared = declared_type(LIKE.get(place, place))
        if declared is type(None) and content not in (None, {}):
            yield f"should be empty: {content}"
        elif declared not in (None, type(None)):
            try:
                parse_obj_as(type_=declared, object_=content)
            except pydantic.ValidationError as problem:
                yield str(problem)


def statuses(endpoint: routes.Endpoint) -> list[int] | range:
    """Of a recorded endpoint the replay knows the status better than the description."""
    place = (endpoint.method, endpoint.path)
    if " ".join(place) in OTHER_STATUS:
        return [OTHER_STATUS[" ".join(place)]]
    if place in recorded() or place not in documented():
        return range(200, 300)
    return list(documented()[place])


def declared_type(place: str) -> Any:
    """NoneType for no body, None where nothing is declared."""
    if place in BEYOND_SDK:
        return BEYOND_SDK[place]
    known = sdk_models.endpoints().get(tuple(place.split(" ", 1)))
    return known.answer if known else None


def paging(place: str) -> dict[str, str]:
    """What the SDK's pagers send, to be given a page with its envelope."""
    known = sdk_models.endpoints().get(tuple(place.split(" ", 1)))
    if known is None:
        return {}
    return (
        {"take": "10"}
        if "take" in known.query
        else {"include_totals": "true"}
        if "include_totals" in known.query
        else {}
    )
