"""Lists of e-mail domains as people type them: read, normalised, and each change or mistake said with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import idna

ANY_SUBDOMAIN = "*."
LONGEST_SHOWN = 80
_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")
_NETWORK_ADDRESS = re.compile(r"^[0-9.]+$|^\[.*\]$")
# Anybody can have an address there, so such a domain names no company.
PUBLIC_MAIL = frozenset(
    [
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
        *("aol.com", "gmx.net", "gmx.de", "web.de", "proton.me", "protonmail.com", "mail.ru", "yandex.ru", "qq.com"),
    ]
)


@dataclass(frozen=True)
class Note:
    """Something to say about a line. `line` counts from 1."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.text}"


@dataclass
class Domains:
    """What a list says. `domains`: each once, ASCII (IDNA) and lower-case, in the order typed; `*.` before a domain
    means every sub-domain of it. `notes`: what was read differently from how it was typed. `problems`: mistakes.
    """

    domains: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    problems: list[Note] = field(default_factory=list)


class _Mistake(ValueError):  # noqa: N818  it carries the sentence for the line
    pass


def parse(text: str) -> Domains:
    """Read a list: one domain a line, or separated by commas, semicolons or spaces."""
    found = Domains()
    seen: dict[str, int] = {}
    for line, typed in _entries(text):
        try:
            domain = normalised(typed)
        except _Mistake as mistake:
            found.problems.append(Note(line, str(mistake)))
            continue
        if domain in seen:
            found.notes.append(Note(line, f"{shown(typed)} is in the list already (line {seen[domain]}); kept once."))
            continue
        seen[domain] = line
        found.domains.append(domain)
        found.notes.extend(Note(line, remark) for remark in _remarks(typed, domain))
    return found


def normalised(typed: str) -> str:
    """One entry as it is kept. Raises ValueError with a sentence that says what is wrong and what to write."""
    rest = typed.strip().lower().removeprefix("@")
    wildcard = rest.startswith((ANY_SUBDOMAIN, "."))
    rest = rest.removeprefix(ANY_SUBDOMAIN).removeprefix(".").removeprefix("@").removesuffix(".")
    _refuse_other_things(typed, rest)
    domain = _ascii(typed, rest)
    if "." not in domain:
        raise _Mistake(f"{shown(typed)} is a single word. Write a whole domain, such as acme.example.")
    return (ANY_SUBDOMAIN if wildcard else "") + domain


def in_unicode(domain: str) -> str:
    """As people write it: müller.example for xn--mller-kva.example; unchanged where that can't be told."""
    prefix, bare = split(domain)
    try:
        return prefix + idna.decode(bare)
    except (idna.IDNAError, UnicodeError):
        return domain


def split(domain: str) -> tuple[str, str]:
    """("*.", "acme.example") or ("", "acme.example")."""
    return (ANY_SUBDOMAIN, domain[2:]) if domain.startswith(ANY_SUBDOMAIN) else ("", domain)


def shown(typed: str) -> str:
    """An entry quoted, cut to a readable length."""
    return f"“{typed if len(typed) <= LONGEST_SHOWN else typed[:LONGEST_SHOWN] + '…'}”"


def _entries(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        for entry in re.split(r"[\s,;]+", line):
            if entry:
                yield number, entry


def _refuse_other_things(typed: str, rest: str) -> None:
    if "://" in rest or "/" in rest:
        host = rest.partition("://")[2] or rest
        raise _Mistake(
            f"{shown(typed)} is a web address. Write the domain alone: {host.split('/')[0] or 'acme.example'}."
        )
    if "@" in rest:
        domain = rest.rpartition("@")[2]
        raise _Mistake(
            f"{shown(typed)} is one person's address; a rule is for a whole domain. "
            f"Write {domain or 'acme.example'} if everybody there is meant."
        )
    if "*" in rest:
        raise _Mistake(f"{shown(typed)}: the star may only stand at the front, as in *.acme.example.")
    if _NETWORK_ADDRESS.match(rest):
        raise _Mistake(f"{shown(typed)} is a number or a network address, not an e-mail domain.")
    if ":" in rest:
        raise _Mistake(f"{shown(typed)}: an e-mail domain has no port. Write it without “:”.")


def _ascii(typed: str, rest: str) -> str:
    if not rest:
        raise _Mistake(f"{shown(typed)} holds no domain. Write one, such as acme.example.")
    try:
        domain = idna.encode(rest, uts46=True).decode() if not rest.isascii() else rest
    except (idna.IDNAError, UnicodeError):
        raise _Mistake(f"{shown(typed)} is not a domain: it holds characters that no domain may have.") from None
    for label in domain.split("."):
        if not label:
            raise _Mistake(f"{shown(typed)} has two dots in a row. Write acme.example.")
        if len(label) > 63:
            raise _Mistake(f"{shown(typed)}: each part between dots has at most 63 characters.")
        if not _LABEL.match(label):
            raise _Mistake(f"{shown(typed)} is not a domain: use letters, digits, hyphens inside, and dots.")
    if len(domain) > 253:
        raise _Mistake(f"{shown(typed)} is longer than the 253 characters that a domain may have.")
    return domain


def _remarks(typed: str, domain: str) -> Iterator[str]:
    prefix, bare = split(domain)
    if prefix:
        yield f"{shown(typed)} means every sub-domain of {bare}, not {bare} itself. Add {bare} if it is meant, too."
    elif typed != domain:
        unicode = in_unicode(domain)
        yield f"{shown(typed)} is read as {domain}{f' ({unicode})' if unicode != domain else ''}."
    if bare in PUBLIC_MAIL:
        yield f"{bare} is a public mail service: the rule is then for anybody who has an address there."
