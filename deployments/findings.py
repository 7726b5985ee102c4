"""What the analysis of a plan says, and what it needs to know. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from deployments import plan

ERROR, WARNING, NOTE = "error", "warning", "info"


@dataclass(frozen=True)
class Finding:
    severity: str
    code: str
    item: str
    text: str
    advice: str
    path: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What the analysers need to know beside the plan. `source_ids` are {id: what it is} of the source tenant."""

    target: plan.Content
    stage: str = "development"
    source_domain: str = ""
    source_ids: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    portal_client_id: str = ""
    given_secrets: frozenset[str] = frozenset()
    items: tuple[plan.Item, ...] = ()
