"""Policies, their versions, and where each version was published."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.urls import reverse

from identity.approvals import AbstractDecision, by_two
from identity.publications import PERSON, AbstractPublication, AbstractVersion
from portal.models import Tenant


class Policy(models.Model):
    """A named MFA policy and its draft; it belongs to no tenant. `content` is identity.mfa.policy.to_json.

    `revision` counts the saves: who saves says which one was on the screen (identity.mfa.drafts).
    """

    name = models.CharField(max_length=80, unique=True)
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "identity"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(AbstractVersion):
    """The rules and the code made of them."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    name = models.CharField(max_length=80)
    content = models.JSONField()
    code = models.TextField()
    code_sha256 = models.CharField(max_length=64, db_index=True)

    class Meta(AbstractVersion.Meta):
        app_label = "identity"
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="one_number_per_version")]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class Publication(AbstractDecision, AbstractPublication):
    """One act on a tenant's login flow: a version brought there, or taken away (`version` is None).

        requested ──> running ──> live ──> replaced | removed
            │            │  └───> removed (the act took a policy away)
            │            └──────> failed | cancelled | interrupted
            └──> refused | withdrawn

    Publishing to a protected tenant begins at requested (identity.approvals), everything else at running. The
    constraints are the lock: per tenant one act at a time, one live policy, and one request that waits. What waits
    does not stand in the way of a roll back.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        RUNNING = "running"
        LIVE = "live"
        REPLACED = "replaced"
        REMOVED = "removed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INTERRUPTED = "interrupted"

    class Kind(models.TextChoices):
        PUBLISH = "publish"
        ROLL_BACK = "roll_back", "roll back"
        REMOVE = "remove"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(PolicyVersion, null=True, on_delete=models.PROTECT, related_name="publications")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.PUBLISH)
    state = models.CharField(max_length=11, choices=State.choices, default=State.RUNNING)
    action_id = models.CharField(max_length=64, blank=True)
    # User ids that cannot sign in any more, and were accepted in words.
    accepted_lockouts = models.JSONField(default=list)
    # Switch on "Customize MFA factors using Actions" on the way.
    customize = models.BooleanField(default=False)
    # What was live when it was asked for; something else stops an approval.
    expected = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(AbstractPublication.Meta):
        app_label = "identity"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(state="running"), name="one_publication_at_a_time_per_tenant"
            ),
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="live"), name="one_live_policy_per_tenant"),
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(state="requested"), name="one_requested_policy_per_tenant"
            ),
            by_two("policy_four_eyes"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {self.version or 'the policy'} ({self.tenant})"

    def get_absolute_url(self) -> str:
        return reverse("identity:publication", args=[self.tenant.slug, self.pk])

    @property
    def people(self) -> list[User]:
        """Who asked for it, and who approved it."""
        return [person for person in (self.requested_by, self.decided_by) if person]
