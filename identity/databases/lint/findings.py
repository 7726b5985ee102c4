"""What the linter says, and about what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEVELS = ("error", "warning", "info")


@dataclass(frozen=True)
class Rule:
    """`by`: who judges it: "script" and "connection" the linter, "tests" the contract tests, "person" a person."""

    id: str
    level: str
    by: str
    title: str
    advice: str


RULES = {rule["id"]: Rule(**rule) for rule in json.loads((Path(__file__).parent / "rules.json").read_text("utf-8"))}


@dataclass(frozen=True)
class Fix:
    """Replace the text between `start` and `end` (UTF-16 units, as JavaScript counts) by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One breach of a rule. `script` is None and `line` 0 where it concerns the connection as a whole.

    more: how many others of the same rule in the same script are not listed.
    """

    rule: str
    level: str
    message: str
    advice: str
    script: str | None = None
    line: int = 0
    column: int = 0
    fix: Fix | None = None
    more: int = 0

    @classmethod
    def of(cls, rule: str, message: str, *, level: str | None = None, **place: Any) -> Finding:
        return cls(rule, level or RULES[rule].level, message, RULES[rule].advice, **place)

    @classmethod
    def from_eslint(cls, found: Mapping[str, Any]) -> Finding:
        place = {name: found[name] for name in ("script", "line", "column")}
        return cls.of(
            found["rule"],
            found["message"],
            level=found["level"],
            more=found["more"],
            fix=Fix(**found["fix"]) if found["fix"] else None,
            **place,
        )


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """{level: how many}, with those that are not listed."""
    number = dict.fromkeys(LEVELS, 0)
    for one in findings:
        number[one.level] += 1 + one.more
    return number


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one rule and level in one script together, in the order of each group's first. What is told about the
    connection is one thing wherever it shows: a missing setting is entered once.
    """
    groups: dict[tuple[str, str, str | None], list[Finding]] = {}
    for one in findings:
        where = one.message if RULES[one.rule].by == "connection" else one.script
        groups.setdefault((one.rule, one.level, where), []).append(one)
    return list(groups.values())


@dataclass(frozen=True)
class Connection:
    """What the rules need to know about a connection; each "unknown" (None) leaves its rule out.

    configuration: names of the settings that exist. actions: code of the deployed post-login Actions.
    api_audience: identifier of the API that the scripts call. elsewhere: {tenant: its scripts}.
    """

    name: str | None = None
    import_mode: bool = False
    script_context: bool = False
    signup: bool = True
    password_change: bool = True
    verification_mails: bool = True
    brute_force_protection: bool | None = None
    configuration: frozenset[str] | None = None
    actions: tuple[str, ...] | None = None
    api_audience: str | None = None
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any], **known: Any) -> Connection:
        """From the Management API's connection document; `known` adds what stands elsewhere."""
        options = document.get("options") or {}
        configuration = options.get("configuration")
        values: dict[str, Any] = {
            "name": document.get("name"),
            "import_mode": bool(options.get("import_mode")),
            "script_context": bool(options.get("enable_script_context")),
            "signup": not options.get("disable_signup", False),
            "password_change": not options.get("disable_self_service_change_password", False),
            "brute_force_protection": options.get("brute_force_protection"),
            "configuration": None if configuration is None else frozenset(configuration),
        }
        return cls(**{**values, **known})
