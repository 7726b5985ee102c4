"""Working copies and versions of a connection's scripts: what they are, how they are saved, how they differ."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity.databases.form import Form
from identity.databases.generate import IMPORT_MODE_SCRIPTS, SCRIPTS
from identity.databases.models import DatabaseDraft, DatabaseVersion, named
from portal import audit
from portal.errors import Conflict
from portal.models import Tenant


@dataclass(frozen=True)
class Content:
    """What a publication writes of a connection's options.

    enabled: "use my own database" (enabledDatabaseCustomization). scripts: {"login": code, …}, none of them empty.
    """

    enabled: bool = True
    import_mode: bool = False
    scripts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Mapping[str, Any]) -> Content:
        """From the Management API's connection document."""
        options = connection.get("options") or {}
        return cls(
            bool(options.get("enabledDatabaseCustomization")),
            bool(options.get("import_mode")),
            written(options.get("customScripts") or {}),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Content:
        return cls(data["enabled"], data["import_mode"], dict(data["scripts"]))

    def to_json(self) -> dict[str, Any]:
        return {"enabled": self.enabled, "import_mode": self.import_mode, "scripts": self.scripts}

    @property
    def sha256(self) -> str:
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def as_options(self) -> dict[str, Any]:
        """The part of `options` that a publication replaces."""
        return {
            "enabledDatabaseCustomization": self.enabled,
            "import_mode": self.import_mode,
            "customScripts": self.scripts,
        }

    @property
    def expected(self) -> tuple[str, ...]:
        """The scripts that this mode can need."""
        return IMPORT_MODE_SCRIPTS if self.import_mode else SCRIPTS

    @property
    def standing(self) -> list[tuple[str, str]]:
        """[(script, status of the pages)]: the expected ones, present or missing, then others that are there."""
        rows = [(name, "present" if name in self.scripts else "missing") for name in self.expected]
        return rows + [(name, "present") for name in self.scripts if name not in self.expected]


def written(scripts: Mapping[str, str]) -> dict[str, str]:
    """Without empty ones, line ends as Unix writes them, in the order of the documentation."""
    order = [*SCRIPTS, *sorted(set(scripts) - set(SCRIPTS))]
    given = {name: str(scripts.get(name) or "").replace("\r\n", "\n") for name in order}
    return {name: code for name, code in given.items() if code.strip()}


def draft_of(tenant: Tenant, connection_id: str) -> DatabaseDraft | None:
    return DatabaseDraft.objects.filter(**named(tenant, connection_id)).select_related("updated_by", "tenant").first()


def save(
    tenant: Tenant,
    connection: Mapping[str, Any],
    content: Content,
    *,
    revision: int,
    actor: User,
    store_form: dict[str, Any] | None = None,
    base_sha256: str | None = None,
) -> DatabaseDraft:
    """Store the working copy of a connection ({"id", "name"}). `revision`: the save that was on the screen, 0 for none.

    Raises Conflict (code "revision") where somebody has saved since; theirs then stays as it is.
    """
    fields: dict[str, Any] = {"content": content.to_json(), "updated_by": actor, "updated_at": timezone.now()}
    fields |= {} if store_form is None else {"store_form": store_form}
    fields |= {} if base_sha256 is None else {"base_sha256": base_sha256}
    where = named(tenant, connection["id"])
    target = {"target": connection["id"], "target_label": connection["name"]}
    with audit.recorded(actor, "databases.edit", tenant=tenant, **target) as entry:
        old = draft_of(tenant, connection["id"])
        if not _written(where, connection["name"], revision, fields):
            other = draft_of(tenant, connection["id"])
            name = other.updated_by.email if other else "Somebody"
            raise Conflict(f"{name} has saved these scripts while you were writing.", code="revision")
        before = Content.from_json(old.content) if old else Content(scripts={})
        entry.before = {"sha256": before.sha256 if old else None}
        entry.after = {"sha256": content.sha256, "difference": difference(before, content)}
        entry.detail = "Working copy saved; nothing was written to the tenant."
    return DatabaseDraft.objects.select_related("updated_by", "tenant").get(**where)


def _written(where: dict[str, Any], name: str, revision: int, fields: dict[str, Any]) -> bool:
    if revision:
        mine = DatabaseDraft.objects.filter(**where, revision=revision)
        return bool(mine.update(**fields, connection_name=name, revision=revision + 1))
    try:
        with transaction.atomic():
            DatabaseDraft.objects.create(**where, **fields, connection_name=name)
    except IntegrityError:
        return False
    return True


def versions(tenant: Tenant, connection_id: str) -> list[DatabaseVersion]:
    """Newest first."""
    return list(DatabaseVersion.objects.filter(**named(tenant, connection_id)).select_related("author"))


def version_of(
    tenant: Tenant,
    connection: Mapping[str, Any],
    content: Content,
    *,
    actor: User,
    comment: str,
    configuration_keys: list[str],
) -> DatabaseVersion:
    """The newest version that says exactly this, or a new one. Raises Conflict where another is being cut now."""
    found = DatabaseVersion.objects.filter(**named(tenant, connection["id"]))
    if same := found.filter(sha256=content.sha256).first():
        return same
    newest = found.first()
    version = DatabaseVersion(
        **named(tenant, connection["id"]), connection_name=connection["name"], content=content.to_json(),
        sha256=content.sha256, number=newest.number + 1 if newest else 1, comment=comment, author=actor,
        configuration_keys=sorted(configuration_keys),
    )  # fmt: skip
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except IntegrityError:
        raise Conflict("Somebody else has just published these scripts. Reload and look.") from None
    return version


def as_text(content: Content) -> dict[str, str]:
    """File name -> text, for differences; the switches are a file of their own."""
    switches = {"enabledDatabaseCustomization": content.enabled, "import_mode": content.import_mode}
    return {"settings.json": json.dumps(switches, indent=2) + "\n"} | {
        f"{name}.js": code if code.endswith("\n") else code + "\n" for name, code in content.scripts.items()
    }


def difference(before: Content, after: Content) -> str:
    """A unified diff over all files; "" where nothing differs."""
    old, new = as_text(before), as_text(after)
    names = dict.fromkeys(["settings.json", *(f"{name}.js" for name in SCRIPTS), *old, *new])
    return "".join(_file_difference(name, old.get(name), new.get(name)) for name in names)


def _file_difference(name: str, before: str | None, after: str | None) -> str:
    lines = (before or "").splitlines(keepends=True), (after or "").splitlines(keepends=True)
    names = "/dev/null" if before is None else f"a/{name}", "/dev/null" if after is None else f"b/{name}"
    return "".join(difflib.unified_diff(*lines, *names))


def remember_form(draft: DatabaseDraft | None, store_form: dict[str, Any]) -> None:
    """Keep what was filled in for tests; the scripts, and so the revision, stay as they are."""
    if draft is not None:
        DatabaseDraft.objects.filter(pk=draft.pk).update(store_form=store_form)


def form_of(draft: DatabaseDraft | None, connection_name: str, content: Content) -> Form | None:
    """The short form that was last filled in for this connection, with what may have changed since; None before."""
    if draft is None or not draft.store_form:
        return None
    return replace(Form(**draft.store_form), connection=connection_name, import_mode=content.import_mode)
