"""What could go wrong with one item of a plan. Pure.

An analyser is a function of (item, circumstances) that yields findings; ANALYSERS lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deployments.analysers import actions, settings, texts
from deployments.findings import Circumstances, Finding
from deployments.plan import Item

ANALYSERS: tuple[Callable[[Item, Circumstances], Iterator[Finding]], ...] = (
    texts.markers,
    texts.secrets,
    texts.addresses,
    texts.source_ids,
    actions.actions,
    actions.bindings,
    actions.deletions,
    settings.applications,
    settings.protection,
    settings.tenant,
)
