"""The house rules that can be checked: each page has a right, each setting and permission is documented."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal import scopes
from portal.access import PERMISSIONS, ROLES

ROOT = Path(__file__).resolve().parents[2]
# Pages of libraries that guard themselves: social-auth's own steps of a sign-in.
LIBRARY_NAMESPACES = {"social"}


def patterns(resolver: Any, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, entry.namespace or namespace)
        else:
            yield namespace, entry


OURS = [(namespace, p) for namespace, p in patterns(get_resolver()) if namespace not in LIBRARY_NAMESPACES]


def declared(pattern: URLPattern) -> Any:
    """The view's right: a permission, None (anyone signed in), or "public"."""
    view = pattern.callback
    if getattr(view, "public", False):
        return "public"
    view_class = getattr(view, "view_class", None)
    initial = getattr(view, "view_initkwargs", {})
    return initial.get("permission", getattr(view_class, "permission", "undeclared"))


@pytest.mark.parametrize("pattern", [p for _, p in OURS], ids=lambda p: str(p.pattern))
def test_every_page_declares_who_may_see_it(pattern: URLPattern):
    assert declared(pattern) in {None, "public", *PERMISSIONS}


def test_few_pages_are_public():
    assert {p.name for _, p in OURS if declared(p) == "public"} <= {
        "sign-in",
        "sign-in-failed",
        "begin-sign-in",
        "health",
        "gallery",
    }


def test_every_permission_is_held_by_a_role_and_every_role_holds_known_permissions():
    held = set().union(*(permissions for _, permissions in ROLES.values()))
    assert held == set(PERMISSIONS)


def url_of(namespace: str, pattern: URLPattern) -> str:
    samples = {"tenant": "dev", "slug": "blocks", "user_id": "auth0|1", "panel": "blocks"}
    names = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
    arguments = {name: samples.get(name, 1) for name in names}
    if namespace == "identity":
        arguments["tenant"] = "dev"
    return reverse(f"{namespace}:{pattern.name}" if namespace else pattern.name, kwargs=arguments)


@pytest.mark.django_db
def test_somebody_without_a_role_gets_nothing_but_the_own_account(person):
    nobody = person(None)
    for namespace, pattern in OURS:
        if declared(pattern) in PERMISSIONS:
            for method in (nobody.get, nobody.post):
                answer = method(url_of(namespace, pattern))
                assert answer.status_code == 403, pattern
                assert f"<code>{declared(pattern)}</code>" in answer.content.decode(), pattern


@pytest.mark.django_db
def test_somebody_who_is_not_signed_in_is_sent_to_the_sign_in(client):
    for namespace, pattern in OURS:
        if declared(pattern) != "public":
            answer = client.get(url_of(namespace, pattern))
            assert answer.status_code == 302
            assert answer.url.startswith("/sign-in/"), pattern


def test_every_setting_is_documented():
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z0-9_]+)"', (ROOT / "portal/settings.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert read == documented


def test_the_permission_table_in_the_docs_is_the_one_in_the_code():
    lines = ["| Permission | Lets a person | Needs at the tenant | " + " | ".join(label for label, _ in ROLES.values())]
    lines = [lines[0] + " |", "|---|---|---|" + "---|" * len(ROLES)]
    for name, text in PERMISSIONS.items():
        marks = " | ".join("yes" if name in held else "" for _, held in ROLES.values())
        needs = listed(scopes.FEATURES[name].needs) if name in scopes.FEATURES else ""
        lines.append(f"| `{name}` | {text} | {needs} | {marks} |")
    assert "\n".join(lines) in (ROOT / "docs/permissions.md").read_text()


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_only_the_gateway_imports_the_auth0_sdk_or_an_http_client():
    # demo.py asks the programs that it has started whether they answer.
    allowed = {"portal/auth0", "portal/demo.py", "portal/supervisor.py"}
    for package in ("portal", "identity", "deployments"):
        for file in (ROOT / package).rglob("*.py"):
            name = file.relative_to(ROOT).as_posix()
            if any(name.startswith(prefix) for prefix in allowed):
                continue
            assert not re.search(
                r"^\s*(?:import|from) (?:auth0|httpx|requests|urllib\.request|http\.client)\b", file.read_text(), re.M
            ), name


def test_the_scope_tables_in_the_docs_are_the_ones_in_the_code():
    """Features that need the same stand in one row, and dangerous scopes that are so for one reason."""
    features: dict[tuple[str, str], list[str]] = {}
    for name, feature in scopes.FEATURES.items():
        improves = few_or(feature.improves, "those of [the kinds of objects](#scopes-by-kind-of-object)")
        features.setdefault((listed(feature.needs), improves), []).append(name)
    lines = ["| Feature | Needs | Left out without |", "|---|---|---|"]
    lines += [f"| {listed(names)} | {needs} | {improves} |" for (needs, improves), names in features.items()]
    reasons: dict[str, list[str]] = {}
    for scope, why in scopes.DANGEROUS.items():
        reasons.setdefault(why, []).append(scope)
    dangerous = ["| Scope | Why it is dangerous |", "|---|---|"]
    others = "`delete:…` of every other kind"
    dangerous += [f"| {few_or(names, others)} | {why} |" for why, names in reasons.items()]
    page = (ROOT / "docs/access.md").read_text()
    assert "\n".join(lines) in page
    assert "\n".join(dangerous) in page


def few_or(names: Iterable[str], words: str) -> str:
    """The scopes by name, or the words that stand for too many of them."""
    return listed(names) if len(tuple(names)) < 10 else words
