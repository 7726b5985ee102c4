"""Writing the options of a connection: whole, because Auth0 replaces them, and with one word for each thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.databases.drift import Live
from identity.databases.scripts import Content
from portal import auth0
from portal.errors import Unavailable

# A newer option -> the older ones that it replaces. A tenant may show both, and refuses a write that holds both. The
# newer ones stay then, as in Auth0's own Deploy CLI.
REPLACED = {
    "password_options": (
        "passwordPolicy",
        "password_complexity_options",
        "password_history",
        "password_no_personal_info",
        "password_dictionary",
    ),
    "attributes": ("validation", "requires_username"),
}


def left_out(options: Mapping[str, Any]) -> list[str]:
    """Names of older options that a write can't hold, because the newer one is there too."""
    return [name for newer, older in REPLACED.items() if options.get(newer) for name in older if name in options]


def whole(live: Live, changed: Mapping[str, Any]) -> dict[str, Any]:
    """All that a write must hold: what was read, with `changed` in the place of what it was."""
    options = {**live.options, **changed}
    older = left_out(options)
    return {name: value for name, value in options.items() if name not in older}


def write(live: Live, options: Mapping[str, Any]) -> bool:
    """PATCH /connections/{id} with the options of `whole`. False: the answer was lost, but the tenant holds them now.

    Raises the gateway's errors; Unavailable or Unknown only where the tenant does not hold what was written.
    """
    path = f"/connections/{auth0.segment(live.id)}"
    try:
        auth0.request(live.tenant, "PATCH", path, json={"options": options})
    except Unavailable:
        if Content.of(auth0.request(live.tenant, "GET", path)) != Content.of({"options": options}):
            raise
        return False
    return True
