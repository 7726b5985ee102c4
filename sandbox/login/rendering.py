"""Renders the pages of login: templates, texts, the tenant's colours, and the headers that keep them safe."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from sandbox.login import configuration
from sandbox.tenant import Tenant

FOLDER = Path(__file__).parent
# No form-action: browsers apply it to the redirects that follow a form, which lead to the application.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
ASSETS = {
    "login.css": "text/css",
    "capabilities.js": "text/javascript",
    "webauthn.js": "text/javascript",
    "form_post.js": "text/javascript",
    "web_message.js": "text/javascript",
}
_COLOR = re.compile(r"^#[0-9a-fA-F]{6}$")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(tenant: Tenant, template: str, status: int = 200, **context: Any) -> Response:
    """An HTML page from templates/{template}.html; every template knows `tenant` and `company`."""
    settings = configuration.tenant_settings(tenant)
    html = (
        _environment()
        .get_template(f"{template}.html")
        .render(
            tenant=tenant,
            company=configuration.friendly_name(tenant),
            support_url=_web_address(settings.get("support_url")),
            **{"error": "", "notice": "", **context},
        )
    )
    headers = dict(SECURITY_HEADERS)
    if template == "web_message":
        # The page is made for a frame of the application.
        ancestors = f"frame-ancestors {context['origin']}"
        headers["Content-Security-Policy"] = headers["Content-Security-Policy"].replace(
            "frame-ancestors 'none'", ancestors
        )
    return Response(html, status, headers, "text/html")


def error_page(tenant: Tenant, status: int, error: str, description: str, **context: Any) -> Response:
    """The page for what can't be sent back to an application."""
    return page(tenant, "error", status, code=error, description=description, **context)


def custom_text(tenant: Tenant, prompt: str, screen: str, key: str, default: str) -> str:
    """A text that the tenant has changed (prompts/{prompt}/custom-text/en), else the usual one."""
    texts = configuration.setting(tenant, f"prompts/{prompt}/custom-text/en").get(screen) or {}
    found = texts.get(key) if isinstance(texts, dict) else None
    if not isinstance(found, str) or not found.strip():
        return default
    return found.replace("${companyName}", configuration.friendly_name(tenant)).replace("${clientName}", "")


@cache
def asset(name: str) -> Response | None:
    """A static file of the pages."""
    if name not in ASSETS:
        return None
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response((FOLDER / "assets" / name).read_bytes(), 200, headers, ASSETS[name])


def branding_css(tenant: Tenant) -> str:
    """The tenant's own colours as far as they leave the pages readable."""
    colors = configuration.setting(tenant, "branding").get("colors") or {}
    primary, background = colors.get("primary"), colors.get("page_background")
    rules = []
    if isinstance(primary, str) and _COLOR.match(primary):
        rules.append(f":root {{ --primary: {primary}; --on-primary: {_readable_on(primary)}; }}")
    if isinstance(background, str) and _COLOR.match(background):
        # A light background suits the light pages alone, a dark one the dark pages.
        on_page = _readable_on(background)
        scheme = "light" if on_page == "#000000" else "dark"
        rule = f":root {{ --page: {background}; --on-page: {on_page}; }}"
        rules.append(f"@media (prefers-color-scheme: {scheme}) {{ {rule} }}")
    return "\n".join(rules)


def _readable_on(color: str) -> str:
    """Black or white, whichever contrasts more (WCAG relative luminance)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


def _web_address(url: object) -> str:
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
