"""A policy -> the code of one post-login Action: comments in words, constants, and the same body for every policy.

The same policy, name and version always give the same text. Nothing that a person typed gets into the code except
through `quoted`.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from functools import cache
from pathlib import Path

from identity.mfa import policy as policies
from identity.mfa.literals import harmless, quoted
from identity.mfa.policy import KINDS, PolicyRules, Rule
from portal.errors import Invalid

# Auth0's limit for the code of one Action, in bytes of UTF-8.
LARGEST_CODE_BYTES = 100_000
COMMENT_WIDTH = 110


def code_of(policy: PolicyRules, *, name: str, version: int | None) -> str:
    """The Action's code; `version` is None for a draft. Raises Invalid for a wrong policy or too much code."""
    policies.check(policy)
    code = "\n".join([*_header(policy, name, version), "", *_constants(policy), "", _body()])
    size = len(code.encode())
    if size > LARGEST_CODE_BYTES:
        raise Invalid(
            f"The Action would have {size:,} bytes; Auth0 takes {LARGEST_CODE_BYTES:,}. "
            "Write fewer domains, or one *.domain for many sub-domains."
        )
    return code


def sha256(code: str) -> str:
    """The fingerprint by which code is recognised; line ends and space around it don't count."""
    return hashlib.sha256("\n".join(code.strip().splitlines()).encode()).hexdigest()


def _header(policy: PolicyRules, name: str, version: int | None) -> list[str]:
    numbered = f"version {version}" if version else "draft, not published"
    said = [f"MFA policy {quoted(name)}, {numbered}."]
    said += [
        "Made by Castellan from the policy's rules. A change made here is overwritten by the next publication.",
        "",
    ]
    return [_comment(line, "") for line in said] + [_comment(s, "  ") for s in policies.sentences(policy)]


def _comment(text: str, indent: str) -> str:
    lines = textwrap.wrap(harmless(text), COMMENT_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join(f"// {indent if i else ''}{line}".rstrip() for i, line in enumerate(lines))


def _constants(policy: PolicyRules) -> list[str]:
    lines = ['"use strict";', ""]
    for number, rule in enumerate(policy.rules, start=1):
        lines += KINDS[rule.kind].javascript(rule.condition, number)[0]
    lines += ["", "const RULES = ["]
    lines += [_rule(rule, number) for number, rule in enumerate(policy.rules, start=1)]
    lines += ["];", f"const ALL_FACTORS = {json.dumps(policies.factors_of(policy))};"]
    return lines + [f"const {choice.upper()} = {json.dumps(getattr(policy, choice))};" for choice in policies.CHOICES]


def _rule(rule: Rule, number: int) -> str:
    applies = KINDS[rule.kind].javascript(rule.condition, number)[1]
    parts = [f'name: "rule {number}"', f"factors: {json.dumps(rule.factors)}", f"applies: (event) => {applies}"]
    return "\n".join(["  {", *(f"    {part}," for part in parts), "  },"])


@cache
def _body() -> str:
    return (Path(__file__).parent / "action.js").read_text(encoding="utf-8")
