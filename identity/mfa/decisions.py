"""The page of one publication of a policy: what it would do to people, the second person, how it went."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from identity import approval_views
from identity.approval_views import Decision
from identity.mfa import publish
from identity.mfa.models import Publication
from identity.mfa.publications import effect

# state -> what happens next, for the person who asked
TOLD: dict[str, str] = {
    "running": "",
    "live": "The next sign-in of each user whom a rule names meets it. Sessions that are open go on until they end.",
    "replaced": "Another policy is live here now.",
    "removed": "From the next sign-in on nobody is asked by this policy. The Action is still in the tenant.",
    "failed": "What was live before still is, unless a line above says that the code was deployed. Publish again.",
    "cancelled": "What was live before still is, unless a line above says that the code was deployed.",
    "interrupted": "The worker died. Publish again: each step looks first, and does only what is missing.",
}


class PublicationPage(approval_views.PublicationPage):
    permission = "mfa.view"
    template = "identity/mfa/publication.html"
    four_eyes = publish.FOUR_EYES
    related = ("version__policy",)
    told = TOLD

    def looked(self, publication: Publication, *, decides: bool) -> dict[str, Any]:
        assert publication.version  # noqa: S101  taking a policy away waits for nobody
        people = [publication.requested_by, *([self.person] if decides else [])]
        found = effect(self.tenant, publication.version, people)
        return found | {"stopped": found["live"].publication != publication.expected}

    def more(self, publication: Publication) -> dict[str, Any]:
        if not publication.version or not self.person.has_perm("mfa.publish"):
            return {}
        again = [publication.tenant.slug, publication.version.policy_id, publication.version.number]
        return {"again_url": reverse("identity:publish-policy-version", args=again)}


class Result(PublicationPage):
    """The end of a publication: htmx asks for it until it is there."""

    template = "identity/mfa/_result.html"


class Decide(Decision, PublicationPage):
    pass
