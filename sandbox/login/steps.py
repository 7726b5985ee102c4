"""What a login comes to when its Actions have run as far as they can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Done:
    """Every Action ran and nothing is left to prove."""


@dataclass(frozen=True)
class Refused:
    """The login ends here. `error` and `description` go to the application."""

    error: str
    description: str


@dataclass(frozen=True)
class NeedsFactor:
    """kind: "challenge" or "enroll". types: what the person may choose from, the default first.

    may_remember: the page offers to remember the browser; remembers: the browser is remembered without asking.
    options: of the factors, by type, as the Action gave them ({"phone": {"preferredMethod": "voice"}}).
    """

    kind: str
    types: list[str]
    picker: bool = False
    may_remember: bool = False
    remembers: bool = False
    options: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class NeedsRedirect:
    url: str


@dataclass(frozen=True)
class NeedsPrompt:
    """A form: its id, what its fields start with, and its variables."""

    id: str
    fields: dict[str, Any]
    vars: dict[str, Any]


Step = Done | Refused | NeedsFactor | NeedsRedirect | NeedsPrompt
