"""Universal Login's prompts: experience, texts, partials, rendering of single screens."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, settings
from sandbox.kinds.operations import Call, operation
from sandbox.kinds.settings import Setting
from sandbox.store import Document

RENDERING: Document = {
    "rendering_mode": "standard",
    "context_configuration": [],
    "default_head_tags_disabled": False,
    "use_page_template": False,
    "filters": None,
    "head_tags": [],
}
PARTIAL_POINTS = frozenset(
    [
        "form-content",
        "form-content-start",
        "form-content-end",
        "form-footer-start",
        "form-footer-end",
        "secondary-actions-start",
        "secondary-actions-end",
    ]
)

settings.register(
    Setting(
        "/prompts",
        {"universal_login_experience": "new", "identifier_first": True, "webauthn_platform_first_factor": False},
    ),
    Setting("/prompts/mfa-push", {"google_app_link": "", "apple_app_link": "", "app_name": ""}),
)


def _texts(call: Call) -> str:
    return f"{call.params['prompt']} {call.params['language']}"


@operation("GET", "/prompts/{prompt}/custom-text/{language}")
def read_texts(call: Call) -> Document:
    return (call.store.get("prompt_texts", _texts(call)) or {}).get("texts", {})


@operation("PUT", "/prompts/{prompt}/custom-text/{language}")
def replace_texts(call: Call) -> Document:
    texts = call.body or {}
    call.store.put("prompt_texts", _texts(call), {"texts": texts})
    return texts


@operation("GET", "/prompts/{prompt}/partials")
def read_partials(call: Call) -> Document:
    return (call.store.get("prompt_partials", call.params["prompt"]) or {}).get("partials", {})


@operation("PUT", "/prompts/{prompt}/partials")
def replace_partials(call: Call) -> Document:
    partials = call.body or {}
    for screen, points in partials.items():
        unknown = set(points or {}) - PARTIAL_POINTS if isinstance(points, dict) else {screen}
        if unknown:
            raise ApiError(400, f"Unknown insertion points in {screen}: {', '.join(sorted(unknown))}", "invalid_body")
    call.store.put("prompt_partials", call.params["prompt"], {"partials": partials})
    return partials


# --- rendering -------------------------------------------------------------------------------------------------------


def _rendering(call: Call, prompt: str, screen: str) -> Document:
    stored = call.store.get("prompt_rendering", f"{prompt} {screen}") or {}
    return {"tenant": call.tenant.name, "prompt": prompt, "screen": screen, **RENDERING, **stored}


@operation("GET", "/prompts/{prompt}/screen/{screen}/rendering")
def read_rendering(call: Call) -> Document:
    return _rendering(call, call.params["prompt"], call.params["screen"])


@operation("PATCH", "/prompts/{prompt}/screen/{screen}/rendering")
def change_rendering(call: Call) -> Document:
    return _change_rendering(call, call.params["prompt"], call.params["screen"], call.body or {})


def _change_rendering(call: Call, prompt: str, screen: str, sent: Document) -> Document:
    key = f"{prompt} {screen}"
    new: Document = {**(call.store.get("prompt_rendering", key) or {}), "prompt": prompt, "screen": screen, **sent}
    new = {name: value for name, value in new.items() if value is not None}
    call.store.put("prompt_rendering", key, new)
    return {name: new[name] for name in sent if name in new}


@operation("GET", "/prompts/rendering")
def list_rendering(call: Call) -> Any:
    stored = [
        _rendering(call, d["prompt"], d["screen"])
        for d in call.store.all("prompt_rendering")
        if all(
            str(d.get(key)) == call.query[key] for key in ("prompt", "screen", "rendering_mode") if key in call.query
        )
    ]
    return crud.listed(call, stored, "configs", "offset")


@operation("PATCH", "/prompts/rendering")
def change_many_renderings(call: Call) -> Document:
    sent = (call.body or {}).get("configs") or []
    for config in sent:
        rest = {key: value for key, value in config.items() if key not in ("prompt", "screen")}
        _change_rendering(call, config["prompt"], config["screen"], rest)
    changed = [_rendering(call, config["prompt"], config["screen"]) for config in sent]
    return {"configs": [{key: value for key, value in one.items() if key != "tenant"} for one in changed]}
