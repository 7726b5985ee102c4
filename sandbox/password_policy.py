"""What a database connection asks of its passwords: the older policy, or the flexible one (`password_options`).

A new connection shows both, the newer one with defaults that nobody has asked for. So the older one holds while any of
its options is there. What a real tenant does with both, nobody has seen yet.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import passwords

# Characters that are counted as one run, whether they are alike (aaa) or follow each other (abc, 321).
RUN = 3
_DICTIONARY = pathlib.Path(__file__).with_name("common_passwords.txt")
_TYPES = {
    "lowercase": (str.islower, "lower case letters"),
    "uppercase": (str.isupper, "upper case letters"),
    "number": (str.isdigit, "numbers"),
    "special": (lambda one: not one.isalnum() and not one.isspace(), "special characters"),
}
_FIRST_THREE, _ALL = tuple(_TYPES)[:3], tuple(_TYPES)
# Auth0's name of an older policy -> shortest password, character types, how many of them, blocks aaa
_LEVELS: dict[str, tuple[int, tuple[str, ...], int, bool]] = {
    "none": (1, (), 0, False),
    "low": (6, (), 0, False),
    "fair": (8, _FIRST_THREE, 3, False),
    "good": (8, _ALL, 3, False),
    "excellent": (10, _ALL, 3, True),
}
_PERSONAL = (
    "name", "username", "nickname", "given_name", "family_name", "first", "last", "email",
    "user_metadata.name", "user_metadata.first", "user_metadata.last",
)  # fmt: skip
# The older options; where one of them is there, the older policy holds.
OLDER = (
    "passwordPolicy", "password_complexity_options", "password_history", "password_no_personal_info",
    "password_dictionary",
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """`history`: how many earlier passwords may not come back. `words`: of the dictionary, None where it is off."""

    shortest: int
    types: tuple[str, ...]
    types_needed: int
    blocks_identical: bool = False
    blocks_sequential: bool = False
    truncates: bool = False
    words: frozenset[str] | None = None
    personal: tuple[str, ...] = ()
    history: int = 0

    def sentences(self) -> list[str]:
        """For the pages on which people choose a password."""
        named = ", ".join(_TYPES[one][1] for one in self.types)
        of = f"At least {self.types_needed} of: {named}" if self.types_needed < len(self.types) else named.capitalize()
        said = {
            f"At least {self.shortest} characters in length": True,
            of: self.types,
            "No more than 2 identical characters in a row": self.blocks_identical,
            "No sequences such as abc or 123": self.blocks_sequential,
        }
        return [sentence for sentence, holds in said.items() if holds]


def of(options: Mapping[str, Any]) -> Policy:
    """The policy of a connection with these options."""
    if options.get("password_options") and not any(name in options for name in OLDER):
        return _flexible(options["password_options"])
    shortest, types, needed, blocks = _LEVELS.get(options.get("passwordPolicy") or "good", _LEVELS["good"])
    part = {name: options.get(name) or {} for name in OLDER[1:]}
    dictionary, history = part["password_dictionary"], part["password_history"]
    return Policy(
        part["password_complexity_options"].get("min_length") or shortest, types, needed, blocks,
        words=_words(dictionary.get("dictionary")) if dictionary.get("enable") else None,
        personal=_PERSONAL if part["password_no_personal_info"].get("enable") else (),
        history=int(history.get("size", 5)) if history.get("enable") else 0,
    )  # fmt: skip


def problem(
    options: Mapping[str, Any], password: str, user: Mapping[str, Any], previous: Sequence[Any] = ()
) -> str | None:
    """Why a connection's policy refuses this password, or None. `previous`: stored hashes, newest first.

    Answers one of Auth0's names: PasswordStrengthError, PasswordTooLong, PasswordHistoryError, PasswordDictionaryError,
    PasswordNoUserInfoError, each followed by ": " and its text.
    """
    policy = of(options)
    if len(password.encode()) > passwords.LONGEST_BYTES and not policy.truncates:
        return "PasswordTooLong: Password is too long, the maximum is 72 bytes"
    if not _strong_enough(policy, password):
        return "PasswordStrengthError: Password is too weak"
    if policy.words is not None and password.lower() in policy.words:
        return "PasswordDictionaryError: Password is too common"
    if any(value in password.lower() for value in _personal_values(policy, user)):
        return "PasswordNoUserInfoError: Password contains user information"
    if any(passwords.check(old, password) for old in previous[: policy.history]):
        return "PasswordHistoryError: Password has previously been used"
    return None


def _flexible(options: Mapping[str, Any]) -> Policy:
    complexity, history = options.get("complexity") or {}, options.get("history") or {}
    dictionary, profile = options.get("dictionary") or {}, options.get("profile_data") or {}
    types = tuple(one for one in _TYPES if one in (complexity.get("character_types") or ()))
    return Policy(
        complexity.get("min_length") or 1, types,
        3 if complexity.get("character_type_rule") == "three_of_four" else len(types),
        blocks_identical=complexity.get("identical_characters") == "block",
        blocks_sequential=complexity.get("sequential_characters") == "block",
        truncates=complexity.get("max_length_exceeded") == "truncate",
        # Of Auth0's two lists (10,000 and 100,000 words) there is a short one here.
        words=_words(dictionary.get("custom")) if dictionary.get("active") else None,
        personal=tuple(profile.get("blocked_fields") or ()) if profile.get("active") else (),
        history=int(history.get("size") or 0) if history.get("active") else 0,
    )  # fmt: skip


def _strong_enough(policy: Policy, password: str) -> bool:
    found = sum(any(map(_TYPES[one][0], password)) for one in policy.types)
    steps = [ord(after) - ord(before) for before, after in zip(password, password[1:], strict=False)]
    runs = [set(steps[start : start + RUN - 1]) for start in range(len(password) - RUN + 1)]
    return (
        len(password) >= policy.shortest
        and found >= policy.types_needed
        and not (policy.blocks_identical and {0} in runs)
        and not (policy.blocks_sequential and any(run in ({1}, {-1}) for run in runs))
    )


def _personal_values(policy: Policy, user: Mapping[str, Any]) -> list[str]:
    found = [str(_field(user, field) or "").lower() for field in policy.personal]
    return [value for value in found if len(value) >= 3]


def _field(user: Mapping[str, Any], path: str) -> Any:
    value: Any = user
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return str(value or "").partition("@")[0] if path == "email" else value


def _words(own: Sequence[Any] | None) -> frozenset[str]:
    return _common() | {str(word).lower() for word in own or ()}


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(_DICTIONARY.read_text().split())
