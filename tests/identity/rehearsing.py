"""What the tests of rehearsals share: a shop in a script, its users, and what became of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from identity.databases import drift, generate
from identity.databases.drift import Live
from identity.databases.models import DatabaseRehearsal
from identity.databases.rehearsal_report import rows_of

# A shop in a script: who has which id, and what is odd about whom.
LOGIN = f"""function login(userNameOrEmail, password, callback) {{
  const ids = {{ ann: 'shop|1', bob: 'shop|2', twin: 'shop|1', copy: 'shop|9', fickle: 'shop|5' }};
  const [name] = userNameOrEmail.split('@');
  if (name === 'old') return callback(new Error('{generate.UNKNOWN_HASH}'));
  if (name === 'down') return callback(new Error('The store is away.'));
  if (/^ghost/.test(name)) return callback(new WrongUsernameOrPasswordError(null));
  if (password !== `Secret-of-${{name}}`) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
  global.seen = global.seen || {{}};
  global.seen[name] = (global.seen[name] || 0) + 1;
  if (name === 'fickle' && global.seen[name] > 1) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
  return callback(null, {{ user_id: ids[name], email: userNameOrEmail, email_verified: true }});
}}"""
GET_USER = "function getUser(email, callback) { return callback(null); }"


def published(tenant: Any, local: Any, *, import_mode: bool = False, login: str = LOGIN) -> Live:
    """A connection with the shop's scripts."""
    # Another code each time: what `global` holds lives on with a warm process.
    scripts = {"login": f"{login} // {uuid4()}", "get_user": GET_USER}
    options = {"enabledDatabaseCustomization": True, "import_mode": import_mode, "customScripts": scripts}
    options |= {"configuration": {"KEY": "value"}}
    made = local.api("POST", "/connections", {"name": "ferry", "strategy": "auth0", "options": options})
    return drift.read(tenant, made["id"])


def users(*names: str, **passwords: str) -> list[tuple[str, str]]:
    return [(f"{name}@ferry.example", passwords.get(name, f"Secret-of-{name}")) for name in names]


def state(local: Any) -> dict[str, Any]:
    """All that the tenant holds but its log and the record of its Actions, which tell what was done."""
    documents = local.control("GET", "state")["documents"]
    return {kind: one for kind, one in documents.items() if kind not in ("logs", "action_executions") and one}


def customers(local: Any) -> set[str]:
    return {id for id in state(local).get("users", {}) if id.startswith("auth0|shop|")}


def outcomes(rehearsal: DatabaseRehearsal) -> dict[str, tuple[str, str]]:
    rehearsal.refresh_from_db()
    return {row.identifier.partition("@")[0]: (row.outcome, row.later) for row in rows_of(rehearsal)}
