"""What the options of a connection may not say, alone or together."""

from __future__ import annotations

from typing import Any

from sandbox import password_policy
from sandbox.errors import ApiError
from sandbox.kinds.operations import Call
from sandbox.store import Document

ATTRIBUTES = ("email", "username", "phone_number")
CONFLICTS = {
    "attributes": ("validation", "requires_username"),
    "password_options": password_policy.OLDER,
    "adfs_server": ("fedMetadataXml",),
}
"""An option -> the older or other ways of saying the same, which exclude it. A connection may show both."""


def check(call: Call, connection: Document, before: Document | None) -> None:
    """Raises ApiError 400 invalid_body."""
    options = (call.body or {}).get("options") if isinstance(call.body, dict) else None
    if not isinstance(options, dict):
        return
    for name, others in CONFLICTS.items():
        for other in others:
            if options.get(name) and options.get(other):
                raise _refused(f"Cannot set both options.{name} and options.{other}")
    _check_attributes(options.get("attributes") or {}, before)
    password = (options.get("authentication_methods") or {}).get("password") or {}
    if password.get("signup_behavior") == "block" and password.get("api_behavior") != "optional":
        raise _refused("signup_behavior can be block only where api_behavior is optional")
    for client_id in connection.get("enabled_clients", ()):
        if not isinstance(client_id, str):
            raise _refused("enabled_clients must hold client ids.")


def _check_attributes(attributes: Document, before: Document | None) -> None:
    email = attributes.get("email") or {}
    old = ((before or {}).get("options") or {}).get("attributes") or {}
    if email.get("unique") is False:
        if before and not old.get("email"):
            raise _refused("cannot add non-unique email attribute")
        if _identifies(email):
            raise _refused("a non-unique email attribute cannot be an identifier")
    given = [attributes[name] for name in ATTRIBUTES if attributes.get(name)]
    if given and all(_identifies(attribute) is False for attribute in given):
        raise _refused("attributes must contain one active identifier")


def _identifies(attribute: Document) -> Any:
    """Whether people sign in with it; None where that is left open."""
    return (attribute.get("identifier") or {}).get("active")


def _refused(message: str) -> ApiError:
    return ApiError(400, message, "invalid_body")
