"""How plans name their items in templates."""

from __future__ import annotations

from django import template

from deployments.kinds import KINDS

register = template.Library()


@register.filter
def item_label(key: str) -> str:
    """`actions|MFA` as a person reads it: Actions “MFA”."""
    kind, _, name = str(key).partition("|")
    return f"{KINDS[kind].label} “{name}”" if kind in KINDS else str(key)
