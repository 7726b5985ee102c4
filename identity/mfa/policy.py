"""What an MFA policy says, as data: rules and three choices. Pure; portal.models and Auth0 are not known here.

A kind of rule is a row of KINDS; another kind (an exemption, a role, an application) is another row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from identity.mfa import domains
from identity.mfa.factors import FACTORS, labels
from identity.mfa.literals import quoted
from portal.errors import Invalid

MOST_RULES = 20
NAMED_IN_A_SENTENCE = 3

Condition = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """Whom (`kind` and its `condition`) a rule is for, and the `factors` (types of FACTORS) that it allows."""

    kind: str
    condition: Condition
    factors: tuple[str, ...]


@dataclass(frozen=True)
class PolicyRules:
    """A policy without its name. The first rule that fits a user decides.

    missing_email, unverified_email, password_grant: keys of the tables CHOICES.
    """

    rules: tuple[Rule, ...]
    missing_email: str = "ask"
    unverified_email: str = "enrol"
    password_grant: str = "ask"  # noqa: S105


# choice -> value -> what it does, as the form and the generated code say it; the first is what a new policy has
CHOICES: dict[str, dict[str, str]] = {
    "missing_email": {
        "ask": "Users without an e-mail address are asked for MFA, with any factor that the policy names.",
        "deny": "Users without an e-mail address are refused.",
        "skip": "Users without an e-mail address are not asked.",
    },
    "unverified_email": {
        "enrol": "Users whose e-mail address is not verified may enrol a first factor.",
        "deny": "Users whose e-mail address is not verified are refused until it is, unless they have a factor.",
    },
    "password_grant": {
        "ask": "Programs that send the password themselves (password grant) get mfa_required; any factor counts.",
        "deny": "Programs that send the password themselves (password grant) are refused.",
    },
}


@dataclass(frozen=True)
class Kind:
    """A kind of rule. `check` raises Invalid; `words` says whom it is for; `javascript` gives the constants (lines) and
    the expression over `event` that decides, for the rule with that number; `searches` gives Lucene queries that find
    the users in question.
    """

    label: str
    check: Callable[[Condition], None]
    words: Callable[[Condition], str]
    javascript: Callable[[Condition, int], tuple[list[str], str]]
    searches: Callable[[Condition], Iterator[str]]


def check(policy: PolicyRules) -> None:
    """Raise Invalid with a sentence for the first thing that is wrong."""
    if not policy.rules:
        raise Invalid("A policy needs at least one rule.")
    if len(policy.rules) > MOST_RULES:
        raise Invalid(f"A policy has at most {MOST_RULES} rules.")
    for choice, values in CHOICES.items():
        if getattr(policy, choice) not in values:
            raise Invalid(f"“{getattr(policy, choice)}” is not a choice for {choice}.")
    for rule in policy.rules:
        if rule.kind not in KINDS:
            raise Invalid(f"This version knows no rules of the kind “{rule.kind}”.")
        KINDS[rule.kind].check(rule.condition)
        check_factors(rule.factors)


def check_factors(types: tuple[str, ...]) -> None:
    """Raise Invalid unless a user who has nothing yet could meet a rule that allows these factors."""
    if unknown := [type for type in types if type not in FACTORS]:
        raise Invalid(f"“{unknown[0]}” is no factor that Auth0 knows.")
    if not types:
        raise Invalid("Choose at least one factor.")
    if not any(FACTORS[type].independent for type in types):
        first = labels([t for t, f in FACTORS.items() if f.independent])
        raise Invalid(f"{labels(types).capitalize()} alone locks out whoever has nothing yet. Add {first}.")


def from_json(data: Any) -> PolicyRules:
    """The policy that `to_json` wrote, checked. Raises Invalid for anything else."""
    try:
        rules = tuple(Rule(r["kind"], dict(r["condition"]), tuple(r["factors"])) for r in data["rules"])
        policy = PolicyRules(rules, **{choice: data[choice] for choice in CHOICES})
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"This is not an MFA policy: {type(error).__name__} in its data.") from None
    check(policy)
    return policy


def to_json(policy: PolicyRules) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(policy)))  # tuples become lists


def factors_of(policy: PolicyRules) -> tuple[str, ...]:
    """Every factor that some rule allows, each once, in the rules' order."""
    return tuple(dict.fromkeys(type for rule in policy.rules for type in rule.factors))


def sentences(policy: PolicyRules) -> list[str]:
    """The policy in words: one sentence per rule, then the choices."""
    said = [
        f"Rule {number}: {KINDS[rule.kind].words(rule.condition)} must pass MFA with {labels(rule.factors)}."
        for number, rule in enumerate(policy.rules, start=1)
    ]
    return [*said, "Everybody else is not asked.", *(CHOICES[name][getattr(policy, name)] for name in CHOICES)]


def searches(policy: PolicyRules) -> list[str]:
    """Lucene queries that together find the users whom the policy is about."""
    found = [query for rule in policy.rules for query in KINDS[rule.kind].searches(rule.condition)]
    return [*dict.fromkeys(found), "NOT _exists_:email"]


def _check_domains(condition: Condition) -> None:
    listed = condition.get("domains")
    if not isinstance(listed, list) or not listed:
        raise Invalid("The list of e-mail domains is empty. Write at least one, such as acme.example.")
    for domain in listed:
        try:
            kept = domains.normalised(domain) if isinstance(domain, str) else None
        except ValueError as mistake:
            raise Invalid(str(mistake)) from None
        if kept != domain:
            raise Invalid(f"“{domain}” is not a domain in its kept form.")


def _domain_words(condition: Condition) -> str:
    named = [domains.in_unicode(d) for d in condition["domains"]]
    rest = len(named) - NAMED_IN_A_SENTENCE
    if rest <= 0:
        return f"users whose e-mail domain is {' or '.join(named)}"
    others = f"{rest} other{'s' if rest > 1 else ''}"
    return f"users whose e-mail domain is {', '.join(named[:NAMED_IN_A_SENTENCE])} or one of {others}"


def _domain_javascript(condition: Condition, number: int) -> tuple[list[str], str]:
    exact: set[str] = set()
    parents: set[str] = set()
    for domain in condition["domains"]:
        prefix, bare = domains.split(domain)
        (parents if prefix else exact).update(_forms(bare))
    lines = [f"const DOMAINS_{number} = new Set({_array(exact)});"]
    lines += [f"const SUBDOMAINS_OF_{number} = new Set({_array(parents)});"]
    return lines, f"hasDomain(event.user, DOMAINS_{number}, SUBDOMAINS_OF_{number})"


def _forms(domain: str) -> list[str]:
    """An address may hold either form of an international domain."""
    return list(dict.fromkeys([domain, domains.in_unicode(domain)]))


def _array(values: set[str]) -> str:
    """One value a line, sorted: so a change of one domain is a change of one line."""
    return "[\n" + "".join(f"  {quoted(v)},\n" for v in sorted(values)) + "]" if values else "[]"


def _domain_searches(condition: Condition) -> Iterator[str]:
    # Few enough for a URL of 2,000 characters.
    batch: list[str] = []
    for domain in condition["domains"]:
        prefix, bare = domains.split(domain)
        batch += [f"email.domain:*.{form}" if prefix else f'email.domain:"{form}"' for form in _forms(bare)]
        if sum(map(len, batch)) > 900:
            yield " OR ".join(batch)
            batch = []
    if batch:
        yield " OR ".join(batch)


KINDS: dict[str, Kind] = {
    "email_domains": Kind("E-mail domains", _check_domains, _domain_words, _domain_javascript, _domain_searches),
}
