"""What both apps need: tenants, the audit trail, and background runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from portal.crypto import EncryptedTextField

domain_validator = RegexValidator(
    r"^(?=.{1,255}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$",
    "Write the domain alone, in lower case, such as acme.eu.auth0.com: no https:// and no slash.",
)


# A worker that is free takes a run within a second.
LATE = timedelta(seconds=20)


class Stage(models.TextChoices):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Tenant(models.Model):
    """An Auth0 tenant and the machine-to-machine application that the portal uses there."""

    slug = models.SlugField(unique=True, max_length=40)
    name = models.CharField(max_length=80)
    domain = models.CharField(max_length=262, unique=True, validators=[domain_validator])
    stage = models.CharField(max_length=12, choices=Stage.choices)
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Place on the ladder: changes are promoted from a lower to a higher number."
    )
    protected = models.BooleanField(
        default=False,
        help_text="Asks for its typed name; promotions, MFA policies and database scripts for a second person as well.",
    )
    read_only = models.BooleanField(default=False, help_text="The portal refuses every write to this tenant.")
    client_id = models.CharField(max_length=64)
    client_secret = EncryptedTextField(blank=True)
    private_key = EncryptedTextField(blank=True, help_text="PEM; used instead of the secret (private key JWT).")
    # Made here and not yet registered with Auth0: the old credentials stay in use until this one has worked once.
    pending_private_key = EncryptedTextField(blank=True)
    reader_client_id = models.CharField(
        max_length=64, blank=True, help_text="A second application with read scopes alone; reads use it then."
    )
    reader_client_secret = EncryptedTextField(blank=True)
    reader_private_key = EncryptedTextField(blank=True, help_text="PEM; used instead of the reader's secret.")
    pending_reader_private_key = EncryptedTextField(blank=True)
    ca_bundle = models.TextField(blank=True, help_text="PEM certificates to trust for this tenant besides the usual.")
    variables = models.JSONField(default=dict, blank=True, help_text="Values that differ per tenant, for promotions.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tenant", args=[self.slug])

    @property
    def url(self) -> str:
        return f"https://{self.domain}"

    @property
    def audience(self) -> str:
        return f"{self.url}/api/v2/"

    @property
    def asks_for_its_name(self) -> bool:
        """Whether a change of its configuration is confirmed by typing its slug."""
        return self.protected or self.stage == Stage.PRODUCTION

    @property
    def confirmation(self) -> str:
        """What a person is asked to type, without a full stop."""
        return f"Type {self.slug} to confirm that this is for {self.name}"

    def is_named(self, typed: str) -> bool:
        return typed.strip().lower() == self.slug


class ScopeUse(models.Model):
    """That a scope of the Management API was used at a tenant: first and last day. Written by portal.auth0.usage."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="scope_uses")
    scope = models.CharField(max_length=80)
    first_used_on = models.DateField()
    last_used_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "scope"], name="one_row_per_tenant_and_scope")]

    def __str__(self) -> str:
        return f"{self.scope} at {self.tenant}"


class PlanAnswer(models.Model):
    """What a tenant said when it was asked for a feature that its plan may lack. Written by portal.plans."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="plan_answers")
    feature = models.CharField(max_length=40)
    # None: the answer does not tell, because a scope is missing or the tenant was away.
    available = models.BooleanField(null=True)
    said = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "feature"], name="one_answer_per_tenant_and_feature")]

    def __str__(self) -> str:
        return f"{self.feature} at {self.tenant}"


class AuditEvent(models.Model):
    """One act on a tenant or on the portal. Database triggers refuse UPDATE and DELETE; see portal.audit."""

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        UNKNOWN = "unknown", "not known"

    # People and tenants are copied as text: a row says what was true then, and outlives what it names.
    at = models.DateTimeField()
    actor = models.CharField(max_length=254)
    actor_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=80)
    tenant = models.CharField(max_length=40, blank=True)
    target = models.CharField(max_length=512, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=80, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    detail = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["tenant", "target"]),
            models.Index(fields=["actor"]),
            models.Index(fields=["verb"]),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.target_label or self.target}"

    def get_absolute_url(self) -> str:
        return reverse("audit-event", args=[self.pk])


class AuditHead(models.Model):
    """The newest hash of the chain; one row. Adding an event moves it by a conditional UPDATE."""

    hash = models.CharField(max_length=64)
    count = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.count} entries"


class Run(models.Model):
    """Background work: the row is the truth, the queue only a hint. Moves go through portal.runs alone."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INTERRUPTED = "interrupted"

    FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.INTERRUPTED)

    kind = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["status"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.pk])

    @property
    def is_final(self) -> bool:
        return self.status in self.FINAL

    @property
    def is_late(self) -> bool:
        """Whether it has waited longer than it would for a worker that is free."""
        return self.status == self.Status.QUEUED and timezone.now() - self.created_at > LATE


class RunEvent(models.Model):
    """One line of a run's progress, shown live."""

    class Level(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        ERROR = "error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.INFO)
    message = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.message


def tenant_snapshot(tenant: Tenant) -> dict[str, Any]:
    """The fields of a tenant that an audit row may show; secrets only by whether they are set."""
    plain = ("slug", "name", "domain", "stage", "position", "protected", "read_only", "client_id")
    return {
        **{name: getattr(tenant, name) for name in plain},
        "client_secret_set": bool(tenant.client_secret),
        "private_key_set": bool(tenant.private_key),
        "reader_client_id": tenant.reader_client_id,
        "reader_client_secret_set": bool(tenant.reader_client_secret),
        "reader_private_key_set": bool(tenant.reader_private_key),
    }
