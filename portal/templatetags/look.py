"""The pages' vocabulary: icons, badges, times, cards, dialogs. A template builtin: no `{% load %}` is needed.

A tag that gets odd data shows it as it is, or nothing; it never breaks the page. docs/look.md shows each in use.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from portal.access import ACTS

register = template.Library()

# stage of a tenant -> (icon, word). The colours are the classes stage-* of app.css.
STAGES: dict[str, tuple[str, str]] = {
    "development": ("flask", "Development"),
    "staging": ("stairs", "Staging"),
    "production": ("alert-triangle", "Production"),
}

# status -> (colour, icon, word): the one table for every state that a page shows.
STATUSES: dict[str, tuple[str, str, str]] = {
    # background runs
    "queued": ("blue", "hourglass", "Queued"),
    "running": ("blue", "loader-2", "Running"),
    "cancelling": ("orange", "loader-2", "Cancelling"),
    "succeeded": ("green", "circle-check", "Succeeded"),
    "failed": ("red", "circle-x", "Failed"),
    "cancelled": ("gray", "ban", "Cancelled"),
    "interrupted": ("orange", "alert-triangle", "Interrupted"),
    "unknown": ("orange", "help-circle", "Not known"),
    # promotions
    "draft": ("gray", "pencil", "Draft"),
    "requested": ("purple", "clock-pause", "Waiting for approval"),
    "approved": ("blue", "circle-check", "Approved"),
    "refused": ("red", "circle-x", "Refused"),
    "applying": ("blue", "loader-2", "Applying"),
    "applied": ("green", "checks", "Applied"),
    "verifying": ("blue", "loader-2", "Verifying"),
    "verified": ("green", "checks", "Verified"),
    "done": ("green", "checks", "Done"),
    "rolling_back": ("orange", "loader-2", "Rolling back"),
    "rolled_back": ("gray", "restore", "Rolled back"),
    "outdated": ("orange", "refresh-alert", "Outdated"),
    "drifted": ("orange", "git-compare", "Drifted"),
    "in_sync": ("green", "circle-check", "In sync"),
    # changes
    "create": ("green", "plus", "Create"),
    "update": ("blue", "pencil", "Change"),
    "delete": ("red", "trash", "Delete"),
    # users
    "active": ("green", "circle-check", "Active"),
    "blocked": ("red", "ban", "Blocked"),
    "email_verified": ("green", "mail-opened", "E-mail verified"),
    "unverified": ("orange", "mail", "E-mail not verified"),
    "never_signed_in": ("gray", "circle-dashed", "Never signed in"),
    # policies, scripts, connections
    "live": ("green", "broadcast", "Live"),
    "not_published": ("gray", "cloud-off", "Not published"),
    "changed": ("orange", "file-diff", "Changed since published"),
    "pending": ("blue", "hourglass", "Pending"),
    "building": ("blue", "loader-2", "Building"),
    "built": ("blue", "package", "Built"),
    "deployed": ("green", "rocket", "Deployed"),
    "not_bound": ("orange", "unlink", "Not bound"),
    "enabled": ("green", "circle-check", "On"),
    "disabled": ("gray", "circle-minus", "Off"),
    "present": ("green", "file-code", "Present"),
    "missing": ("red", "file", "Missing"),
    "stale": ("orange", "clock-pause", "Stale"),
    # checks and tests
    "ok": ("green", "circle-check", "OK"),
    "passed": ("green", "circle-check", "Passed"),
    "skipped": ("gray", "circle-minus", "Skipped"),
    "not_run": ("gray", "circle-dashed", "Not run"),
    "info": ("blue", "info-circle", "Note"),
    "warning": ("orange", "alert-triangle", "Warning"),
    "error": ("red", "alert-octagon", "Error"),
    "timeout": ("orange", "clock-pause", "Timed out"),
    "crashed": ("red", "alert-octagon", "Crashed"),
    # access and the audit trail
    "connected": ("green", "plug-connected", "Connected"),
    "not_connected": ("red", "plug-connected-x", "Not connected"),
    "granted": ("green", "check", "Granted"),
    "not_granted": ("red", "lock", "Not granted"),
    "dangerous": ("red", "alert-triangle", "Dangerous"),
    "read_only": ("purple", "eye", "Read only"),
    "protected": ("purple", "lock", "Protected"),
    "intact": ("green", "shield-check", "Chain intact"),
    "broken": ("red", "shield-x", "Chain broken"),
    # what a sign-in would meet
    "allow": ("green", "circle-check", "Signs in"),
    "challenge": ("blue", "shield-lock", "Asked for MFA"),
    "enroll": ("purple", "shield-bolt", "Must enrol in MFA"),
    "deny": ("red", "ban", "Denied"),
}


# The parameters of the block tags and their defaults; components/_card.html and _dialog.html explain them.
CARD: dict[str, Any] = dict.fromkeys(("subtitle", "icon", "id", "body", "actions", "footer"), "") | {"flush": False}
DIALOG: dict[str, Any] = dict.fromkeys(
    ("action", "body", "reason", "reason_value", "typed", "icon", "confirm_icon", "htmx_target"), ""
) | {"confirm": "Confirm", "form": None, "reasons": None, "ticket": False, "danger": False, "open": False}


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """A Tabler icon of portal.vendor.ICONS. Without a label it is decoration, hidden from screen readers."""
    role = format_html(' role="img" aria-label="{}"', label) if label else SafeString(' aria-hidden="true"')
    source = static("vendor/icons.svg")
    return format_html('<svg class="icon {}"{}><use href="{}#{}"></use></svg>', css, role, source, name)


@register.simple_tag
def stage_badge(tenant: Any) -> SafeString:
    """The stage of a tenant (an object or dict with `stage`, or the stage's name) in word, icon and colour."""
    stage = _get(tenant, "stage") or str(tenant or "")
    symbol, word = STAGES.get(stage, ("world", stage.capitalize() or "No stage"))
    return format_html('<span class="stage stage-{}">{}{}</span>', stage or "none", icon(symbol), word)


@register.simple_tag
def status_badge(status: Any, word: str = "") -> SafeString:
    """A status of STATUSES as a pill; one that the table lacks is shown in gray, in its own words."""
    key = re.sub(r"[\s-]+", "_", str(_get(status, "value") or status or "unknown").strip().lower())
    colour, symbol, known = STATUSES.get(key, ("gray", "point", key.replace("_", " ").capitalize()))
    spin = "spin" if symbol == "loader-2" else ""
    return format_html('<span class="pill pill-{}">{}{}</span>', colour, icon(symbol, css=spin), word or known)


@register.simple_tag
def when(value: Any, missing: str = "never") -> SafeString:
    """A moment, as "3 minutes ago" with the exact time as title. Takes datetimes, ISO 8601 text, Unix seconds."""
    moment = as_datetime(value)
    if moment is None:
        return format_html('<span class="text-secondary">{}</span>', value or missing)
    exact = timezone.localtime(moment).strftime("%a %-d %b %Y, %H:%M:%S %Z")
    return format_html(
        '<time datetime="{}" title="{}" data-when>{}</time>',
        moment.astimezone(UTC).isoformat(),
        exact,
        _relative(moment),
    )


@register.simple_tag
def copy(value: Any, label: str = "Copy") -> SafeString:
    """A button that puts the value on the clipboard."""
    return format_html(
        '<button type="button" class="copy" data-copy="{}" aria-label="{}: {}" title="{}">{}</button>',
        value,
        label,
        value,
        label,
        icon("copy"),
    )


@register.simple_tag
def copy_secret(value: Any, label: str = "Copy") -> SafeString:
    """Like copy, for what must not be read aloud or shown in a tooltip."""
    return format_html('<button type="button" class="btn" data-copy="{}">{}{}</button>', value, icon("copy"), label)


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """Keys as they stand on a keyboard; several that follow each other are separated by spaces."""
    parts = [format_html("<kbd>{}</kbd>", key) for key in str(keys).split()]
    return SafeString('<span class="keys" aria-hidden="true">' + "".join(parts) + "</span>")


@register.filter
def initials(name: Any) -> str:
    """At most two letters for an avatar: "Ada Lovelace" and "ada.lovelace@larkspur.example" both give AL."""
    words = re.findall(r"[^\W\d_]+", str(name or "").split("@")[0])
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.filter
def tint(name: Any) -> int:
    """One of eight avatar colours, the same for the same name."""
    return sum(str(name or "").encode()) % 8


@register.filter
def pretty_json(value: Any) -> str:
    """JSON with indents; text that holds JSON is laid out too, any other text is left as it is."""
    if isinstance(value, (str, bytes)):
        try:
            value = json.loads(value)
        except ValueError:
            return value if isinstance(value, str) else value.decode(errors="replace")
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(value)


@register.filter
def described_by(roles: Any) -> str:
    """Labels joined as a sentence does: "Security, Auditor or Administrator"."""
    words = [str(role) for role in roles] if isinstance(roles, (list, tuple, set)) else [str(roles or "")]
    return words[0] if len(words) < 2 else f"{', '.join(words[:-1])} or {words[-1]}"


@register.filter
def act(verb: Any) -> str:
    """The verb of an audit entry as people say it; an unknown one stays as it is."""
    return ACTS.get(str(verb), str(verb))


@register.filter
def duration(seconds: Any) -> str:
    """Seconds in the two largest units: "1 h 5 min", "40 s"."""
    try:
        left = max(0, int(float(seconds)))
    except (TypeError, ValueError, OverflowError):
        return str(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts[:2]) or "0 s"


@register.simple_block_tag(takes_context=True)
def card(context: template.Context, content: str, title: str = "", **parameters: Any) -> SafeString:
    """A titled box; its parameters are those of CARD."""
    return _component(context, "card", {**CARD, "content": content, "heading": title}, parameters)


@register.simple_block_tag(takes_context=True)
def dialog(context: template.Context, content: str, id: str, title: str, **parameters: Any) -> SafeString:  # noqa: A002
    """A confirmation that posts; its parameters are those of DIALOG. The page's own tenant stands on it by itself."""
    fixed = {"content": content, "id": id, "heading": title, "tenant": context.get("tenant")}
    return _component(context, "dialog", {**DIALOG, **fixed}, parameters)


def as_datetime(value: Any) -> datetime | None:
    """The moment that `value` means, aware; None where it means none."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        moment = parse_datetime(value) if isinstance(value, str) else value
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(moment, datetime):
        return None
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _relative(moment: datetime) -> str:
    now = timezone.now()
    if abs((now - moment).total_seconds()) < 60:
        return "just now" if moment <= now else "in a moment"
    if moment <= now:
        return f"{timesince(moment, now, depth=1)} ago"
    return f"in {timesince(now, moment, depth=1)}"


def _component(context: template.Context, name: str, defaults: dict[str, Any], given: dict[str, Any]) -> SafeString:
    """Every parameter has a default here, so that a page's own `form` or `icon` never slips into a component."""
    if unknown := set(given) - set(defaults):
        raise template.TemplateSyntaxError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    with context.push(**{**defaults, **given}):
        return template.Engine.get_default().get_template(f"components/_{name}.html").render(context)


def _get(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)
