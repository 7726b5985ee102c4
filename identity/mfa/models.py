"""Policies, their versions, and where each version was published."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.models import Run, Tenant


class Policy(models.Model):
    """A named MFA policy and its draft; it belongs to no tenant. `content` is identity.mfa.policy.to_json.

    `revision` counts the saves: who saves says which one was on the screen (identity.mfa.drafts).
    """

    name = models.CharField(max_length=80, unique=True)
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "identity"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """What was published, or stood ready to be: the rules and the code made of them. Never changed."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    content = models.JSONField()
    code = models.TextField()
    code_sha256 = models.CharField(max_length=64, db_index=True)
    comment = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "identity"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="one_number_per_version")]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class Publication(models.Model):
    """One act on a tenant's login flow: a version brought there, or taken away (`version` is None).

        running ──> live ──> replaced | removed
           │  └───> removed (the act took a policy away)
           └──────> failed | cancelled | interrupted

    The two constraints are the lock: one act at a time and one live policy per tenant.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        LIVE = "live"
        REPLACED = "replaced"
        REMOVED = "removed"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INTERRUPTED = "interrupted"

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        ROLL_BACK = "roll_back", "roll back"
        REMOVE = "remove"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="mfa_publications")
    version = models.ForeignKey(PolicyVersion, null=True, on_delete=models.PROTECT, related_name="publications")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.PUBLISH)
    state = models.CharField(max_length=11, choices=State.choices, default=State.RUNNING)
    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="mfa_publication")
    action_id = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=80, blank=True)
    # User ids that cannot sign in any more, and were accepted in words.
    accepted_lockouts = models.JSONField(default=list)
    # Switch on "Customize MFA factors using Actions" on the way.
    customize = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "identity"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(state="running"), name="one_publication_at_a_time_per_tenant"
            ),
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="live"), name="one_live_policy_per_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {self.version or 'the policy'} ({self.tenant})"

    def get_absolute_url(self) -> str:
        return self.run.get_absolute_url() if self.run else reverse("identity:policies", args=[self.tenant.slug])
