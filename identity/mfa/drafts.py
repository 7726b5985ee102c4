"""Writing policies: the draft, saved against the revision that was on the screen, and versions cut from it."""

from __future__ import annotations

import difflib
import json
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity.mfa import generate
from identity.mfa import policy as policies
from identity.mfa.models import Policy, PolicyVersion
from identity.mfa.policy import PolicyRules
from portal import audit
from portal.errors import Conflict, Refused


def create(name: str, rules: PolicyRules, *, actor: User) -> Policy:
    """Store a new policy. Raises Invalid (also where its Action would be too large), Conflict for a name in use."""
    generate.code_of(rules, name=name, version=None)
    with audit.recorded(actor, "mfa.edit", target_label=name) as entry:
        try:
            with transaction.atomic():
                policy = Policy.objects.create(
                    name=name, content=policies.to_json(rules), updated_by=actor, updated_at=timezone.now()
                )
        except IntegrityError:
            raise Conflict(f"There is a policy named “{name}” already. Choose another name.") from None
        entry.after = {"name": name, "policy": policy.pk, "content": policy.content}
    return policy


def save(policy: Policy, name: str, rules: PolicyRules, *, revision: int, actor: User) -> Policy:
    """Overwrite the draft. Raises Conflict where somebody has saved since `revision`, which then stays as it is."""
    generate.code_of(rules, name=name, version=None)
    new = {"name": name, "content": policies.to_json(rules)}
    with audit.recorded(actor, "mfa.edit", target=f"policy {policy.pk}", target_label=policy.name) as entry:
        old = Policy.objects.get(pk=policy.pk)
        mine = Policy.objects.filter(pk=policy.pk, revision=revision)
        try:
            with transaction.atomic():
                saved = mine.update(**new, revision=revision + 1, updated_by=actor, updated_at=timezone.now())
        except IntegrityError:
            raise Conflict(f"There is a policy named “{name}” already. Choose another name.") from None
        if not saved:
            raise Conflict(f"{old.updated_by.email} has saved this policy while you were writing.", code="revision")
        changed = difference(as_text(old.name, old.content), as_text(name, policies.to_json(rules)))
        entry.after = {"revision": revision + 1, "difference": changed}
    return Policy.objects.get(pk=policy.pk)


def is_taken(name: str, *, by_another_than: Policy | None) -> bool:
    others = Policy.objects.filter(name=name)
    return (others.exclude(pk=by_another_than.pk) if by_another_than else others).exists()


def delete(policy: Policy, *, actor: User) -> None:
    """Remove a policy that was never published. Raises Refused for any other."""
    with audit.recorded(actor, "mfa.edit", target=f"policy {policy.pk}", target_label=policy.name) as entry:
        if policy.versions.exists():
            raise Refused(f"“{policy.name}” has versions that were published. It stays, so that they can be looked up.")
        entry.before = {"name": policy.name, "content": policy.content}
        entry.detail = "Deleted."
        policy.delete()


def version_of(policy: Policy, *, comment: str, actor: User) -> PolicyVersion:
    """The draft as a version: the newest one where it says the same, else a new one."""
    version = candidate(policy)
    if version.pk:
        return version
    version.comment, version.author = comment, actor
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except IntegrityError:
        raise Conflict("Somebody else has just published this policy. Reload and look.") from None
    return version


def candidate(policy: Policy) -> PolicyVersion:
    """What `version_of` would give; a new version is not saved yet. Raises Invalid."""
    newest = policy.versions.first()
    number = newest.number + 1 if newest else 1
    if newest and (newest.content, newest.name) == (policy.content, policy.name):
        return newest
    code = generate.code_of(policies.from_json(policy.content), name=policy.name, version=number)
    sha256 = generate.sha256(code)
    return PolicyVersion(
        policy=policy, number=number, name=policy.name, content=policy.content, code=code, code_sha256=sha256
    )


def as_text(name: str, content: dict[str, Any]) -> str:
    """A policy in a form that differs line by line."""
    return json.dumps({"name": name, **content}, indent=2, ensure_ascii=False) + "\n"


def difference(before: str, after: str, *, name: str = "policy", context: int = 3) -> str:
    """A unified diff; "" where nothing differs."""
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*lines, f"a/{name}", f"b/{name}", n=context))
