"""Turns a form into the scripts of a custom database: plain, commented code that a person can read and change."""

from __future__ import annotations

from pathlib import Path

import jinja2

from identity.databases.form import Form, check_for_scripts
from identity.databases.stores import store_for

TEMPLATES = Path(__file__).parent / "script_templates"
SCRIPTS = ("login", "get_user", "create", "change_password", "verify", "delete", "change_email")
# With import mode Auth0 asks for a user until it has its own copy; the other scripts would never run.
IMPORT_MODE_SCRIPTS = ("login", "get_user")
VERIFY, MAKE = "verify", "make"
# What a generated login says, as an Error, where the stored text is no hash of its kind. Rehearsals know it by this.
UNKNOWN_HASH = "The stored password of this user has a format that login does not know."
HASHING = {"login": VERIFY, "create": MAKE, "change_password": MAKE}

# JavaScript, not HTML: nothing is escaped, because the form lets only identifiers through.
environment = jinja2.Environment(  # noqa: S701
    loader=jinja2.FileSystemLoader(TEMPLATES),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
)


def scripts(form: Form) -> dict[str, str]:
    """{"login": "async function login(...", ...} for `options.customScripts`. Raises form.BadForm."""
    check_for_scripts(form)
    return {name: script(form, name) for name in (IMPORT_MODE_SCRIPTS if form.import_mode else SCRIPTS)}


def script(form: Form, name: str) -> str:
    """One script of a form that has been checked."""
    store = store_for(form)
    hashing = None if store.checks_password else HASHING.get(name)
    text = environment.get_template(f"{name}.js").render(
        form=form,
        script=name,
        store=store,
        shared=environment.get_template("profile.js").module,
        modules="\n".join([*(f"  {line}" for line in store.modules), *_hash_modules(form, hashing)]),
        helper=f"stores/{form.store}.helper.js",
        hash_verify=f"hashes/{form.hash}.verify.js",
        hash_make=f"hashes/{form.hash}.make.js",
        unknown_hash=UNKNOWN_HASH,
    )
    return tidy(text)


def configuration_keys(form: Form) -> list[str]:
    """Which settings the scripts read; their values belong into `options.configuration`, never into code."""
    if form.store == "https_api":
        return ["API_URL", "API_AUDIENCE", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"]
    return ["DATABASE_URL"]


def _hash_modules(form: Form, hashing: str | None) -> list[str]:
    if hashing is None:
        return []
    return [(TEMPLATES / "hashes" / f"{form.hash}.modules.js").read_text(encoding="utf-8").rstrip("\n")]


def tidy(text: str) -> str:
    """No blank lines at the beginning of a block, no two in a row."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() and (not lines or not lines[-1].strip() or lines[-1].endswith("{")):
            continue
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
