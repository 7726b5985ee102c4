"""Working copies of custom database scripts, their versions, their tests, and what was published where.

A `content` is identity.databases.scripts.Content as JSON: {"enabled", "import_mode", "scripts": {name: code}}.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from identity.approvals import AbstractDecision, by_two
from identity.publications import PERSON, AbstractPublication, AbstractVersion
from portal.crypto import EncryptedTextField
from portal.models import Run, Tenant


class OfConnection(models.Model):
    """A row about one database connection; `connection_id` is Auth0's (con_…)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    connection_id = models.CharField(max_length=64)
    connection_name = models.CharField(max_length=128)

    class Meta:
        abstract = True

    @property
    def place(self) -> list[str]:
        """Arguments of the addresses of this connection's pages."""
        return [self.tenant.slug, self.connection_id]


class DatabaseDraft(OfConnection):
    """What is being written. `revision` counts the saves; `base_sha256` is what was live when it was last taken from
    there. `store_form`: the short form (identity.databases.form.Form) that tests and generation use, {} before.
    """

    content = models.JSONField()
    store_form = models.JSONField(default=dict)
    base_sha256 = models.CharField(max_length=64, blank=True)
    revision = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "identity"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection_id"], name="one_draft_per_database_connection")
        ]

    def __str__(self) -> str:
        return f"Draft of {self.connection_name}"


class DatabaseVersion(OfConnection, AbstractVersion):
    """What was published, was asked to be, or was found in the tenant just before."""

    content = models.JSONField()
    sha256 = models.CharField(max_length=64, db_index=True)
    # Names only: values are in ConfigurationValue and in the tenant.
    configuration_keys = models.JSONField(default=list)

    class Meta(AbstractVersion.Meta):
        app_label = "identity"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection_id", "number"], name="one_number_per_database_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_name}, version {self.number}"


class ConfigurationValue(OfConnection):
    """A setting that scripts read as `configuration.NAME`. No page shows the value; `removed` takes it away from the
    tenant with the next publication.
    """

    name = models.CharField(max_length=100)
    value = EncryptedTextField(blank=True)
    removed = models.BooleanField(default=False)
    updated_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "identity"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection_id", "name"], name="one_value_per_database_setting")
        ]

    def __str__(self) -> str:
        return self.name


class DatabaseTest(OfConnection):
    """One run of the contract tests: what ran, against what, and each case's verdict (contracts.run.Verdict)."""

    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="database_test")
    content = models.JSONField()
    sha256 = models.CharField(max_length=64, db_index=True)
    store_form = models.JSONField()
    thorough = models.BooleanField(default=False)
    # A connection string holds a password: kept for the worker, gone when the run has ended.
    dsn = EncryptedTextField(blank=True)
    database = models.CharField(max_length=300)
    notice = models.TextField(blank=True)
    passed = models.BooleanField(null=True)
    verdicts = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "identity"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Contract tests of {self.connection_name}"

    def get_absolute_url(self) -> str:
        return reverse("identity:database-test", args=[*self.place, self.pk])


class ChecklistTick(OfConnection):
    """A person's word about one point of the checklist; stale when the scripts' fingerprint is another one."""

    item = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    note = models.CharField(max_length=500)
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "identity"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.item}: {self.person}"


class DatabaseRehearsal(OfConnection):
    """A lazy migration of a sample on a local tenant, played through to the end and put back.

    It is open until `put_back_at`: while it runs, and after a worker's death. The constraint is the lock.
    """

    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="+")
    # [[identifier, password]], and what the tenant held before: both gone when the tenant is as it was.
    sample = EncryptedTextField(blank=True)
    before = EncryptedTextField(blank=True)
    # Each person's identity.databases.rehearse.Row.
    report = models.JSONField(default=list)
    put_back_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "identity"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection_id"],
                condition=Q(put_back_at__isnull=True),
                name="one_open_database_rehearsal",
            )
        ]

    def __str__(self) -> str:
        return f"Rehearsal of {self.connection_name}"

    def get_absolute_url(self) -> str:
        return reverse("identity:database-rehearsal", args=[*self.place, self.pk])


class DatabasePublication(OfConnection, AbstractDecision, AbstractPublication):
    """One act on a tenant's connection: a version brought there.

        requested ──> running ──> live ──> replaced
            │            └──────> failed | cancelled | interrupted
            └──> refused | withdrawn

    Where the tenant is not protected it begins at running. The constraint is the lock: one act per connection.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        RUNNING = "running"
        LIVE = "live"
        REPLACED = "replaced"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INTERRUPTED = "interrupted"

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        ROLL_BACK = "roll_back", "roll back"

    one_live_per = ("tenant", "connection_id")
    version = models.ForeignKey(DatabaseVersion, on_delete=models.PROTECT, related_name="publications")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.PUBLISH)
    state = models.CharField(max_length=11, choices=State.choices)
    # SHA-256 of what was live when it was asked for; another one stops the act.
    expected_sha256 = models.CharField(max_length=64)
    # What it brings along (identity.databases.checks.settings_told); a change of it stops the act too.
    settings = models.JSONField(default=list)
    # Why scripts may be published whose checks are not all green; "" where they are.
    untested_reason = models.CharField(max_length=500, blank=True)

    class Meta(AbstractPublication.Meta):
        app_label = "identity"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection_id"],
                condition=Q(state__in=["requested", "running"]),
                name="one_database_publication_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["tenant", "connection_id"], condition=Q(state="live"), name="one_live_database_publication"
            ),
            by_two("database_four_eyes"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {self.version} ({self.tenant})"

    def get_absolute_url(self) -> str:
        return reverse("identity:database-publication", args=[self.tenant.slug, self.pk])


OPEN = (DatabasePublication.State.REQUESTED, DatabasePublication.State.RUNNING)
"""States in which a publication locks its connection."""


def named(tenant: Tenant, connection_id: str) -> dict[str, Any]:
    """The filter for rows of one connection."""
    return {"tenant": tenant, "connection_id": connection_id}
