"""Snapshots of tenants, and promotions between them."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from deployments import plan
from portal.crypto import EncryptedTextField
from portal.models import Run, Tenant


class Blob(models.Model):
    """One object's canonical JSON, stored once however many snapshots hold it. The key is its SHA-256."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    packed = models.BinaryField()

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def document(self) -> Any:
        return json.loads(zlib.decompress(bytes(self.packed)))


class Snapshot(models.Model):
    """What a tenant's configuration was. Secrets are placeholders (see deployments.secrets)."""

    class Source(models.TextChoices):
        EXPORT = "export", "Export"
        UPLOAD = "upload", "Upload"
        BEFORE = "before", "Before a promotion"
        AFTER = "after", "After a promotion"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="snapshots")
    source = models.CharField(max_length=8, choices=Source.choices)
    note = models.CharField(max_length=200, blank=True)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # {kind: {"state": "read" | "unknown" | "skipped", "count": n, "reason": "..."}}
    kinds = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.tenant} {self.created_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("deployments:snapshot", args=[self.tenant.slug, self.pk])

    @property
    def unknown(self) -> dict[str, str]:
        """{kind: why it could not be read}"""
        return {kind: state["reason"] for kind, state in self.kinds.items() if state["state"] == "unknown"}

    @property
    def is_complete(self) -> bool:
        return not self.unknown

    @property
    def object_count(self) -> int:
        return sum(state.get("count") or 0 for state in self.kinds.values() if state["state"] == "read")


class SnapshotObject(models.Model):
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="objects_of")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=400)
    # The object's id in its tenant, where it has one.
    object_id = models.CharField(max_length=200, blank=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "kind", "name"], name="one_object_per_name")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Promotion(models.Model):
    """Chosen changes on their way into one tenant. Moves go through deployments.promotions alone."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        REQUESTED = "requested", "Waiting for approval"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        APPLYING = "applying", "Applying"
        VERIFIED = "verified", "Verified"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"
        OUTDATED = "outdated", "Outdated"
        CANCELLED = "cancelled", "Withdrawn"
        ROLLED_BACK = "rolled_back", "Rolled back"

    title = models.CharField(max_length=120)
    source = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    # What the plan was made against: the target as it was then.
    target_snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="promotions")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    # [plan.as_data(item)], frozen by plan_hash once approval is asked for
    items = models.JSONField(default=list)
    plan_hash = models.CharField(max_length=64)
    # Values of secrets that the target lacks: {"kind|name|path": value}, JSON; emptied when the promotion has ended.
    secrets = EncryptedTextField(blank=True)
    rolls_back = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="roll_backs")

    created_at = models.DateTimeField(auto_now_add=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=80, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    before = models.ForeignKey(Snapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(Snapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Why it ended as it did, and what a comparison found: {"problem", "moved": [...], "differences": [...]}
    outcome = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # The lock: a tenant takes one promotion at a time.
            models.UniqueConstraint(
                fields=["target"], condition=models.Q(status="applying"), name="one_promotion_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(status__in=["approved", "applying", "verified"])
                | ~models.Q(decided_by=models.F("requested_by")),
                name="four_eyes",
            ),
        ]
        indexes = [models.Index(fields=["status"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("deployments:promotion", args=[self.pk])

    @property
    def plan(self) -> list[plan.Item]:
        return [plan.from_data(item) for item in self.items]

    @property
    def is_sound(self) -> bool:
        """Whether the stored plan is still the one that was hashed."""
        return plan.digest(self.plan) == self.plan_hash

    @property
    def secret_values(self) -> dict[str, str]:
        return json.loads(self.secrets) if self.secrets else {}
