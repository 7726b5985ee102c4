"""The control for an act on a tenant: as it should be, or off with the reason. A template builtin, as look is.

Which acts are off is told by portal.scopes and by what the tenant's application is granted, read once per page.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.safestring import SafeString

from portal import scopes, tenants
from portal.models import Stage, Tenant

register = template.Library()

# The parameters of the tag and their defaults; components/_act.html explains them.
ACT: dict[str, Any] = dict.fromkeys(("url", "dialog", "icon", "key", "look", "css", "form"), "") | {
    "also": (),
    "submit": False,
    "quiet": False,
}


@register.simple_block_tag(takes_context=True)
def act(context: template.RequestContext, content: str, feature: str, **parameters: Any) -> SafeString:
    """A button or link for a feature of portal.scopes.FEATURES; the words stand between the tags."""
    if unknown := set(parameters) - set(ACT):
        raise template.TemplateSyntaxError(f"act has no parameter {', '.join(sorted(unknown))}")
    given = {**ACT, **parameters, "content": content, "missing": []}
    if given["look"] == "confirm":
        tenant = getattr(context.request, "tenant", None)
        given["look"] = "danger" if tenant and tenant.stage == Stage.PRODUCTION else "primary"
    if missing := missing_scopes(context, feature, given["also"]):
        given |= {"missing": missing, **_reason(context.request, feature)}
    with context.push(**given):
        return template.Engine.get_default().get_template("components/_act.html").render(context)


@register.simple_tag(takes_context=True)
def missing_scopes(context: template.RequestContext, feature: str, also: Any = ()) -> list[str]:
    """The scopes for want of which the feature is off at the page's tenant; [] where it is on, or nothing is known."""
    if feature not in scopes.FEATURES:
        raise template.TemplateSyntaxError(f"{feature} is not in portal.scopes.FEATURES")
    tenant = getattr(context.request, "tenant", None)
    return _access(context.request, tenant).missing(feature, also) if tenant else []


def _access(request: HttpRequest, tenant: Tenant) -> tenants.Access:
    known: dict[int, tenants.Access] = request.__dict__.setdefault("_access", {})
    return known.setdefault(tenant.pk, tenants.Access(tenant))


def _reason(request: HttpRequest, feature: str) -> dict[str, Any]:
    """The id of the reason, and whether it is still to be told: a page tells each once.

    A part that is loaded later must not bring an id that the page has already.
    """
    told: set[str] = request.__dict__.setdefault("_told", set())
    part = f"-{request.id}" if getattr(request, "htmx", False) else ""  # type: ignore[attr-defined]
    name = f"off-{feature.replace('.', '-').replace('_', '-')}{part}"
    first = name not in told
    told.add(name)
    return {"reason_id": name, "first": first}
