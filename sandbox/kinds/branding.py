"""Branding: colours and logo, themes, the page template of Universal Login."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.errors import ApiError
from sandbox.kinds import crud, settings
from sandbox.kinds.kind import Id, Kind
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.settings import Setting
from sandbox.store import Document

TEMPLATE = "/branding/templates/universal-login"
HEAD, WIDGET = "{%- auth0:head -%}", "{%- auth0:widget -%}"

settings.register(Setting("/branding", {"colors": {"page_background": "#FF4F40", "primary": "#2A2E35"}}))

THEMES = Kind(
    path="/branding/themes",
    store="branding_themes",
    envelope="themes",
    id=Id("", 32),
    id_field="themeId",
    missing=("There was an error retrieving branding settings: invalid theme ID", "theme_not_found"),
    defaults={"displayName": "Unnamed Theme"},
    read_only=frozenset({"themeId"}),
    create_status=200,
)


@operation("POST", "/branding/themes")
def create_theme(call: Call) -> Reply:
    if call.store.count("branding_themes"):
        raise ApiError(409, "There is already a theme; change it with PATCH.", "theme_conflict")
    return crud.create(THEMES, call)


@operation("GET", "/branding/themes/default")
def default_theme(call: Call) -> Document:
    for theme in call.store.all("branding_themes"):
        return theme
    raise ApiError(404, *THEMES.missing)


@operation("GET", TEMPLATE)
def read_template(call: Call) -> Document:
    body = settings.value(call.store, TEMPLATE).get("body")
    if body is None:
        raise ApiError(404, "Template does not exist.", "inexistent_templates_universal_login")
    return {"body": body}


@operation("PUT", TEMPLATE, form=True)
async def replace_template(call: Call) -> Reply:
    """The body is the template itself, plain, as a JSON string, or as {"template": ...}. 201 if it is new."""
    raw = await call.request.body()
    try:
        sent: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        sent = raw.decode("utf-8", "replace")
    body = sent.get("template") if isinstance(sent, dict) else sent
    if not isinstance(body, str) or HEAD not in body.replace("{% auth0", "{%- auth0").replace("head %}", "head -%}"):
        raise ApiError(400, f"The template must contain {HEAD} and {WIDGET}.", "invalid_body")
    if not call.store.first("custom_domains"):
        raise ApiError(403, "A custom domain is needed to customize the page.", "custom_domain_required")
    new = not settings.value(call.store, TEMPLATE)
    settings.put(call.store, TEMPLATE, {"body": body})
    return Reply(201, {}) if new else Reply(204)


@operation("DELETE", TEMPLATE)
def delete_template(call: Call) -> Reply:
    call.store.remove("settings", settings.key(TEMPLATE))
    return Reply(204)


crud.register(THEMES)
